"""A campaign with its conditions compiled: what the machine works with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from germane.deliver.conditions import ALL, Condition, Conditions
from germane.deliver.schema import Root
from germane.deliver.view import View
from germane.domain.campaign import Campaign, EnterKind, Step
from germane.domain.enrolment import subject_of
from germane.domain.event import Event
from germane.domain.plan import Reason

CLOCK: tuple[Root, ...] = ("now", "local", "profile", "account")
"""What a condition may speak of where nothing just happened."""
WAITING: tuple[Root, ...] = (*CLOCK, "item", "own")
"""The same, where the enrolment may be about an item."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A campaign that can be carried out."""

    campaign: Campaign
    conditions: Conditions
    version: str = field(init=False)
    """Of the campaign: reckoned once, it takes longer than a step of the machine."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "version", self.campaign.version)

    def holds(
        self, source: str, view: View, roots: tuple[Root, ...] = ALL
    ) -> tuple[bool, Reason | None]:
        """Whether a condition holds; an empty one always does."""
        return self.condition(source, roots)(view) if source else (True, None)

    def condition(self, source: str, roots: tuple[Root, ...] = ALL) -> Condition:
        """A condition, compiled once."""
        return self.conditions.get(source, roots)

    def step(self, name: str) -> Step | None:
        """A step by its name."""
        place = self.campaign.step_at(name)
        return None if place is None else self.campaign.steps[place]


def compiled(campaign: Campaign, conditions: Conditions) -> Compiled:
    """The campaign, every condition of it checked where it stands.

    Raises:
        BadCondition: one cannot be read.
    """
    for _, source, roots in said(campaign):
        conditions.get(source, roots)
    return Compiled(campaign, conditions)


def said(campaign: Campaign) -> list[tuple[str, str, tuple[Root, ...]]]:
    """Every condition of a campaign: the key it stands at, its text, what it may speak of."""
    enter = campaign.enter
    found: list[tuple[str, str, tuple[Root, ...]]] = [
        ("enter.when", enter.when, entering(enter.kind)),
        ("enter.audience", enter.audience, CLOCK),
        ("exit.when", campaign.leave.when, ALL if campaign.leave.event else WAITING),
        ("goal.when", campaign.goal.when, ALL),
    ]
    for place, step in enumerate(campaign.steps):
        path = f"steps[{place}]"
        found += [
            (f"{path}.when", step.when, WAITING),
            (f"{path}.wait.when", step.wait.when, ALL),
            (f"{path}.wait.still", step.wait.still, WAITING),
        ]
    return [each for each in found if each[1]]


def entering(kind: EnterKind) -> tuple[Root, ...]:
    """What ``enter.when`` may speak of: nothing just happened on a schedule."""
    return CLOCK if kind in ("schedule", "audience") else ALL


def is_called(event: Event, name: str) -> bool:
    """Whether an event is the one that a campaign names."""
    if event.kind == "track":
        return event.name == name
    return name in (event.kind, f"{event.kind}:{event.name}")


def listens_to(campaign: Campaign) -> frozenset[str] | None:
    """Names of the events that can change something; ``None``: any may, for those who are in it
    (``exit.when`` alone is looked at with every event)."""
    if campaign.leave.when and not campaign.leave.event:
        return None
    return named_in(campaign)


def named_in(campaign: Campaign) -> frozenset[str]:
    """Names of the events that a campaign speaks of."""
    named = [campaign.enter.event, campaign.leave.event, campaign.goal.event]
    named += [step.wait.event for step in campaign.steps]
    return frozenset(each for each in named if each)


def subjects(
    campaign: Campaign, person: str, account: str, items: Sequence[str]
) -> tuple[tuple[str, str], ...]:
    """(subject, item) that an event may concern: one a person or account, or one for each of its items.

    Args:
        campaign: The campaign.
        person: Key of the person.
        account: Their account; empty: none.
        items: Ids of the items that the event is about; empty for those a campaign per item cannot count.
    """
    per = campaign.enter.per
    each_of = tuple(dict.fromkeys(items)) if per == "person+item" else ("",)
    found = ((subject_of(per, person, account, item), item) for item in each_of)
    return tuple((subject, item) for subject, item in found if subject)
