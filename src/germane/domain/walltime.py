"""Somebody's wall clock: minutes of their day, days of their week, and which moments those are.

A moment is *inside* a span of the day if the wall clock shows a time in that span at that moment. So an
hour that a change of clocks skips is never inside anything, and one that is lived twice is inside twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
DAY_MIN = 1_440
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Piece = tuple[int, int]
"""From (inside) until (outside), in milliseconds since 1970."""
Pieces = tuple[Piece, ...]
"""In order, none empty, no two that touch."""

_THURSDAY = 3  # 1970 began with one
_SPAN = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)\s*-\s*([01]?\d|2[0-4]):([0-5]\d)", re.ASCII)
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)
_FIRST_MS, _LAST_MS = -2_208_988_800_000, 7_258_118_400_000
"""1900 and 2200: beyond them clocks are taken to stand as they do there."""
_BLOCK_MS = 32 * DAY_MS
_PROBE_MS = 3 * HOUR_MS
"""No zone ever changed its clocks twice within so short a time."""


def clock_of(text: str) -> int | None:
    """Minutes since midnight of ``"07:30"``; ``None`` if it is no time of day."""
    found = _CLOCK.fullmatch(text)
    return None if found is None else int(found[1]) * 60 + int(found[2])


def span_of(text: str) -> tuple[int, int] | None:
    """Minutes of ``"22:00-07:00"``, from and until; from is greater where it passes midnight.

    ``None`` if it is no span, or an empty one. ``"00:00-24:00"`` is the whole day.
    """
    found = _SPAN.fullmatch(text.strip())
    if found is None:
        return None
    start, end = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
    return None if start == end or start >= DAY_MIN or end > DAY_MIN else (start, end)


def written_span(span: tuple[int, int]) -> str:
    """``08:00-20:00``."""
    return f"{written_clock(span[0])}-{written_clock(span[1])}"


def written_clock(minutes: int) -> str:
    """``07:30``."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


@lru_cache(maxsize=4096)
def _ahead_ms(at_ms: int, zone: ZoneInfo) -> int:
    near = max(_FIRST_MS, min(at_ms, _LAST_MS))
    moment = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=near)
    ahead = moment.astimezone(zone).utcoffset() or timedelta()
    return int(ahead.total_seconds() * 1000)


@lru_cache(maxsize=4096)
def _block(number: int, zone: ZoneInfo) -> tuple[tuple[int, int, int], ...]:
    """(from, until, how far ahead of UTC) for each stretch without a change, in one block of days."""
    start, end = number * _BLOCK_MS, (number + 1) * _BLOCK_MS
    found = [(start, _ahead_ms(start, zone))]
    for probe in range(start + _PROBE_MS, end + 1, _PROBE_MS):
        now = _ahead_ms(min(probe, end - 1), zone)
        if now != found[-1][1]:
            found.append((_change(probe - _PROBE_MS, min(probe, end - 1), zone), now))
    ends = [at for at, _ in found[1:]] + [end]
    return tuple((at, until, ahead) for (at, ahead), until in zip(found, ends, strict=True))


def _change(before: int, after: int, zone: ZoneInfo) -> int:
    """The first millisecond at which the clocks stand as they do at ``after``."""
    wanted = _ahead_ms(after, zone)
    while after - before > 1:
        middle = (before + after) // 2
        if _ahead_ms(middle, zone) == wanted:
            after = middle
        else:
            before = middle
    return after


