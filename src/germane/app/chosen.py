"""The fold's part about choice surfaces: which choices an event rewards, and what the model learns."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from germane.app.memory import Memory
from germane.domain.decision import Decision
from germane.domain.event import Event, Interaction
from germane.domain.outcome import Reward, Trial
from germane.domain.profile import Profile
from germane.domain.settings import Settings
from germane.measure import choices
from germane.profile.chosen import kept_of


def made(decision: Decision) -> tuple[Trial, ...]:
    """The decision as something to learn from; nothing for a slate or a default."""
    choice = decision.choice
    if choice is None or choice.how == "default":
        return ()
    return (
        Trial(
            decision.surface,
            choice.action,
            decision.at_ms,
            choice.layout,
            choice.features,
            made=True,
            how=choice.how,
        ),
    )


def by_event(
    event: Event,
    person: Profile,
    interactions: Sequence[Interaction],
    settings: Settings,
    memory: Memory,
    tenant: str,
) -> list[Reward]:
    """Rewards of choices for a behaviour event. One that names somebody else's choice names none."""
    if not interactions:
        return []
    named = event.properties.get("decision_id")
    decision = memory.decision(tenant, named) if isinstance(named, str) else None
    if decision is not None and (
        decision.choice is None or memory.owner(tenant, decision) != person.person
    ):
        decision = None
    if decision is None and not person.choices:
        return []
    return choices.attribute(person, interactions, settings.surfaces, settings.signals, decision)


def trials(
    person: Profile, rewards: Sequence[Reward], memory: Memory, tenant: str
) -> tuple[Trial, ...]:
    """The rewards as something to learn from, each with what its decision had been credited with before."""
    so_far: dict[str, float] = {}
    found = []
    for each in rewards:
        before = so_far.get(each.decision_id)
        if before is None:
            before = choices.before(person, each.decision_id)
        so_far[each.decision_id] = before + each.value
        decision = memory.decision(tenant, each.decision_id)
        if decision is None or decision.choice is None:
            continue
        found.append(
            Trial(
                decision.surface,
                decision.choice.action,
                decision.at_ms,
                decision.choice.layout,
                decision.choice.features,
                made=False,
                reward=each.value,
                before=before,
            )
        )
    return tuple(found)


def credited(
    person: Profile,
    rewards: Sequence[Reward],
    settings: Settings,
    memory: Memory,
    tenant: str,
    now_ms: int,
    *,
    reported: bool = False,
) -> Profile:
    """The person with these counted."""
    if not rewards:
        return person
    found = (memory.decision(tenant, each.decision_id) for each in rewards)
    made_ms = {each.decision_id: each.at_ms for each in found if each is not None}
    after = choices.credit(person, rewards, made_ms, reported=reported)
    return replace(after, choices=kept_of(after.choices, settings, now_ms))
