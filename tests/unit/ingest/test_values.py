"""What cells of an import mean."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from germane.cli.summary import Summary
from germane.ingest.bulk import Unusable
from germane.ingest.bulk.values import number, since, time


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("0001-01-01", "is before 1970: 0001-01-01 (where no time is meant, leave it empty)"),
        ("0001-01-01T00:00:00+02:00", "is before 1970"),
        ("1066-11-01", "is before 1970"),
        (date(1, 1, 1), "is before 1970"),
        (datetime(1969, 12, 31, 23, 59, tzinfo=UTC), "is before 1970"),
        (45981.5, "is a spreadsheet's count of days: 45981.5, write 2025-11-20T12:00:00"),
        ("45981", "is a spreadsheet's count of days: '45981', write 2025-11-20T00:00:00"),
    ],
)
def test_a_time_that_is_none_is_refused(said: Any, reason: str) -> None:
    """It is never taken for 1970."""
    with pytest.raises(Unusable) as refused:
        time("timestamp", said)
    assert reason in str(refused.value)


@pytest.mark.parametrize(
    ("field", "said", "reason"),
    [
        ("price", "1,50", "price is no number (write decimals with a point)"),
        ("price", "€ 5", "price is no number (write digits alone)"),
        (
            "quantity",
            "-1",
            "quantity is below 0 (what comes back is an event of its own, with a quantity above 0)",
        ),
        ("price", -1, "price is below 0"),
    ],
)
def test_a_number_that_is_none_says_what_to_write(field: str, said: Any, reason: str) -> None:
    """The text without the value has it: by that, rows are counted and told."""
    with pytest.raises(Unusable) as refused:
        number(field, said, low=0.0)
    assert refused.value.kind == reason


@pytest.mark.parametrize(
    ("said", "meant"),
    [("1970-01-01", 0), (90_000_000, 90_000_000_000), ("100000", 100_000_000), ("", None)],
)
def test_what_is_a_time_stays_one(said: Any, meant: int | None) -> None:
    """Seconds are seconds, from where they cannot be days."""
    assert time("timestamp", said) == meant


def test_the_first_moment_of_all_is_the_first() -> None:
    """It was taken for none."""
    found = Summary()
    for at_ms in (0, 5_000, 3_000):
        found.met("u1", at_ms)
    assert (found.first_ms, found.last_ms) == (0, 5_000)


@pytest.mark.parametrize("said", ["0001-01-01T00:00:00", "1900-01-01", "1970-01-01"])
def test_what_is_available_since_long_ago_is_available(said: str) -> None:
    """Many write so that something always was."""
    assert since("available_from", said) == 0
    assert since("available_from", "") is None
    assert since("available_from", "1970-01-02") == 86_400_000
    with pytest.raises(Unusable):
        since("available_from", "soon")