def stretches(from_ms: int, until_ms: int, zone: ZoneInfo) -> Iterator[tuple[int, int, int]]:
    """(from, until, ahead of UTC in ms) that cover a time without a gap, each without a clock change."""
    for number in range(from_ms // _BLOCK_MS, (until_ms - 1) // _BLOCK_MS + 1):
        for start, end, ahead in _block(number, zone):
            if start < until_ms and end > from_ms:
                yield max(start, from_ms), min(end, until_ms), ahead


def ahead_ms(at_ms: int, zone: ZoneInfo) -> int:
    """How far a zone's wall clock is ahead of UTC at a moment, in milliseconds."""
    for start, end, ahead in _block(at_ms // _BLOCK_MS, zone):
        if start <= at_ms < end:
            return ahead
    raise AssertionError("a moment is in a stretch")


def local_ms(at_ms: int, zone: ZoneInfo) -> int:
    """What the wall clock shows, as milliseconds since its own 1970-01-01 00:00."""
    return at_ms + ahead_ms(at_ms, zone)


def local_day(at_ms: int, zone: ZoneInfo) -> int:
    """The date on the wall clock, in days since 1970-01-01."""
    return local_ms(at_ms, zone) // DAY_MS


def weekday(day: int) -> int:
    """0 (Monday) to 6 of a date in days since 1970-01-01."""
    return (day + _THURSDAY) % 7


def moment_of(wall_ms: int, zone: ZoneInfo) -> int:
    """The moment at which the wall clock first shows a time. One that is skipped when clocks go forward is
    taken for the first moment after the gap; of one that is shown twice, the first is meant.

    Args:
        wall_ms: Milliseconds since the wall clock's own 1970-01-01 00:00.
        zone: Whose wall clock.
    """
    near = wall_ms - ahead_ms(wall_ms, zone)
    for low, high, ahead in stretches(near - 2 * DAY_MS, near + 2 * DAY_MS, zone):
        if wall_ms - ahead < high:
            return max(low, wall_ms - ahead)
    raise AssertionError("clocks are never more than a day from one another")


def inside(
    from_ms: int,
    until_ms: int,
    zone: ZoneInfo,
    span: tuple[int, int] | None,
    days: Sequence[int] = (),
) -> Pieces:
    """When, between two moments, the wall clock is inside a span of the day.

    Args:
        from_ms: Where to begin.
        until_ms: Where to end (outside).
        zone: Whose wall clock.
        span: Minutes of the day; ``None``: all of it. One that passes midnight belongs to the day on
            which it begins.
        days: Weekdays, 0 is Monday; none: every day.
    """
    if from_ms >= until_ms:
        return ()
    if span is None and not days:
        return ((from_ms, until_ms),)
    start, end = span if span is not None else (0, DAY_MIN)
    length = (end - start if end > start else end - start + DAY_MIN) * MINUTE_MS
    found: list[Piece] = []
    for low, high, ahead in stretches(from_ms, until_ms, zone):
        day = (low + ahead) // DAY_MS - 1  # the span of the day before may reach into this one
        while (opened := day * DAY_MS + start * MINUTE_MS - ahead) < high:
            if not days or weekday(day) in days:
                piece = max(opened, low), min(opened + length, high)
                if piece[0] < piece[1]:
                    found.append(piece)
            day += 1
    return joined(found)


def joined(pieces: Sequence[Piece]) -> Pieces:
    """In order, with what overlaps or touches made one."""
    out: list[Piece] = []
    for low, high in sorted(pieces):
        if out and low <= out[-1][1]:
            out[-1] = out[-1][0], max(high, out[-1][1])
        elif low < high:
            out.append((low, high))
    return tuple(out)


def both(one: Pieces, two: Pieces) -> Pieces:
    """What is in both."""
    out: list[Piece] = []
    first = second = 0
    while first < len(one) and second < len(two):
        low, high = max(one[first][0], two[second][0]), min(one[first][1], two[second][1])
        if low < high:
            out.append((low, high))
        if one[first][1] < two[second][1]:
            first += 1
        else:
            second += 1
    return tuple(out)


def without(pieces: Pieces, taken: Pieces) -> Pieces:
    """What is in the first and not in the second."""
    out: list[Piece] = []
    for low, high in pieces:
        left = low
        for start, end in taken:
            if end <= left or start >= high:
                continue
            if start > left:
                out.append((left, start))
            left = end
        if left < high:
            out.append((left, high))
    return tuple(out)
