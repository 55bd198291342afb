"""What every peer is: fitted to rows before a cut, asked with a weighted history, answers with scores."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from benchmarks.quality.frame import Floats, Frame, Ints
from benchmarks.quality.protocols import Histories, Queries, Task

DAY_MS = 86_400_000
DEPTH = 100
BATCH = 256
TAU_DAYS = (1 / 480, 1 / 100, 1 / 24, 0.25, 1.0, 4.0, 14.0, 60.0, 240.0)
"""Tried for the weight e^(-age / tau) of a wrapped peer's history."""
FALLBACK_DAYS = (0.25, 2.0, 14.0, 90.0, None)
"""Half-lives of the popularity that fills in for whoever has no history."""
Scores = npt.NDArray[np.float32]
Params = dict[str, Any]


@dataclass(frozen=True)
class Past:
    """What a peer is fitted to."""

    frame: Frame
    """Only rows before the cut."""

    def matrix(self, counts: str = "binary") -> Any:
        """People x items. ``binary``: had or not; ``log``: 1 + ln(times)."""
        frame = self.frame
        shape = (len(frame.users), len(frame.items))
        ones = np.ones(len(frame), dtype=np.float32)
        found = sp.csr_matrix((ones, (frame.user, frame.item)), shape=shape)
        found.sum_duplicates()
        found.data = np.ones_like(found.data) if counts == "binary" else 1 + np.log(found.data)
        return found[np.diff(found.indptr) > 0]

    def popularity(self, half_life_days: float | None) -> Floats:
        """Events per item, the newest counting most; all alike without a half-life."""
        frame = self.frame
        if half_life_days is None:
            weights = np.ones(len(frame))
        else:
            age = (frame.at_ms[-1] - frame.at_ms) / DAY_MS
            weights = 2.0 ** -(age / half_life_days)
        return np.bincount(frame.item, weights, minlength=len(frame.items)).astype(float)


class Peer(Protocol):
    """A method with one setting of its parameters."""

    space: ClassVar[dict[str, tuple[Any, ...]]]
    """Parameter -> values to draw from; the first of each is the default."""
    positive: ClassVar[bool]
    """Scores of 0 or less say nothing."""

    def __init__(self, **params: Any) -> None: ...

    def fit(self, past: Past, seed: int) -> None:
        """Learn."""

    def scores(self, asked: Any) -> Scores:
        """Scores of all items for weighted histories, shape (queries, items)."""


@dataclass(frozen=True)
class Wrap:
    """How a history is weighted: by age when ``tau_days`` is given, else all alike."""

    tau_days: float | None = None
    pile: str = "max"
    """Of an item that was had several times: the newest (``max``), or all together (``sum``)."""


class Asked:
    """Weighted histories and seen items of queries, in batches."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self._histories = Histories(task.known)

    def batch(self, first: int, last: int, wrap: Wrap, by_place: int = 0) -> tuple[Any, Any]:
        """(weights, seen) of the queries from ``first`` up to ``last``, both queries x items.

        ``by_place``: weights fall evenly over so many latest rows, as session methods have it.
        """
        frame = self.task.known
        query, rows = self._histories.of(self.task.queries, first, last)
        shape = (last - first, len(frame.items))
        seen = sp.csr_matrix(
            (np.ones(len(rows), dtype=np.float32), (query, frame.item[rows])), shape=shape
        )
        seen.sum_duplicates()
        seen.data[:] = 1.0
        if wrap.tau_days is None and not by_place:
            return seen, seen
        ends = np.cumsum(np.bincount(query, minlength=last - first))
        if wrap.tau_days is not None:
            newest = frame.at_ms[rows[ends[query] - 1]]
            weights = np.exp(-(newest - frame.at_ms[rows]) / (wrap.tau_days * DAY_MS))
        else:
            back = ends[query] - 1 - np.arange(len(rows))
            weights = np.maximum(1.0 - back / by_place, 0.0)
        kept = weights > 1e-4
        return _pile(query[kept], frame.item[rows[kept]], weights[kept], shape, wrap.pile), seen


def _pile(query: Ints, item: Ints, weights: Floats, shape: tuple[int, int], pile: str) -> Any:
    if pile == "max":
        order = np.lexsort((weights, item, query))
        query, item, weights = query[order], item[order], weights[order]
        last = np.ones(len(query), dtype=bool)
        last[:-1] = (query[1:] != query[:-1]) | (item[1:] != item[:-1])
        query, item, weights = query[last], item[last], weights[last]
    found = sp.csr_matrix((weights.astype(np.float32), (query, item)), shape=shape)
    found.sum_duplicates()
    return found


def fitted(
    make: type[Peer], params: Params, frame: Frame, row: int, seed: int
) -> tuple[Peer, Floats, float]:
    """A peer fitted to the rows before one, what fills in for it, and the seconds it took."""
    params = dict(params)
    fallback = params.pop("fallback_days", None)
    past = Past(frame.before(row))
    started = time.perf_counter()
    peer = make(**params)
    peer.fit(past, seed)
    seconds = time.perf_counter() - started
    popular = past.popularity(fallback)
    return peer, popular / max(popular.max(), 1e-12), seconds


def lists(
    peer: Peer,
    popular: Floats,
    asked: Asked,
    wrap: Wrap,
    span: tuple[int, int] | None = None,
) -> tuple[Ints, float]:
    """Ranked lists for the queries of a span, and the milliseconds per query (asked in batches)."""
    first, last = span or (0, len(asked.task.queries))
    out = np.full((last - first, DEPTH), -1)
    started = time.perf_counter()
    for start in range(first, last, BATCH):
        stop = min(start + BATCH, last)
        weights, seen = asked.batch(start, stop, wrap, getattr(peer, "by_place", 0))
        found = np.asarray(peer.scores(weights), dtype=np.float32)
        silent = np.diff(weights.indptr) == 0
        filler = (popular - 2.0).astype(np.float32)
        if peer.positive:
            found = np.where(found > 0, found, filler)
        found[silent] = filler
        if asked.task.exclude_seen:
            found[seen.nonzero()] = -np.inf
        out[start - first : stop - first] = _top(found)
    return out, 1000 * (time.perf_counter() - started) / max(last - first, 1)


def _top(found: Scores) -> Ints:
    depth = min(DEPTH, found.shape[1])
    if depth < found.shape[1]:
        best = np.argpartition(-found, depth, axis=1)[:, :depth]
    else:
        best = np.tile(np.arange(depth), (len(found), 1))
    values = np.take_along_axis(found, best, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    best, values = (
        np.take_along_axis(best, order, axis=1),
        np.take_along_axis(values, order, axis=1),
    )
    best = np.where(np.isfinite(values), best, -1)
    return np.pad(best, ((0, 0), (0, DEPTH - depth)), constant_values=-1)


def ndcg(found: Ints, queries: Queries, *, single: bool) -> float:
    """What is tuned for."""
    from benchmarks.quality.metrics import scored

    return scored(found, queries, single=single).mean("ndcg10")
