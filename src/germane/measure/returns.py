"""What a refund takes back: the reward of the purchase that it cancels, as far as its pieces come back.

Which purchase that is, and how many of its pieces, is what the profile says, too (``domain.pairing``).
So revenue and history agree, in whatever order the two arrive, as long as the purchase is among the
recent interactions. One that is not is taken back once, at the refund's own amount.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from germane.domain.event import Interaction
from germane.domain.outcome import Reward
from germane.domain.pairing import LEAST, Mark, marks, paired
from germane.domain.profile import Profile
from germane.domain.settings import OutcomeSpec, SignalSpec, SurfaceSpec
from germane.measure.credits import PARTLY, RETURNED, credit_key, key_of, return_key, value_of

Signals = Mapping[str, SignalSpec]


class Back(NamedTuple):
    """A purchase of which pieces come back."""

    signal: str
    purchase: Interaction | None
    """``None``: it is not remembered."""
    share: float = 1.0
    """Of the purchase, in (0, 1]."""
    whole: bool = True
    """Whether nothing of it is left."""
    cap: float = 1.0
    """Share of the refund's own amount that is about this purchase."""


def waiting(profile: Profile, signals: Signals) -> set[tuple[str, str]]:
    """(item, signal) of what something among the recent interactions may take back."""
    takes = {spec.name: spec.cancels for spec in signals.values() if spec.cancels}
    return {(x.item_id, takes[x.signal]) for x in profile.recent if x.signal in takes}


def backs(
    profile: Profile,
    earlier: Sequence[Interaction],
    each: Interaction,
    signals: Signals,
    waits: Collection[tuple[str, str]],
) -> list[Back]:
    """What comes back with an interaction: with a refund, or with a purchase whose refund came first.

    Args:
        profile: The person before the event.
        earlier: What the event said before it.
        each: The interaction.
        signals: Tell which signal takes which one back.
        waits: Of this person (``waiting``).
    """
    spec = signals.get(each.signal)
    if spec is None or not (spec.cancels or (each.item_id, each.signal) in waits):
        return []
    known = [x for x in (*profile.recent, *earlier) if x.item_id == each.item_id]
    before = paired(marks(each.item_id, known, signals)).pieces
    after = paired(marks(each.item_id, [*known, each], signals)).pieces
    more = Counter(after)
    more.subtract(before)
    if not spec.cancels:
        (own,) = marks(each.item_id, [each], signals)
        pieces = min(more[own], sum(more.values()))  # a refund that only changes over takes no more
        return [_back(own, pieces, after, [*known, each], each, spec)] if pieces > LEAST else []
    if all(x.signal != spec.cancels for x in known):
        return _forgotten(profile, each, spec)
    return [
        _back(mark, pieces, after, known, each, spec)
        for mark, pieces in sorted(more.items())
        if pieces > LEAST
    ]


def taken_back(
    profile: Profile,
    each: Interaction,
    found: Sequence[Back],
    surfaces: Mapping[str, SurfaceSpec],
    already: Sequence[Reward],
) -> list[Reward]:
    """Negative rewards for the latest slates that were credited with what comes back.

    Only as long as the slate is remembered (its longest attribution window). A surface that declares
    an outcome of its own for the refund's signal is left to that.
    """
    rewards: list[Reward] = []
    for back in found:
        for exposure in reversed(profile.exposures):
            surface = surfaces.get(exposure.surface)
            if surface is None or counts_itself(surface, back, each):
                continue
            keys = {*exposure.credited}
            keys.update(key_of(x) for x in already if x.decision_id == exposure.decision_id)
            specs = specs_of(profile, keys, surface, back, each, exposure.at_ms)
            if specs:
                rewards += negatives(exposure.decision_id, surface.name, specs, back, each)
                break
    return rewards


def counts_itself(surface: SurfaceSpec, back: Back, each: Interaction) -> bool:
    """Whether a surface has an outcome of its own for what takes back."""
    is_refund = each.signal != back.signal
    return is_refund and any(spec.signal == each.signal for spec in surface.outcomes)


def specs_of(
    profile: Profile,
    keys: set[str],
    surface: SurfaceSpec,
    back: Back,
    each: Interaction,
    since_ms: int,
) -> list[OutcomeSpec]:
    """The outcomes of a slate or choice that were counted for what comes back.

    Args:
        profile: The person before the event.
        keys: What was counted for the slate or choice, and taken back.
        surface: Its surface.
        back: What comes back.
        each: With what.
        since_ms: When it was shown or made.
    """
    return [
        spec
        for spec in surface.outcomes
        if spec.signal == back.signal and _counted(profile, keys, spec, back, each, since_ms)
    ]


def negatives(
    decision_id: str,
    surface: str,
    specs: Sequence[OutcomeSpec],
    back: Back,
    each: Interaction,
) -> list[Reward]:
    """What is taken back of outcomes. What is only counted stands while a piece is left."""
    rule = RETURNED if back.whole else PARTLY
    return [
        Reward(
            decision_id,
            surface,
            each.item_id,
            spec.name,
            -_worth(spec, back, each),
            each.at_ms,
            rule,
        )
        for spec in specs
        if back.whole or spec.value_from == "revenue"
    ]


def _counted(
    profile: Profile,
    keys: set[str],
    spec: OutcomeSpec,
    back: Back,
    each: Interaction,
    since_ms: int,
) -> bool:
    """Whether an outcome was counted for this purchase, and is not taken back as a whole.

    Of several purchases in the window, the first is the one that was counted.
    """
    item_id = each.item_id
    if credit_key(item_id, spec.name) not in keys or return_key(item_id, spec.name) in keys:
        return False
    if back.purchase is None:
        return each.at_ms >= since_ms
    until_ms = since_ms + spec.window_s * 1000
    times = [
        x.at_ms
        for x in (*profile.recent, back.purchase)
        if x.item_id == item_id and x.signal == spec.signal and since_ms <= x.at_ms <= until_ms
    ]
    return bool(times) and back.purchase.at_ms == min(times)


def _worth(spec: OutcomeSpec, back: Back, each: Interaction) -> float:
    """The refund's own amount, but never more than what comes back was worth."""
    if back.purchase is None:
        return value_of(spec, each)
    worth = value_of(spec, back.purchase)
    if spec.value_from != "revenue":
        return worth
    worth *= back.share
    if each.signal == back.signal or each.price is None:
        return worth
    return min(worth, value_of(spec, each) * back.cap, key=abs)


def _forgotten(profile: Profile, refund: Interaction, spec: SignalSpec) -> list[Back]:
    """A purchase that is not remembered; an order that was never counted is still to come."""
    waits = refund.order and refund.order not in profile.known_orders
    return [] if waits else [Back(spec.cancels, None)]


def _back(
    mark: Mark,
    pieces: float,
    after: Mapping[Mark, float],
    told: Sequence[Interaction],
    each: Interaction,
    spec: SignalSpec,
) -> Back:
    bought = [
        x for x in told if (x.signal, x.at_ms, x.order) == (mark.signal, mark.at_ms, mark.order)
    ]
    same = [x for x in bought if x.quantity == mark.pieces] or bought
    whole = after[mark] >= mark.pieces * len(same) - LEAST
    counted = spec.cancels and spec.quantity and each.quantity > 0
    cap = min(pieces / each.quantity, 1.0) if counted else 1.0
    return Back(mark.signal, same[0], min(pieces / mark.pieces, 1.0), whole, cap)
