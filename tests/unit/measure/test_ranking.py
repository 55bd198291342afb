"""How good a list was."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from germane.measure.ranking import Scores, score


def test_known_answers() -> None:
    """Second and third place of four chosen, by hand."""
    found = score(["a", "b", "c", "d"], frozenset({"b", "c", "x", "y"}), 10)
    gained = 1 / math.log2(3) + 1 / math.log2(4)
    ideal = 1 + 1 / math.log2(3) + 1 / math.log2(4) + 1 / math.log2(5)
    assert found == pytest.approx((1.0, gained / ideal, 0.5, 0.5))


def test_only_the_first_places_count() -> None:
    """What comes behind them is as if it were not there."""
    assert score(["a", "b", "c"], {"c"}, 2) == Scores(0.0, 0.0, 0.0, 0.0)
    assert score([], {"c"}, 2) == Scores(0.0, 0.0, 0.0, 0.0)


@given(st.lists(st.integers(0, 30), unique=True), st.sets(st.integers(0, 30), min_size=1))
def test_bounds(slate: list[int], chosen: set[int]) -> None:
    """All in [0, 1]; all of the best places give 1; nothing gives 0."""
    ids, wanted = [str(each) for each in slate], {str(each) for each in chosen}
    found = score(ids, wanted, 10)
    assert all(0.0 <= each <= 1.0 + 1e-12 for each in found)
    assert (found.hit == 0.0) == (not wanted.intersection(ids[:10]))
    assert score(sorted(wanted), wanted, 10).ndcg == pytest.approx(1.0)
