"""Intervals for a mean over people: from few large values among many zeros, as rewards are.

A person's rows are one draw: they are summed first (clusters). What is estimated is a ratio of two sums
over people, ``sum(top) / sum(base)``; with ``base`` all ones it is a plain mean.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Interval = tuple[float, float]

DRAWS = 1_000
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Sample:
    """Sums by person, shape (people,) each."""

    top: Floats
    base: Floats

    @property
    def value(self) -> float:
        """The ratio; 0 of nothing."""
        base = float(self.base.sum())
        return float(self.top.sum()) / base if base else 0.0

    @property
    def error(self) -> float:
        """Its standard error, by linearisation (Cochran 1977, "Sampling techniques", ch. 6)."""
        return float(_errors(*_moments(self, np.ones((1, len(self.top)))))[1][0])


def by_person(top: Floats, base: Floats, person: npt.NDArray[np.int64] | None) -> Sample:
    """Rows summed by person; each row is a person of its own where none are given.

    Args:
        top: Shape (rows,).
        base: Shape (rows,).
        person: Whose each row is, numbers from 0, shape (rows,).
    """
    if person is None:
        return Sample(top, base)
    sums = [np.bincount(person, each).astype(np.float64) for each in (top, base)]
    return Sample(sums[0], sums[1])


def normal(sample: Sample, level: float = LEVEL) -> Interval:
    """The value and so many standard errors (central limit theorem): too narrow for rare rewards."""
    reach = NormalDist().inv_cdf(0.5 + level / 2) * sample.error
    return sample.value - reach, sample.value + reach


def bernstein(sample: Sample, low: float, high: float, level: float = LEVEL) -> Interval:
    """Empirical Bernstein: holds for every sample size, for values by person in [low, high].

    Maurer & Pontil 2009, "Empirical Bernstein bounds and sample variance penalization", theorem 4,
    on both sides. For plain means (``base`` all the same).

    Raises:
        ValueError: fewer than two people.
    """
    n = len(sample.top)
    if n < 2:
        raise ValueError("An interval needs two people at least.")
    share = np.log(4.0 / (1.0 - level))
    variance = float(sample.top.var(ddof=1))
    reach = np.sqrt(2 * variance * share / n) + 7 * (high - low) * share / (3 * (n - 1))
    scale = n / float(sample.base.sum())
    return sample.value - float(reach) * scale, sample.value + float(reach) * scale


def bootstrap_t(
    sample: Sample, level: float = LEVEL, *, seed: int = 0, draws: int = DRAWS
) -> Interval:
    """Bootstrap-t over people: each resample is measured in its own standard error.

    Efron & Tibshirani 1993, "An introduction to the bootstrap", ch. 12.5. A resample without any
    spread counts as infinitely far to the left, which widens the upper end: with few rewarded rows the
    value may well be higher than it looks. Falls back to the normal interval where there is no spread.
    """
    if sample.error <= 0 or len(sample.top) < 2:
        return normal(sample, level)
    values, errors = _resampled(sample, seed, draws)
    with np.errstate(divide="ignore", invalid="ignore"):
        far = (values - sample.value) / errors
    far[errors <= 0] = -np.inf
    tail = (1.0 - level) / 2
    low, high = np.quantile(far, (tail, 1.0 - tail), method="inverted_cdf")
    if not np.isfinite(low):
        low = far[np.isfinite(far)].min(initial=-NormalDist().inv_cdf(1 - tail))
    return sample.value - float(high) * sample.error, sample.value - float(low) * sample.error


def share(sample: Sample, level: float = LEVEL) -> Interval:
    """For a share (``top`` out of ``base``): honest also where nobody answered, or everybody did.

    Wilson 1927, "Probable inference", with the effective number of draws in place of the number of rows, as
    Korn & Graubard 1998, "Confidence intervals for proportions with small expected number of positive
    counts", have it: ``p (1 - p) / error^2``, where enough people answered and enough did not to tell the
    error; else Kish's number of the people, as if all rows of a person were one. Of nothing it is all of
    [0, 1].

    Args:
        sample: Sums by person, weights times 0 or 1 and weights.
        level: Of the interval.
    """
    n = _draws(sample)
    if n <= 0:
        return 0.0, 1.0
    reach = NormalDist().inv_cdf(0.5 + level / 2)
    p = min(max(sample.value, 0.0), 1.0)
    middle = (p + reach**2 / (2 * n)) / (1 + reach**2 / n)
    half = reach * np.sqrt(p * (1 - p) / n + reach**2 / (4 * n * n)) / (1 + reach**2 / n)
    low = max(middle - float(half), 0.0) if p > 0 else 0.0
    return low, min(middle + float(half), 1.0) if p < 1 else 1.0


ENOUGH_EACH = 5
"""People who answered, and who did not, from which on the error of a share is believed."""


def _draws(sample: Sample) -> float:
    """Effective number of independent draws behind a share."""
    squares = float((sample.base**2).sum())
    kish = float(sample.base.sum()) ** 2 / squares if squares else 0.0
    yes = int((sample.top > 0).sum())
    no = int(((sample.base > 0) & (sample.top < sample.base)).sum())
    p, error = sample.value, sample.error
    if min(yes, no) < ENOUGH_EACH or error <= 0 or not 0 < p < 1:
        return kish
    return p * (1 - p) / error**2


METHODS: dict[str, Callable[[Sample, int], Interval]] = {
    "normal": lambda sample, _: normal(sample),
    "bootstrap-t": lambda sample, seed: bootstrap_t(sample, seed=seed),
}


_ROWS = 4_000_000


def _resampled(sample: Sample, seed: int, draws: int) -> tuple[Floats, Floats]:
    """Values and standard errors of resamples of the people.

    People whose rows say nothing (both sums 0 or equal) are many alike: equal pairs are counted once,
    and their numbers drawn from the multinomial, which is the same resample, and quick.
    """
    pairs, alike = np.unique(np.stack((sample.top, sample.base), 1), axis=0, return_counts=True)
    kinds = Sample(pairs[:, 0].copy(), pairs[:, 1].copy())
    chance = np.random.default_rng(seed)
    shares = alike / alike.sum()
    step = max(1, _ROWS // len(shares))
    values, errors = [], []
    for start in range(0, draws, step):
        size = min(step, draws - start)
        if len(shares) * 4 < len(sample.top):
            weights = chance.multinomial(len(sample.top), shares, size=size).astype(float)
        else:
            weights = np.stack([_weights(chance, alike) for _ in range(size)])
        value, error = _errors(*_moments(kinds, weights))
        values.append(value)
        errors.append(error)
    return np.concatenate(values), np.concatenate(errors)


def _weights(chance: np.random.Generator, alike: npt.NDArray[np.int64]) -> Floats:
    """How often each kind comes when as many people are drawn as there are."""
    people = int(alike.sum())
    kind = np.repeat(np.arange(len(alike)), alike)
    drawn = np.bincount(chance.integers(people, size=people), minlength=people)
    found: Floats = np.bincount(kind, drawn, minlength=len(alike)).astype(float)
    return found


def _moments(
    sample: Sample, weights: Floats
) -> tuple[Floats, Floats, Floats, Floats, Floats, Floats]:
    """Weighted sums that the value and its error need, shape (draws,) each."""
    top, base = sample.top, sample.base
    columns = np.stack((np.ones_like(top), top, base, top * top, top * base, base * base), 1)
    sums = weights @ columns
    n, first, second, tt, tb, bb = sums.T
    return n, first, second, tt, tb, bb


def _errors(
    n: Floats, top: Floats, base: Floats, tt: Floats, tb: Floats, bb: Floats
) -> tuple[Floats, Floats]:
    """Ratio and its standard error."""
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(base != 0, top / np.where(base != 0, base, 1.0), 0.0)
        squares = np.maximum(tt - 2 * value * tb + value * value * bb, 0.0)
        wide = squares * n / np.maximum(n - 1.0, 1.0)
        error = np.where(base != 0, np.sqrt(wide) / np.abs(np.where(base != 0, base, 1.0)), 0.0)
    # what is left of rounding is no spread
    error = np.where(wide <= 1e-24 * np.maximum(tt, 1e-300), 0.0, error)
    return value, error
