"""Occasions on a person's own clock: cron, the next time of day, one date, and the cycle a moment is in.

Cron is read by ``cronsim``, which does what Debian's cron does when clocks change: what falls into the hour
that is skipped happens right after it, and what falls into the hour that is lived twice happens once.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from germane.domain.months import month_start_ms
from germane.domain.walltime import (
    DAY_MS,
    MINUTE_MS,
    local_ms,
    moment_of,
)

_EPOCH = datetime.fromtimestamp(0, UTC)


def check_cron(text: str) -> str | None:
    """What is wrong with a cron expression of five fields; ``None``: nothing."""
    from cronsim import CronSim, CronSimError

    if len(text.split()) != 5:
        return "It has not five fields: minute, hour, day of the month, month, day of the week."
    try:
        next(CronSim(text, _EPOCH))
    except CronSimError as error:
        return f"{error}."
    except StopIteration:
        return "It never happens."
    return None


def next_occasion(cron: str, after_ms: int, zone: ZoneInfo) -> int:
    """The first moment after another at which a cron expression is due on a zone's clock.

    Args:
        cron: Five fields, checked (``check_cron``).
        after_ms: Milliseconds since 1970; not included.
        zone: Whose clock.
    """
    from cronsim import CronSim

    start = (_EPOCH + timedelta(milliseconds=after_ms)).astimezone(zone)
    for found in CronSim(cron, start):
        at = _ms(found)
        if at > after_ms:
            return at
    raise AssertionError("a checked expression has a next time")


def next_clock(minutes: int, from_ms: int, zone: ZoneInfo) -> int:
    """The first moment from another on (included) at which a zone's clock shows a time of day. Where clocks
    skip that time, the first moment after the gap.

    Args:
        minutes: Since midnight.
        from_ms: Milliseconds since 1970.
        zone: Whose clock.
    """
    day = local_ms(from_ms, zone) // DAY_MS
    for ahead in range(-1, 4):
        at = moment_of((day + ahead) * DAY_MS + minutes * MINUTE_MS, zone)
        if at >= from_ms:
            return at
    raise AssertionError("every clock shows every time of day within three days")


@lru_cache(maxsize=1024)
def at_of(text: str, zone: ZoneInfo) -> int:
    """The moment that ``2026-12-01T09:00`` is on a zone's clock; with an offset it is one moment for all,
    a date alone is its midnight.

    Raises:
        ValueError: it is no such text, or not of this century or the next.
    """
    said = datetime.fromisoformat(text)
    if not 2000 <= said.year < 2200:
        raise ValueError("It is too far away.")
    if said.tzinfo is not None:
        return _ms(said)
    return moment_of(_ms(said.replace(tzinfo=UTC)), zone)


def cycle_start(rule: str, began: Any, at_ms: int, zone: ZoneInfo) -> int | None:
    """When the cycle that a moment is in began.

    Args:
        rule: ``month``: with the month on the zone's clock; else each month on the day of ``began``.
        began: For the latter, the date a cycle began (RFC 3339), or a day of the month (1 to 31); in shorter
            months the last day stands for it.
        at_ms: The moment.
        zone: Whose clock.

    Returns:
        Milliseconds since 1970; ``None``: ``began`` is neither.
    """
    day = 1 if rule == "month" else _day_of(began, zone)
    if day is None:
        return None
    wall = _EPOCH + timedelta(milliseconds=local_ms(at_ms, zone))
    month = (wall.year - 1970) * 12 + wall.month - 1
    for each in (month, month - 1):
        start = moment_of(_day_in(each, day), zone)
        if start <= at_ms:
            return start
    return None


def _day_in(month: int, day: int) -> int:
    """Wall clock time at which a day of a month begins."""
    first, after = month_start_ms(month), month_start_ms(month + 1)
    return min(first + (day - 1) * DAY_MS, after - DAY_MS)


def _day_of(began: Any, zone: ZoneInfo) -> int | None:
    if isinstance(began, bool):
        return None
    if isinstance(began, int | float):
        return int(began) if 1 <= began <= 31 else None
    try:
        said = datetime.fromisoformat(str(began))
    except ValueError:
        return None
    return (said.astimezone(zone) if said.tzinfo is not None else said).day


def _ms(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)
