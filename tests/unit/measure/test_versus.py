"""Two groups compared by what they brought: against simulators whose truth is known, and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from germane.measure import versus
from germane.measure.intervals import Sample, share
from germane.measure.ope import Logged


def confounded(seed: int, *, lift: float, people: int = 500, each: int = 2) -> Logged:
    """A log in which who is likely to click is likely to get group one.

    Clicks: ``0.08 exp(0.7 x - 0.245)``, 0.08 on average, and ``lift`` more of group one.
    """
    chance = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), each)
    x = chance.normal(size=people)[person]
    ones = np.clip(1 / (1 + np.exp(-1.2 * x)), 0.1, 0.9)
    group = (chance.random(len(x)) < ones).astype(np.int64)
    rates = 0.08 * np.exp(0.7 * x - 0.245) + lift * group
    reward = (chance.random(len(x)) < np.clip(rates, 0, 1)).astype(float)
    return Logged(group, reward, np.where(group == 1, ones, 1 - ones), person)


def naive(log: Logged) -> float:
    """Difference of the plain shares."""
    return float(log.reward[log.action == 1].mean() - log.reward[log.action == 0].mean())


def test_the_weighted_difference_holds_the_truth_where_the_naive_one_is_wrong() -> None:
    """The truth is 3 points; the plain shares differ by more than 7; 95 % intervals hold it in at least 92 %
    of 120 logs, and of those whose verdict names a winner none names the wrong one."""
    held, plain, verdicts = 0, [], []
    for seed in range(120):
        log = confounded(seed, lift=0.03)
        found = versus.difference(log)
        held += found.low <= 0.03 <= found.high
        plain.append(naive(log))
        verdicts.append(found.verdict)
    assert np.mean(plain) > 0.07
    assert held >= 0.92 * 120
    assert "less" not in verdicts
    assert verdicts.count("more") > 15


def test_of_equal_groups_hardly_ever_a_winner() -> None:
    """A/A, with choice that depends on the person: of 160 logs at most 5 % and chance (9 %: 2.5 standard
    errors) name a winner; the plain shares would nearly always."""
    winners, plain = 0, 0
    for seed in range(160):
        log = confounded(1_000 + seed, lift=0.0)
        winners += versus.difference(log).verdict in ("more", "less")
        plain += naive(log) > 0.02
    assert winners <= 14
    assert plain > 120


@pytest.mark.parametrize(("rows", "chance", "rate"), [(2_000, 0.05, 0.03), (600, 0.1, 0.05)])
def test_a_small_group_without_answers_is_no_loser(rows: int, chance: float, rate: float) -> None:
    """A new text that few have got yet: nobody has clicked it, and nothing is said of it."""
    for seed in range(60):
        drawn = np.random.default_rng(seed)
        group = (drawn.random(rows) < chance).astype(np.int64)
        reward = (drawn.random(rows) < rate).astype(float)
        log = Logged(group, reward, np.where(group == 1, chance, 1 - chance), np.arange(rows))
        assert versus.difference(log).verdict == "unknown"


def test_how_many_more_are_needed() -> None:
    """Twice as narrow takes four times as many: the number is what makes the interval reach half of what
    matters. With that many more, something is known."""
    found = versus.difference(confounded(3, lift=0.0))
    assert found.verdict == "unknown"
    assert found.needed is not None
    reach = (found.high - found.low) / 2
    wanted = found.n * (2 * reach / found.matters) ** 2 - found.n
    assert found.needed == pytest.approx(wanted, rel=0.1)
    again = versus.difference(confounded(4, lift=0.0, people=(found.needed + found.n) // 2))
    assert again.verdict != "unknown"


def test_of_nothing_nothing_is_known() -> None:
    """No rows, one group only, nobody who clicked."""
    empty = np.zeros(0)
    none = versus.difference(Logged(empty.astype(np.int64), empty, empty, empty.astype(np.int64)))
    assert (none.verdict, none.n, none.needed) == ("unknown", 0, None)
    half = np.full(100, 0.5)
    for group in (np.zeros(100), np.arange(100) % 2):
        log = Logged(group.astype(np.int64), np.zeros(100), half, np.arange(100))
        found = versus.difference(log)
        assert (found.verdict, found.needed, found.enough) == ("unknown", None, False)


@pytest.mark.parametrize(("people", "each", "rate"), [(60, 1, 0.02), (60, 1, 0.3), (150, 4, 0.1)])
def test_a_share_holds_the_truth(people: int, each: int, rate: float) -> None:
    """Of 1,000 samples at least 93 % of the intervals hold it, also where nobody answered, and where a
    person's rows are alike."""
    held = 0
    for seed in range(1_000):
        drawn = np.random.default_rng(seed)
        own = (
            drawn.beta(rate * 5, (1 - rate) * 5, size=people) if each > 1 else np.full(people, rate)
        )
        hits = (drawn.random((people, each)) < own[:, None]).sum(1).astype(float)
        low, high = share(Sample(hits, np.full(people, float(each))))
        held += low <= rate <= high
    assert held >= 930


def test_a_share_of_nobody_may_be_anything() -> None:
    """And of ten who all did, or all did not, the interval is wide on one side."""
    assert share(Sample(np.zeros(0), np.zeros(0))) == (0.0, 1.0)
    low, high = share(Sample(np.zeros(10), np.ones(10)))
    assert (low, high) == (0.0, pytest.approx(0.2775, abs=1e-3))
    low, high = share(Sample(np.ones(10), np.ones(10)))
    assert (low, high) == (pytest.approx(0.7225, abs=1e-3), 1.0)
