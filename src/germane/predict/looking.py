"""Through the catalogue for what may be shown, where the sources propose too little of it.

In two steps, so that the usual question stays fast: a filter or an include rule has the best-selling
items looked through; only where the slate stays short is it the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable

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
