"""What may be reported for a decision. What could never count is an error of the caller: silence would
leave the loop open."""

from __future__ import annotations

from msgspec.structs import replace

from germane.app.memory import Memory
from germane.app.stub import stub_decision
from germane.domain.decision import Decision
from germane.domain.errors import NotShown, TooEarly, UnknownDecision, UnknownOutcome, ValueNeeded
from germane.domain.outcome import Impression, Outcome
from germane.domain.settings import OutcomeSpec, Settings
from germane.domain.toml import toml_key

SKEW_MS = 300_000
"""A report that is dated so little before its decision comes from a clock that is slow: the decision's
time is taken."""


class Reports:
    """Checks impressions and outcomes against their decisions; changes nothing."""

    def __init__(self, settings: Settings, memory: Memory, key: bytes, tenant: str) -> None:
        self._settings = settings
        self._memory = memory
        self._key = key
        self._tenant = tenant

    def decision(self, decision_id: str) -> Decision:
        """A decision by id; from the signed id alone when its record was lost.

        Raises:
            UnknownDecision: no decision has that id, and the id is not signed by us.
        """
        found = self._memory.decision(self._tenant, decision_id)
        found = found or stub_decision(decision_id, self._key)
        if found is None:
            raise UnknownDecision(decision=decision_id[:80])
        return found

    def impression(self, said: Impression) -> tuple[Impression, Decision]:
        """The report as it is logged, and its decision.

        Raises:
            UnknownDecision: no decision has that id.
            NotShown: the decision has no such position.
            TooEarly: it is dated before its decision.
        """
        decision = self.decision(said.decision_id)
        filled = {each.position for each in decision.items}
        if decision.choice is not None:
            filled = {0}  # also of *do nothing*: that is what was there
        missing = sorted({*said.positions} - filled)
        if missing:
            raise NotShown(
                f"The decision has no position {missing[0]}.",
                hint=f"It filled the positions 0 to {max(filled)}."
                if filled
                else "It filled none: report no impression for it.",
                positions=missing,
            )
        return replace(said, at_ms=_since(decision, said.at_ms)), decision

    def outcome(self, said: Outcome) -> tuple[Outcome, Decision]:
        """The report as it is logged, and its decision.

        Raises:
            UnknownDecision: no decision has that id.
            UnknownOutcome: the surface does not declare it.
            NotShown: the item is not in the decision.
            ValueNeeded: it counts revenue, and has no value.
            TooEarly: it is dated before its decision.
        """
        decision = self.decision(said.decision_id)
        spec = self._declared(decision.surface, said.outcome)
        # Whatever the person answered a choice with, it answers the choice.
        slate = self._settings.surfaces[decision.surface].kind != "choice"
        if slate and all(each.item_id != said.item_id for each in decision.items):
            raise NotShown(item=said.item_id[:80])
        if spec.value_from == "revenue" and said.value is None:
            raise ValueNeeded(
                f"Outcome {spec.name!r} of {decision.surface} counts revenue: it needs `value`.",
                outcome=spec.name,
            )
        return replace(said, at_ms=_since(decision, said.at_ms)), decision

    def _declared(self, surface: str, outcome: str) -> OutcomeSpec:
        spec = self._settings.surfaces.get(surface)
        known = {each.name: each for each in spec.outcomes} if spec is not None else {}
        if outcome not in known:
            raise UnknownOutcome(
                f"{surface} has no outcome {outcome[:80]!r}.",
                hint=f"Declared: {', '.join(known)}."
                if known
                else f"Declare it: [[surfaces.{toml_key(surface)}.outcomes]].",
                outcome=outcome[:80],
            )
        return known[outcome]


def _since(decision: Decision, at_ms: int) -> int:
    if at_ms < decision.at_ms - SKEW_MS:
        raise TooEarly()
    return max(at_ms, decision.at_ms)
