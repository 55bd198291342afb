"""Off-policy evaluation: what a policy would have brought, from the log of another one.

Each logged row has an action, a reward, and the propensity with which the logging policy took it. The
weight of a row is ``w = target / propensity``, where ``target`` is the probability with which the policy
to be judged takes that action there. It is unbiased only where the log's propensities are right, and
where every action that the target may take could be taken (no propensity of 0).

* IPS:   mean(w r)                                   (Horvitz & Thompson 1952)
* SNIPS: sum(w r) / sum(w)                           (Hajek 1971; Swaminathan & Joachims 2015)
* DR:    mean(sum_a target_a q_a + w (r - q))        (Dudik, Langford & Li 2011, "Doubly robust policy
                                                      evaluation and learning")

``q`` are predicted rewards that must not have seen the row's own reward (cross-fitting: ``cross_fitted``;
Chernozhukov et al. 2018, "Double/debiased machine learning"). Nothing here is a measure of what the
policy will bring tomorrow: the log's people and weeks are those of the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from germane.measure.intervals import METHODS, Sample, by_person

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
Method = Literal["normal", "bootstrap-t"]
Learned = Callable[[npt.NDArray[np.intp]], tuple[Floats, ...]]
"""What was learned of some rows, asked for others by their numbers."""

ENOUGH_RESPONSES = 20.0
"""Effective number of rewarded rows below which an interval is not to be believed."""


@dataclass(frozen=True, slots=True)
class Logged:
    """A log of decisions, shape (rows,) each."""

    action: Whole
    """Which action was taken, from 0."""
    reward: Floats
    propensity: Floats
    """Probability, in (0, 1], with which it was taken."""
    person: Whole | None = None
    """Whose each row is, from 0; none: each row is another person's."""

    def __post_init__(self) -> None:
        """
        Raises:
            ValueError: lengths differ, or a propensity is not in (0, 1].
        """
        sizes = {len(self.action), len(self.reward), len(self.propensity)}
        if self.person is not None:
            sizes.add(len(self.person))
        if len(sizes) != 1:
            raise ValueError("All columns of a log have one length.")
        if len(self.propensity) and not (0 < self.propensity.min() <= self.propensity.max() <= 1):
            raise ValueError("A propensity is above 0 and at most 1.")

    def part(self, rows: npt.NDArray[np.intp]) -> Logged:
        """Some of the rows."""
        person = None
        if self.person is not None:  # numbered anew, without the people who are not in the part
            person = np.unique(self.person[rows], return_inverse=True)[1].astype(np.intp)
        return Logged(self.action[rows], self.reward[rows], self.propensity[rows], person)


@dataclass(frozen=True, slots=True)
class How:
    """How a value is estimated."""

    clip: float = np.inf
    """Largest weight; a finite one trades bias (downwards, for rewards from 0) for variance."""
    method: Method = "bootstrap-t"
    """Of the interval."""
    seed: int = 0
    """Of the bootstrap."""


USUAL = How()


class Value(msgspec.Struct, frozen=True):
    """What a policy would have brought a decision, with a 95 % interval."""

    value: float
    low: float
    high: float
    n: int
    """Rows."""
    people: int
    effective: float
    """Effective sample size: (sum w)^2 / sum w^2 (Kish 1965), in rows."""
    responses: float
    """The same of the rewarded rows: what the interval really rests on."""
    largest_weight: float
    clipped_at: float
    """Weights above it were cut; infinite: none."""
    clipped: float
    """Share of the rows whose weight was cut."""
    method: str

    @property
    def enough(self) -> bool:
        """Whether the interval may be believed at all."""
        return self.responses >= ENOUGH_RESPONSES

    def holds(self, truth: float) -> bool:
        """Whether a value lies in the interval."""
        return self.low <= truth <= self.high


def ips(log: Logged, target: Floats, how: How = USUAL) -> Value:
    """Inverse propensity score.

    Args:
        log: What happened.
        target: Probability of the *logged* action under the policy to be judged, shape (rows,).
        how: Largest weight, and the interval.
    """
    weight = _weights(log, target, how.clip)
    sample = by_person(weight * log.reward, np.ones(len(weight)), log.person)
    return _value(sample, log, target, weight, how)


def snips(log: Logged, target: Floats, how: How = USUAL) -> Value:
    """Self-normalised: the weights' own sum in place of the number of rows. Arguments as for ``ips``."""
    weight = _weights(log, target, how.clip)
    sample = by_person(weight * log.reward, weight, log.person)
    return _value(sample, log, target, weight, how)


