"""Hours on somebody's own clock: local hours since 1970, and the 168 slots of the week."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

HOUR_MS = 3_600_000
HOURS = 24
"""Hours of a day."""
SLOTS = 7 * HOURS
"""Hours of a week: slot 0 is Monday 00:00 to 01:00, slot 167 Sunday 23:00 to 24:00."""
FARTHEST_EAST_H = 14
"""No wall clock is further ahead of UTC."""

_THURSDAY = 3 * HOURS  # 1970 began with one
_ZONE_CHARS = 64
_UTC = ZoneInfo("UTC")


@lru_cache(maxsize=1024)
def local_hour(at_ms: int, zone: ZoneInfo) -> int:
    """Whole hours between 1970-01-01 00:00 and a moment, both read off that zone's wall clock.

    The hour that is lived twice when summer time ends is one hour here.
    """
    ahead = datetime.fromtimestamp(at_ms / 1000, zone).utcoffset() or timedelta()
    return int(at_ms + ahead.total_seconds() * 1000) // HOUR_MS


def slot_of_week(hour: int) -> int:
    """The slot of the week of a local hour, 0 to 167."""
    return (hour + _THURSDAY) % SLOTS


def zone_of(*names: Any) -> ZoneInfo:
    """The first of the names that is a known time zone, else UTC."""
    for name in names:
        if isinstance(name, str) and name:
            zone = known_zone(name)
            if zone is not None:
                return zone
    return _UTC


@lru_cache(maxsize=1024)
def known_zone(name: str) -> ZoneInfo | None:
    """A time zone by its IANA name; ``None`` if there is no such zone."""
    if len(name) > _ZONE_CHARS:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def upcoming(now_ms: int, zone: ZoneInfo, count: int) -> list[int]:
    """When the next ``count`` whole hours of that zone's wall clock begin, in ms, none before now."""
    ahead = datetime.fromtimestamp(now_ms / 1000, zone).utcoffset() or timedelta()
    into = int(now_ms + ahead.total_seconds() * 1000) % HOUR_MS
    first = now_ms if into == 0 else now_ms - into + HOUR_MS
    return [first + number * HOUR_MS for number in range(count)]
