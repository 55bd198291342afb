"""Wall clocks, minute by minute, near the days on which they change."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from germane.deliver.occasions import at_of, cycle_start, next_clock, next_occasion
from germane.domain.walltime import both, inside, joined, local_ms, moment_of, span_of, without
from tests.laws import sending
from tests.laws.sending import DAY_MS, ZONES
from tests.unit.deliver.life import ms


@pytest.mark.parametrize(("zone", "day"), ZONES)
def test_inside_is_what_the_wall_clock_says(zone: str, day: tuple[int, int, int]) -> None:
    """Any span, any days of the week: every seventh minute of five days."""
    draw, clock = random.Random(zone), ZoneInfo(zone)
    start = int(datetime(*day, tzinfo=UTC).timestamp() * 1000) - DAY_MS
    for _ in range(12):
        span = sending.a_span(draw, 15)
        days = tuple(sorted(draw.sample(range(7), draw.randrange(8))))
        pieces = inside(start, start + 5 * DAY_MS, clock, span, days)
        assert pieces == joined(pieces)
        for at in range(start, start + 5 * DAY_MS, 7 * 60_000):
            expected = sending.within(span, days, sending.wall(at, clock))
            assert any(low <= at < high for low, high in pieces) == expected


@pytest.mark.parametrize(("zone", "day"), ZONES)
def test_a_wall_clock_time_and_back(zone: str, day: tuple[int, int, int]) -> None:
    """The first moment at which it is shown; after the gap, where it is skipped."""
    clock = ZoneInfo(zone)
    start = int(datetime(*day, tzinfo=UTC).timestamp() * 1000)
    for wall in range(start - DAY_MS, start + 3 * DAY_MS, 15 * 60_000):
        at = moment_of(wall, clock)
        assert local_ms(at, clock) >= wall
        assert local_ms(at - 1, clock) < wall


def test_pieces() -> None:
    pieces = ((0, 10), (20, 30))
    assert both(pieces, ((5, 25),)) == ((5, 10), (20, 25))
    assert without(pieces, ((5, 25),)) == ((0, 5), (25, 30))
    assert without(pieces, ()) == pieces
    assert joined([(5, 7), (1, 5), (9, 9)]) == ((1, 7),)


def test_spans() -> None:
    assert span_of("22:00-07:00") == (1320, 420)
    assert span_of(" 8:00 - 24:00 ") == (480, 1440)
    for wrong in ("8-20", "08:00-08:00", "24:00-08:00", "08:00-24:30", "08:60-09:00", ""):
        assert span_of(wrong) is None


def test_occasions_through_changes_of_clocks() -> None:
    """02:30 every day in Berlin: skipped in spring, so it happens right after; lived twice, it happens once."""
    berlin = ZoneInfo("Europe/Berlin")
    at, found = ms("2026-03-28T00:00:00+01:00"), []
    for _ in range(3):
        at = next_occasion("30 2 * * *", at, berlin)
        found.append(at)
    assert found == [
        ms("2026-03-28T02:30:00+01:00"),
        ms("2026-03-29T03:00:00+02:00"),
        ms("2026-03-30T02:30:00+02:00"),
    ]
    at = next_occasion("30 2 * * *", ms("2026-10-25T00:00:00+02:00"), berlin)
    assert at == ms("2026-10-25T02:30:00+02:00")
    assert next_occasion("30 2 * * *", at, berlin) == ms("2026-10-26T02:30:00+01:00")


def test_the_next_time_of_day() -> None:
    apia = ZoneInfo("Pacific/Apia")
    assert next_clock(540, ms("2011-12-29T10:00:00-10:00"), apia) == ms(
        "2011-12-31T09:00:00+14:00"
    ) or (next_clock(540, ms("2011-12-29T10:00:00-10:00"), apia) == ms("2011-12-31T00:00:00+14:00"))
    assert next_clock(540, ms("2026-12-01T09:00:00+00:00"), ZoneInfo("UTC")) == ms(
        "2026-12-01T09:00:00+00:00"
    )


def test_one_date() -> None:
    assert at_of("2026-12-01T09:00", ZoneInfo("Asia/Kathmandu")) == ms("2026-12-01T09:00:00+05:45")
    assert at_of("2026-12-01", ZoneInfo("Asia/Kathmandu")) == ms("2026-12-01T00:00:00+05:45")
    assert at_of("2026-12-01T09:00Z", ZoneInfo("Asia/Kathmandu")) == ms("2026-12-01T09:00:00+00:00")
    with pytest.raises(ValueError, match="isoformat"):
        at_of("tomorrow", ZoneInfo("UTC"))


@pytest.mark.parametrize(
    ("began", "at", "start"),
    [
        (15, "2026-11-15T00:00:00+01:00", "2026-11-15T00:00:00+01:00"),
        (15, "2026-11-14T23:59:00+01:00", "2026-10-15T00:00:00+02:00"),
        ("2026-01-31", "2026-03-01T00:00:00+01:00", "2026-02-28T00:00:00+01:00"),
        ("2026-01-31T12:00:00Z", "2026-03-31T10:00:00+02:00", "2026-03-31T00:00:00+02:00"),
        ("soon", "2026-03-31T10:00:00+02:00", None),
        (True, "2026-03-31T10:00:00+02:00", None),
        (40, "2026-03-31T10:00:00+02:00", None),
    ],
)
def test_billing_cycles(began: object, at: str, start: str | None) -> None:
    found = cycle_start("account.traits.billing", began, ms(at), ZoneInfo("Europe/Berlin"))
    assert found == (None if start is None else ms(start))


def test_calendar_months() -> None:
    at = ms("2026-12-01T03:00:00+00:00")
    assert cycle_start("month", None, at, ZoneInfo("America/New_York")) == ms(
        "2026-11-01T00:00:00-04:00"
    )
