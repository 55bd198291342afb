"""Figures of ranked lists. A list is a row of item numbers, best first, -1 where it has ended."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.quality.frame import Floats, Ints
from benchmarks.quality.protocols import Queries

NAMES = ("ndcg10", "recall10", "recall20", "mrr20")
DRAWS = 2_000


def ranks(lists: Ints, queries: Queries) -> Ints:
    """Place of each target in its list, from 1; 0 where it is not in it. Shape (targets,)."""
    hit = lists[queries.target_query] == queries.target_item[:, None]
    return np.where(hit.any(axis=1), hit.argmax(axis=1) + 1, 0)


def of_single(rank: Ints) -> dict[str, Floats]:
    """Each target on its own, as one that alone is right. Shape (targets,) each."""
    place = np.maximum(rank, 1)
    return {
        "ndcg10": np.where((rank > 0) & (rank <= 10), 1 / np.log2(place + 1), 0.0),
        "recall10": ((rank > 0) & (rank <= 10)).astype(float),
        "recall20": ((rank > 0) & (rank <= 20)).astype(float),
        "mrr20": np.where((rank > 0) & (rank <= 20), 1 / place, 0.0),
    }


def of_sets(rank: Ints, queries: Queries) -> dict[str, Floats]:
    """All targets of a query together. Shape (queries,) each."""
    count, query = len(queries), queries.target_query
    targets = np.bincount(query, minlength=count)
    place = np.maximum(rank, 1)
    top10, top20 = (rank > 0) & (rank <= 10), (rank > 0) & (rank <= 20)
    ideal = np.concatenate(([0.0], np.cumsum(1 / np.log2(np.arange(2, 12)))))
    gained = np.bincount(query, np.where(top10, 1 / np.log2(place + 1), 0.0), minlength=count)
    first = np.full(count, np.inf)
    np.minimum.at(first, query[top20], rank[top20])
    some = np.maximum(targets, 1)
    return {
        "ndcg10": gained / np.maximum(ideal[np.minimum(some, 10)], 1e-12),
        "recall10": np.bincount(query, top10, minlength=count) / some,
        "recall20": np.bincount(query, top20, minlength=count) / some,
        "mrr20": 1 / first,
    }


@dataclass(frozen=True)
class Scored:
    """Sums per person: enough for every mean, and for intervals that draw people."""

    person: Ints
    """User numbers, ascending."""
    n: Floats
    """Targets (prequential) or lists (temporal) of each person."""
    sums: dict[str, Floats]

    def mean(self, name: str) -> float:
        """The mean over all targets or lists."""
        return float(self.sums[name].sum() / max(self.n.sum(), 1))

    def interval(self, name: str) -> tuple[float, float]:
        """95 % by bootstrap over people."""
        drawn = _draws(len(self.person))
        return _bounds(self.sums[name][drawn].sum(axis=1) / self.n[drawn].sum(axis=1))

    def ratio(self, other: Scored, name: str) -> tuple[float, tuple[float, float]]:
        """Our mean over the other's, with its paired 95 % interval. Same people, same draws."""
        assert np.array_equal(self.person, other.person), "not asked about the same people"
        drawn = _draws(len(self.person))
        ours, theirs = self.sums[name][drawn].sum(axis=1), other.sums[name][drawn].sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            each = np.where(theirs > 0, ours / theirs, np.inf)
        theirs_mean = other.mean(name)
        return (self.mean(name) / theirs_mean if theirs_mean else np.inf), _bounds(each)


def scored(lists: Ints, queries: Queries, *, single: bool) -> Scored:
    """Score lists: each target on its own (prequential), or the targets of a list together."""
    rank = ranks(lists, queries)
    if single:
        values, owner = of_single(rank), queries.user[queries.target_query]
    else:
        values, owner = of_sets(rank, queries), queries.user
    person, place = np.unique(owner, return_inverse=True)
    place = place.reshape(-1)
    n = np.bincount(place).astype(float)
    sums = {name: np.bincount(place, each).astype(float) for name, each in values.items()}
    return Scored(person, n, sums)


def coverage(lists: Ints, size: int = 10) -> int:
    """How many different items are among the first ten of all lists."""
    top = lists[:, :size]
    return len(np.unique(top[top >= 0]))


def diversity(lists: Ints, category: Ints | None, size: int = 10) -> float | None:
    """Mean share of different categories per list; ``None`` where there are no categories."""
    if category is None or len(lists) == 0:
        return None
    shares = []
    for row in lists[:, :size]:
        kinds = category[row[row >= 0]]
        kinds = kinds[kinds >= 0]
        if len(kinds):
            shares.append(len(set(kinds.tolist())) / len(kinds))
    return float(np.mean(shares)) if shares else None


def _draws(people: int) -> Ints:
    rng = np.random.default_rng(0)
    return rng.integers(0, people, (min(DRAWS, max(200, 20_000_000 // max(people, 1))), people))


def _bounds(values: Floats) -> tuple[float, float]:
    low, high = np.quantile(values, (0.025, 0.975))
    return float(low), float(high)
