"""What a refund takes back: the reward of the purchase that it cancels, as far as its pieces come back.

Which purchase that is, and how many of its pieces, is what the profile says, too (``domain.pairing``).
So revenue and history agree, in whatever order the two arrive, as long as the purchase is among the
recent interactions. Of one that is not, the refund's own amount is taken back. Each slate and choice keeps
an account of what it was credited, and for which purchase: nothing is taken that is not left there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from germane.domain.event import Interaction
from germane.domain.outcome import Reward
from germane.domain.pairing import Mark, marks, paired
from germane.domain.profile import Credit, Exposure, OpenChoice, Profile
from germane.domain.settings import OutcomeSpec, SignalSpec, SurfaceSpec
from germane.measure.credits import (
    LEAST,
    PARTLY,
    RETURNED,
    balances,
    credit_key,
    return_key,
    value_of,
)

Signals = Mapping[str, SignalSpec]
Pieces = Mapping[Mark, float]


class Part(NamedTuple):
    """Lines of a purchase that have the same number of pieces each, and how many come back of all."""

    lines: tuple[Interaction, ...]
    pieces: float
    each: float
    """Pieces of one line."""


class Back(NamedTuple):
    """A purchase of an item of which pieces come back."""

    signal: str
    refund: tuple[Interaction, ...]
    """What takes back; the purchase itself where its refund came first."""
    order: int = 0
    at_ms: int = 0
    parts: tuple[Part, ...] = ()
    """All that was bought; empty where that is not remembered."""
    whole: bool = True
    """Whether nothing of it is left; of what is not remembered, whether the refund tells no pieces."""
    cap: float = 1.0
    """Share of the refund's own amount that is about this purchase."""

    @property
    def item_id(self) -> str:
        """What comes back."""
        return self.refund[0].item_id

    @property
    def arrives(self) -> bool:
        """Whether it is the purchase that arrives now."""
        return self.refund[0].signal == self.signal


def waiting(profile: Profile, signals: Signals) -> set[tuple[str, str]]:
    """(item, signal) of what something among the recent interactions may take back."""
    takes = {spec.name: spec.cancels for spec in signals.values() if spec.cancels}
    return {(x.item_id, takes[x.signal]) for x in profile.recent if x.signal in takes}


def backs(
    profile: Profile,
    earlier: Sequence[Interaction],
    lines: Sequence[Interaction],
    signals: Signals,
    waits: Collection[tuple[str, str]],
) -> list[Back]:
    """What comes back with a refund, or with a purchase whose refund came first.

    Args:
        profile: The person before the event.
        earlier: What the event said before these.
        lines: Of one item, signal, time and order (``credits.bundled``).
        signals: Tell which signal takes which one back.
        waits: Of this person (``waiting``).
    """
    item_id, spec = lines[0].item_id, signals.get(lines[0].signal)
    if spec is None or not (spec.cancels or (item_id, spec.name) in waits):
        return []
    known = [x for x in (*profile.recent, *earlier) if x.item_id == item_id]
    if spec.cancels and _absent(known, lines[0].order, spec):
        return [Back(spec.cancels, tuple(lines), lines[0].order, whole=not spec.quantity)]
    before = paired(marks(item_id, known, signals)).pieces
    after = paired(marks(item_id, [*known, *lines], signals)).pieces
    more = {mark: pieces - before.get(mark, 0.0) for mark, pieces in after.items()}
    if not spec.cancels:
        net = sum(after.values()) - sum(before.values())
        more = _own(marks(item_id, lines, signals), more, net)
        known += lines
    by_purchase: dict[tuple[str, int, int], dict[Mark, float]] = {}
    for mark, pieces in sorted(more.items()):
        if pieces > LEAST:
            of = (mark.signal, mark.at_ms, mark.order)
            by_purchase.setdefault(of, {})[mark] = pieces
    return [_back(found, after, known, lines, signals) for found in by_purchase.values()]


