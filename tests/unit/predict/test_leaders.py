"""The most counted item of each value, kept as items are counted."""

from __future__ import annotations

import numpy as np

from germane.predict.state import Kinds


def test_the_best_of_each_value() -> None:
    """Several at once, a later one that passes by, and a count that decayed to nothing."""
    kinds = Kinds()
    kinds.grow(4)
    for item, value in enumerate(("a", "a", "b", "c")):
        kinds.put(item, value)
    sums = np.array([2.0, 5.0, 1.0, 0.0])
    kinds.lead(np.array([1, 0, 2, 3]), sums)
    values = np.array([1, 1, 2, 3], dtype=np.int32)
    assert kinds.best(values, sums).tolist() == [5.0, 5.0, 1.0, 1.0]
    sums[0] = 9.0
    kinds.lead(np.array([0]), sums)
    assert kinds.best(values, sums).tolist() == [9.0, 9.0, 1.0, 1.0]
    assert kinds.best(values, np.zeros(4)).tolist() == [1.0, 1.0, 1.0, 1.0]
