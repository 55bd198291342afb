"""What an event or a report is credited to: rewards of slates and choices, and the account that people keep of
them."""

from __future__ import annotations

from collections.abc import Sequence

from germane.app import chosen
from germane.app.arrival import Arrival
from germane.app.memory import Memory
from germane.domain.decision import Decision
from germane.domain.event import Event, Interaction
from germane.domain.outcome import Outcome, Reward
from germane.domain.profile import Profile
from germane.domain.settings import Settings
from germane.measure import attribution, choices
from germane.measure.reported import Answer
from germane.measure.whole import Whole, rest_of
from germane.privacy.gate import Gate


class Crediting:
    """Deterministic in what it is given, the decisions that are known, and the declaration."""

    def __init__(self, settings: Settings, memory: Memory, gate: Gate) -> None:
        self._settings = settings
        self._memory = memory
        self._gate = gate

    def unlearned(self, decision: Decision, person: Profile, at: Arrival) -> bool:
        """Whether nothing is kept of what became of a decision: its person has opted out."""
        return decision.arm == "opted_out" or self._gate.opted_out(person, at.received_ms)

    def by_event(
        self,
        event: Event,
        before: Profile,
        interactions: Sequence[Interaction],
        wholes: Sequence[Whole],
        at: Arrival,
    ) -> tuple[list[Reward], dict[str, Decision]]:
        """Rewards of this event, by the decision it names or by item and window.

        A decision that was made for somebody else (a mail that was passed on, an id that was copied) is
        not named: it would count for several people.
        """
        if not (interactions or wholes):
            return [], {}
        tenant = at.tenant
        rewards: list[Reward] = []
        decisions: dict[str, Decision] = {}
        named = event.properties.get("decision_id")
        if isinstance(named, str):
            decision = self._memory.decision(tenant, named)
            theirs = decision is not None and self._memory.owner(tenant, decision) == before.person
            if decision is not None and decision.choice is None and theirs:
                decisions[named] = decision
                rewards = attribution.attribute_event(
                    before,
                    decision,
                    interactions,
                    self._settings.surfaces,
                    self._settings.signals,
                    kept=self._kept(at),
                )
        if not decisions and before.exposures:  # what names its decision belongs to no other one
            rewards = attribution.attribute(
                before, interactions, self._settings.surfaces, self._settings.signals
            )
        for whole in wholes:
            rewards += rest_of(whole, before.exposures, self._settings.surfaces, rewards)
        for reward in rewards:
            if reward.decision_id not in decisions:
                decision = self._memory.decision(tenant, reward.decision_id)
                if decision is not None:
                    decisions[reward.decision_id] = decision
        return rewards, decisions

    def answer(self, before: Profile, decision: Decision, outcome: Outcome, at: Arrival) -> Answer:
        surface = self._settings.surfaces.get(decision.surface)
        if not decision.person or self.unlearned(decision, before, at):
            return Answer(
                "untaught"
            )  # its record was lost, or they opted out: nobody keeps account
        if surface is None or (surface.kind == "choice") != (decision.choice is not None):
            return Answer("untaught")  # the surface is another one now, or the record was lost
        if surface.kind == "choice":
            return choices.attribute_outcome(before, decision, outcome, surface)
        return attribution.attribute_outcome(
            before, decision, outcome, surface, kept=self._kept(at)
        )

    def on_slates(
        self,
        person: Profile,
        rewards: Sequence[Reward],
        decisions: dict[str, Decision],
        *,
        reported: bool = False,
    ) -> Profile:
        decided_ms = {name: each.at_ms for name, each in decisions.items()}
        limit = self._settings.profile.exposures
        return attribution.credit(person, rewards, decided_ms, reported=reported, limit=limit)

    def on_choices(
        self, person: Profile, rewards: Sequence[Reward], at: Arrival, *, reported: bool = False
    ) -> Profile:
        return chosen.credited(
            person,
            rewards,
            self._settings,
            self._memory,
            at.tenant,
            at.received_ms,
            reported=reported,
        )

    def _kept(self, at: Arrival) -> attribution.Kept:
        since_ms = at.received_ms - self._settings.longest_window_s * 1000
        return attribution.Kept(self._settings.profile.exposures, since_ms)
