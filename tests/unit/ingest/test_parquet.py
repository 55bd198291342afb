"""Rows of Parquet files, as others write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from germane.ingest.bulk.rows import rows_of


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
