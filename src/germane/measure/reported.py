"""What becomes of an outcome that was reported by its decision's id: one place for every kind of surface."""

from __future__ import annotations

from dataclasses import dataclass

from germane.domain.decision import Decision
from germane.domain.ids import order_key
from germane.domain.outcome import Outcome, Reward, Verdict
from germane.domain.settings import OutcomeSpec, SurfaceSpec
from germane.measure.credits import reported_value


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether it counts; the reward if it does."""

    verdict: Verdict
    reward: Reward | None = None


def spec_of(surface: SurfaceSpec, outcome: Outcome) -> OutcomeSpec | None:
    """The declared outcome that is reported; ``None`` if the surface has none of that name."""
    return next((each for each in surface.outcomes if each.name == outcome.outcome), None)


def order_of(spec: OutcomeSpec, outcome: Outcome) -> int:
    """Key of the order that is reported; 0: none is named."""
    return order_key(spec.signal, outcome.order_id) if outcome.order_id else 0


def counted(decision: Decision, spec: OutcomeSpec, outcome: Outcome) -> Answer:
    """It counts: the reward, tied by ``id``."""
    reward = Reward(
        decision.decision_id,
        decision.surface,
        outcome.item_id,
        spec.name,
        reported_value(spec, outcome),
        outcome.at_ms,
        "id",
        order_of(spec, outcome),
    )
    return Answer("counted", reward)
