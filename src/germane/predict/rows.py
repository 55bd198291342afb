"""Bounded rows of weighted neighbours: what goes with an item, a category, a value."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from germane.predict.counters import Clock

Numbers = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]
Key = TypeVar("Key", int, str)
Entry = TypeVar("Entry", int, str)


class Rows(Generic[Key, Entry]):
    """key -> (entry -> growing weight), each row kept to its best ``width`` entries.

    A row may grow to twice its width before the weakest half is dropped, so that an addition costs
    O(1) on average.
    """

    def __init__(self, half_life_days: float, width: int) -> None:
        self.clock = Clock(half_life_days)
        self.width = width
        self.rows: dict[Key, dict[Entry, float]] = {}
        self._ordered: dict[Key, list[Entry]] = {}
        self._arrays: dict[Key, tuple[Numbers, Floats, float]] = {}
        self._read: set[Key] = set()
        """Rows that were put in order or made arrays since they last changed."""

    def weight(self, at_ms: int) -> float:
        """The weight of one event at this time; call it once an event, before its ``add``."""
        factor = self.clock.shift(at_ms)
        if factor != 1.0:
            for row in self.rows.values():
                for entry in row:
                    row[entry] *= factor
            self._ordered.clear()
            self._arrays.clear()
            self._read.clear()
        return self.clock.weight(at_ms)

    def add(self, key: Key, entry: Entry, weight: float) -> None:
        """Add to one entry of one row."""
        if key in self._read:
            self._changed(key)
        row = self.rows.get(key)
        if row is None:
            self.rows[key] = {entry: weight}
            return
        row[entry] = row.get(entry, 0.0) + weight
        if len(row) > 2 * self.width:
            self.rows[key] = self._best(row)

    def add_all(self, key: Key, entries: Iterable[Entry], weight: float) -> None:
        """Add the same to several entries of one row."""
        if key in self._read:
            self._changed(key)
        row = self.rows.get(key)
        if row is None:
            row = self.rows[key] = {}
        for entry in entries:
            row[entry] = row.get(entry, 0.0) + weight
        if len(row) > 2 * self.width:
            self.rows[key] = self._best(row)

    def add_to_all(self, keys: Iterable[Key], entry: Entry, weight: float) -> None:
        """Add the same entry to several rows."""
        rows, most = self.rows, 2 * self.width
        read = self._read
        for key in keys:
            if key in read:
                self._changed(key)
            row = rows.get(key)
            if row is None:
                rows[key] = {entry: weight}
                continue
            row[entry] = row.get(entry, 0.0) + weight
            if len(row) > most:
                rows[key] = self._best(row)

    def row(self, key: Key) -> dict[Entry, float]:
        """A row's entries; not to be changed."""
        return self.rows.get(key) or {}

    def ordered(self, key: Key) -> list[Entry]:
        """A row's entries, strongest first; kept until the row changes."""
        found = self._ordered.get(key)
        if found is None:
            row = self.row(key)
            found = self._ordered[key] = sorted(row, key=row.__getitem__, reverse=True)
            self._read.add(key)
        return found

    def arrays(self, key: Key) -> tuple[Numbers, Floats, float] | None:
        """A row's entries (which must be numbers), their weights and the sum of these; kept until the row
        changes."""
        found = self._arrays.get(key)
        if found is None:
            row = self.rows.get(key)
            if not row:
                return None
            entries = np.fromiter(row, dtype=np.intp, count=len(row))
            weights = np.fromiter(row.values(), float, len(row))
            found = self._arrays[key] = entries, weights, float(weights.sum())
            self._read.add(key)
        return found

    def _best(self, row: dict[Entry, float]) -> dict[Entry, float]:
        """The strongest of a row, strongest first; of equals the earlier."""
        return dict(sorted(row.items(), key=_by_weight, reverse=True)[: self.width])

    def _changed(self, key: Key) -> None:
        self._read.discard(key)
        self._ordered.pop(key, None)
        self._arrays.pop(key, None)


_by_weight = itemgetter(1)
