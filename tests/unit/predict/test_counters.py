"""Counts that cost nothing to decay."""

from __future__ import annotations

import numpy as np
import pytest

from germane.predict.counters import DAY_MS, Bank, DecayedCounts

START_MS = 1_700_000_000_000


def test_halves_with_each_half_life() -> None:
    """Of one event; and a clock that goes back by years still gives finite counts."""
    counts = DecayedCounts(4.0)
    counts.grow(1)
    counts.add_one(0, START_MS, 3.0)
    for half_lives in range(4):
        now_ms = START_MS + int(half_lives * 4 * DAY_MS)
        decayed = counts.sums[0] * counts.clock.scale_at(now_ms)
        assert decayed == pytest.approx(3.0 * 0.5**half_lives)
    years_ago = START_MS - int(20 * 365 * DAY_MS)
    assert np.isfinite(counts.sums[0] * counts.clock.scale_at(years_ago))


@pytest.mark.parametrize("first_ms", [0, 1, START_MS])
def test_what_was_counted_first_decays_like_all_else(first_ms: int) -> None:
    """Also where that was at the beginning of 1970, to the millisecond, and through a dump."""
    counts = DecayedCounts(4.0)
    counts.grow(2)
    counts.add_one(0, first_ms, 1.0)
    again = DecayedCounts(4.0)
    again.clock.origin_ms, again.sums = counts.clock.origin_ms, counts.sums.copy()
    for each in (counts, again):
        each.add_one(1, first_ms + int(8 * DAY_MS), 1.0)
        assert each.sums[1] == pytest.approx(4.0 * each.sums[0])


def test_one_as_many() -> None:
    """A single item counts as it does among several, and twice in one event as twice."""
    one, many = DecayedCounts(4.0), DecayedCounts(4.0)
    for counts in (one, many):
        counts.grow(2)
    for at_ms in (START_MS, START_MS + int(9 * DAY_MS)):
        many.add_all(np.array([0, 1, 1]), at_ms, np.array([1.0, 2.0, 3.0]))
        for number, amount in ((0, 1.0), (1, 2.0), (1, 3.0)):
            one.add_one(number, at_ms, amount)
    assert one.sums[:2].tolist() == pytest.approx(many.sums[:2].tolist())
    assert one.total == pytest.approx(many.total)


def test_a_bank_counts_as_each_count_alone() -> None:
    """Side by side in one table, also when it grows: the same sums, and weights that turn them into
    decayed counts."""
    bank, alone = Bank({"days": 4.0, "weeks": 21.0}), DecayedCounts(4.0)
    alone.grow(3)
    numbers, amounts = np.array([0, 1, 1]), np.array([1.0, 2.0, 3.0])
    for day, room in ((0, 2), (3, 3), (2000, 4)):
        bank.grow(room)
        at_ms = START_MS + day * int(DAY_MS)
        for counts in (*bank.of.values(), alone):
            counts.add_all(numbers, at_ms, amounts)
        assert bank.table[0, :2].tolist() == alone.sums[:2].tolist()
        assert bank.totals()[0] == alone.total
        decayed = bank.table[:, 1] / bank.weights(at_ms)
        assert decayed[0] == pytest.approx(alone.sums[1] * alone.clock.scale_at(at_ms))
    assert decayed.tolist() == pytest.approx([5.0, 5.0])  # what was counted years before is gone
