"""Matrix factorisations: ALS, iALS, BPR, WARP."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from benchmarks.quality.peers.base import FALLBACK_DAYS, Past, Scores


class ImplicitALS:
    """implicit: ALS; a history is folded in as a new person's."""

    positive: ClassVar[bool] = False
    space: ClassVar = {
        "factors": (100, 32, 64, 128),
        "regularization": (0.01, 0.1, 1.0, 10.0),
        "alpha": (1.0, 5.0, 20.0, 40.0),
        "counts": ("binary", "log"),
        "fallback_days": FALLBACK_DAYS,
    }

    def __init__(self, counts: str = "binary", **params: Any) -> None:
        self.counts, self.params = counts, params

    def fit(self, past: Past, seed: int) -> None:
        from implicit.cpu.als import AlternatingLeastSquares

        self.model = AlternatingLeastSquares(
            **self.params, iterations=15, num_threads=1, random_state=seed
        )
        self.model.fit(past.matrix(self.counts), show_progress=False)

    def scores(self, asked: Any) -> Scores:
        people = self.model.recalculate_user(np.arange(asked.shape[0]), asked)
        return np.asarray(np.atleast_2d(people) @ self.model.item_factors.T)


class IrspackIALS:
    """irspack: iALS; a history is folded in as a new person's."""

    positive: ClassVar[bool] = False
    space: ClassVar = {
        "n_components": (20, 32, 64, 128),
        "alpha0": (0.003, 0.01, 0.03, 0.1, 0.3, 1.0),
        "reg": (1e-3, 1e-4, 3e-4, 3e-3, 1e-2, 3e-2),
        "counts": ("binary", "log"),
        "fallback_days": FALLBACK_DAYS,
    }

    def __init__(self, counts: str = "binary", **params: Any) -> None:
        self.counts, self.params = counts, params

    def fit(self, past: Past, seed: int) -> None:
        from irspack import IALSRecommender

        self.model = IALSRecommender(
            past.matrix(self.counts), **self.params, random_seed=seed, n_threads=1
        ).learn()

    def scores(self, asked: Any) -> Scores:
        return np.asarray(self.model.get_score_cold_user(asked))


class _MeanOfItems:
    """Has no way to fold a person in: a history is the weighted mean of its items' vectors."""

    positive: ClassVar[bool] = False
    vectors: Any
    biases: Any

    def scores(self, asked: Any) -> Scores:
        total = np.maximum(np.asarray(asked.sum(axis=1)).ravel(), 1e-9)
        people = (asked @ self.vectors) / total[:, None]
        return np.asarray(people @ self.vectors.T + self.biases)


class ImplicitBPR(_MeanOfItems):
    """implicit: BPR."""

    space: ClassVar = {
        "factors": (100, 32, 64),
        "learning_rate": (0.01, 0.03, 0.1),
        "regularization": (0.01, 0.001, 0.05),
        "fallback_days": FALLBACK_DAYS,
    }

    def __init__(self, **params: Any) -> None:
        self.params = params

    def fit(self, past: Past, seed: int) -> None:
        from implicit.cpu.bpr import BayesianPersonalizedRanking

        model = BayesianPersonalizedRanking(
            **self.params, iterations=100, num_threads=1, random_state=seed
        )
        model.fit(past.matrix(), show_progress=False)
        self.vectors, self.biases = model.item_factors[:, :-1], model.item_factors[:, -1]


class LightFMWarp(_MeanOfItems):
    """LightFM: WARP."""

    space: ClassVar = {
        "no_components": (10, 32, 64),
        "learning_rate": (0.05, 0.02, 0.1),
        "epochs": (10, 20, 40),
        "item_alpha": (0.0, 1e-6, 1e-5),
        "fallback_days": FALLBACK_DAYS,
    }

    def __init__(self, epochs: int = 10, **params: Any) -> None:
        self.epochs, self.params = epochs, params

    def fit(self, past: Past, seed: int) -> None:
        from lightfm import LightFM

        model = LightFM(**self.params, loss="warp", random_state=seed)
        model.fit(past.matrix().tocoo(), epochs=self.epochs, num_threads=1)
        self.biases, self.vectors = model.get_item_representations()
