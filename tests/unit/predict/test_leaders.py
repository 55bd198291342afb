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
    values = np.array([1, 1, 2, 3], dtype=np.int32)
    sums = np.array([2.0, 5.0, 1.0, 0.0])
    kinds.lead([1, 0, 2, 3], sums)
    assert kinds.standing(values, sums, sums).tolist() == [0.4, 1.0, 1.0, 0.0]
    sums[0] = 10.0
    kinds.lead([0], sums)
    assert kinds.standing(values, sums, sums).tolist() == [1.0, 0.5, 1.0, 0.0]
    assert kinds.standing(values, np.zeros(4), np.zeros(4)).tolist() == [0.0, 0.0, 0.0, 0.0]


def test_without_a_leader() -> None:
    """A value that nobody took anything from has no best: whatever stands last is not taken for it."""
    kinds = Kinds()
    kinds.grow(2)
    kinds.put(0, "a")
    kinds.put(1, "b")
    sums = np.array([0.0, 3.0])
    kinds.lead([1], sums)
    values = np.array([1, 2], dtype=np.int32)
    assert kinds.standing(values, sums, sums).tolist() == [0.0, 1.0]
