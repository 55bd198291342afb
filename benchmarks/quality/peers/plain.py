"""What needs no library: popularity, own repeats, session neighbours (V-SkNN with STAN's recency)."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp

from benchmarks.quality.peers.base import DAY_MS, FALLBACK_DAYS, Past, Scores

BREAK_MS = 3_600_000
"""A pause of an hour ends a session."""
SESSIONS = 60_000
"""The latest sessions are kept."""


class Popularity:
    """The same for everyone: it says nothing of its own, so that the popularity that fills in for all
    peers is the whole list."""

    positive: ClassVar[bool] = True
    space: ClassVar = {
        "fallback_days": (None, 1 / 24, 0.25, 1.0, 3.0, 7.0, 14.0, 30.0, 90.0, 365.0)
    }

    def fit(self, past: Past, seed: int) -> None:
        """Nothing but what fills in."""

    def scores(self, asked: Any) -> Scores:
        return np.zeros(asked.shape, dtype=np.float32)


class OwnRepeats:
    """What the person had before. Wrapped with age and piled up it is the decayed count."""

    positive: ClassVar[bool] = True
    space: ClassVar = {"fallback_days": FALLBACK_DAYS}

    def fit(self, past: Past, seed: int) -> None:
        """Nothing is learned but what fills up the list."""

    def scores(self, asked: Any) -> Scores:
        return np.asarray(asked.toarray(), dtype=np.float32)


class SessionNeighbours:
    """V-SkNN (Ludewig & Jannach 2018), with the age of the neighbour as in STAN (Garg et al. 2019)."""

    positive: ClassVar[bool] = True
    space: ClassVar = {
        "k": (100, 50, 200, 500),
        "by_place": (10, 3, 5, 20),
        "idf": (1.0, 0.0, 2.0),
        "age_days": (None, 1.0, 7.0, 30.0, 120.0),
        "fallback_days": FALLBACK_DAYS,
    }

    def __init__(
        self,
        k: int = 100,
        by_place: int = 10,
        idf: float = 1.0,
        age_days: float | None = None,
    ) -> None:
        self.k, self.by_place, self.idf, self.age_days = k, by_place, idf, age_days

    def fit(self, past: Past, seed: int) -> None:
        frame = past.frame
        order = np.lexsort((np.arange(len(frame)), frame.user))
        user, at = frame.user[order], frame.at_ms[order]
        new = np.ones(len(order), dtype=bool)
        new[1:] = (user[1:] != user[:-1]) | (at[1:] - at[:-1] > BREAK_MS)
        session = np.cumsum(new) - 1
        ends = np.append(np.flatnonzero(new)[1:], len(order)) - 1
        latest = np.sort(np.argsort(at[ends], kind="stable")[-SESSIONS:])
        ones = np.ones(len(order), dtype=np.float32)
        shape = (int(session[-1]) + 1, len(frame.items))
        rows = sp.csr_matrix((ones, (session, frame.item[order])), shape=shape)
        rows.sum_duplicates()
        rows.data[:] = 1.0
        rows = rows[latest]
        often = np.asarray(rows.sum(axis=0)).ravel()
        rarity = (
            np.log(rows.shape[0] / np.maximum(often, 1)) ** self.idf if self.idf else often * 0 + 1
        )
        length = np.sqrt(np.maximum(np.diff(rows.indptr), 1))
        weight = 1 / length
        if self.age_days is not None:
            weight = weight * np.exp(-(at[-1] - at[ends[latest]]) / (self.age_days * DAY_MS))
        self.sought = sp.csr_matrix(sp.diags(weight.astype(np.float32)) @ rows).T.tocsr()
        self.rows = sp.csr_matrix(rows @ sp.diags(rarity.astype(np.float32)))

    def scores(self, asked: Any) -> Scores:
        near = sp.csr_matrix(asked @ self.sought)
        for row in range(near.shape[0]):
            first, last = near.indptr[row], near.indptr[row + 1]
            if last - first > self.k:
                values = near.data[first:last]
                values[np.argpartition(-values, self.k)[self.k :]] = 0.0
        near.eliminate_zeros()
        return np.asarray((near @ self.rows).toarray(), dtype=np.float32)