def taken_back(
    profile: Profile,
    back: Back,
    kept: Sequence[Exposure | OpenChoice],
    surfaces: Mapping[str, SurfaceSpec],
    already: Sequence[Reward],
) -> list[Reward]:
    """Negative rewards for the slates or choices that were credited with what comes back.

    Only as long as one is remembered (its longest attribution window). A surface that declares
    an outcome of its own for the refund's signal is left to that. Where nothing tells which purchase is
    meant, it is the one that the latest of ``kept`` was credited with.

    Args:
        profile: The person before the event.
        back: What comes back.
        kept: Slates or choices, oldest first.
        surfaces: Their outcomes say what counts.
        already: Rewards of the same event.
    """
    found: list[Reward] = []
    for each in reversed(kept):
        surface = surfaces.get(each.surface)
        if surface is None or _counts_itself(surface, back):
            continue
        found += _of_one(profile, back, each, surface, already)
        if found and not (back.order or back.parts):
            break
    return found


def _absent(known: Sequence[Interaction], order: int, refund: SignalSpec) -> bool:
    """Whether what a refund is about is not among what is known of the item."""
    bought = [each for each in known if each.signal == refund.cancels]
    return not any(each.order == order for each in bought) if order else not bought


def _own(own: Sequence[Mark], more: Pieces, net: float) -> dict[Mark, float]:
    """Of what arrives, the pieces that come back; a refund that only changes over takes no more."""
    mine = {mark: more.get(mark, 0.0) for mark in own}
    total = sum(mine.values())
    share = min(net / total, 1.0) if total > LEAST else 0.0
    return {mark: pieces * share for mark, pieces in mine.items()}


def _back(
    found: Pieces,
    after: Pieces,
    told: Sequence[Interaction],
    lines: Sequence[Interaction],
    signals: Signals,
) -> Back:
    """The purchase that some marks are of."""
    first, spec = next(iter(found)), signals[lines[0].signal]
    alike: dict[Mark, list[Interaction]] = {}
    for each in told:
        for mark in marks(each.item_id, [each], signals):
            if not mark.takes and _purchase(mark) == _purchase(first):
                alike.setdefault(mark, []).append(each)
    parts = [Part(tuple(each), found.get(x, 0.0), x.pieces) for x, each in alike.items()]
    whole = all(after.get(x, 0.0) >= x.pieces * len(alike[x]) - LEAST for x in alike)
    asked = sum(each.quantity for each in lines)
    counted = spec.cancels and spec.quantity and asked > 0
    cap = min(sum(found.values()) / asked, 1.0) if counted else 1.0
    return Back(first.signal, tuple(lines), first.order, first.at_ms, tuple(parts), whole, cap)


def _purchase(mark: Mark) -> tuple[str, int, int]:
    return mark.signal, mark.at_ms, mark.order


def _counts_itself(surface: SurfaceSpec, back: Back) -> bool:
    """Whether a surface has an outcome of its own for what takes back."""
    signal = back.refund[0].signal
    return not back.arrives and any(spec.signal == signal for spec in surface.outcomes)


def _of_one(
    profile: Profile,
    back: Back,
    kept: Exposure | OpenChoice,
    surface: SurfaceSpec,
    already: Sequence[Reward],
) -> list[Reward]:
    """What is taken back of one slate or choice."""
    before = balances(kept.credits)
    now = balances(kept.credits, (x for x in already if x.decision_id == kept.decision_id))
    found: list[Reward] = []
    for spec in surface.outcomes:
        if spec.signal != back.signal:
            continue
        mine = [x for x in now.values() if (x.item_id, x.outcome) == (back.item_id, spec.name)]
        unkept = None if mine else _unkept(kept, spec, back)
        all_of_it = now.get(("", spec.name, back.order))
        latest_first = sorted(mine, key=lambda each: -each.at_ms)
        for credit in (*latest_first, unkept, all_of_it):
            if credit is None or not _meant(profile, credit, back, kept.at_ms):
                continue
            place = credit.item_id, credit.outcome, credit.order
            amount, whole = _amount(spec, credit, back, before.get(place))
            if amount:
                gone = whole or credit is unkept
                found.append(negative(kept, credit, amount, back.refund[0].at_ms, whole=gone))
                if not (back.order or back.parts):
                    break
    return found


