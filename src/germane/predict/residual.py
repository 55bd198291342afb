"""What trained trees add to the blend's order: the best of the blend are ranked anew, the rest stay behind."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from germane.domain.forest import Trained
from germane.predict.features import MEMBERS
from germane.predict.trees import Trees

Floats = npt.NDArray[np.float64]
Order = npt.NDArray[np.intp]

DEPTH = 96
"""So many of the blend's best are ranked anew, and trees are taught with lists of this length."""


class Lift:
    """One head's trees, or none."""

    def __init__(self, trees: Trees | None = None) -> None:
        self._trees = trees

    def order(
        self, scores: Floats, features: Floats, among: npt.NDArray[np.bool_] | None = None
    ) -> Order:
        """Row numbers, best first; ties in the order of the rows.

        Args:
            scores: The blend's, shape (n,).
            features: Shape (n, features).
            among: Rows that may be shown, shape (n,); the others come last.
        """
        order = np.argsort(-scores, kind="stable")
        if among is not None:
            order = np.concatenate((order[among[order]], order[~among[order]]))
        if self._trees is None:
            return order
        best = order[:DEPTH]
        lifted = scores[best] + self._trees.scores(features[best])
        return np.concatenate((best[np.argsort(-lifted, kind="stable")], order[DEPTH:]))

    def lift(self, features: Floats) -> Floats:
        """What is added to the score of each row, shape (n,)."""
        return self._trees.scores(features) if self._trees is not None else np.zeros(len(features))

    def parts(self, features: Floats) -> Floats:
        """The same by source, shape (n, sources)."""
        if self._trees is None:
            return np.zeros((len(features), MEMBERS.shape[1]))
        return self._trees.contributions(features)


class Residual:
    """All that one training made; never changed, only replaced.

    Raises:
        ValueError: it was trained for other features.
    """

    def __init__(self, trained: Trained | None) -> None:
        self.version = trained.version if trained is not None else ""
        forests = trained.forests if trained is not None else {}
        self._lifts = {head: Lift(Trees(forest)) for head, forest in forests.items()}

    def trees(self, head: str) -> Lift:
        """The trees of a head; they add nothing where none were trained."""
        return self._lifts.get(head, _NONE)


_NONE = Lift()
NOTHING = Residual(None)
