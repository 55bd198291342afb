"""Champion and challenger: what two rankings are worth on lessons that neither was fitted to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from germane.train.lessons import Lessons

Floats = npt.NDArray[np.float64]

DEPTH = 10
_GAIN = 1.0 / np.log2(np.arange(2, DEPTH + 2))
_IDEAL = np.cumsum(_GAIN)
NOISE = 1.0
"""Standard errors by which a challenger may be behind and still count as not worse."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The comparison, lesson by lesson."""

    lessons: int
    champion: float
    """Mean NDCG@10."""
    challenger: float
    standard_error: float
    """Of the mean difference, paired by lesson."""

    @property
    def better(self) -> bool:
        """The challenger leads, by more than noise would explain."""
        return self.challenger - self.champion > NOISE * self.standard_error

    @property
    def not_worse(self) -> bool:
        """The challenger is not behind by more than noise explains."""
        return self.challenger - self.champion >= -NOISE * self.standard_error


def compare(lessons: Lessons, champion: Floats, challenger: Floats) -> Verdict:
    """Two scorings of the same rows, each of shape (rows,).

    Raises:
        ValueError: there is no lesson to compare on.
    """
    if not len(lessons):
        raise ValueError("there is nothing to compare on")
    one, two = ndcg(lessons, champion), ndcg(lessons, challenger)
    spread = float((two - one).std(ddof=1)) if len(one) > 1 else float("inf")
    return Verdict(len(one), float(one.mean()), float(two.mean()), spread / len(one) ** 0.5)


def ndcg(lessons: Lessons, scores: Floats) -> Floats:
    """NDCG@10 of each lesson (Järvelin & Kekäläinen 2002), with what was taken as relevant, in [0, 1]."""
    starts = lessons.starts
    found = np.zeros(len(lessons))
    for number in range(len(lessons)):
        rows = slice(starts[number], starts[number + 1])
        taken = lessons.taken[rows]
        order = np.argsort(-scores[rows], kind="stable")[:DEPTH]
        reached = float(_GAIN[: len(order)][taken[order]].sum())
        found[number] = reached / _IDEAL[min(int(taken.sum()), DEPTH) - 1]
    return found
