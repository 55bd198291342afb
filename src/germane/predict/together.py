"""Frequently bought together: what goes with the item of the page."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from germane.predict.state import State

Floats = npt.NDArray[np.float64]

WEIGHT = 12.0
"""How far the page's item leads over the person's own taste, in units of the blender's score."""


def partners(state: State, item_id: str) -> dict[int, float]:
    """Item number -> cosine of the two items' histories, in [0, about 1]."""
    number = state.index.get(item_id)
    if number is None:
        return {}
    slow = state.slow.sums
    own = float(slow[number])
    return {
        other: strength / float(own * slow[other] + 1e-300) ** 0.5
        for other, strength in state.together.row(number).items()
        if slow[other] > 0 and own > 0
    }


def together_scores(state: State, item_id: str, numbers: npt.NDArray[np.intp]) -> Floats:
    """What each candidate gains from going with the item, shape (n,)."""
    found = partners(state, item_id)
    return np.array([WEIGHT * min(found.get(int(number), 0.0), 1.0) ** 0.5 for number in numbers])
