"""What a merge takes back: refunds of one id may be about purchases of the other one.

Which purchases these are is what the profile says, too (``domain.pairing``): all that the two remember of
an item is paired anew, and what is taken of a purchase in addition comes back with the refund that takes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from germane.domain.event import Interaction
from germane.domain.pairing import LEAST, Mark, Pairs, marks, paired
from germane.domain.profile import Profile
from germane.domain.settings import SignalSpec
from germane.measure.returns import Back, Part

Signals = Mapping[str, SignalSpec]
Found = list[Back]


class Side(NamedTuple):
    """One of the two."""

    before: Profile
    """As it was, and as it was credited."""
    kept: tuple[Interaction, ...]
    """Its ring without copies of orders of which the other one's count."""


class _Bought(NamedTuple):
    """Equal purchases of an item on one side."""

    mark: Mark
    lines: tuple[Interaction, ...]
    kept: bool
    """Whether they count after the merge, and not the other side's copy of the order."""
    stands: tuple[Mark, ...]
    """The marks that they are then: themselves, or that copy's."""

    @property
    def many(self) -> int:
        """How many lines."""
        return len(self.lines)

    @property
    def purchase(self) -> tuple[str, int, int]:
        """Lines of one purchase may have different pieces."""
        return self.mark.signal, self.mark.at_ms, self.mark.order


def crossed(one: Side, two: Side, signals: Signals) -> tuple[Found, Found]:
    """What comes back of the purchases of each side when the two turn out to be one person.

    Args:
        one: The one side.
        two: The other.
        signals: Tell which signal takes which one back.

    Returns:
        For each side: in the order of the items' names, and of time.
    """
    found: tuple[Found, Found] = [], []
    rings = chain(one.before.recent, two.before.recent)
    takers = {x.item_id for x in rings if (s := signals.get(x.signal)) is not None and s.cancels}
    for item_id in sorted(takers):
        _of_item(item_id, (one, two), signals, found)
    return found


def _of_item(
    item_id: str, sides: tuple[Side, Side], signals: Signals, found: tuple[Found, Found]
) -> None:
    """A refund that only changes over to another purchase takes no more."""
    apart = [paired(marks(item_id, each.before.recent, signals)) for each in sides]
    kept = [x for each in sides for x in each.kept if x.item_id == item_id]
    told = {mark: x for x in reversed(kept) for mark in marks(item_id, [x], signals)}
    after = paired(marks(item_id, kept, signals))
    bought = [
        _bought(item_id, side, other, signals)
        for side, other in zip(sides, reversed(sides), strict=True)
    ]
    more = sum(after.pieces.values())
    for pairs, some in zip(apart, bought, strict=True):
        more -= sum(pairs.pieces.get(x.mark, 0.0) for x in some if x.kept)
    for pairs, some, out in zip(apart, bought, found, strict=True):
        for each in some:
            most = more if each.kept else each.mark.pieces * each.many
            backs = _backs(each, pairs, after, most, told)
            more -= sum(pieces for _, pieces in backs) if each.kept else 0.0
            of = [x for x in some if x.purchase == each.purchase]
            out.extend(_told(of, each, backs, after, told, signals))


def _bought(item_id: str, side: Side, other: Side, signals: Signals) -> list[_Bought]:
    """The purchases of one side, in order of time."""
    found: dict[Mark, list[Interaction]] = {}
    for x in side.before.recent:
        for mark in marks(item_id, [x], signals):
            if not mark.takes:
                found.setdefault(mark, []).append(x)
    kept = {mark for mark in marks(item_id, side.kept, signals) if not mark.takes}
    theirs = sorted({mark for mark in marks(item_id, other.kept, signals) if not mark.takes})
    bought = []
    for mark, lines in sorted(found.items()):
        stands = (mark,) if mark in kept else tuple(x for x in theirs if x.order == mark.order)
        bought.append(_Bought(mark, tuple(lines), mark in kept, stands))
    return bought


def _backs(
    each: _Bought, before: Pairs, after: Pairs, most: float, told: Mapping[Mark, Interaction]
) -> list[tuple[Mark, float]]:
    """(refund, pieces) of what is taken of a purchase in addition, ``most`` pieces at most."""
    found = []
    left = each.mark.pieces * each.many - before.pieces.get(each.mark, 0.0)
    rest = min(left, most)
    for taker in sorted({taker for taker, mark in after.takes if mark in each.stands}):
        pieces = sum(after.takes.get((taker, mark), 0.0) for mark in each.stands)
        pieces = min(pieces - before.takes.get((taker, each.mark), 0.0), rest)
        if pieces > LEAST and taker in told:
            found.append((taker, pieces))
            rest -= pieces
    return found


def _told(
    siblings: Sequence[_Bought],
    each: _Bought,
    backs: Sequence[tuple[Mark, float]],
    after: Pairs,
    told: Mapping[Mark, Interaction],
    signals: Signals,
) -> Found:
    """By refund. The last one takes the purchase as a whole where nothing of it is left."""
    taken = sum(
        after.pieces.get(x, 0.0) for x in dict.fromkeys(y for x in siblings for y in x.stands)
    )
    bought = sum(x.mark.pieces * x.many for x in siblings)
    none_left = each is siblings[-1] and taken >= bought - LEAST
    found = []
    for place, (taker, pieces) in enumerate(backs, 1):
        refund = told[taker]
        counted = signals[refund.signal].quantity and refund.quantity > 0
        cap = min(pieces / refund.quantity, 1.0) if counted else 1.0
        whole = none_left and place == len(backs)
        signal, at_ms, order = each.purchase
        parts = (Part(each.lines, pieces, each.mark.pieces),)
        found.append(Back(signal, (refund,), order, at_ms, parts, whole, cap))
    return found
