"""Two groups of actions compared by what they brought, where who got which depended on the person.

The groups are treated as two actions: the propensity of a group is the sum of those of its actions, so each
side is *what the group would bring if only it were there, chosen among itself as it was*. The difference is
doubly robust (``ope.dr_gain``) with the groups' own weighted means from the other folds as predictions, which
is self-normalised weighting with an interval that holds.

A winner is named only where the interval leaves 0 out and rests on enough answers. What is *alike* is as much
a finding: the whole interval lies within a fifth of the usual rate.
"""

from __future__ import annotations

from math import ceil, log10
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from germane.measure import ope
from germane.measure.intervals import Interval, by_person, share
from germane.measure.ope import Floats, How, Logged, Value

Verdict = Literal["more", "less", "alike", "unknown"]
Rows = npt.NDArray[np.intp]

ONE, TWO = 1, 0
"""Numbers of the groups: the difference is what ``ONE`` brings more than ``TWO``."""
MATTERS = 0.2
"""A difference of less than this share of the usual rate counts as none."""
ENOUGH_PEOPLE = 20
ENOUGH_EXPECTED = 10.0
"""Answers that each group would have at the usual rate, at least: a group with none may only be small."""
FOLDS = 5
RIDGE = 1.0
"""On the slope of the predictions, in rows."""
PLAIN_PEOPLE, PLAIN_RESPONSES = 20_000, 200.0
"""From both on, the plain normal interval is as good as the bootstrap's, and takes no time."""


class Rate(msgspec.Struct, frozen=True, rename="camel"):
    """A share of messages with its 95 % interval, all in [0, 1]."""

    value: float
    low: float
    high: float


class Difference(msgspec.Struct, frozen=True, rename="camel"):
    """What group one brings more than group two, a message: a difference of two shares, in [-1, 1]."""

    verdict: Verdict
    value: float = 0.0
    low: float = -1.0
    high: float = 1.0
    """95 % interval."""
    one: float = 0.0
    """Share that group one would bring of all these messages."""
    two: float = 0.0
    n: int = 0
    """Messages that it rests on: either group could have been chosen."""
    people: int = 0
    matters: float = 0.0
    """Smallest difference that counts as one."""
    enough: bool = False
    """Whether so much came back that the interval may be believed."""
    needed: int | None = None
    """Of ``unknown``: about so many more messages until it is known; ``None``: that cannot be told yet."""


def rate(hits: Floats, person: npt.NDArray[np.int64]) -> Rate:
    """Share of rows that are hits.

    Args:
        hits: 0 or 1, shape (rows,).
        person: Whose each row is, numbers from 0, shape (rows,).
    """
    sample = by_person(hits, np.ones(len(hits)), person)
    return _rate(sample.value, share(sample))


def weighted_rate(log: Logged, target: Floats) -> Rate:
    """Share that a policy would bring: self-normalised inverse propensity weighting (``ope.snips``).

    Args:
        log: Rewards of 0 or 1.
        target: Probability of the logged action under that policy, shape (rows,).
    """
    weight = target / log.propensity
    sample = by_person(weight * log.reward, weight, log.person)
    return _rate(sample.value, share(sample))


def difference(log: Logged) -> Difference:
    """What group ``ONE`` brings more than group ``TWO``.

    Args:
        log: ``action`` is the group that was chosen, ``propensity`` the probability of that group; rewards are
            0 or 1. Only rows in which either group could have been chosen.
    """
    people = 0 if log.person is None else len(np.unique(log.person))
    n = len(log.action)
    if people < ENOUGH_PEOPLE or len(np.unique(log.action)) < 2:
        return Difference("unknown", n=n, people=people)
    ones = np.tile([0.0, 1.0], (n, 1))
    (predicted,) = ope.cross_fitted(log, FOLDS, lambda rows: _means(log, rows))
    found = _gain(log, ones, predicted)
    values = [float(ope.rows_of(log, each, predicted).mean()) for each in (ones, 1 - ones)]
    return _judged(log, found, values[0], values[1])


