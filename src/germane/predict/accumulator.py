"""Sums over a few items at a time, in room for all of them.

A sparse accumulator (Gilbert, Moler & Schreiber 1992, "Sparse matrices in MATLAB"): one array as long as
there are items, all zeros between two uses, so that adding and looking up need no search.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.intp]
Going = tuple[Numbers, Floats]
"""Item numbers in order, each once, and how strongly each goes with something."""
NOWHERE: Going = (np.zeros(0, dtype=np.intp), np.zeros(0))


class Accumulator:
    """Room for one sum an item."""

    def __init__(self) -> None:
        self._sums: Floats = np.zeros(0)

    def grow(self, room: int) -> None:
        """Make room for ``room`` item numbers."""
        self._sums = np.zeros(room)

    def summed(self, entries: Sequence[Numbers], weights: Sequence[Floats]) -> Going:
        """Sum of the weights of each item that is among the entries."""
        if not entries:
            return NOWHERE
        whole = np.concatenate(entries) if len(entries) > 1 else entries[0]
        if not len(whole):
            return NOWHERE
        added = np.concatenate(weights) if len(weights) > 1 else weights[0]
        np.add.at(self._sums, whole, added)
        numbers = np.sort(whole)
        first = np.empty(len(numbers), dtype=bool)
        first[0] = True
        np.not_equal(numbers[1:], numbers[:-1], out=first[1:])
        numbers = numbers[first]
        sums = self._sums.take(numbers)
        self._sums[numbers] = 0.0
        return numbers, sums

    def looked_up(self, going: Going, numbers: Numbers) -> Floats:
        """What goes with something, for some items; 0 for those that do not."""
        known, sums = going
        self._sums[known] = sums
        found: Floats = self._sums.take(numbers)
        self._sums[known] = 0.0
        return found
