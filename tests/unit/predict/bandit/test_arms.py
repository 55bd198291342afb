"""What a choice was rewarded with."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from germane.predict.bandit.arms import Sums

AMOUNTS = st.lists(st.floats(0.01, 1e5).map(lambda x: round(x, 2)), min_size=1, max_size=4)


@given(AMOUNTS, st.permutations(range(4)), st.floats(0.01, 1e5))
def test_what_was_given_back_in_full_is_no_response(
    amounts: list[float], order: list[int], later: float
) -> None:
    """Also where adding and taking away leaves a rest; what comes after it is one response again."""
    sums, total, x = Sums(1), 0.0, np.ones(1)
    back = [-amounts[n] for n in order if n < len(amounts)]
    for reward in (*amounts, *back):
        sums.rewarded(x, total, reward)
        total += reward
        assert sums.responses in (0.0, 1.0)
    assert sums.responses == 0.0
    sums.rewarded(x, total, later)
    assert sums.responses == 1.0
    sums.rewarded(x, total + later, -later)
    assert sums.responses == 0.0
