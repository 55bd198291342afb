"""A linear item-item model that is never refitted: an item's column is solved anew as the item is met.

An item is foretold by a weighted sum over what the person had before. The weights of one item are those of a
ridge regression on its nearest neighbours alone (fsSLIM: Ning & Karypis 2011, "SLIM: sparse linear methods
for top-n recommender systems", with the features selected by co-visitation and no bound at zero):

    (G + ridge I) w = g

where ``G`` holds, for every two of the neighbours, how often they went together, on its diagonal how often
each was taken at all, and ``g`` how often each went with the item. All of it is counted already
(``state.State.together``), so that a column costs a system of at most ``WIDTH`` equations. It is solved again
when the item was taken half as often again as at the last time: each event pays for a small share of one.

What it adds to co-visitation: neighbours that say the same count once.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from germane.predict.accumulator import Accumulator
from germane.predict.counters import DecayedCounts
from germane.predict.rows import Rows

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.intp]

WIDTH = 32
"""Neighbours of one item."""
RIDGE = 50.0
"""In events: with fewer, little is believed."""
FIRST, PATIENCE = 3, 64
"""A column is solved at so many events, then after half as many again, after ``PATIENCE`` at the latest."""
LIMIT = 1.0
"""Of a weight, either way: rows are known in part only, and a system of parts can be ill-conditioned."""
_LEAST = 1e-300


class Linear:
    """Weights by item number: of each item its neighbours, and what each of them says for it."""

    def __init__(self, half_life_days: float) -> None:
        self.counts = DecayedCounts(half_life_days)
        """How often each item was taken, whatever the signal."""
        self.seen: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        """How often in all."""
        self.due: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        """At how many its column is solved next."""
        self.neighbours: npt.NDArray[np.int32] = np.zeros((0, WIDTH), dtype=np.int32)
        self.weights: npt.NDArray[np.float32] = np.zeros((0, WIDTH), dtype=np.float32)
        """0 where there is no neighbour."""

    def grow(self, room: int) -> None:
        """Make room for ``room`` item numbers."""
        more = room - len(self.seen)
        self.counts.grow(room)
        self.seen = np.concatenate((self.seen, np.zeros(more, dtype=np.int64)))
        self.due = np.concatenate((self.due, np.full(more, FIRST, dtype=np.int64)))
        self.neighbours = np.vstack((self.neighbours, np.zeros((more, WIDTH), dtype=np.int32)))
        self.weights = np.vstack((self.weights, np.zeros((more, WIDTH), dtype=np.float32)))

    def learn(self, numbers: list[int], rows: Rows[int, int], at_ms: int, now_ms: int) -> None:
        """Count items that were taken at one time, each once; solve those whose time has come.

        Args:
            numbers: The items.
            rows: What goes with what, with this event counted.
            at_ms: When it happened.
            now_ms: Time of the newest event that is counted.
        """
        weight = self.counts.weight(at_ms)
        for number in numbers:
            self.counts.sums[number] += weight
            self.counts.total += weight
            seen = self.seen.item(number) + 1
            self.seen[number] = seen
            if seen >= self.due.item(number):
                self.due[number] = seen + min(max(seen // 2, 2), PATIENCE)
                self._solve(number, rows, self.counts.clock.weight(now_ms))

    def scores(
        self, numbers: Numbers, history: Numbers, shares: list[Floats], room: Accumulator
    ) -> list[Floats]:
        """How far each of some items is foretold by a history, once for each weighting of it.

        Args:
            numbers: The items, shape (n,).
            history: What the person had, shape (h,), each once.
            shares: Weights of the history, shape (h,) each.
            room: For the sums of one question.

        Returns:
            One array of shape (n,) for each of ``shares``.
        """
        neighbours = self.neighbours.take(numbers, axis=0).astype(np.intp)
        weights = self.weights.take(numbers, axis=0)
        return [_dots(weights, room.looked_up((history, each), neighbours)) for each in shares]

    def said_by(self, number: int) -> set[int]:
        """The neighbours that speak for an item."""
        speak = self.weights[number] > 0
        found: list[int] = self.neighbours[number][speak].tolist()
        return set(found)

    def _solve(self, number: int, rows: Rows[int, int], weight: float) -> None:
        row = rows.row(number)
        if not row:
            return
        near, together = self._nearest(row)
        gram, asked = _system(number, near, together, rows)
        count = len(near)
        gram /= weight
        gram.flat[:: count + 1] = self.counts.sums[near] / weight + RIDGE
        try:
            found = np.linalg.solve(gram, asked / weight)
        except (
            np.linalg.LinAlgError
        ):  # rows are known in part: by bad luck the system has no answer
            return
        self.neighbours[number, :count] = near
        self.weights[number, :count] = np.clip(found, -LIMIT, LIMIT)
        self.weights[number, count:] = 0.0

    def _nearest(self, row: dict[int, float]) -> tuple[list[int], list[float]]:
        """Of what goes with an item the WIDTH that do so most for how often they are taken at all."""
        if len(row) <= WIDTH:
            return list(row), list(row.values())
        near = np.fromiter(row, dtype=np.intp, count=len(row))
        together = np.fromiter(row.values(), dtype=np.float64, count=len(row))
        standing = together / np.sqrt(self.counts.sums[near] + _LEAST)
        best = np.sort(np.argpartition(-standing, WIDTH - 1)[:WIDTH])
        return near[best].tolist(), together[best].tolist()


def _system(
    number: int, near: list[int], together: list[float], rows: Rows[int, int]
) -> tuple[Floats, Floats]:
    """How often every two of the neighbours went together, shape (n, n), and each with the item, shape (n,).
    Rows are bounded, and of a sequence only the earlier item knows: what one of two knows is so."""
    nothing = [0.0] * len(near)
    known = [rows.row(each) for each in near]
    gram = np.array([list(map(row.get, near, nothing)) for row in known])
    asked = [max(each, row.get(number, 0.0)) for each, row in zip(together, known, strict=True)]
    return np.maximum(gram, gram.T), np.array(asked)


def _dots(one: npt.NDArray[np.float32], two: Floats) -> Floats:
    """Row by row, shape (n,)."""
    found: Floats = np.einsum("ij,ij->i", one.astype(np.float64), two)
    return found
