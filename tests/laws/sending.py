"""An oracle for the scheduler: written the slow and plain way, from the wall clock of one moment at a time."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from germane.domain.plan import Ask, Priority, SendPolicy, Sent
from germane.domain.settings import CapSpec

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
RANK = {"transactional": 0, "high": 1, "normal": 2, "low": 3}
ZONES = (
    ("Europe/Berlin", (2026, 3, 28)),
    ("Europe/Berlin", (2026, 10, 24)),
    ("America/New_York", (2026, 3, 7)),
    ("America/New_York", (2026, 10, 31)),
    ("Australia/Lord_Howe", (2026, 4, 4)),
    ("Australia/Lord_Howe", (2026, 10, 3)),
    ("Asia/Kathmandu", (2026, 6, 1)),
    ("Pacific/Apia", (2011, 12, 28)),
    ("UTC", (2026, 6, 1)),
)
"""Zones, each with a day near which its clocks change (or do not)."""


def wall(at_ms: int, zone: ZoneInfo) -> datetime:
    """What the wall clock shows."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)).astimezone(zone)


def within(span: tuple[int, int] | None, days: Sequence[int], at: datetime) -> bool:
    """Whether a wall clock time is in a span; one that passes midnight is of the day it begins on."""
    start, end = span or (0, 1440)
    minute = at.hour * 60 + at.minute
    if start < end:
        return start <= minute < end and (not days or at.weekday() in days)
    if minute >= start:
        return not days or at.weekday() in days
    return minute < end and (not days or (at.weekday() - 1) % 7 in days)


def open_at(policy: SendPolicy, at_ms: int, zone: ZoneInfo) -> bool:
    """Whether window, days and quiet hours allow a moment."""
    at = wall(at_ms, zone)
    if policy.quiet is not None and within(policy.quiet, (), at):
        return False
    return within(policy.window, policy.days, at)


def counts(cap: CapSpec, channel: str) -> bool:
    """Whether a channel is one of a cap's."""
    return cap.channel == channel if cap.channel else channel in ("email", "webhook")


def over(cap: CapSpec, times: Sequence[int], zone: ZoneInfo) -> bool:
    """Whether messages at these moments break a cap, whatever the window is laid."""
    marks = sorted(_day(each, zone) for each in times) if cap.calendar else sorted(times)
    width = max(1, cap.per_s // 86_400) if cap.calendar else cap.per_s * 1000
    return any(sum(low <= each < low + width for each in marks) > cap.count for low in marks)


def _day(at_ms: int, zone: ZoneInfo) -> int:
    return wall(at_ms, zone).date().toordinal()


def capped(policy: SendPolicy, ask: Ask, at_ms: int, zone: ZoneInfo) -> bool:
    """Whether one more at a moment would break a cap, as far as the others count for this one."""
    held = [
        each
        for each in ask.sends
        if each.key != ask.key
        and each.priority != "transactional"
        and not (each.waiting and RANK[each.priority] > RANK[policy.priority])
    ]
    for cap in policy.caps:
        if not counts(cap, policy.channel):
            continue
        before = [each.at_ms for each in held if counts(cap, each.channel)]
        # those far away may break it among themselves; what matters is what this one adds
        if _adds(cap, before, at_ms, zone):
            return True
    return False


def _adds(cap: CapSpec, before: Sequence[int], at_ms: int, zone: ZoneInfo) -> bool:
    marks = [_day(each, zone) for each in before] if cap.calendar else list(before)
    mine = _day(at_ms, zone) if cap.calendar else at_ms
    width = max(1, cap.per_s // 86_400) if cap.calendar else cap.per_s * 1000
    lows = [mine, *(each for each in marks if mine - width < each <= mine)]
    return any(sum(low <= each < low + width for each in marks) + 1 > cap.count for low in lows)


def a_week(draw: random.Random) -> tuple[float, ...]:
    """Some week."""
    raw = [draw.random() ** 3 for _ in range(168)]
    total = sum(raw)
    return tuple(each / total for each in raw)


def a_span(draw: random.Random, least: int) -> tuple[int, int]:
    """Some span of the day, of at least so many minutes."""
    start = draw.randrange(0, 1440, 15)
    length = draw.randrange(least, 1440, 15)
    end = (start + length) % 1440
    return (start, end or 1440)


def a_cap(draw: random.Random) -> CapSpec:
    """Some cap."""
    calendar = draw.random() < 0.4
    per = (
        draw.choice((1, 2, 7)) * 86_400
        if calendar
        else draw.choice((3600, 43_200, 86_400, 604_800))
    )
    return CapSpec(draw.randrange(1, 4), per, draw.choice(("", "email")), calendar)


def a_policy(draw: random.Random, week: bool = True) -> SendPolicy:
    """Some rules."""
    return SendPolicy(
        draw.choice(("email", "email", "webhook")),
        draw.choice(("high", "normal", "low")),
        a_span(draw, 60) if draw.random() < 0.7 else None,
        tuple(sorted(draw.sample(range(7), 5))) if draw.random() < 0.3 else (),
        a_span(draw, 60) if draw.random() < 0.5 else None,
        tuple(a_cap(draw) for _ in range(draw.randrange(3))),
        best_hour=week and draw.random() < 0.5,
        exploration_share=draw.choice((0.0, 0.1)),
        deadline_s=draw.choice((3600, 86_400, 172_800, 432_000)),
        spread_s=draw.choice((0, 900)),
        shared_start=draw.random() < 0.5,
    )


def some_sends(draw: random.Random, now_ms: int, most: int = 5) -> tuple[Sent, ...]:
    """What was sent, and what waits, around a moment."""
    out = []
    for number in range(draw.randrange(most + 1)):
        at_ms = now_ms + draw.randrange(-5 * DAY_MS, 3 * DAY_MS)
        priority: Priority = draw.choice(("transactional", "high", "normal", "low"))
        waiting = at_ms > now_ms or draw.random() < 0.1
        out.append(
            Sent(f"k{number}", draw.choice(("email", "webhook", "inapp")), priority, at_ms, waiting)
        )
    return tuple(out)


def a_moment(draw: random.Random) -> tuple[str, int]:
    """A zone, and a moment near a change of its clocks."""
    name, (year, month, day) = draw.choice(ZONES)
    base = int(datetime(year, month, day, tzinfo=UTC).timestamp() * 1000)
    return name, base + draw.randrange(-DAY_MS, 3 * DAY_MS)
