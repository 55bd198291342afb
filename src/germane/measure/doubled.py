"""What a merge takes back: an order that came under both ids, and was credited to what was decided for each.

It is one person's order and counts once. The credit of the copy that came first by its own time stays, and
what was reported by id goes before any event. Nothing is taken back where only one side was credited.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from germane.domain.outcome import Reward
from germane.domain.profile import Credit, Exposure, OpenChoice
from germane.domain.settings import SurfaceSpec
from germane.measure.credits import balances
from germane.measure.returns import negative

Surfaces = Mapping[str, SurfaceSpec]
Kept = Sequence[Exposure | OpenChoice]


class _Entry(NamedTuple):
    """A credit of an order, and where it stands."""

    kept: Exposure | OpenChoice
    credit: Credit
    once: tuple[str, str, int]
    """Where the order may count once: at any slate; at a choice of each surface, for each outcome."""
    item: str
    """Empty: all of the order."""

    @property
    def standing(self) -> tuple[bool, int, float, str]:
        """The first of two stays."""
        credit = self.credit
        return not credit.reported, credit.at_ms, -abs(credit.value), self.kept.decision_id

    def gives_way_to(self, other: _Entry) -> bool:
        """Whether the other one is of the same, for another decision, and stays."""
        same = self.once == other.once and other.item in ("", self.item)
        apart = self.kept.decision_id != other.kept.decision_id
        return same and apart and not self.credit.reported and other.standing < self.standing


def taken_back(one: Kept, two: Kept, surfaces: Surfaces, already: Sequence[Reward]) -> list[Reward]:
    """Negative rewards for the second credits of orders that both were credited for.

    Args:
        one: Slates or choices of the one side.
        two: Of the other.
        surfaces: Their outcomes say what counts.
        already: What the merge takes back otherwise.
    """
    mine, theirs = (list(_entries(each, surfaces, already)) for each in (one, two))
    gone = [each for each in mine if any(map(each.gives_way_to, theirs))]
    gone += [each for each in theirs if any(map(each.gives_way_to, mine))]
    return [
        negative(each.kept, each.credit, each.credit.left, each.credit.at_ms, whole=True)
        for each in gone
    ]


def _entries(side: Kept, surfaces: Surfaces, already: Sequence[Reward]) -> Iterator[_Entry]:
    for kept in side:
        if (surface := surfaces.get(kept.surface)) is None:
            continue
        counted = {each.name for each in surface.outcomes if each.value_from == "count"}
        rewards = (x for x in already if x.decision_id == kept.decision_id)
        for credit in balances(kept.credits, rewards).values():
            if not credit.order or not credit.left:
                continue
            if isinstance(kept, Exposure):
                yield _Entry(kept, credit, ("", "", credit.order), credit.item_id)
            else:
                item = "" if credit.outcome in counted else credit.item_id
                yield _Entry(kept, credit, (surface.name, credit.outcome, credit.order), item)
