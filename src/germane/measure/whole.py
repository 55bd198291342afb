"""What is left of a reported order when all of it is given back: products, and what came with them (shipping).

``returns`` takes back products, piece by piece; here goes the rest of what was reported by id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from germane.domain.outcome import Reward
from germane.domain.profile import Credit, Exposure, OpenChoice
from germane.domain.settings import SurfaceSpec
from germane.measure.credits import balances
from germane.measure.returns import negative

Kept = Sequence[Exposure | OpenChoice]


class Whole(NamedTuple):
    """All of an order is taken back, or all that was reported for a decision."""

    refund: str
    """Its signal."""
    at_ms: int
    order: int = 0
    """Its key; 0: none is named."""
    decision_id: str = ""
    """The decision of which all that was reported with neither item nor order is taken back."""

    def means(self, kept: Exposure | OpenChoice, credit: Credit) -> bool:
        """Whether a credit was reported of it."""
        if not credit.reported:
            return False
        if self.order:
            return credit.order == self.order
        return kept.decision_id == self.decision_id and not (credit.item_id or credit.order)


def was_reported(whole: Whole, kept: Kept) -> bool:
    """Whether any of these slates and choices was credited with it by a report."""
    return any(whole.means(each, credit) for each in kept for credit in each.credits)


def rest_of(
    whole: Whole, kept: Kept, surfaces: Mapping[str, SurfaceSpec], already: Sequence[Reward]
) -> list[Reward]:
    """Negative rewards for what is left of it. A surface that declares an outcome of its own for the
    refund's signal is left to that.

    Args:
        whole: What is taken back.
        kept: Slates or choices.
        surfaces: Their outcomes say what counts.
        already: Rewards of the same event.
    """
    found: list[Reward] = []
    for each in kept:
        surface = surfaces.get(each.surface)
        if surface is None or any(spec.signal == whole.refund for spec in surface.outcomes):
            continue
        now = balances(each.credits, (x for x in already if x.decision_id == each.decision_id))
        found += [
            negative(each, credit, credit.left, whole.at_ms, whole=True)
            for credit in now.values()
            if credit.left and whole.means(each, credit)
        ]
    return found
