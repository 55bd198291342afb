"""Means with intervals, where one person stands for many rows.

Rows of one person are not independent, so people are drawn, not rows (the cluster bootstrap, Efron &
Tibshirani 1993, ch. 8). All figures of one sample use the same draws: differences are paired.
"""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

DRAWS = 1_000
_CELLS = 20_000_000
"""Draws times people that are held in memory at once, at most (of 4 bytes each)."""
ENOUGH_PEOPLE = 20
"""With fewer, a bootstrap of people is too narrow to be believed."""


class Estimate(msgspec.Struct, frozen=True):
    """A mean, its 95 % interval, and what it rests on."""

    value: float
    low: float
    high: float
    n: int
    """Rows."""
    people: int

    @property
    def enough(self) -> bool:
        """Whether the interval may be believed."""
        return self.people >= ENOUGH_PEOPLE

    @property
    def above(self) -> bool:
        """Clearly above 0."""
        return self.enough and self.low > 0

    @property
    def below(self) -> bool:
        """Clearly below 0."""
        return self.enough and self.high < 0


class People:
    """Draws of people, made once for all figures of a sample."""

    def __init__(self, person: npt.NDArray[np.int64], seed: int = 0) -> None:
        """
        Args:
            person: Whose each row is, numbers from 0, shape (rows,).
            seed: Of the draws.
        """
        self._person = person
        self._count = int(person.max()) + 1 if len(person) else 0
        draws = max(200, min(DRAWS, _CELLS // max(self._count, 1)))
        chance = np.random.default_rng(seed)
        even = np.full(self._count, 1 / max(self._count, 1))
        self._weights = np.zeros((draws, 0), dtype=np.float32)
        if self._count:
            drawn = chance.multinomial(self._count, even, size=draws)
            self._weights = drawn.astype(np.float32)

    def mean(self, values: Floats, among: Mask | None = None) -> Estimate:
        """Mean over rows, each row counting the same; rows that are NaN are left out.

        Args:
            values: Shape (rows,).
            among: Rows that count, shape (rows,); all by default.
        """
        kept = ~np.isnan(values) if among is None else among & ~np.isnan(values)
        if not kept.any():
            return Estimate(0.0, 0.0, 0.0, 0, 0)
        person = self._person[kept]
        sums = self._sums(person, values[kept])
        rows = np.bincount(person, minlength=self._count).astype(float)
        return self._ratio(sums, rows, int(kept.sum()))

    def mean_of_people(self, values: Floats, among: Mask | None = None) -> Estimate:
        """Mean over people of each one's own mean: everyone counts the same."""
        kept = ~np.isnan(values) if among is None else among & ~np.isnan(values)
        if not kept.any():
            return Estimate(0.0, 0.0, 0.0, 0, 0)
        person = self._person[kept]
        rows = np.bincount(person, minlength=self._count)
        sums = self._sums(person, values[kept]) / np.maximum(rows, 1)
        return self._ratio(sums, (rows > 0).astype(float), int(kept.sum()))

    def ratio(self, values: Floats, of: Floats, among: Mask | None = None) -> Estimate:
        """Sum of ``values`` over sum of ``of``: shares of what is counted itself."""
        kept = ~(np.isnan(values) | np.isnan(of))
        kept = kept if among is None else among & kept
        if not kept.any():
            return Estimate(0.0, 0.0, 0.0, 0, 0)
        person = self._person[kept]
        sums = self._sums(person, values[kept])
        base = self._sums(person, of[kept])
        return self._ratio(sums, base, int(kept.sum()))

    def _sums(self, person: npt.NDArray[np.int64], values: Floats) -> Floats:
        return np.bincount(person, values, minlength=self._count).astype(float)

    def _ratio(self, sums: Floats, base: Floats, rows: int) -> Estimate:
        total = float(base.sum())
        value = float(sums.sum()) / total if total else 0.0
        drawn = self._weights @ base
        top = self._weights @ sums
        with np.errstate(divide="ignore", invalid="ignore"):
            means = (top / drawn)[drawn > 0]
        low, high = np.quantile(means, (0.025, 0.975)) if len(means) else (value, value)
        return Estimate(value, float(low), float(high), rows, int((base > 0).sum()))
