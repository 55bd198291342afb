"""The moment's benchmark judges a date before it learns it, and its intervals are over people."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.moment import NAMES, Histograms, Judged, Times, bootstrap, replay, summed
from germane.domain.hours import HOUR_MS

DAY_MS = 24 * HOUR_MS
START_DAY = 20_402  # 2025-11-10, a Monday


def test_a_date_is_judged_before_it_is_learned() -> None:
    """Two hours of a first day: nothing is known at either; the next day, both are."""
    at_ms = [(START_DAY + day) * DAY_MS + hour * HOUR_MS for day in (0, 1) for hour in (20, 21)]
    times = Times("x", "UTC", START_DAY, ["ann"] * 5, sorted([*at_ms, at_ms[0] + 60_000]))
    judged, engine = replay(times)
    assert judged.known == [0, 0, 2, 2]
    assert judged.events == [2, 1, 1, 1]
    assert judged.person == ["ann"] * 4
    flat = float(np.log(1 / 24))
    germane, everyone = NAMES.index("germane"), NAMES.index("global")
    first, *_, last = judged.logs["day"]
    assert (first[germane], first[everyone]) == (pytest.approx(flat), pytest.approx(flat))
    assert last[germane] > flat == pytest.approx(last[everyone])  # a Tuesday, and Monday's counts
    assert judged.hits["day"][-1][germane] == 1
    assert engine.stats()["log_offset"] == 5


def test_histograms_by_hand() -> None:
    """Add one on 168 slots; by the hour, alike on all days."""
    found = Histograms()
    found.add("ann", 30)  # Tuesday 06:00
    shares = found.shares("ann")
    assert shares["own_week"][30] == pytest.approx(2 / 169)
    assert shares["own_day"][6] == shares["own_day"][30] == pytest.approx(2 / (168 + 7))
    assert found.shares("bob")["own_week"][30] == pytest.approx(1 / 168)
    assert shares["global"][30] == pytest.approx(2 / 169)


def test_intervals_are_over_people() -> None:
    """A hundred hours of one person are one person: as wide as if each had one hour."""
    chance = np.random.default_rng(1)
    hits = (chance.random(200) < 0.3).astype(float)
    many = Judged(person=[f"p{n}" for n in range(200) for _ in range(20)])
    values = np.repeat(hits, 20)[:, None]
    value, low, high = bootstrap(*summed(many, values, np.ones(4_000)), lambda x: x)
    assert value[0] == pytest.approx(hits.mean())
    error = (hits.mean() * (1 - hits.mean()) / 200) ** 0.5
    assert high[0] - low[0] == pytest.approx(2 * 1.96 * error, rel=0.15)
