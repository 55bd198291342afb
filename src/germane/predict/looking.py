"""Through the catalogue for what may be shown, where the sources propose too little of it.

In two steps, so that the usual question stays fast: a filter or an include rule has the best-selling
items looked through; only where the slate stays short is it the catalogue. Likewise for what is related: the
best of each category are proposed anyway; only where the quota stays short are more of them looked through.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from itertools import islice, zip_longest

import numpy as np

from germane.domain.item import Item
from germane.predict.state import State

LOOKED_THROUGH = 5_000
"""So many of the best-selling items are looked through for what a filter leaves."""
LOOKED_FURTHER = 25_000
"""So many of all items where that is not enough: the best-selling first, and of those that were never sold
the newest. Of what lies beyond, in a larger catalogue, a filter finds only what the sources propose."""


def best_sold(
    state: State, test: Callable[[Item], bool], count: int, down: Container[int] = frozenset()
) -> list[int]:
    """Numbers of the best-selling items that may be shown, at most ``count`` of them not in ``down``."""
    sold = np.argsort(-state.mid.sums[: len(state.ids)], kind="stable")[:LOOKED_THROUGH]
    return first(state, sold.tolist(), test, count, down)


def further(
    state: State, test: Callable[[Item], bool], count: int, known: Container[int] = frozenset()
) -> list[int]:
    """The same from all of the catalogue (up to a bound), without those that are known."""
    order = by_sales(state)
    return first(state, (each for each in order if each not in known), test, count)


def related(
    state: State,
    kinds: Sequence[int],
    test: Callable[[Item], bool],
    least: int,
    most: int,
    known: Container[int] = frozenset(),
) -> list[int]:
    """Numbers of items of these values of the diversity attribute that may be shown, without those that are
    known: of what is kept as the best of each value, the first of each before the second of any, up to
    ``most``; where these are fewer than ``least``, so many from all of the catalogue (up to a bound)."""
    tops = state.tops[state.diversity]
    turns = zip_longest(*map(tops.ordered, kinds))
    kept = (each for turn in turns for each in turn if each is not None and each not in known)
    found = first(state, islice(kept, LOOKED_THROUGH), test, most)
    if len(found) >= least:
        return found
    of = state.kinds[state.diversity].of[: len(state.ids)]
    numbers = np.flatnonzero(np.isin(of, kinds))[::-1]
    order = numbers[np.argsort(-state.mid.sums[numbers], kind="stable")][:LOOKED_FURTHER].tolist()
    rest = (each for each in order if each not in known and each not in found)
    return found + first(state, rest, test, least - len(found))


def by_sales(state: State) -> list[int]:
    """Item numbers, the best-selling first and the newest of equals first; at most LOOKED_FURTHER."""
    newest = np.arange(len(state.ids))[::-1]
    order = np.argsort(-state.mid.sums[newest], kind="stable")[:LOOKED_FURTHER]
    found: list[int] = newest[order].tolist()
    return found


def first(
    state: State,
    numbers: Iterable[int],
    test: Callable[[Item], bool],
    count: int,
    down: Container[int] = frozenset(),
) -> list[int]:
    """The first of these items that may be shown, at most ``count``; those in ``down`` do not count."""
    found: list[int] = []
    missing = count
    for number in numbers:
        item = state.items[number]
        if item is not None and test(item):
            found.append(number)
            missing -= number not in down
            if not missing:
                break
    return found