def dr(log: Logged, probabilities: Floats, predicted: Floats, how: How = USUAL) -> Value:
    """Doubly robust.

    Args:
        log: What happened.
        probabilities: Of every action under the policy to be judged, shape (rows, actions).
        predicted: Rewards of every action, likewise; not learned from the row itself.
        how: Largest weight (what it cuts is left to the predictions), and the interval.
    """
    target, weight, row = _doubly(log, probabilities, predicted, how.clip)
    sample = by_person(row, np.ones(len(row)), log.person)
    return _value(sample, log, target, weight, how)


def dr_gain(log: Logged, one: Floats, two: Floats, predicted: Floats, how: How = USUAL) -> Value:
    """What one policy brings more than another, by ``dr`` on the same rows (paired).

    ``one`` and ``two`` are probabilities of every action, shape (rows, actions). The weights that are
    told of are those of the difference.
    """
    _, _, first = _doubly(log, one, predicted, how.clip)
    _, _, second = _doubly(log, two, predicted, how.clip)
    rows = np.arange(len(log.action))
    target = np.abs(one - two)[rows, log.action]
    weight = _weights(log, target, how.clip)
    sample = by_person(first - second, np.ones(len(first)), log.person)
    return _value(sample, log, target, weight, how)


def rows_of(
    log: Logged, probabilities: Floats, predicted: Floats, *, clip: float = np.inf
) -> Floats:
    """What each row says of a policy's value (``dr`` is their mean), shape (rows,): for averages over
    several cross-fittings."""
    return _doubly(log, probabilities, predicted, clip)[2]


def cross_fitted(
    log: Logged,
    folds: int,
    learn: Callable[[npt.NDArray[np.intp]], Learned],
    *,
    seed: int = 0,
) -> tuple[Floats, ...]:
    """What is learned from the other folds, asked for each row: nothing judges itself.

    Args:
        log: What happened.
        folds: How many.
        learn: Takes row numbers, learns from them alone, and answers with what is asked of others: it
            takes row numbers and answers with arrays, their first axis the rows.
        seed: Of the division.
    """
    whole: list[Floats] = []
    for held, rest in divided(log, folds, seed):
        answers = learn(rest)(held)
        if not whole:
            whole = [np.zeros((len(log.action), *each.shape[1:])) for each in answers]
        for into, each in zip(whole, answers, strict=True):
            into[held] = each
    return tuple(whole)


def divided(
    log: Logged, folds: int, seed: int
) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
    """Rows of each fold, and of the others; all rows of a person are in one fold.

    Raises:
        ValueError: fewer people than folds, or fewer than two folds.
    """
    person = log.person if log.person is not None else np.arange(len(log.action))
    people = int(person.max()) + 1 if len(person) else 0
    if not 2 <= folds <= people:
        raise ValueError("There are 2 folds at least, and a person in each.")
    fold = np.random.default_rng(seed).permutation(people) % folds
    for number in range(folds):
        held = fold[person] == number
        yield np.flatnonzero(held), np.flatnonzero(~held)


def _weights(log: Logged, target: Floats, clip: float) -> Floats:
    weight: Floats = np.minimum(target / log.propensity, clip)
    return weight


def _doubly(
    log: Logged, probabilities: Floats, predicted: Floats, clip: float
) -> tuple[Floats, Floats, Floats]:
    """Target of the logged action, weight, and what each row says."""
    rows = np.arange(len(log.action))
    target = probabilities[rows, log.action]
    weight = _weights(log, target, clip)
    miss = log.reward - predicted[rows, log.action]
    said: Floats = (probabilities * predicted).sum(axis=1) + weight * miss
    return target, weight, said


def _value(
    sample: Sample,
    log: Logged,
    target: Floats,
    weight: Floats,
    how: How,
) -> Value:
    low, high = METHODS[how.method](sample, how.seed)
    rewarded = weight[log.reward != 0]
    return Value(
        value=sample.value,
        low=low,
        high=high,
        n=len(weight),
        people=len(sample.top),
        effective=_effective(weight),
        responses=_effective(rewarded),
        largest_weight=float(weight.max(initial=0.0)),
        clipped_at=how.clip,
        clipped=float((target / log.propensity > how.clip).mean()) if len(weight) else 0.0,
        method=how.method,
    )


def _effective(weight: Floats) -> float:
    squares = float((weight**2).sum())
    return float(weight.sum()) ** 2 / squares if squares else 0.0
