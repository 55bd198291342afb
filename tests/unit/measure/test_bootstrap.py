"""Intervals over people."""

from __future__ import annotations

import math

import numpy as np
import pytest

from germane.measure.bootstrap import People
from germane.measure.ranking import Scores
from germane.measure.sheet import Sheet


def test_people_are_drawn_not_rows() -> None:
    """A hundred equal rows of one person say no more than one: the standard error is that of people."""
    chance = np.random.default_rng(3)
    values = chance.normal(size=400)
    rows = np.repeat(values, 100)
    one = People(np.arange(400)).mean(values)
    many = People(np.repeat(np.arange(400), 100)).mean(rows)
    wanted = 2 * 1.96 * values.std() / math.sqrt(400)
    assert one.high - one.low == pytest.approx(wanted, rel=0.15)
    assert many.high - many.low == pytest.approx(wanted, rel=0.15)
    assert (one.n, one.people, many.n, many.people) == (400, 400, 40_000, 400)


def test_intervals_hold_the_truth() -> None:
    """About 95 of 100 intervals of made-up people do."""
    inside, chance = 0, np.random.default_rng(5)
    for _ in range(300):
        person = np.repeat(np.arange(80), 5)
        level = chance.normal(0.3, 0.2, size=80)
        found = People(person).mean(level[person] + chance.normal(0, 0.3, size=400))
        inside += found.low <= 0.3 <= found.high
    assert 0.90 <= inside / 300 <= 0.985


def test_paired_differences_are_narrow() -> None:
    """People differ much, the two lists hardly: the difference is known well."""
    chance = np.random.default_rng(1)
    level = chance.normal(0, 5, size=200)
    people = People(np.arange(200))
    gap = people.mean(level + 1 - level)
    assert (gap.low, gap.high) == pytest.approx((1, 1))
    assert people.mean(level).high - people.mean(level).low > 1


def test_gaps_and_weights() -> None:
    """NaN rows are left out; by rows and by people are two things; nothing is nothing."""
    people = People(np.array([0, 0, 0, 1]))
    values = np.array([1.0, 1.0, np.nan, 0.0])
    assert people.mean(values).value == pytest.approx(2 / 3)
    assert people.mean_of_people(values).value == pytest.approx(1 / 2)
    assert people.mean(values, np.array([False] * 4)).n == 0
    assert not people.mean(values).enough
    assert People(np.zeros(0, dtype=np.int64)).mean(np.zeros(0)).n == 0


def test_a_sheet_keeps_rows_together() -> None:
    """Facts of every row; a list that was not tried leaves a gap."""
    sheet = Sheet()
    sheet.row(77, earlier=0)
    sheet.put("a", Scores(1.0, 0.5, 0.25, 1.0))
    sheet.row(5, earlier=3)
    sheet.amend("earlier", 4)
    sheet.row(77, earlier=1)
    sheet.put("a", Scores(0.0, 0.0, 0.0, 0.0))
    assert sheet.people.tolist() == [0, 1, 0]
    assert sheet.fact("earlier").tolist() == [0, 4, 1]
    found = sheet.score("a", "ndcg")
    assert found[0] == 0.5
    assert np.isnan(found[1])
    assert found[2] == 0.0
    assert np.isnan(sheet.score("b", "hit")).all()
