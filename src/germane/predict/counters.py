"""Exponentially decayed counts that cost nothing to decay.

Instead of shrinking every count as time goes by, each new one is added with a growing weight,
``2 ** ((t - origin) / half_life)``: the order and the ratios are those of the decayed counts. When
the exponent grows large, all counts and the origin are moved, which changes no ratio.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_MAX_EXPONENT = 400.0
_MAX_WEIGHT = 1000.0
"""2 to this power is still a finite number."""
DAY_MS = 86_400_000.0


class Clock:
    """The growing weight of one half-life."""

    __slots__ = ("half_life_ms", "origin_ms")

    def __init__(self, half_life_days: float, origin_ms: int = 0) -> None:
        self.half_life_ms = half_life_days * DAY_MS
        self.origin_ms = origin_ms
        """0: nothing was counted yet. What was counted at that very moment has 1."""

    def weight(self, at_ms: int) -> float:
        """What one event at this time adds. Events long before the origin add (nearly) nothing."""
        if self.origin_ms == 0:
            return 1.0  # nothing was counted yet
        exponent = (at_ms - self.origin_ms) / self.half_life_ms
        return float(2.0 ** min(max(exponent, -_MAX_WEIGHT), _MAX_WEIGHT))

    def scale_at(self, now_ms: int) -> float:
        """Factor that turns a sum of weights into a decayed count as of ``now_ms``; always finite, also
        for a moment long before the origin (an event of years ago)."""
        exponent = (now_ms - self.origin_ms) / self.half_life_ms
        return float(2.0 ** -min(max(exponent, -_MAX_EXPONENT), _MAX_WEIGHT))

    def shift(self, at_ms: int) -> float:
        """Move the origin when weights get too large; the factor that every sum must be multiplied by."""
        if self.origin_ms == 0:
            self.origin_ms = at_ms or 1
            return 1.0
        exponent = (at_ms - self.origin_ms) / self.half_life_ms
        if exponent < _MAX_EXPONENT:
            return 1.0
        self.origin_ms = at_ms
        return float(2.0**-exponent)


class DecayedCounts:
    """One decayed count per item number, as a growing array."""

    def __init__(self, half_life_days: float) -> None:
        self.clock = Clock(half_life_days)
        self.sums: Floats = np.zeros(0)
        self.total = 0.0

    def grow(self, size: int) -> None:
        """Make room for item numbers below ``size``."""
        if size > len(self.sums):
            room = np.zeros(max(size, 2 * len(self.sums), 1024))
            room[: len(self.sums)] = self.sums
            self.sums = room

    def add_all(self, numbers: npt.NDArray[np.intp], at_ms: int, amounts: Floats) -> None:
        """Count an amount for each of some items, all at one time; an item may come twice."""
        weights = amounts * self.weight(at_ms)
        np.add.at(self.sums, numbers, weights)
        self.total += float(weights.sum())

    def add_one(self, number: int, at_ms: int, amount: float) -> None:
        """The same for a single item, as most events are."""
        weight = amount * self.weight(at_ms)
        self.sums[number] += weight
        self.total += weight

    def weight(self, at_ms: int) -> float:
        """What one event at this time adds from now on; the origin moves where that is due."""
        factor = self.clock.shift(at_ms)
        if factor != 1.0:
            self.sums *= factor
            self.total *= factor
        return self.clock.weight(at_ms)

    def top(self, count: int, among: npt.NDArray[np.bool_] | None = None) -> npt.NDArray[np.intp]:
        """Item numbers with the highest counts, best first; ties by number.

        ``among`` says for each of the first item numbers whether it may be there; others may not.
        """
        sums = self.sums if among is None else self.sums[: len(among)] * among
        positive = np.flatnonzero(sums > 0)
        if len(positive) > count:
            part = np.argpartition(-self.sums[positive], count - 1)[:count]
            positive = positive[np.sort(part)]
        return positive[np.argsort(-self.sums[positive], kind="stable")]


class Bank:
    """Decayed counts of different half-lives over the same item numbers, side by side in one table, so
    that all of them are looked up at once."""

    def __init__(self, half_lives_days: dict[str, float]) -> None:
        self.of = {name: DecayedCounts(days) for name, days in half_lives_days.items()}
        self._clocks = tuple(each.clock for each in self.of.values())
        self.table: Floats = np.zeros((len(self.of), 0))
        """Sums, shape (counts, room), in the order of the names."""
        self.days: Floats = np.array(list(half_lives_days.values())) / np.log(2.0)
        """Mean life of each: a steady rate a day is its decayed count over this."""

    def grow(self, room: int) -> None:
        """Make room for ``room`` item numbers."""
        table = np.zeros((len(self.of), room))
        table[:, : self.table.shape[1]] = self.table
        self.table = table
        for row, counts in zip(table, self.of.values(), strict=True):
            counts.sums = row

    def weights(self, at_ms: int) -> Floats:
        """What one event at this time, not before any that was counted, adds to each count, shape
        (counts,). A count's sum over it is the decayed count."""
        return np.array(
            [
                2.0 ** min((at_ms - each.origin_ms) / each.half_life_ms, _MAX_WEIGHT)
                if each.origin_ms
                else 1.0
                for each in self._clocks
            ]
        )

    def totals(self) -> Floats:
        """Sum of each count over all items, shape (counts,)."""
        return np.array([each.total for each in self.of.values()])
