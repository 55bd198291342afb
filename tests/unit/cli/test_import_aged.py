"""What is imported and older than what is kept: it is of no effect, and that is told."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.test_rights import place, typed

__all__ = ["place"]
DAY_S = 86_400


def ago(days: int) -> str:
    """ISO 8601."""
    return datetime.fromtimestamp(time.time() - days * DAY_S, tz=UTC).isoformat()


@pytest.mark.parametrize("more", [(), ("--dry-run",)], ids=["in earnest", "dry"])
def test_events_and_people(place: Path, more: tuple[str, ...]) -> None:
    """How many rows, in words and in JSON; what has no time of its own is of now."""
    (place / "e.csv").write_text(
        "user_id,timestamp,item_id\n"
        + "".join(f"c1,{ago(days)},toy-{n}\n" for n, days in enumerate((5, 760, 800, 9000)))
    )
    (place / "p.csv").write_text(
        f"user_id,Created At,interest,when\nc1,{ago(9000)},Outdoor,{ago(900)}\nc2,,Outdoor,{ago(9)}\n"
    )

    def told(kind: str, name: str, *words: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(
            typed(place, "import", kind, str(place / name), *words, *more, "--json")
        )
        return found

    assert told("events", "e.csv", "--event", "view")["olderThanKept"] == 3
    assert told("people", "p.csv")["olderThanKept"] == 0
    assert told("people", "p.csv", "--map", "timestamp=when")["olderThanKept"] == 1
    text = typed(place, "import", "events", str(place / "e.csv"), "--event", "view", *more)
    assert "3 rows are older than what is kept" in " ".join(text.split())
