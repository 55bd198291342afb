"""Values of cells: numbers, flags and times; an empty cell is none, as a missing column is."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

from germane.ingest.bulk.unusable import Unusable

_TRUE, _FALSE = (
    {"true", "1", "yes", "y", "in stock", "in_stock"},
    {"false", "0", "no", "n", "out of stock", "out_of_stock"},
)
_YES, _NO = (
    {
        "true",
        "yes",
        "y",
        "granted",
        "given",
        "agreed",
        "accepted",
        "opted_in",
        "opt_in",
        "subscribed",
    },
    {
        "false",
        "no",
        "n",
        "withdrawn",
        "revoked",
        "denied",
        "refused",
        "declined",
        "opted_out",
        "opt_out",
        "unsubscribed",
    },
)
_TIME = "use ISO 8601, like 2026-11-12T10:15:00Z, or seconds since 1970"
_BELOW = {"quantity": "what comes back is an event of its own, with a quantity above 0"}
_DIGITS = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?(?:\.0+)?")
"""A date, or a date and a time, in digits alone."""
_SHEET_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet knows no zone
_SHEET_DAYS = (10_000, 100_000)
"""Days since then, as spreadsheets count, from 1927 to 2173; as seconds they would be in January 1970."""


def blank(value: Any) -> bool:
    """Whether a cell holds nothing: no value, no text but spaces, not a number (Parquet)."""
    if value is None:
        return True
    if isinstance(value, str):
        return not value or value.isspace()
    return isinstance(value, float) and math.isnan(value)


def number(
    field: str, value: Any, low: float | None = None, high: float | None = None
) -> float | None:
    """A number, ``None`` for an empty cell.

    Raises:
        Unusable: it is no number, infinite, below ``low``, or above ``high``.
    """
    if blank(value):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError):
        remedy = "write decimals with a point" if "," in str(value) else "write digits alone"
        raise Unusable(f"{field} is no number", repr(value), remedy=remedy) from None
    if math.isnan(found):
        return None
    if math.isinf(found):
        raise Unusable(f"{field} is out of range", repr(value))
    if low is not None and found < low:
        raise Unusable(f"{field} is below {low:g}", repr(value), remedy=_BELOW.get(field, ""))
    if high is not None and found > high:
        raise Unusable(f"{field} is above {high:g}", repr(value))
    return found


def flag(field: str, value: Any) -> bool:
    """A flag; true for an empty cell.

    Raises:
        Unusable: it is neither.
    """
    if blank(value):
        return True
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    try:
        return float(text) > 0
    except ValueError:
        raise Unusable(
            f"{field} is neither true nor false", repr(value), remedy="write true or false"
        ) from None


def whether(field: str, value: Any) -> bool:
    """A flag that is written as one; other numbers than 1 and 0 are none.

    Raises:
        Unusable: it is neither.
    """
    text = str(value).strip().lower().removesuffix(".0")
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise Unusable(f"{field} is neither true nor false", repr(value), remedy="write true or false")


def answer(field: str, value: Any) -> bool:
    """What somebody said, yes or no. Nothing is taken for an answer: an empty cell is none.

    Raises:
        Unusable: it is neither.
    """
    if blank(value):
        raise Unusable(f"{field} is empty", remedy="write yes or no")
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower().replace(" ", "_").replace("-", "_")
    if text in _YES or text in _NO:
        return text in _YES
    if text in ("1", "1.0", "0", "0.0"):
        return text.startswith("1")
    raise Unusable(f"{field} is neither yes nor no", repr(value), remedy="write yes or no")


def time(field: str, value: Any) -> int | None:
    """Milliseconds since 1970 UTC, ``None`` for an empty cell.

    Raises:
        Unusable: it is no time, before 1970, or digits that may as well be a date as a count of seconds.
    """
    if blank(value):
        return None
    meant = _date_of(value)
    if meant:
        raise Unusable(
            f"{field} is a date in digits alone", f"{value!r}, write {meant}", remedy=_TIME
        )
    meant = _sheet_date_of(value)
    if meant:
        raise Unusable(
            f"{field} is a spreadsheet's count of days", f"{value!r}, write {meant}", remedy=_TIME
        )
    found = instant(value)
    if found is None:
        raise Unusable(f"{field} is no time", repr(value), remedy=_TIME)
    if found < 0:
        raise Unusable(
            f"{field} is before 1970", str(value), remedy="where no time is meant, leave it empty"
        )
    return found


def since(field: str, value: Any) -> int | None:
    """As ``time``; before 1970 is 0, for what begins then has begun long ago. Raises Unusable."""
    found = None if blank(value) else instant(value)
    return 0 if found is not None and found < 0 else time(field, value)


def _date_of(value: Any) -> str:
    """``2026-11-12`` for ``20261112``, which would be seconds in August 1970; empty for all else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    found = _DIGITS.fullmatch(str(value).strip())
    if found is None:
        return ""
    year, month, day, hour, minute, second = (int(each or 0) for each in found.groups())
    try:
        at = datetime(year, month, day, hour, minute, second, tzinfo=UTC).replace(tzinfo=None)
    except ValueError:
        return ""
    return at.isoformat() if found[4] else at.date().isoformat()


def _sheet_date_of(value: Any) -> str:
    """``2025-11-20T12:00:00`` for ``45981.5``, days as a spreadsheet counts them; empty for all else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    try:
        days = float(value)
    except ValueError:
        return ""
    if not _SHEET_DAYS[0] <= days < _SHEET_DAYS[1]:
        return ""
    return (_SHEET_ZERO + timedelta(days=days)).isoformat(timespec="seconds")


def instant(value: Any) -> int | None:
    """ISO 8601 (without a zone: UTC), or seconds or milliseconds since 1970, as milliseconds; what was before
    is below 0. ``None``: it is no time."""
    if isinstance(value, datetime):
        at = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        return int(at.timestamp() * 1000)
    if isinstance(value, date):
        return int(datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp() * 1000)
    if isinstance(value, str):
        text = value.strip()
        try:
            value = float(text)
        except ValueError:
            try:
                return instant(datetime.fromisoformat(text))
            except ValueError:
                return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not 0 <= value < 1e14:
        return None
    return int(value if value >= 1e11 else value * 1000)


def plain(value: Any) -> Any:
    """A value as the log keeps it: times as text."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
