"""Laws of the figures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.quality import metrics
from benchmarks.quality.protocols import Queries

SIZE = 20


@st.composite
def asked(draw: st.DrawFn) -> tuple[np.ndarray, Queries]:  # type: ignore[type-arg]
    """Lists without repetition, and targets, at least one for each list."""
    count = draw(st.integers(1, 5))
    lists = [draw(st.permutations(range(30)))[:SIZE] for _ in range(count)]
    targets = [draw(st.sets(st.integers(0, 29), min_size=1, max_size=25)) for _ in range(count)]
    query = np.repeat(np.arange(count), [len(each) for each in targets])
    item = np.array([item for each in targets for item in sorted(each)])
    users = np.array(draw(st.lists(st.integers(0, 2), min_size=count, max_size=count)))
    return np.array(lists), Queries(users, np.zeros(count, dtype=int), query, item)


@given(asked(), st.booleans())
def test_every_figure_is_a_share(made: tuple[np.ndarray, Queries], single: bool) -> None:  # type: ignore[type-arg]
    lists, queries = made
    found = metrics.scored(lists, queries, single=single)
    for name in metrics.NAMES:
        assert 0 <= found.mean(name) <= 1 + 1e-12
    assert found.mean("recall10") <= found.mean("recall20") + 1e-12
    assert found.n.sum() == (len(queries.target_item) if single else len(queries))


@given(asked())
def test_a_perfect_list_has_an_ndcg_of_one(made: tuple[np.ndarray, Queries]) -> None:  # type: ignore[type-arg]
    _, queries = made
    lists = np.full((len(queries), SIZE), -1)
    for query in range(len(queries)):
        wanted = queries.target_item[queries.target_query == query][:SIZE]
        lists[query, : len(wanted)] = wanted
    found = metrics.scored(lists, queries, single=False)
    assert found.mean("ndcg10") == pytest.approx(1)
    assert found.mean("mrr20") == pytest.approx(1)


@given(asked())
def test_an_empty_list_has_nothing(made: tuple[np.ndarray, Queries]) -> None:  # type: ignore[type-arg]
    _, queries = made
    lists = np.full((len(queries), SIZE), -1)
    for single in (True, False):
        found = metrics.scored(lists, queries, single=single)
        assert all(found.mean(name) == 0 for name in metrics.NAMES)


@given(asked(), st.integers(0, SIZE - 2))
def test_a_target_that_moves_up_never_costs(made: tuple[np.ndarray, Queries], place: int) -> None:  # type: ignore[type-arg]
    lists, queries = made
    better = lists.copy()
    wanted = set(queries.target_item[queries.target_query == 0].tolist())
    upper, lower = better[0, place], better[0, place + 1]
    if lower in wanted and upper not in wanted:
        better[0, place], better[0, place + 1] = lower, upper
    for single in (True, False):
        before = metrics.scored(lists, queries, single=single)
        after = metrics.scored(better, queries, single=single)
        for name in metrics.NAMES:
            assert after.mean(name) >= before.mean(name) - 1e-12


def test_the_arithmetic_of_one_list() -> None:
    """Targets 5 and 9 at places 1 and 3: DCG = 1 + 1/log2(4) = 1.5; ideal = 1 + 1/log2(3) = 1.6309."""
    lists = np.array([[5, 1, 9] + [-1] * 17])
    queries = Queries(np.array([0]), np.array([0]), np.array([0, 0]), np.array([5, 9]))
    found = metrics.scored(lists, queries, single=False)
    assert found.mean("ndcg10") == pytest.approx(1.5 / (1 + 1 / np.log2(3)))
    assert found.mean("recall10") == 1
    single = metrics.scored(lists, queries, single=True)
    assert single.mean("ndcg10") == pytest.approx((1 + 0.5) / 2)
    assert single.mean("mrr20") == pytest.approx((1 + 1 / 3) / 2)


@given(asked())
def test_a_model_against_itself_is_exactly_level(made: tuple[np.ndarray, Queries]) -> None:  # type: ignore[type-arg]
    lists, queries = made
    found = metrics.scored(lists, queries, single=True)
    if found.mean("recall20") == 0 or (found.sums["recall20"] == 0).any():
        return
    ratio, (low, high) = found.ratio(found, "recall20")
    assert (ratio, low, high) == pytest.approx((1, 1, 1))


def test_an_interval_holds_its_mean() -> None:
    rng = np.random.default_rng(1)
    sums = {name: rng.random(50) for name in metrics.NAMES}
    found = metrics.Scored(np.arange(50), np.ones(50), sums)
    low, high = found.interval("ndcg10")
    assert low < found.mean("ndcg10") < high


def test_coverage_and_diversity_count_the_first_ten() -> None:
    lists = np.array([[0, 1, 2, 3] + [-1] * 16, [0, 1, 4, 5] + [-1] * 16])
    assert metrics.coverage(lists) == 6
    assert metrics.diversity(lists, np.array([0, 0, 1, 1, 2, -1])) == pytest.approx(
        (2 / 4 + 2 / 3) / 2
    )
    assert metrics.diversity(lists, None) is None