def _unkept(kept: Exposure | OpenChoice, spec: OutcomeSpec, back: Back) -> Credit | None:
    """What an earlier version counted without an account: the first purchase after the slate."""
    if credit_key(back.item_id, spec.name) not in kept.credited:
        return None
    if return_key(back.item_id, spec.name) in kept.credited:
        return None
    lines = [each for part in back.parts for each in part.lines] or back.refund
    worth = spec.value
    if spec.value_from == "revenue":
        worth = sum(value_of(spec, each) for each in lines)
    return Credit(back.item_id, spec.name, worth, worth, kept.at_ms, reported=True)


def _meant(profile: Profile, credit: Credit, back: Back, since_ms: int) -> bool:
    """Whether something is left of a credit, and it was for the purchase that comes back.

    One that was reported without its order is taken to be of the purchase that is nearest in time.
    """
    if not credit.left:
        return False
    if credit.order and (back.order or back.parts):
        return credit.order == back.order
    if not back.parts:
        if back.order and not (credit.reported and back.order in profile.known_orders):
            return False
        return back.refund[0].at_ms >= credit.at_ms
    if not credit.reported:
        return not back.order and back.at_ms == credit.at_ms
    times = [
        x.at_ms for x in profile.recent if (x.item_id, x.signal) == (back.item_id, back.signal)
    ]
    later = [at_ms for at_ms in (*times, back.at_ms) if at_ms >= since_ms]
    nearest = min(later, key=lambda at_ms: (abs(at_ms - credit.at_ms), at_ms), default=None)
    return back.at_ms == nearest


def _amount(
    spec: OutcomeSpec, credit: Credit, back: Back, before: Credit | None
) -> tuple[float, bool]:
    """How much is taken back (0 or of the sign of the credit), and whether nothing counts any more.

    What is only counted stands while a piece is left. Of revenue it is the refund's own amount, but never
    more than what comes back was worth, nor than is left.
    """
    left = abs(credit.left)
    if spec.value_from != "revenue":
        return (credit.left, True) if back.whole and credit.item_id else (0.0, False)
    priced = not back.arrives and all(each.price is not None for each in back.refund)
    worth = _worth(spec, credit, back, priced)
    if priced:
        worth = min(worth, back.cap * sum(abs(value_of(spec, each)) for each in back.refund))
    if back.arrives and before is not None:  # its refunds may have been taken already, by its order
        worth = max(worth - abs(before.value - before.left), 0.0)
    amount = left if worth >= left - LEAST else worth
    return amount if credit.value > 0 else -amount, back.whole or amount == left


def _worth(spec: OutcomeSpec, credit: Credit, back: Back, priced: bool) -> float:
    """What comes back was worth when it was credited. Of lines at several prices the dearest may come
    back first, where the refund says its own amount."""
    if not back.parts:
        return abs(credit.left) if credit.item_id or priced else 0.0
    worth = 0.0
    for part in back.parts:
        values = [abs(value_of(spec, each)) for each in part.lines]
        mean = max(values) if priced else sum(values) / len(values)
        worth += mean * part.pieces / part.each
    if credit.reported and credit.item_id:
        every = sum(abs(value_of(spec, each)) for part in back.parts for each in part.lines)
        return abs(credit.value) * min(worth / every, 1.0) if every else abs(credit.left)
    return worth


def negative(
    kept: Exposure | OpenChoice, credit: Credit, amount: float, at_ms: int, *, whole: bool
) -> Reward:
    """A reward that takes back an amount of a credit; ``whole``: nothing of it counts any more."""
    whole = whole and bool(credit.item_id)
    return Reward(
        kept.decision_id,
        kept.surface,
        credit.item_id,
        credit.outcome,
        -amount,
        at_ms,
        RETURNED if whole else PARTLY,
        credit.order,
    )
