"""Decay is exact: whatever the order and the moment, it equals the sum over the raw events."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from germane.domain import decay
from germane.domain.event import Event
from germane.domain.months import MS_PER_DAY, month_of, month_start_ms
from germane.domain.profile import Mass, Trait
from germane.domain.settings import SignalSpec, TraitSpec
from tests.unit.profile.people import NOW, SHOP, folded, histories, ms, oracle

VIEW = {"view": SignalSpec("view", "Product Viewed", "properties.product_id", 1.0, 30.0)}
HALVES = st.floats(1.0, 3_650.0)


@given(histories(), st.integers(0, 400 * MS_PER_DAY))
def test_interests_equal_the_raw_events(events: list[Event], later_ms: int) -> None:
    """Views, dismissals, orders and refunds of three years, seen at any later millisecond."""
    then = NOW + later_ms
    found = decay.interests(folded(events), "category", SHOP, then)
    wanted = oracle(events, then)
    assert set(found) <= set(wanted)
    for name, weight in wanted.items():
        assert found.get(name, 0.0) == pytest.approx(weight, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("event", "now", "factor"),
    [
        (ms(2024, 11, 1), ms(2025, 10, 31, 23, 59, 59, 999_000), 1.0),
        (ms(2024, 11, 30, 23, 59, 59, 999_000), ms(2025, 10, 31, 23, 59, 59, 999_000), 1.0),
        (ms(2024, 11, 1), ms(2025, 11, 1), 0.5),  # the month has turned
        (ms(2024, 11, 30, 23, 59, 59, 999_000), ms(2025, 11, 1), 0.5),
        (ms(2024, 12, 1), ms(2025, 11, 1), 1.0),
        (ms(2024, 11, 1), ms(2026, 10, 31, 23, 59, 59, 999_000), 0.5),
        (ms(2024, 11, 1), ms(2026, 11, 1), 0.0),  # 24 months, to the millisecond
        (ms(2024, 11, 30, 23, 59, 59, 999_000), ms(2026, 11, 1), 0.0),
        (ms(2024, 12, 1), ms(2026, 11, 1), 0.5),
        (ms(2024, 2, 29), ms(2026, 1, 31, 23, 59, 59, 999_000), 0.5),
        (ms(2024, 2, 29), ms(2026, 2, 1), 0.0),
        (ms(2020, 1, 1), ms(2026, 11, 1), 0.0),
    ],
)
def test_boundaries(event: int, now: int, factor: float) -> None:
    """Full weight within 12 calendar months, reduced to 24, nothing beyond."""
    masses = decay.add((), "view", event, 30.0)
    found = decay.mass_at(masses, VIEW, now, 0.5)
    assert found == pytest.approx(factor * 2 ** -((now - event) / MS_PER_DAY / 30), rel=1e-9)
    kept = event >= decay.oldest_ms(now)
    assert kept == bool(factor) == bool(decay.live(masses, now))


@given(st.lists(st.integers(0, 700 * MS_PER_DAY), min_size=1), HALVES, st.randoms())
def test_order_does_not_matter(ages: list[int], half: float, chance: random.Random) -> None:
    """Masses stay in the order of month and signal, and sum up the same."""
    shuffled = list(ages)
    chance.shuffle(shuffled)
    one = two = ()
    for first, second in zip(ages, shuffled, strict=True):
        one = decay.add(one, "view" if first % 2 else "other", NOW - first, half)
        two = decay.add(two, "view" if second % 2 else "other", NOW - second, half)
    keys = [(each.month, each.signal) for each in one]
    assert keys == sorted(set(keys)) == [(each.month, each.signal) for each in two]
    assert [each.count for each in one] == [each.count for each in two]
    assert [each.mass for each in one] == pytest.approx([each.mass for each in two], rel=1e-12)


@given(st.integers(0, 40_000 * MS_PER_DAY), st.integers(0, 40_000 * MS_PER_DAY), HALVES)
def test_no_overflow(at_ms: int, now_ms: int, half: float) -> None:
    """Any time since 1970, any half-life of a day or more: a finite weight, never above one event."""
    signals = {"view": SignalSpec("view", "e", "i", 1.0, half)}
    masses = decay.add((), "view", min(at_ms, now_ms), half)
    found = decay.mass_at(masses, signals, now_ms, 0.5)
    assert math.isfinite(masses[0].mass)
    assert 0.0 <= found <= 1.0 + 1e-9


def test_a_month_to_come_counts_as_now() -> None:
    """What lies ahead is not worth more than what happens now."""
    masses = decay.add(decay.add((), "view", NOW + 40 * MS_PER_DAY, 1.0), "view", NOW, 1.0)
    assert decay.mass_at(masses, VIEW, NOW, 0.5) == pytest.approx(
        1.0 + decay.mass_at(masses[:1], VIEW, NOW, 0.5)
    )


def test_a_signal_that_is_no_longer_declared_weighs_nothing() -> None:
    """Evidence of it stays until it is too old; it is read as nothing."""
    assert decay.mass_at((Mass(month_of(NOW), "gone", 3, 3.0),), VIEW, NOW, 0.5) == 0.0


@given(st.floats(0, 1e9), st.floats(0, 1e9), st.integers(0, 2_000), st.integers(0, 2_000))
def test_traits_lose_weight(one: float, two: float, early: int, late: int) -> None:
    """A declared trait weighs less with age and with behaviour, from 1 down to 0."""
    spec, (one, two), (early, late) = TraitSpec("t"), sorted((one, two)), sorted((early, late))
    trait = Trait("x", NOW)

    def weight(days: int, evidence: float) -> float:
        return decay.trait_weight(trait, spec, NOW + days * MS_PER_DAY, evidence, 7.0)

    assert weight(0, 0.0) == 1.0
    assert 0.0 <= weight(late, two) <= weight(early, two) <= weight(early, one) <= 1.0
    assert weight(740, 0.0) == 0.0  # as old as anything that counts no more


@given(st.floats(0, 1e12), st.floats(0.1, 1e6))
def test_readiness(evidence: float, half: float) -> None:
    """From 0 towards 1; a half at ``half``."""
    assert 0.0 <= decay.readiness(evidence, half) <= 1.0
    assert decay.readiness(half, half) == 0.5
    assert decay.readiness(evidence, half) <= decay.readiness(evidence + 1, half)


def test_months() -> None:
    """A month begins where the one before it ends."""
    for month in range(600, 700):
        start = month_start_ms(month)
        assert month_of(start) == month
        assert month_of(start - 1) == month - 1
        assert decay.grown(start, 30.0) == (month, 1.0)
        assert decay.grown(start - 1, 30.0)[0] == month - 1
