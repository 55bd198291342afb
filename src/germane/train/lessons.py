"""Lessons as arrays: what a trainer learns from, in the order of the log."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from germane.domain.forest import MADE_AHEAD
from germane.domain.outcome import Example, Observation
from germane.train.ahead import Ahead

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Lessons:
    """Lists of candidates with those that were taken, oldest first."""

    features: Floats
    """Shape (rows, features), as the log has them (rounded to float16)."""
    sizes: npt.NDArray[np.intp]
    """Rows of each lesson, shape (lessons,)."""
    taken: npt.NDArray[np.bool_]
    """Shape (rows,)."""

    def __len__(self) -> int:
        return len(self.sizes)

    @property
    def starts(self) -> npt.NDArray[np.intp]:
        """First row of each lesson, and the end of the last: shape (lessons + 1,)."""
        return np.concatenate(([0], np.cumsum(self.sizes))).astype(np.intp)

    def best(self, scores: npt.NDArray[np.float64], depth: int) -> npt.NDArray[np.intp]:
        """Row numbers of the ``depth`` best of each lesson by some scores, in their order; only of
        lessons that have both taken and other rows among them.

        A lesson holds all that was taken, but of what was far behind only a sample. Fitted to all of
        it, whatever looks like something far behind would look as if it were often taken.
        """
        kept, starts = [], self.starts
        for number in range(len(self)):
            first = starts[number]
            rows = first + np.argsort(-scores[first : starts[number + 1]], kind="stable")[:depth]
            if 0 < int(self.taken[rows].sum()) < len(rows):
                kept.append(np.sort(rows))
        return np.concatenate(kept) if kept else np.zeros(0, dtype=np.intp)

    def only(self, rows: npt.NDArray[np.intp]) -> Lessons:
        """The lessons with these rows alone; without the lessons that have none of them."""
        lesson = np.searchsorted(self.starts, rows, side="right") - 1
        sizes = np.bincount(lesson, minlength=len(self))
        return Lessons(self.features[rows], sizes[sizes > 0].astype(np.intp), self.taken[rows])

    def part(self, first: int, last: int) -> Lessons:
        """Lessons ``first`` to ``last`` (not included)."""
        starts = self.starts
        rows = slice(int(starts[first]), int(starts[last]))
        return Lessons(self.features[rows], self.sizes[first:last], self.taken[rows])


class Collector:
    """The newest lessons of each head, in the order in which they are told; older ones are let go.

    Args:
        width: Features of a row.
        limit: Lessons kept of each head.
        depth: So many of the first rows of a lesson are those that trees will rank anew.
        ahead: Makes the lessons of lists that are made ahead; ``None``: there are no such lists.
    """

    def __init__(self, width: int, limit: int, depth: int, ahead: Ahead | None = None) -> None:
        self._width = width
        self._limit = limit
        self._depth = depth
        self._ahead = ahead
        self._kept: dict[str, deque[Example]] = {}
        self.seen: dict[str, int] = {}
        """Head -> lessons told, kept or not."""

    def tell(self, who: str, observation: Observation) -> None:
        """The next observation of the log, and whose it is."""
        self.add(x for x in observation.examples if x.surface not in MADE_AHEAD.values())
        if self._ahead is not None:
            self.add(self._ahead.look(who, observation))

    def add(self, examples: Iterable[Example]) -> None:
        """Lessons of one record. Those of another set of features, with no choice in them, or where all
        that was taken was far behind, teach nothing."""
        for each in examples:
            if len(each.features) != 2 * self._width * each.rows:
                continue
            if not 0 < len(each.chosen) < each.rows or min(each.chosen) >= self._depth:
                continue
            kept = self._kept.setdefault(each.surface, deque(maxlen=self._limit))
            kept.append(each)
            self.seen[each.surface] = self.seen.get(each.surface, 0) + 1

    def lessons(self, head: str) -> Lessons:
        """What was kept of one head."""
        kept = self._kept.get(head, ())
        flat = [np.frombuffer(each.features, dtype="<f2") for each in kept]
        rows = np.concatenate(flat) if flat else np.zeros(0, dtype="<f2")
        sizes = np.array([each.rows for each in kept], dtype=np.intp)
        taken = np.zeros(int(sizes.sum()), dtype=bool)
        start = 0
        for each in kept:
            taken[[start + row for row in each.chosen]] = True
            start += each.rows
        return Lessons(rows.reshape(-1, self._width).astype(np.float32), sizes, taken)
