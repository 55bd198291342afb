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

    def lift(self, rows: Sequence[int]) -> Floats:
        """What is added to the scores of some rows, shape (rows,)."""
        if self._trees is None:
            return np.zeros(len(rows))
        return self._trees.values(self._leaves_of(self._trees, rows))

    def parts(self, rows: Sequence[int]) -> Floats:
        """The same by source, shape (rows, sources)."""
        if self._trees is None:
            return np.zeros((len(rows), MEMBERS.shape[1]))
        return self._trees.parts(self._leaves_of(self._trees, rows))

    def _leaves_of(self, trees: Trees, rows: Sequence[int]) -> Leaves:
        """Known for the best; a slot of the quota may hold another row."""
        if all(row in self._place for row in rows):
            return self._leaves[[self._place[row] for row in rows]]
        return trees.leaves(self._features[list(rows)])


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
