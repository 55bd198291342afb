"""What keeps a profile small: how many of each are kept, and which go first.

Every rule is deterministic: ties are broken by name, never by the order of a dictionary. Two of the
collections may grow a tenth beyond their limit before they are cut, so that a person at the limit
does not pay for a sort at every event.
"""

from __future__ import annotations

from typing import Any

from germane.domain.decay import Masses, Worth
from germane.domain.event import Interaction
from germane.domain.muting import Muted
from germane.domain.profile import Exposure, OwnItem, Trait

TIMES = 8
"""Times kept of each own item: the latest."""
ORDERS = 400
"""Orders known again when they are sent again: the latest of the last 24 months."""
TRAITS = 100
"""Declared traits kept: the latest declared."""
TRAIT_CHARS = 2_000
"""A trait value that is longer when written out is not kept (it stays in the log)."""
ACTIVE_HOURS = 128
"""Active hours kept: the latest."""
ANONYMOUS_IDS = 20
"""Anonymous ids kept: the latest to arrive."""
TEXT_CHARS = 64
"""Longest locale or time zone name that is believed."""
UNPLACED = 256
"""Items that the catalogue does not have of which evidence is kept until it has: those with the most left."""
MUTED_ITEMS, MUTED_VALUES = 200, 50
"""Items and values of an attribute that a person muted: those that hold longest."""


def values(kept: dict[str, Masses], limit: int, worth: Worth) -> dict[str, Masses]:
    """The ``limit`` values with the most evidence left, for or against; looked at a tenth beyond it."""
    if len(kept) <= limit + limit // 10:
        return kept
    standing = {value: (abs(worth.of(masses)), value) for value, masses in kept.items()}
    chosen = set(sorted(kept, key=standing.__getitem__, reverse=True)[:limit])
    return {value: masses for value, masses in kept.items() if value in chosen}


def own(kept: dict[str, OwnItem], limit: int) -> dict[str, OwnItem]:
    """The ``limit`` items that were touched last (ties by how often, then by id); likewise."""
    if len(kept) <= limit + limit // 10:
        return kept
    best = sorted(kept, key=lambda key: (kept[key].last_s, kept[key].count, key), reverse=True)
    chosen = set(best[:limit])
    return {key: item for key, item in kept.items() if key in chosen}


def recent(kept: tuple[Interaction, ...], limit: int, oldest_ms: int) -> tuple[Interaction, ...]:
    """The newest ``limit`` that are not too old. ``kept`` is in order of time."""
    kept = kept[-limit:]
    if kept and kept[0].at_ms < oldest_ms:
        return tuple(each for each in kept if each.at_ms >= oldest_ms)
    return kept


def exposures(
    kept: tuple[Exposure, ...], limit: int, window_s: int, now_ms: int
) -> tuple[Exposure, ...]:
    """The newest ``limit`` whose longest attribution window is not over. ``kept`` is in order of time."""
    first = now_ms - window_s * 1000
    return tuple(each for each in kept if each.at_ms >= first)[-limit:]


def orders(known: dict[int, int]) -> dict[int, int]:
    """The latest orders (of one day, by key); looked at a tenth beyond the bound."""
    if len(known) <= ORDERS + ORDERS // 10:
        return known
    chosen = sorted(known, key=lambda key: (known[key], key))[-ORDERS:]
    return {key: known[key] for key in sorted(chosen)}


def traits(kept: dict[str, Trait]) -> dict[str, Trait]:
    """The traits that were declared last (ties by name)."""
    if len(kept) <= TRAITS:
        return kept
    chosen = set(sorted(kept, key=lambda name: (kept[name].at_ms, name))[-TRAITS:])
    return {name: trait for name, trait in kept.items() if name in chosen}


def muted(kept: Muted) -> Muted:
    """The items and values that hold longest (ties by name). Of sources there are only a few."""
    return Muted(
        _longest(kept.items, MUTED_ITEMS),
        {name: _longest(each, MUTED_VALUES) for name, each in kept.values.items()},
        kept.sources,
    )


def _longest(kept: dict[str, int], limit: int) -> dict[str, int]:
    if len(kept) <= limit:
        return kept
    chosen = sorted(kept, key=lambda name: (kept[name], name))[-limit:]
    return {name: kept[name] for name in sorted(chosen)}


def small(value: Any) -> bool:
    """Whether a trait's value is short enough to be kept."""
    return isinstance(value, bool | int | float | None) or len(str(value)) <= TRAIT_CHARS
