"""Taking out of a profile what some signals told, because the consent that they needed has ended.

What is left is the profile of somebody who never gave these signals: field by field, as
``privacy.features.FIELDS`` says.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeVar

from msgspec.structs import replace

from germane.domain.profile import Exposure, Mass, OpenChoice, OwnItem, Profile
from germane.domain.settings import Settings

Shown = TypeVar("Shown", Exposure, OpenChoice)
_RETURNED = "|returned"


def without(person: Profile, signals: Collection[str], settings: Settings) -> Profile:
    """The person without what some signals told; the same one where they told nothing."""
    outcomes = {
        name: frozenset(each.name for each in surface.outcomes if each.signal in signals)
        for name, surface in settings.surfaces.items()
    }
    if not (_told(person, signals) or _credited(person, outcomes)):
        return person
    recent = tuple(each for each in person.recent if each.signal not in signals)
    gone = [each for each in person.recent if each.signal in signals]
    orders = {each.order for each in gone} - {each.order for each in recent}
    return replace(
        person,
        recent=recent,
        interests=_interests(person, signals),
        unplaced=_values(person.unplaced, signals),
        own_items=_own_items(person, signals, settings),
        known_orders={x: y for x, y in person.known_orders.items() if x not in orders},
        apart={
            item: left
            for item, names in person.apart.items()
            if (left := tuple(each for each in names if each not in signals))
        },
        exposures=tuple(_uncredited(x, outcomes.get(x.surface)) for x in person.exposures),
        choices=tuple(_unvalued(x, outcomes.get(x.surface)) for x in person.choices),
    )


def _told(person: Profile, signals: Collection[str]) -> bool:
    return (
        any(each.signal in signals for each in person.recent)
        or any(each in signals for names in person.apart.values() for each in names)
        or any(
            each.signal in signals
            for values in (*person.interests.values(), person.unplaced)
            for masses in values.values()
            for each in masses
        )
    )


def _credited(person: Profile, outcomes: Mapping[str, frozenset[str]]) -> bool:
    shown: list[Exposure | OpenChoice] = [*person.exposures, *person.choices]
    return any(
        _outcome(said) in outcomes.get(each.surface, ()) for each in shown for said in each.credited
    )


def _interests(person: Profile, signals: Collection[str]) -> dict[str, dict[str, tuple[Mass, ...]]]:
    kept = {name: _values(values, signals) for name, values in person.interests.items()}
    return {name: values for name, values in kept.items() if values}


def _values(
    values: Mapping[str, tuple[Mass, ...]], signals: Collection[str]
) -> dict[str, tuple[Mass, ...]]:
    left = {
        value: tuple(each for each in masses if each.signal not in signals)
        for value, masses in values.items()
    }
    return {value: masses for value, masses in left.items() if masses}


def _own_items(person: Profile, signals: Collection[str], settings: Settings) -> dict[str, OwnItem]:
    """Without items of which only these signals told; of others, what the latest interactions tell."""
    theirs: dict[str, set[str]] = {}
    for item, names in person.apart.items():
        theirs.setdefault(item, set()).update(each for each in names if each in signals)
    latest: dict[str, int] = {}
    for each in person.recent:
        if each.signal in signals:  # also in a profile of before such items were told apart
            theirs.setdefault(each.item_id, set()).add(each.signal)
        else:
            latest[each.item_id] = max(latest.get(each.item_id, 0), each.at_ms // 1000)
    found = {}
    for item, own in person.own_items.items():
        if item not in theirs or not theirs[item]:
            found[item] = own
        elif item in latest:
            found[item] = _left(own, theirs[item], latest[item], settings)
    return found


def _left(own: OwnItem, names: Collection[str], last_s: int, settings: Settings) -> OwnItem:
    specs = [settings.signals[each] for each in names if each in settings.signals]
    if len(specs) < len(names) or any(x.repeat or x.weight < 0 or x.cancels for x in specs):
        return OwnItem(last_s=last_s)  # how often is not told apart
    return replace(own, last_s=max(last_s, own.rejected_s, *own.times_s[-1:]))


def _uncredited(shown: Shown, outcomes: Collection[str] | None) -> Shown:
    if not outcomes or not any(_outcome(each) in outcomes for each in shown.credited):
        return shown
    return replace(
        shown,
        credited=tuple(each for each in shown.credited if _outcome(each) not in outcomes),
        credits=tuple(each for each in shown.credits if each.outcome not in outcomes),
    )


def _unvalued(choice: OpenChoice, outcomes: Collection[str] | None) -> OpenChoice:
    left = _uncredited(choice, outcomes)
    return left if left is choice else replace(left, value=sum(x.value for x in left.credits))


def _outcome(credited: str) -> str:
    return credited.removesuffix(_RETURNED).rpartition("|")[2]
