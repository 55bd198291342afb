"""When a person is there: shrinkage, spread, and settings learned from data with a known answer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from germane.domain.hours import HOUR_MS, HOURS, SLOTS, slot_of_week
from germane.domain.moment import Activity
from germane.predict import moment
from germane.predict.moment import Moment, decayed, spread

MONDAY = 489_648  # the local hour 2025-11-10 00:00, a Monday
NOW_MS = (MONDAY + 14 * HOURS) * HOUR_MS


def taught(slots: list[int], factor: float = 0.5) -> Moment:
    """Everyone's hours, all counted at one time."""
    made = Moment(factor)
    for slot in slots:
        made.learn(Activity(slot), NOW_MS)
    return made


def test_the_anchor() -> None:
    """What the tests take for a Monday is one."""
    assert slot_of_week(MONDAY) == 0


def test_nothing_known() -> None:
    """Every hour is as likely as any other, and it says so."""
    week = Moment(0.5).week((), NOW_MS)
    assert week.shares == pytest.approx([1 / SLOTS] * SLOTS)
    assert (week.known, week.evidence, week.trust) == (0, 0, 0)


def test_a_stranger_has_everyones_week() -> None:
    """Add-half of the counts; nothing of it is their own."""
    week = taught([8] * 10 + [20] * 6).week((), NOW_MS)
    assert week.shares == pytest.approx(week.everyone)
    assert week.shares[8] == pytest.approx((10 + 0.5) / (16 + SLOTS / 2))
    assert set(week.own) == {0.0}


