"""Arms compared at all times at once: false alarms, coverage, what is too little, and a split that is off."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from germane.measure import holdout
from germane.measure.holdout import Floats, Lift

Bools = npt.NDArray[np.bool_]
DAYS, A_DAY = 40, 200


def experiment(
    chance: np.random.Generator,
    share: float,
    rate: float,
    more: float = 0.0,
    *,
    money: bool = False,
) -> tuple[Floats, Bools]:
    """What people came to, and who is in the holdout, in the order in which they come to count."""
    count = DAYS * A_DAY
    held = chance.random(count) < share
    answered = chance.random(count) < np.where(held, rate, rate * (1 + more))
    worth = chance.lognormal(3, 1, count) if money else np.ones(count)
    return answered * worth, held


def looks(values: Floats, held: Bools) -> list[Lift]:
    """The comparison of every day."""
    found = []
    for last in range(A_DAY, len(values) + 1, A_DAY):
        here, theirs = values[:last], held[:last]
        found.append(holdout.compare(here[~theirs], here[theirs]))
    return found


@pytest.mark.parametrize(("share", "rate"), [(0.1, 0.1), (0.5, 0.05)])
@pytest.mark.parametrize("money", [False, True])
def test_who_looks_every_day_finds_nothing_where_there_is_nothing(
    share: float, rate: float, money: bool
) -> None:
    """Of experiments without a difference, a twentieth at most ever name a winner."""
    chance, count = np.random.default_rng(7), 200
    verdicts = [
        {each.verdict for each in looks(*experiment(chance, share, rate, money=money))}
        for _ in range(count)
    ]
    assert sum(bool({"more", "less"} & each) for each in verdicts) <= 0.05 * count
    assert sum("unknown" in each for each in verdicts) > 0.4 * count


def test_what_is_there_is_in_the_interval_and_found() -> None:
    """The true difference and ratio are inside at all times; three tenths more are seen."""
    chance, outside, found = np.random.default_rng(3), 0, 0
    for _ in range(100):
        seen = looks(*experiment(chance, 0.3, 0.1, 0.3))
        judged = [each for each in seen if each.difference is not None and each.ratio is not None]
        outside += any(not inside(each) for each in judged)
        found += seen[-1].verdict == "more"
    assert outside <= 5
    assert found >= 60


def inside(lift: Lift) -> bool:
    """Whether what is true is in both intervals."""
    assert lift.difference is not None
    assert lift.ratio is not None
    return (
        lift.difference.low <= 0.03 <= lift.difference.high
        and lift.ratio.low <= 1.3 <= lift.ratio.high
    )


def test_less_is_told_as_well() -> None:
    """A list that drives people away."""
    values, held = experiment(np.random.default_rng(1), 0.5, 0.2, -0.5)
    lift = holdout.compare(values[~held], values[held])
    assert lift.verdict == "less"
    assert lift.ratio is not None
    assert lift.ratio.high < 1


def test_too_few_are_not_judged() -> None:
    """Nor a few large values among many small ones: they count as few."""
    assert holdout.compare(np.ones(99), np.ones(500)).verdict == "too_few"
    few = np.zeros(500)
    few[:19] = 1.0
    assert holdout.compare(np.ones(500), few).verdict == "too_few"
    few[:200] = 1.0
    assert holdout.compare(np.ones(500), few).verdict == "more"
    few[:3] = 1_000.0
    lift = holdout.compare(np.ones(500), few)
    assert lift.verdict == "too_few"
    assert (lift.holdout.answers, round(lift.holdout.effective)) == (200, 3)
    assert lift.difference is lift.ratio is lift.needed is None


def test_how_many_more_people_it_needs() -> None:
    """Of what is not known yet: about as many as make the interval as narrow as the difference."""
    values, held = experiment(np.random.default_rng(2), 0.5, 0.1, 0.1)
    lift = holdout.compare(values[~held], values[held])
    assert lift.verdict == "unknown"
    assert lift.needed is not None
    times = 1 + lift.needed / len(values)
    for so_many, verdict in ((int(0.9 * times), "unknown"), (int(1.1 * times) + 1, "more")):
        sides = (np.tile(each, so_many) for each in (values[~held], values[held]))
        assert holdout.compare(*sides).verdict == verdict
    assert holdout.compare(values[held], values[held]).needed is None


def test_a_split_that_is_off() -> None:
    """One that is asked at all times is seldom wrong, and sees that a tenth of an arm is lost."""
    chance, alarms = np.random.default_rng(5), 0
    for _ in range(300):
        held = np.cumsum(chance.random(5_000) < 0.1)
        alarms += any(
            holdout.split_is_off(n - int(held[n - 1]), int(held[n - 1]), 0.1)
            for n in range(100, 5_001, 100)
        )
    assert alarms <= 2
    assert holdout.split_is_off(90_000, 9_000, 0.1)
    assert not holdout.split_is_off(90_000, 10_100, 0.1)


def test_the_reach_is_least_where_it_is_meant_to_be() -> None:
    """In standard errors: three there, and wider before and after."""
    assert holdout.reach(holdout.TIGHTEST) == pytest.approx(3.03, abs=0.01)
    assert holdout.reach(200) > holdout.reach(holdout.TIGHTEST)
    assert holdout.reach(10**7) > holdout.reach(holdout.TIGHTEST)
