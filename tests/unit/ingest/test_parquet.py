"""Rows of Parquet files, as others write them."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from germane.ingest.bulk import Unusable, columns_of
from germane.ingest.bulk.rows import rows_of
from germane.ingest.bulk.values import time


def test_nanoseconds_and_bytes(tmp_path: Path) -> None:
    """pandas writes times in nanoseconds, and older writers text without saying that it is."""
    path, at_ns = tmp_path / "x.parquet", 1_762_000_000_123_456_789
    table = pa.table(
        {
            "at": pa.array([at_ns], pa.timestamp("ns")),
            "zoned": pa.array([at_ns], pa.timestamp("ns", tz="UTC")),
            "took": pa.array([1_500_000_001], pa.duration("ns")),
            "clock": pa.array([3_600_000_000_001], pa.time64("ns")),
            "sku": pa.array(["Zelt-ä".encode()], pa.binary()),
            "raw": pa.array([b"\xff\xfe"], pa.binary()),
            "day": pa.array([at_ns // 1_000_000], pa.timestamp("ms")),
        }
    )
    pq.write_table(table, path)
    (row,) = rows_of(path)
    when = datetime(2025, 11, 1, 12, 26, 40, 123_456, UTC).replace(tzinfo=None)
    assert row.values["at"] == when
    assert row.values["zoned"] == when.replace(tzinfo=UTC)
    assert row.values["took"] == timedelta(seconds=1.5)
    assert row.values["clock"].isoformat() == "01:00:00"
    assert (row.values["sku"], row.values["raw"]) == ("Zelt-ä", b"\xff\xfe")
    assert row.values["day"] == when.replace(microsecond=123_000)


def test_times_that_no_calendar_has(tmp_path: Path) -> None:
    """What some databases write for "for ever" costs neither the file nor other rows."""
    path = tmp_path / "x.parquet"
    far = pa.array([1_762_000_000_000_000, 2**62, None], pa.timestamp("us"))
    zoned = pa.array([0, 1, 2], pa.timestamp("us", tz="Mars/Olympus"))
    pq.write_table(pa.table({"at": far, "mars": zoned, "n": [1, 2, 3]}), path)
    rows = [each.values for each in rows_of(path)]
    assert [each["n"] for each in rows] == [1, 2, 3]
    assert rows[0]["at"] == datetime(2025, 11, 1, 12, 26, 40)  # noqa: DTZ001 - the file has no zone
    assert [each["at"] for each in rows[1:]] == [str(2**62), None]
    assert [each["mars"] for each in rows] == ["0", "1", "2"]
    with pytest.raises(Unusable, match="at is no time"):
        time("at", rows[1]["at"])


def test_packed_whatever_the_case(tmp_path: Path) -> None:
    """As systems with names in capitals write it."""
    path = tmp_path / "X.CSV.GZ"
    path.write_bytes(gzip.compress(b"a,b\n1,2\n"))
    assert columns_of(path).names == ("a", "b")
    assert [each.values for each in rows_of(path)] == [{"a": "1", "b": "2"}]
