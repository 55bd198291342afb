"""The hours in which a person was there."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from germane.domain.decay import oldest_ms
from germane.domain.event import Event
from germane.domain.hours import HOUR_MS, known_zone, local_hour, slot_of_week, upcoming
from germane.domain.months import MS_PER_DAY
from germane.domain.profile import Profile
from germane.profile import bounds, rhythm
from germane.profile.merge import merge
from germane.testing import an_event, an_order
from tests.unit.profile.people import ITEMS, NOW, SHOP, a_refund, folded, ms

BERLIN = known_zone("Europe/Berlin")
assert BERLIN is not None


def a_page(at_ms: int) -> Event:
    """A page was looked at."""
    return Event(f"p{at_ms}", "page", at_ms, name="Home", user_id="u1")


@pytest.mark.parametrize(
    ("when", "slot"),
    [
        (ms(2025, 11, 24, 10), 10),  # a Monday
        (ms(2025, 11, 30, 23), 167),  # a Sunday
        (ms(1970, 1, 1), 72),  # a Thursday
        (ms(1969, 12, 31, 23), 71),
    ],
)
def test_slots_of_the_week(when: int, slot: int) -> None:
    """0 is Monday 00:00, also before 1970."""
    utc = known_zone("UTC")
    assert utc is not None
    assert slot_of_week(local_hour(when, utc)) == slot


def test_half_hours_of_a_zone() -> None:
    """09:45 UTC is 15:15 in Kolkata: the hour of 15:00; the next hour begins at 16:00 there."""
    kolkata = known_zone("Asia/Kolkata")
    assert kolkata is not None
    at_ms = ms(2025, 11, 24, 9) + 45 * 60_000
    assert slot_of_week(local_hour(at_ms, kolkata)) == 15
    first, second = upcoming(at_ms, kolkata, 2)
    assert first == ms(2025, 11, 24, 10) + 30 * 60_000
    assert second - first == HOUR_MS
    assert slot_of_week(local_hour(first, kolkata)) == 16
    assert upcoming(first, kolkata, 1) == [first]


def test_upcoming_hours_over_a_clock_change() -> None:
    """02:00 comes twice when summer time ends, and never when it begins."""
    autumn = upcoming(ms(2025, 10, 25, 22), BERLIN, 6)  # midnight in Berlin
    assert [slot_of_week(local_hour(each, BERLIN)) % 24 for each in autumn] == [0, 1, 2, 2, 3, 4]
    spring = upcoming(ms(2025, 3, 29, 23), BERLIN, 4)
    assert [slot_of_week(local_hour(each, BERLIN)) % 24 for each in spring] == [0, 1, 3, 4]


def test_an_hour_counts_once() -> None:
    """Many clicks are one visit; a page counts like a click."""
    clicks = [an_event(at_ms=NOW + n * 60_000) for n in range(5)]
    profile = folded([*clicks, a_page(NOW + 300_000), a_page(NOW - HOUR_MS)], now_ms=NOW + HOUR_MS)
    assert profile.rhythm == (NOW // HOUR_MS - 1, NOW // HOUR_MS)


def test_what_shows_nobody_there() -> None:
    """Facts that are told, purchases that the shop takes back, and orders that were counted before."""
    order = an_order(["i1"], order_id="o1", at_ms=NOW)
    told = Event("t", "identify", NOW - 9 * HOUR_MS, user_id="u1", traits={"likes": "c1"})
    assert folded([told, a_refund("i1", at_ms=NOW - 5 * HOUR_MS), order]).rhythm == (
        NOW // HOUR_MS,
    )


@given(st.lists(st.integers(0, 400), max_size=300), st.randoms(use_true_random=False))
def test_the_latest_are_kept_in_any_order_of_arrival(ages: list[int], chance: object) -> None:
    """A set of hours: the newest 128 of it."""
    hours = {NOW // HOUR_MS - age for age in ages}
    profile = folded([a_page(NOW - age * HOUR_MS) for age in ages])
    assert profile.rhythm == tuple(sorted(hours))[-bounds.ACTIVE_HOURS :]


def test_a_late_hour_does_not_enter_a_full_ring() -> None:
    """Nothing new is learned of an hour that cannot be kept."""
    profile = folded([a_page(NOW - age * HOUR_MS) for age in range(bounds.ACTIVE_HOURS)])
    late = a_page(NOW - 500 * HOUR_MS)
    assert rhythm.newly_active(profile, late, [], SHOP, NOW) is None
    assert rhythm.newly_active(Profile("u:x"), late, [], SHOP, NOW) == late.at_ms // HOUR_MS


def test_two_histories_count_an_hour_once() -> None:
    """Two browsers at the same hour are one person there."""
    one, two = folded([a_page(NOW), a_page(NOW - HOUR_MS)]), folded([a_page(NOW - 60_000)])
    hour = NOW // HOUR_MS
    assert merge(one, two, SHOP, ITEMS.get, seq=1, now_ms=NOW).rhythm == (hour - 1, hour)


def test_nothing_is_kept_longer_than_24_months() -> None:
    """In whatever zone it was, and also where the fold has only just dropped it."""
    then = ms(2027, 11, 1)
    old, young = ms(2025, 11, 30, 23), ms(2025, 12, 2)
    profile = folded([a_page(old), a_page(young)], now_ms=young)
    assert len(profile.rhythm) == 2
    assert rhythm.fresh(rhythm.hours_of(profile), oldest_ms(then)) == (young // HOUR_MS,)
    assert rhythm.newly_active(Profile("u:x"), a_page(old), [], SHOP, then) is None
    assert rhythm.fresh(rhythm.hours_of(profile), oldest_ms(then + 31 * MS_PER_DAY)) == ()


def test_what_an_earlier_version_kept_can_be_read() -> None:
    """Sums by hour of the week tell no times: they are passed over, and replaced by the next event."""
    old = msgspec.msgpack.encode(Profile("u:u1", rhythm={19: 3.0}))
    profile = msgspec.msgpack.decode(old, type=Profile)
    assert rhythm.hours_of(profile) == ()
    assert folded([a_page(NOW)], profile).rhythm == (NOW // HOUR_MS,)
