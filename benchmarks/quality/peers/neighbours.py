"""Item-item matrices: kNN, RP3beta, SLIM, EASE. Scores are history x matrix."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp

from benchmarks.quality.peers.base import FALLBACK_DAYS, Past, Scores

EASE_ITEMS = 6_000
"""Our plain EASE inverts a dense matrix: of a larger catalogue, the items with the most rows."""


class _ItemItem:
    positive: ClassVar[bool] = True
    counts = "binary"

    def __init__(self, counts: str = "binary") -> None:
        self.counts = counts
        self.weights: Any = None

    def scores(self, asked: Any) -> Scores:
        found = asked @ self.weights
        return np.asarray(found.todense() if sp.issparse(found) else found, dtype=np.float32)


class ImplicitCosine(_ItemItem):
    """implicit: item kNN by cosine."""

    space: ClassVar = {
        "k": (20, 50, 100, 200, 500),
        "counts": ("binary", "log"),
        "fallback_days": FALLBACK_DAYS,
    }

    def __init__(self, k: int = 20, counts: str = "binary") -> None:
        super().__init__(counts)
        self.k = k

    def fit(self, past: Past, seed: int) -> None:
        from implicit.nearest_neighbours import CosineRecommender

        model = CosineRecommender(K=self.k, num_threads=1)
        model.fit(past.matrix(self.counts), show_progress=False)
        self.weights = model.similarity


class ImplicitBM25(_ItemItem):
    """implicit: item kNN by BM25."""

    space: ClassVar = {
        "k": (20, 50, 100, 200, 500),
        "k1": (1.2, 0.2, 0.6, 2.4, 10.0, 100.0),
        "b": (0.75, 0.0, 0.2, 0.5, 0.9),
        "counts": ("binary", "log"),
        "fallback_days": FALLBACK_DAYS,
    }

    def __init__(
        self, k: int = 20, k1: float = 1.2, b: float = 0.75, counts: str = "binary"
    ) -> None:
        super().__init__(counts)
        self.k, self.k1, self.b = k, k1, b

    def fit(self, past: Past, seed: int) -> None:
        from implicit.nearest_neighbours import BM25Recommender

        model = BM25Recommender(K=self.k, K1=self.k1, B=self.b, num_threads=1)
        model.fit(past.matrix(self.counts), show_progress=False)
        self.weights = model.similarity


class RP3beta(_ItemItem):
    """irspack: three steps of a random walk, popular items held back."""

    space: ClassVar = {
        "beta": (0.6, 0.0, 0.1, 0.2, 0.3, 0.45, 0.8),
        "alpha": (1.0, 0.5, 1.5),
        "top_k": (None, 20, 50, 100, 200, 500),
        "normalize": (False, True),
        "counts": ("binary", "log"),
        "fallback_days": FALLBACK_DAYS,
    }

    def __init__(
        self,
        beta: float = 0.6,
        alpha: float = 1.0,
        top_k: int | None = None,
        normalize: bool = False,
        counts: str = "binary",
    ) -> None:
        super().__init__(counts)
        self.beta, self.alpha, self.top_k, self.normalize = beta, alpha, top_k, normalize

    def fit(self, past: Past, seed: int) -> None:
        from irspack import RP3betaRecommender

        model = RP3betaRecommender(
            past.matrix(self.counts),
            alpha=self.alpha,
            beta=self.beta,
            top_k=self.top_k,
            normalize_weight=self.normalize,
            n_threads=1,
        )
        self.weights = sp.csr_matrix(model.learn().W)


class Slim(_ItemItem):
    """irspack: SLIM."""

    space: ClassVar = {
        "alpha": (0.05, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 0.2),
        "l1_ratio": (0.01, 0.1, 0.3, 0.6),
        "counts": ("binary", "log"),
        "fallback_days": FALLBACK_DAYS,
    }

    def __init__(self, alpha: float = 0.05, l1_ratio: float = 0.01, counts: str = "binary") -> None:
        super().__init__(counts)
        self.alpha, self.l1_ratio = alpha, l1_ratio

    def fit(self, past: Past, seed: int) -> None:
        from irspack import SLIMRecommender

        model = SLIMRecommender(
            past.matrix(self.counts),
            alpha=self.alpha,
            l1_ratio=self.l1_ratio,
            n_iter=30,
            top_k=200,
            n_threads=1,
        )
        self.weights = sp.csr_matrix(model.learn().W)


class IrspackEase(_ItemItem):
    """irspack: EASE (its DenseSLIM)."""

    positive: ClassVar[bool] = False
    items_max: ClassVar[int] = 4_000
    space: ClassVar = {
        "reg": (1.0, 10.0, 30.0, 100.0, 300.0, 1000.0),
        "counts": ("binary", "log"),
        "fallback_days": FALLBACK_DAYS,
    }

    def __init__(self, reg: float = 1.0, counts: str = "binary") -> None:
        super().__init__(counts)
        self.reg = reg

    def fit(self, past: Past, seed: int) -> None:
        from irspack import DenseSLIMRecommender

        self.weights = DenseSLIMRecommender(past.matrix(self.counts), reg=self.reg).learn().W


class Ease(_ItemItem):
    """Ours, plain: EASE (Steck 2019) of the items with the most rows."""

    positive: ClassVar[bool] = False
    space: ClassVar = {
        "reg": (100.0, 10.0, 30.0, 300.0, 1000.0),
        "counts": ("binary", "log"),
        "fallback_days": FALLBACK_DAYS,
    }

    def __init__(self, reg: float = 100.0, counts: str = "binary") -> None:
        super().__init__(counts)
        self.reg = reg

    def fit(self, past: Past, seed: int) -> None:
        matrix = past.matrix(self.counts)
        order = np.argsort(-np.asarray(matrix.sum(axis=0)).ravel(), kind="stable")
        self.kept = np.sort(order[:EASE_ITEMS])
        self.size = matrix.shape[1]
        kept = matrix[:, self.kept]
        gram = (kept.T @ kept).toarray().astype(np.float32)
        gram[np.diag_indices_from(gram)] += self.reg
        inverse = np.linalg.inv(gram)
        weights = inverse / -np.diag(inverse)
        np.fill_diagonal(weights, 0.0)
        self.weights = weights

    def scores(self, asked: Any) -> Scores:
        inside = np.asarray(asked[:, self.kept] @ self.weights, dtype=np.float32)
        found = np.full((inside.shape[0], self.size), -1e6, dtype=np.float32)
        found[:, self.kept] = inside
        return found
