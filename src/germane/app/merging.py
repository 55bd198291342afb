"""Two people turn out to be one: whose refunds take back what the other one was credited with, and which
orders both were credited for."""

from __future__ import annotations

from dataclasses import dataclass, field

from germane.domain.outcome import Reward, Trial
from germane.domain.profile import Profile
from germane.domain.settings import Settings
from germane.measure import choices, doubled, returns, reunion
from germane.profile import earlier, repeats
from germane.profile.fold import ItemOf


@dataclass(slots=True)
class Reunion:
    """The person of an event, and what came of the merges that it brought."""

    person: Profile
    gone: list[str] = field(default_factory=list)
    """Persons that are no more."""
    claims: dict[str, str] = field(default_factory=dict)
    """External id -> person."""
    rewards: list[Reward] = field(default_factory=list)
    """Of slates: what was taken back."""
    of_choices: list[Reward] = field(default_factory=list)
    trials: tuple[Trial, ...] = ()


def taken_back(
    one: Profile, two: Profile, settings: Settings, item_of: ItemOf
) -> tuple[list[Reward], list[Reward]]:
    """Negative rewards of slates and of choices: for what refunds of one take of the other's purchases, and
    for orders that came under both ids.

    Refunds as long as both the refund and the purchase are among the recent interactions.
    """
    rewards, of_choices = _refunded(one, two, settings, item_of)
    surfaces = settings.surfaces
    rewards += doubled.taken_back(one.exposures, two.exposures, surfaces, rewards)
    of_choices += doubled.taken_back(one.choices, two.choices, surfaces, of_choices)
    return rewards, of_choices


def _refunded(
    one: Profile, two: Profile, settings: Settings, item_of: ItemOf
) -> tuple[list[Reward], list[Reward]]:
    rewards: list[Reward] = []
    of_choices: list[Reward] = []
    if not any(_refunds(each, settings) for each in (one, two)):
        return rewards, of_choices
    both = [earlier.todays(each, settings, item_of) for each in (one, two)]
    kept = repeats.apart(both[0], both[1], item_of, settings)
    sides = [reunion.Side(each, half.recent) for each, half in zip(both, kept, strict=True)]
    crossed = reunion.crossed(sides[0], sides[1], settings.signals)
    for person, found in zip(both, crossed, strict=True):
        surfaces, shown = settings.surfaces, person.exposures
        for back in found:
            rewards += returns.taken_back(person, back, shown, surfaces, rewards)
            of_choices += choices.taken_back(person, back, surfaces, of_choices)
    return rewards, of_choices


def _refunds(person: Profile, settings: Settings) -> bool:
    """Whether anything among the recent interactions takes something back."""
    takers = {spec.name for spec in settings.signals.values() if spec.cancels}
    return any(each.signal in takers for each in person.recent)