def _gain(log: Logged, ones: Floats, predicted: Floats) -> Value:
    """With the wider of two intervals on either side, where there are few answers: the bootstrap's knows of
    their skewness, the normal one of weights that no resample has seen."""
    plain = ope.dr_gain(log, ones, 1 - ones, predicted, How(method="normal"))
    if plain.people >= PLAIN_PEOPLE and plain.responses >= PLAIN_RESPONSES:
        return plain
    found = ope.dr_gain(log, ones, 1 - ones, predicted)
    return replace(found, low=min(found.low, plain.low), high=max(found.high, plain.high))


def _means(log: Logged, rows: Rows) -> ope.Learned:
    """Rewards of each group as a line over the propensity of group one: who is likely to get a group may be
    likely to answer, too. Least squares weighted by ``1 / propensity``, with a little ridge on the slope."""
    part = log.part(rows)
    lines = [_line(part, group) for group in (TWO, ONE)]
    likely = _likely(log)

    def asked(others: Rows) -> tuple[Floats, ...]:
        there = likely[others]
        return (np.stack([level + slope * there for level, slope in lines], 1),)

    return asked


def _likely(log: Logged) -> Floats:
    """Propensity of group one in every row."""
    found: Floats = np.where(log.action == ONE, log.propensity, 1.0 - log.propensity)
    return found


def _line(log: Logged, group: int) -> tuple[float, float]:
    """Level at 0, and slope."""
    mine = log.action == group
    if not mine.any():
        return float(log.reward.mean()) if len(log.reward) else 0.0, 0.0
    weight, x, y = 1.0 / log.propensity[mine], _likely(log)[mine], log.reward[mine]
    total = float(weight.sum())
    middle, mean = float(weight @ x) / total, float(weight @ y) / total
    spread = float(weight @ (x - middle) ** 2) + RIDGE * total / len(x)
    slope = float(weight @ ((x - middle) * (y - mean))) / spread
    return mean - slope * middle, slope


def _judged(log: Logged, found: Value, one: float, two: float) -> Difference:
    usual = min(max((one + two) / 2, 0.0), 1.0)
    matters = MATTERS * usual
    lacking = _lacking(log, found, usual)
    verdict: Verdict = "unknown"
    if lacking <= 1.0 and usual > 0:
        if found.low > 0 or found.high < 0:
            verdict = "more" if found.low > 0 else "less"
        elif -matters < found.low and found.high < matters:
            verdict = "alike"
    needed = _needed(found, matters, lacking) if verdict == "unknown" and usual > 0 else None
    return Difference(
        verdict,
        found.value,
        max(found.low, -1.0),
        min(found.high, 1.0),
        one,
        two,
        found.n,
        found.people,
        matters,
        lacking <= 1.0 and usual > 0,
        needed,
    )


def _lacking(log: Logged, found: Value, usual: float) -> float:
    """By how much there must be more of everything before an interval is believed; at most 1: it is."""
    wanted = [ope.ENOUGH_RESPONSES / max(found.responses, 1.0)]
    for group in (ONE, TWO):
        weight = np.where(log.action == group, 1.0 / log.propensity, 0.0)
        effective = float(weight.sum()) ** 2 / max(float((weight**2).sum()), 1e-300)
        wanted.append(ENOUGH_EXPECTED / max(effective * usual, 1e-9))
    return max(wanted)


def _needed(found: Value, matters: float, lacking: float) -> int | None:
    """Messages until the interval is so narrow that it either leaves 0 out or lies within what matters: then
    it reaches half of that to each side."""
    reach = (found.high - found.low) / 2
    times = max((2 * reach / matters) ** 2, lacking)
    more = found.n * (times - 1)
    return _rounded(more) if np.isfinite(more) else None


def _rounded(count: float) -> int:
    """Up, to two digits: it is no more than a guess."""
    count = max(count, 1.0)
    step = int(10 ** max(int(log10(count)) - 1, 0))
    return ceil(count / step) * step


def _rate(value: float, interval: Interval) -> Rate:
    return Rate(min(max(value, 0.0), 1.0), *interval)
