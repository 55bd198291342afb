"""Calendar months in UTC, as integers, and how old a month is."""

from __future__ import annotations

from datetime import UTC, datetime

MS_PER_DAY = 86_400_000
REDUCED_AFTER_MONTHS = 12
DROPPED_AFTER_MONTHS = 24

_EPOCH_YEAR = 1970


def month_of(at_ms: int) -> int:
    """Months since January 1970 of a time in milliseconds (UTC)."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return (at.year - _EPOCH_YEAR) * 12 + at.month - 1


def month_start_ms(month: int) -> int:
    """First millisecond (UTC) of a month counted from January 1970."""
    year, index = divmod(month, 12)
    return int(datetime(_EPOCH_YEAR + year, index + 1, 1, tzinfo=UTC).timestamp()) * 1000


def month_label(month: int) -> str:
    """``2026-11`` for a month counted from January 1970."""
    year, index = divmod(month, 12)
    return f"{_EPOCH_YEAR + year:04d}-{index + 1:02d}"
