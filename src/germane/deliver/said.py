"""Moments, spans and counts as the reasons of a plan say them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from germane.domain.settings import CapSpec
from germane.domain.walltime import MINUTE_MS

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_UNITS = ((604_800, "week"), (86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
_KINDS = {"email": "e-mail", "webhook": "webhook message", "inapp": "in-app message", "": "message"}


def moment(at_ms: int, zone: ZoneInfo) -> str:
    """``Tue 2026-12-01 08:00 (Europe/Berlin)``."""
    return _minute(at_ms // MINUTE_MS, zone)


@lru_cache(maxsize=8192)
def _minute(minute: int, zone: ZoneInfo) -> str:
    """Many people's messages are due at the same moments."""
    at = (datetime.fromtimestamp(0, UTC) + timedelta(minutes=minute)).astimezone(zone)
    return f"{_DAYS[at.weekday()]} {at:%Y-%m-%d %H:%M} ({zone.key})"


def span(seconds: int) -> str:
    """``2 days``, ``36 hours``: in the largest unit that divides it."""
    for size, name in _UNITS:
        if seconds >= size and seconds % size == 0:
            return counted(seconds // size, name)
    return counted(seconds, "second")


def counted(number: int, noun: str) -> str:
    """``1 day``, ``2 days``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def cap(spec: CapSpec) -> str:
    """``1 e-mail in a calendar day``."""
    if spec.calendar:
        days = max(1, spec.per_s // 86_400)
        length = "a calendar day" if days == 1 else f"{days} calendar days"
    else:
        length = span(spec.per_s)
    return f"{counted(spec.count, _KINDS.get(spec.channel, f'{spec.channel} message'))} in {length}"