def test_the_posterior_by_hand() -> None:
    """strength * everyone + spread, over strength + evidence; an hour just now counts one."""
    made = taught([8] * 10)
    hours = (NOW_MS // HOUR_MS,)  # a Monday, 00:00
    week = made.week(hours, NOW_MS)
    assert (week.strength, week.width_h) == (8.0, 1.0)
    assert (week.evidence, week.trust) == (pytest.approx(1.0), pytest.approx(1 / 9))
    peak = float(moment.circle(1.0)[0, 0])
    own = (0.15 + 0.5 / 5 + 0.35 / 7) * peak
    assert week.shares[0] == pytest.approx((8 * week.everyone[0] + own) / 9)
    assert week.own[0] == pytest.approx(own / (8 * week.everyone[0] + own))
    assert sum(week.shares) == pytest.approx(1.0)


def test_habit_wins_with_evidence() -> None:
    """A night owl among early birds: everyone's hour first, their own when it has been seen enough."""
    made = taught([8 + 24 * day for day in range(5)] * 40)
    owl = [MONDAY + 24 * day + 23 for day in range(-48, 12)]
    first, later = (made.week(owl[-n:], NOW_MS) for n in (1, 60))
    assert int(np.argmax(first.shares[:24])) == 8
    assert int(np.argmax(later.shares[:24])) == 23
    assert later.trust > 0.5 > first.trust


@given(st.lists(st.integers(0, 2_000), min_size=1, max_size=60), st.sampled_from(moment.WIDTHS_H))
def test_spreading_keeps_the_sum(ages: list[int], width: float) -> None:
    """Nothing is lost on the circle, and nothing is below 0."""
    hours = [MONDAY - age for age in ages]
    weights = decayed(hours, MONDAY, 0.5)
    found = spread(hours, weights, width)
    assert found.sum() == pytest.approx(weights.sum())
    assert found.min() >= 0


def test_the_day_is_a_circle() -> None:
    """Midnight is as near to 23:00 as to 01:00."""
    found = spread([MONDAY + 24], np.ones(1), 1.0).reshape(7, HOURS)
    assert found[1, 23] == pytest.approx(found[1, 1])
    assert found[0, 0] == pytest.approx(found[4, 0])
    assert found[1, 0] > found[0, 0] > found[5, 0] > 0


def test_decay() -> None:
    """A half after 60 days; beyond the year also the declared factor; the future counts as now."""
    hours = [MONDAY + 5, MONDAY, MONDAY - 60 * 24, MONDAY - 400 * 24]
    found = decayed(hours, MONDAY, 0.25)
    assert found == pytest.approx([1.0, 1.0, 0.5, 0.25 * 2 ** (-400 / 60)])


def test_a_visit_does_not_predict_itself() -> None:
    """Hours of the same date, and later ones, are no part of a lesson."""
    made = taught([8, 9, 10])
    hour = MONDAY + 7 * 24 + 20
    before = [MONDAY + 20, MONDAY + 44]
    same = [*before, hour - 1, hour - 2, hour + 30]
    assert made.lesson(before, hour, NOW_MS) == made.lesson(same, hour, NOW_MS)
    assert made.lesson([hour - 1], hour, NOW_MS) == ()
    found = made.lesson(before, hour, NOW_MS)
    assert len(found) == len(moment.SETTINGS)
    assert all(each < 0 for each in found)


@given(
    st.lists(st.integers(-30, 12_000), max_size=128),
    st.lists(st.integers(0, SLOTS - 1), max_size=40),
    st.integers(0, SLOTS - 1),
)
def test_a_lesson_by_the_book(ages: list[int], seen: list[int], later: int) -> None:
    """All settings at once say what each says alone, whatever the order in which the hours are given."""
    made, hour = taught(seen), MONDAY + later
    midnight = hour - hour % HOURS
    hours = [hour - age for age in ages]
    before = [each for each in hours if each < midnight]
    found = made.lesson(hours, hour, hour * HOUR_MS)
    assert found == pytest.approx(made.lesson(sorted(hours), hour, hour * HOUR_MS), rel=1e-9)
    assert len(found) == (len(moment.SETTINGS) if before else 0)
    weights = decayed(before, midnight, 0.5)
    for likely, (width, strength) in zip(found, moment.SETTINGS, strict=False):
        odds = strength * made.everyone(hour * HOUR_MS) + spread(before, weights, width)
        of_day = odds.reshape(7, HOURS)[slot_of_week(hour) // HOURS]
        assert likely == pytest.approx(np.log(of_day[hour % HOURS] / of_day.sum()), rel=1e-9)


@pytest.mark.parametrize(("habit", "low", "high"), [(0.95, 2.0, 4.0), (0.0, 32.0, 64.0)])
def test_strength_is_learned(habit: float, low: float, high: float) -> None:
    """People of strict habit teach that everyone weighs little; people without any, that it weighs much."""
    chance, made = np.random.default_rng(7), Moment(0.5)
    everyone = np.full(HOURS, 1.0)
    everyone[9:18] = 4.0
    everyone /= everyone.sum()
    own = chance.choice(HOURS, size=60, p=everyone)
    hours: list[list[int]] = [[] for _ in own]
    for day in range(28):
        for person, usual in enumerate(own.tolist()):
            clock = usual if chance.random() < habit else int(chance.choice(HOURS, p=everyone))
            hour = MONDAY + day * HOURS + clock
            evidence = made.lesson(hours[person], hour, hour * HOUR_MS)
            made.learn(Activity(slot_of_week(hour), evidence), hour * HOUR_MS)
            hours[person].append(hour)
    width, strength = made.setting
    assert low <= strength <= high
    assert width == 0.5 or habit == 0.0
    assert made.lessons == 27 * 60


def test_the_default_holds_until_something_is_clearly_better() -> None:
    """A single lesson does not turn the settings over."""
    made = Moment(0.5)
    assert made.setting == (1.0, 8.0)
    made.learn(Activity(3, tuple(-2.0 + 0.01 * n for n in range(len(moment.SETTINGS)))), NOW_MS)
    assert made.setting == (1.0, 8.0)
    better = [-9.0] * len(moment.SETTINGS)
    better[-1] = -1.0
    made.learn(Activity(3, tuple(better)), NOW_MS)
    assert made.setting == moment.SETTINGS[-1]
