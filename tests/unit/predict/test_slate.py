"""The slate policy: its guarantees and its probabilities."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from germane.domain.profile import QuotaCount
from germane.predict.rules import Pin
from germane.predict.slate import Policy, Row, arrange, quota_due


def rows_of(count: int, adjacent: set[int] | frozenset[int] = frozenset()) -> list[Row]:
    return [Row(f"i{n}", f"c{n % 7}", n in adjacent, n) for n in range(count)]


@given(
    st.integers(0, 60),
    st.sets(st.integers(0, 59)),
    st.integers(1, 20),
    st.floats(0, 0.5),
    st.floats(0, 0.5),
    st.integers(0, 2**40),
)
def test_slate_is_full_and_has_no_item_twice(count, adjacent, size, quota, exploration, seed):
    """Every position is filled as long as there are candidates, and no item is there twice."""
    policy = Policy(size, quota, exploration, 3)
    placed, short = arrange(
        rows_of(count, adjacent), policy, pins=(), served=QuotaCount(), seed=seed
    )
    assert [each.position for each in placed] == list(range(min(size, count)))
    assert len({each.row.item_id for each in placed}) == len(placed)
    assert all(0 < each.propensity <= 1 for each in placed)
    assert short >= 0


@given(st.lists(st.integers(1, 15), min_size=1, max_size=40), st.floats(0, 0.5), st.integers(0, 9))
def test_quota_holds_over_time(sizes, quota, seed):
    """Over any run of slates, at least the quota's share of the slots is diverse when it can be."""
    served = QuotaCount()
    for number, size in enumerate(sizes):
        policy = Policy(size, quota, 0.1, 2)
        rows = rows_of(60, set(range(30, 60)))
        placed, short = arrange(rows, policy, pins=(), served=served, seed=seed + number)
        diverse = sum(each.row.adjacent for each in placed if each.slot == "diverse")
        assert short == 0
        served = QuotaCount(served.slots + len(placed), served.diverse + diverse, served.short)
        assert served.diverse >= quota * served.slots - 1e-9


def test_quota_that_cannot_be_met_is_reported_and_not_owed_again():
    """With no adjacent item the shortfall is told, and the next slate does not make up for it."""
    policy = Policy(10, 0.2, 0.0, 3)
    placed, short = arrange(rows_of(30), policy, pins=(), served=QuotaCount(), seed=1)
    assert (len(placed), short) == (10, 2)
    assert quota_due(QuotaCount(10, 0, 2), 10, 0.2) == 2


@given(st.sets(st.integers(0, 19), min_size=1), st.floats(0, 0.5), st.integers(0, 3))
def test_a_list_that_meets_the_quota_as_ranked_keeps_its_order(adjacent, quota, explore_from):
    """The quota moves nothing then. What it must add takes the last places, and moves nothing else."""
    policy = Policy(10, quota, 0.0, explore_from)
    placed, short = arrange(rows_of(20, adjacent), policy, pins=(), served=QuotaCount(), seed=1)
    order = [each.row.index for each in placed]
    due, kept = quota_due(QuotaCount(), 10, quota), sum(n < 10 for n in adjacent)
    added = max(due - kept - short, 0)
    assert sum(each.slot == "diverse" for each in placed) == due - short
    assert order[: 10 - added] == sorted(order[: 10 - added])
    assert all(n >= 10 for n in order[10 - added :])
    if not added:
        assert order == list(range(10))


def test_exploration_leaves_the_quota_alone() -> None:
    """The lowest of the adjacent items that the quota needs stand where they rank, in every draw."""
    policy = Policy(size=6, quota=0.3, exploration=0.5, explore_from=0)
    rows = rows_of(20, {0, 1, 3})
    for seed in range(200):
        placed, short = arrange(rows, policy, pins=(), served=QuotaCount(), seed=seed)
        assert short == 0
        assert [(x.position, x.row.index) for x in placed if x.slot == "diverse"] == [
            (1, 1),
            (3, 3),
        ]
        assert {x.propensity for x in placed if x.slot == "diverse"} == {1.0}


def test_pins_keep_their_place():
    """A pinned item is at its position with probability 1; an ineligible one is left out."""
    pins = [Pin("i9", 0), Pin("missing", 1)]
    placed, _ = arrange(rows_of(20), Policy(5, 0, 0.3, 0), pins=pins, served=QuotaCount(), seed=3)
    assert placed[0].row.item_id == "i9"
    assert (placed[0].slot, placed[0].propensity) == ("pinned", 1.0)
    assert "missing" not in {each.row.item_id for each in placed}


def test_propensities_are_the_true_frequencies():
    """Given the positions before, each item comes as often as its propensity says (40,000 draws)."""
    for adjacent in (frozenset[int](), {2, 3}, {6}):
        _frequencies(rows_of(8, adjacent), Policy(4, 0.25 if adjacent else 0.0, 0.3, 1))


def _frequencies(rows: list[Row], policy: Policy) -> None:
    draws = 40_000
    told: dict[tuple[str, ...], float] = {}
    seen: Counter[tuple[str, ...]] = Counter()
    for seed in range(draws):
        placed, _ = arrange(rows, policy, pins=(), served=QuotaCount(), seed=seed)
        slate = tuple(each.row.item_id for each in placed)
        probability = 1.0
        for each in placed:
            probability *= each.propensity
        assert told.setdefault(slate, probability) == probability
        seen[slate] += 1
    assert abs(sum(told.values()) - 1) < 0.01  # nearly every slate that is possible has come up
    for slate, probability in told.items():
        error = (probability * (1 - probability) / draws) ** 0.5
        assert abs(seen[slate] / draws - probability) < 5 * error + 1e-9, slate


def test_what_was_turned_down_is_not_explored():
    """Not while others are left, and nothing explores where only such are left; with true propensities."""
    policy = Policy(size=4, quota=0.0, exploration=0.5, explore_from=0)
    for down in ({6, 7}, {4, 5, 6, 7}):
        rows = [Row(f"i{n}", "c", False, n, n in down) for n in range(8)]
        slates = [
            arrange(rows, policy, pins=(), served=QuotaCount(), seed=seed)[0] for seed in range(200)
        ]
        shown = {each.row.index for slate in slates for each in slate}
        assert shown == set(range(8)) - down
        propensities = {slate[0].propensity for slate in slates}
        assert propensities == ({0.5, 0.25} if down == {6, 7} else {1.0})


def test_what_was_turned_down_is_diverse_last():
    """The quota is a guarantee; another of the same category comes first."""
    policy = Policy(size=4, quota=0.5, exploration=0.0, explore_from=0)
    near = [Row(f"a{n}", "near", True, 10 + n) for n in range(2)]
    disliked = Row("down", "far", True, 12, turned_down=True)
    rows = [Row(f"i{n}", "own", False, n) for n in range(8)]
    for adjacent, wanted in (
        ([*near, disliked], ["a0", "a1"]),
        ([near[0], disliked], ["a0", "down"]),
    ):
        slate, short = arrange([*rows, *adjacent], policy, pins=(), served=QuotaCount(), seed=1)
        assert [each.row.item_id for each in slate if each.slot == "diverse"] == wanted
        assert short == 0
