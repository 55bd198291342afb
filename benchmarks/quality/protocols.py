"""What is asked when, and what may be known then.

*Prequential*: the last tenth of the rows, in the order of time. A query is a person at a time; its
targets are the person's rows at that time; what may be known is every row with an earlier time, of
anyone. So all rows of one time are predicted before any of them is learned.

*Temporal*: one query for everyone with rows on both sides of the cut; the targets are the items of
the test part, in one view those that the person had not had before, in the other all.

*Last out*, where only each person's order is known: the last row of each person is the target, all
other rows of everyone are known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from benchmarks.quality.frame import Frame, Ints

Protocol = Literal["prequential", "temporal", "last-out"]
NEVER = np.iinfo(np.int64).max
TRAIN, TUNE = 0.9, 0.81
"""Where the test begins; where the slice begins that is tuned on."""
REFITS = 4
VALIDATION_ROWS = 4_000


@dataclass(frozen=True)
class Queries:
    """Questions in the order of time, and what would have been right."""

    user: Ints
    at_ms: Ints
    """What is known: rows with an earlier time."""
    target_query: Ints
    """Number of the query that each target belongs to."""
    target_item: Ints

    def __len__(self) -> int:
        """How many questions."""
        return len(self.user)


def cut_row(frame: Frame, share: float) -> int:
    """First row of the time at which the share of the rows is reached: times are not torn apart."""
    row = min(int(len(frame) * share), len(frame) - 1)
    return int(np.searchsorted(frame.at_ms, frame.at_ms[row], "left"))


def prequential(frame: Frame, start: int, stop: int | None = None) -> Queries:
    """Every person at every time from row ``start`` on."""
    rows = np.arange(start, len(frame) if stop is None else stop)
    if frame.asked is not None:
        rows = rows[frame.asked[frame.user[rows]]]
    pairs = np.stack((frame.at_ms[rows], frame.user[rows]), axis=1)
    found, query = np.unique(pairs, axis=0, return_inverse=True)
    return Queries(found[:, 1], found[:, 0], query.reshape(-1), frame.item[rows])


def last_out(frame: Frame) -> tuple[Frame, Queries]:
    """What is known without the last row of each person, and the questions after it."""
    last = np.full(len(frame.users), -1)
    last[frame.user] = np.arange(len(frame))
    last = last[last >= 0]
    kept = np.ones(len(frame), dtype=bool)
    kept[last] = False
    never = np.full(len(last), NEVER)
    queries = Queries(frame.user[last], never, np.arange(len(last)), frame.item[last])
    return frame.take(np.flatnonzero(kept)), queries


def temporal(frame: Frame, cut: int) -> Queries:
    """Everyone with rows on both sides of the cut, once. Each item of the test part is a target."""
    known = np.zeros(len(frame.users), dtype=bool)
    known[frame.user[:cut]] = True
    if frame.asked is not None:
        known &= frame.asked
    rows = np.arange(cut, len(frame))
    rows = rows[known[frame.user[rows]]]
    pairs = np.unique(np.stack((frame.user[rows], frame.item[rows]), axis=1), axis=0)
    people, query = np.unique(pairs[:, 0], return_inverse=True)
    at = np.full(len(people), frame.at_ms[cut])
    return Queries(people, at, query.reshape(-1), pairs[:, 1])


class Histories:
    """Rows of each person in the order of time, for "what is known of this person at that time"."""

    def __init__(self, frame: Frame) -> None:
        self._order = np.lexsort((np.arange(len(frame)), frame.user))
        self._at = frame.at_ms[self._order]
        self._bounds = np.searchsorted(frame.user[self._order], np.arange(len(frame.users) + 1))

    def rows(self, user: int, at_ms: int) -> Ints:
        """Row numbers before that time, oldest first."""
        first, last = int(self._bounds[user]), int(self._bounds[user + 1])
        end = first + int(np.searchsorted(self._at[first:last], at_ms, "left"))
        return self._order[first:end]

    def of(self, queries: Queries, first: int, last: int) -> tuple[Ints, Ints]:
        """(query number from 0, row) of all that is known for queries ``first`` up to ``last``."""
        found = [
            self.rows(int(user), int(at))
            for user, at in zip(queries.user[first:last], queries.at_ms[first:last], strict=True)
        ]
        lengths = [len(each) for each in found]
        rows = np.concatenate(found) if found else np.zeros(0, dtype=np.int64)
        return np.repeat(np.arange(len(found)), lengths), rows


def seen(frame: Frame, queries: Queries) -> npt.NDArray[np.bool_]:
    """For each target, whether the person had the item before."""
    histories, out = Histories(frame), np.zeros(len(queries.target_query), dtype=bool)
    for number, (query, item) in enumerate(
        zip(queries.target_query.tolist(), queries.target_item.tolist(), strict=True)
    ):
        rows = histories.rows(int(queries.user[query]), int(queries.at_ms[query]))
        out[number] = bool((frame.item[rows] == item).any())
    return out


def new_only(frame: Frame, queries: Queries) -> Queries:
    """The same questions about what the person had not had; without those that have no target left."""
    kept = ~seen(frame, queries)
    left, query = np.unique(queries.target_query[kept], return_inverse=True)
    return Queries(
        queries.user[left], queries.at_ms[left], query.reshape(-1), queries.target_item[kept]
    )


@dataclass(frozen=True)
class Task:
    """One thing that is measured on one data set."""

    name: str
    protocol: Protocol
    known: Frame
    """Every row that can be known to any query; which of them, its time says."""
    queries: Queries
    start: int
    """Rows before it may be fitted to."""
    exclude_seen: bool
    single: bool
    """Each target counts on its own; otherwise all targets of a query together."""


def tasks(frame: Frame) -> list[Task]:
    """All that is measured on a data set."""
    if frame.last_out:
        known, queries = last_out(frame)
        return [Task("last-out", "last-out", known, queries, len(known), not frame.repeats, True)]
    cut = cut_row(frame, TRAIN)
    lists = temporal(frame, cut)
    stream = prequential(frame, cut)
    return [
        Task("prequential", "prequential", frame, stream, cut, not frame.repeats, True),
        Task("temporal-new", "temporal", frame, new_only(frame, lists), cut, True, False),
        Task("temporal-all", "temporal", frame, lists, cut, False, False),
    ]


def tuning(task: Task) -> Task:
    """The same on the slice just before the test; nothing of the test is in it."""
    if task.protocol == "last-out":
        known, queries = last_out(task.known)
        return replace(task, known=known, queries=_some(queries), start=len(known))
    known = task.known.before(task.start)
    start = cut_row(known, TUNE / TRAIN)
    if task.protocol == "prequential":
        queries = prequential(known, start, min(start + VALIDATION_ROWS, len(known)))
    else:
        queries = temporal(known, start)
        queries = new_only(known, queries) if task.exclude_seen else queries
    return replace(task, known=known, queries=queries, start=start)


def _some(queries: Queries) -> Queries:
    """Some of the queries, evenly spread, so that tuning stays quick."""
    kept = np.arange(0, len(queries), max(len(queries) // VALIDATION_ROWS, 1))
    return Queries(
        queries.user[kept], queries.at_ms[kept], np.arange(len(kept)), queries.target_item[kept]
    )


def refit_rows(frame: Frame, start: int, times: int = REFITS) -> list[int]:
    """First rows of the stretches of the stream before which a peer is fitted anew."""
    if start >= len(frame):
        return []
    shares = np.linspace(start, len(frame), times, endpoint=False).astype(int)
    rows = [int(np.searchsorted(frame.at_ms, frame.at_ms[row], "left")) for row in shares]
    return sorted({max(row, start) for row in rows})


def stretches(task: Task) -> list[tuple[int, tuple[int, int]]]:
    """(row to fit before, span of queries) of each stretch of the stream; all in one without a stream.

    No query of a stretch is asked at a time that the fit has seen.
    """
    if task.protocol != "prequential":
        return [(task.start, (0, len(task.queries)))]
    rows = refit_rows(task.known, task.start)
    at = [int(task.known.at_ms[row]) for row in rows]
    edges = [*np.searchsorted(task.queries.at_ms, at, "left").tolist(), len(task.queries)]
    return [(row, (edges[n], edges[n + 1])) for n, row in enumerate(rows)]
