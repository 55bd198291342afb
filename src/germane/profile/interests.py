"""Interests per declared attribute: which values a person's interactions speak for or against.

What is said of an item that the catalogue does not have (yet) is kept by item, and put where it belongs when
the item has come (``placed``). Meanwhile it stands under ``UNPLACED`` in place of an attribute, so that it is
bounded, grows old, is joined and is taken back like all other evidence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from germane.domain import decay
from germane.domain.event import Interaction
from germane.domain.item import Item
from germane.domain.pairing import Taken, cancelled
from germane.domain.profile import Profile
from germane.domain.settings import Settings
from germane.profile import bounds
from germane.profile.pairing import Change

Interests = dict[str, dict[str, decay.Masses]]
ItemOf = Callable[[str], Item | None]
_Said = dict[tuple[str, int], dict[tuple[str, str], int]]
UNPLACED = ""
"""No attribute's name."""


def of(profile: Profile) -> Interests:
    """What a profile holds of them, placed or not."""
    if not profile.unplaced:
        return profile.interests
    return {**profile.interests, UNPLACED: profile.unplaced}


def fields(known: Interests) -> dict[str, Any]:
    """The fields of a profile that hold them."""
    if UNPLACED not in known:
        return {"interests": known, "unplaced": {}}
    placed = {name: values for name, values in known.items() if name != UNPLACED}
    return {"interests": placed, "unplaced": known[UNPLACED]}


def placed(profile: Profile, item_of: ItemOf, settings: Settings) -> Profile:
    """The person with what was said of items before they came into the catalogue where it belongs."""
    if not profile.unplaced:
        return profile
    come = {each: None for each in profile.unplaced if item_of(each) is not None}
    if not come:
        return profile
    after, touched = of(profile), {UNPLACED}
    after = {**after, UNPLACED: {x: y for x, y in profile.unplaced.items() if x not in come}}
    for item_id in come:
        for name, value in _speaks_of(item_id, item_of(item_id), _tracked(settings)):
            values = _own_copy(after, touched, name)
            values[value] = decay.joined(values.get(value, ()), profile.unplaced[item_id])
    _bound(after, touched, settings, profile.last_seen_ms)
    return replace(profile, **fields(after))


def told(
    known: Interests,
    new: Sequence[Interaction],
    changes: Mapping[str, Change],
    item_of: ItemOf,
    settings: Settings,
    now_ms: int,
) -> Interests:
    """Interests after new interactions. What one event says of one value is added in one go.

    Args:
        known: Before; not changed.
        new: What happened.
        changes: By item, what is taken back otherwise than before.
        item_of: The catalogue.
        settings: The declaration.
        now_ms: Tells which values are the weakest, where there are too many.
    """
    after = dict(known)
    touched: set[str] = set()
    for (signal, at_ms), amounts in _said(new, item_of, settings).items():
        month, unit = decay.grown(at_ms, settings.signals[signal].half_life_days)
        for (name, value), amount in amounts.items():
            values = _own_copy(after, touched, name)
            values[value] = decay.put(values.get(value, ()), signal, month, amount * unit, amount)
    for item_id, change in changes.items():
        speaks_of = _speaks_of(item_id, item_of(item_id), _tracked(settings))
        _take_back(after, touched, speaks_of, change.taken, settings)
    _bound(after, touched, settings, now_ms)
    return after


def taken_back(
    known: Interests, changes: Mapping[str, Change], item_of: ItemOf, settings: Settings
) -> Interests:
    """Interests after nothing but what is taken back otherwise than before."""
    after = dict(known)
    touched: set[str] = set()
    for item_id, change in changes.items():
        speaks_of = _speaks_of(item_id, item_of(item_id), _tracked(settings))
        _take_back(after, touched, speaks_of, change.taken, settings)
    return after


def untold(
    known: Interests,
    gone: Sequence[Interaction],
    changes: Mapping[str, Change],
    item_of: ItemOf,
    settings: Settings,
) -> Interests:
    """Interests as if some interactions had never been told; ``changes`` has all of their items."""
    after = dict(known)
    touched: set[str] = set()
    for item_id, change in changes.items():
        said = Counter((each.signal, each.at_ms) for each in gone if each.item_id == item_id)
        said.update(change.taken)  # what was taken back already is not in there
        said = Counter({key: count for key, count in said.items() if count})
        speaks_of = _speaks_of(item_id, item_of(item_id), _tracked(settings))
        _take_back(after, touched, speaks_of, said, settings)
    return after


def _said(new: Sequence[Interaction], item_of: ItemOf, settings: Settings) -> _Said:
    """(signal, time) -> (attribute, value) -> how many times it was said."""
    tracked, signals = _tracked(settings), settings.signals
    said: _Said = {}
    for each in new:
        if cancelled(signals[each.signal], signals) is not None:
            continue
        amounts = said.get((each.signal, each.at_ms))
        if amounts is None:
            amounts = said[each.signal, each.at_ms] = {}
        for key in _speaks_of(each.item_id, item_of(each.item_id), tracked):
            amounts[key] = amounts.get(key, 0) + 1
    return said


def _speaks_of(
    item_id: str, item: Item | None, tracked: Sequence[str]
) -> Iterable[tuple[str, str]]:
    """(attribute, value) of all that an item is."""
    if item is None:
        return [(UNPLACED, item_id)] if tracked else []
    return [(name, value) for name in tracked for value in item.values_of(name)]


def _take_back(
    after: Interests,
    touched: set[str],
    speaks_of: Iterable[tuple[str, str]],
    taken: Taken,
    settings: Settings,
) -> None:
    """What was taken back says nothing any more, as of the time when it was said."""
    for (signal, at_ms), count in taken.items():
        month, unit = decay.grown(at_ms, settings.signals[signal].half_life_days)
        for name, value in speaks_of:
            values = _own_copy(after, touched, name)
            masses = values.get(value, ())
            left = (
                decay.take(masses, signal, month, count * unit, count)
                if count > 0
                else decay.put(masses, signal, month, -count * unit, -count)
            )
            if left:
                values[value] = left
            else:
                values.pop(value, None)


def _tracked(settings: Settings) -> list[str]:
    return [each.name for each in settings.attributes.values() if each.interest]


def _own_copy(after: Interests, touched: set[str], name: str) -> dict[str, decay.Masses]:
    """An attribute's values, to be changed: the ones before stay as they are."""
    if name not in touched:
        touched.add(name)
        after[name] = dict(after.get(name, {}))
    return after[name]


def _bound(after: Interests, touched: Iterable[str], settings: Settings, now_ms: int) -> None:
    for name in touched:
        if len(after[name]) > _limit(name, settings):
            after[name] = bounded(name, after[name], settings, now_ms)


def bounded(
    name: str, values: dict[str, decay.Masses], settings: Settings, now_ms: int
) -> dict[str, decay.Masses]:
    """Not too many values of one attribute: those with the most evidence left at ``now_ms``."""
    worth = decay.Worth(settings.signals, now_ms, settings.profile.beyond_year_factor)
    return bounds.values(values, _limit(name, settings), worth)


def _limit(name: str, settings: Settings) -> int:
    return bounds.UNPLACED if name == UNPLACED else settings.profile.values_per_attribute
