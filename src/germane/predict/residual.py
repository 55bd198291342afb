"""What trained trees add to the blend's order: the best of the blend are ranked anew, the rest stay behind."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from germane.domain.forest import Trained
from germane.predict.features import MEMBERS
from germane.predict.trees import Leaves, Trees

Floats = npt.NDArray[np.float64]
Order = npt.NDArray[np.intp]

DEPTH = 96
"""So many of the blend's best are ranked anew, and trees are taught with lists of this length."""


class Lifted:
    """The candidates of one question in order, and what the trees add to any of them."""

    def __init__(
        self,
        trees: Trees | None,
        scores: Floats,
        features: Floats,
        among: npt.NDArray[np.bool_] | None = None,
    ) -> None:
        self._trees, self._features = trees, features
        order = np.argsort(-scores, kind="stable")
        if among is not None:
            order = np.concatenate((order[among[order]], order[~among[order]]))
        self.order: Order = order
        """Row numbers, best first; ties in the order of the rows."""
        if trees is None:
            return
        best = order[:DEPTH]
        self._leaves = trees.leaves(features[best])
        self._place = {row: place for place, row in enumerate(best.tolist())}
        lifted = scores[best] + trees.values(self._leaves)
        self.order = np.concatenate((best[np.argsort(-lifted, kind="stable")], order[DEPTH:]))

    @property
    def by_trees(self) -> bool:
        """Whether trees had a say."""
        return self._trees is not None

    def told(self, rows: Sequence[int]) -> tuple[Floats, Floats]:
        """What is added to the scores of some rows, (rows,); the same by source, (rows, sources)."""
        if self._trees is None:
            return np.zeros(len(rows)), np.zeros((len(rows), MEMBERS.shape[1]))
        leaves = self._leaves_of(self._trees, rows)
        return self._trees.values(leaves), self._trees.parts(leaves)

    def _leaves_of(self, trees: Trees, rows: Sequence[int]) -> Leaves:
        """Known for the best; a slot of the quota may hold another row."""
        place = self._place
        others = [row for row in rows if row not in place]
        known = self._leaves[[place.get(row, 0) for row in rows]]
        if others:
            known[[row not in place for row in rows]] = trees.leaves(self._features[others])
        return known


class Residual:
    """All that one training made; never changed, only replaced.

    Raises:
        ValueError: it was trained for other features.
    """

    def __init__(self, trained: Trained | None) -> None:
        self.version = trained.version if trained is not None else ""
        forests = trained.forests if trained is not None else {}
        self._trees = {head: Trees(forest) for head, forest in forests.items()}

    def order(
        self,
        head: str,
        scores: Floats,
        features: Floats,
        among: npt.NDArray[np.bool_] | None = None,
    ) -> Lifted:
        """Rank the candidates of a question.

        Args:
            head: Whose trees; where none were trained, the blend's scores alone count.
            scores: The blend's, shape (n,).
            features: Shape (n, features).
            among: Rows that may be shown, shape (n,); the others come last.
        """
        return Lifted(self._trees.get(head), scores, features, among)


NOTHING = Residual(None)
