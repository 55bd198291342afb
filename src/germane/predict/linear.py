"""A linear item-item model that is never refitted: an item's column is solved anew as the item is met.

An item is foretold by a weighted sum over what the person had before. The weights of one item are those of a
ridge regression on its nearest neighbours alone (fsSLIM: Ning & Karypis 2011, "SLIM: sparse linear methods
for top-n recommender systems", with the features selected by co-visitation and no bound at zero):

    (G + ridge I) w = g

where ``G`` holds, for every two of the neighbours, how often they went together, on its diagonal how often
each was taken at all, and ``g`` how often each went with the item. All of it is counted already
(``state.State.together``), so that a column costs a system of at most ``WIDTH`` equations. It is solved again
when the item was taken a quarter more often than at the last time: each event pays for a small share of one.

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
GROWTH, PATIENCE = 4, 64
"""A column is solved again after one event more for each ``GROWTH``, after ``PATIENCE`` at the latest."""
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
        self._place: npt.NDArray[np.int32] = np.zeros(0, dtype=np.int32)
        """Room to look up which neighbour an item is; -1 between two uses."""

    def grow(self, room: int) -> None:
        """Make room for ``room`` item numbers."""
        more = room - len(self.seen)
        self.counts.grow(room)
        self.seen = np.concatenate((self.seen, np.zeros(more, dtype=np.int64)))
        self.due = np.concatenate((self.due, np.full(more, 2, dtype=np.int64)))
        self.neighbours = np.vstack((self.neighbours, np.zeros((more, WIDTH), dtype=np.int32)))
        self.weights = np.vstack((self.weights, np.zeros((more, WIDTH), dtype=np.float32)))
        self._place = np.full(room, -1, dtype=np.int32)

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
                self.due[number] = seen + min(max(seen // GROWTH, 1), PATIENCE)
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
        row = rows.arrays(number)
        if row is None:
            return
        near, together, _ = row
        counts = self.counts.sums
        if len(near) > WIDTH:
            standing = together / np.sqrt(counts[near] + _LEAST)
            best = np.sort(np.argpartition(-standing, WIDTH - 1)[:WIDTH])
            near, together = near[best], together[best]
        count = len(near)
        gram, asked = self._system(number, near, together, rows)
        gram /= weight
        gram.flat[:: count + 1] = counts[near] / weight + RIDGE
        found = np.linalg.solve(gram, asked / weight)
        self.neighbours[number, :count] = near
        self.weights[number, :count] = np.clip(found, -LIMIT, LIMIT)
        self.weights[number, count:] = 0.0

    def _system(
        self, number: int, near: Numbers, together: Floats, rows: Rows[int, int]
    ) -> tuple[Floats, Floats]:
        """How often every two of the neighbours went together, shape (n, n), and each with the item, (n,).
        Rows are bounded, and of a sequence only the earlier item knows: what one of two knows is so."""
        count = len(near)
        known = [(place, rows.arrays(each)) for place, each in enumerate(near.tolist())]
        there = [(place, row) for place, row in known if row is not None]
        gram, asked = np.zeros((count, count)), together.copy()
        if there:
            of = np.repeat([place for place, _ in there], [len(row[0]) for _, row in there])
            entries = np.concatenate([row[0] for _, row in there])
            values = np.concatenate([row[1] for _, row in there])
            self._place[near] = np.arange(count)
            at = self._place.take(entries)
            self._place[near] = -1
            inside = np.flatnonzero(at >= 0)
            gram[of[inside], at[inside]] = values[inside]
            gram = np.maximum(gram, gram.T)
            to = np.flatnonzero(entries == number)
            asked[of[to]] = np.maximum(asked[of[to]], values[to])
        return gram, asked


def _dots(one: npt.NDArray[np.float32], two: Floats) -> Floats:
    """Row by row, shape (n,)."""
    found: Floats = np.einsum("ij,ij->i", one.astype(np.float64), two)
    return found
