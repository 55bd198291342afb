"""Made-up lessons whose best answer is known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from germane.predict.features import WIDTH
from germane.train.lessons import Lessons

ROWS = 40


def lessons(count: int, *, bump: bool, seed: int = 0) -> Lessons:
    """Lists of which one row is taken, by features 0 and 1 (and some chance).

    Args:
        count: How many lists.
        bump: What counts is that the first is near 0, which no weight can tell; else their sum.
        seed: All chance comes from it.
    """
    chance = np.random.default_rng(seed)
    features = np.zeros((count * ROWS, WIDTH), dtype=np.float32)
    features[:, :4] = chance.normal(size=(count * ROWS, 4)).astype(np.float16)
    one, two = features[:, 0], features[:, 1]
    worth = 6.0 * (np.abs(one) < 0.1) if bump else one + two
    worth = (worth + chance.gumbel(size=len(worth))).reshape(count, ROWS)
    taken: npt.NDArray[np.bool_] = np.zeros((count, ROWS), dtype=bool)
    taken[np.arange(count), worth.argmax(axis=1)] = True
    return Lessons(features, np.full(count, ROWS, dtype=np.intp), taken.ravel())
