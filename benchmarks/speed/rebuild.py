"""Folding the log anew: `germane rebuild` of 50,000 events and 10,000 items.

The rate is that of the command as a whole, its start and the hashing of both states included. All events are
young here, so that up to 2,000 of them and a fifth of the rest are lessons: the dearest case.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from rich.progress import track

from benchmarks.figures import record, write_result
from benchmarks.speed.world import World
from tests.acceptance.conftest import germane

COMMAND = "just bench speed rebuild"
ROUNDS = int(os.environ.get("GERMANE_ROUNDS", "3"))
WORLD = World(10_000, 5_000, 50_000)


def main() -> None:
    """Each time a copy as it was made."""
    WORLD.made()
    rounds = []
    for _ in track(range(ROUNDS), "rebuild"):
        with tempfile.TemporaryDirectory() as folder:
            rounds.append(_rebuild(WORLD.copied(Path(folder) / "shop")))
    per_s = median(each["records_per_s"] for each in rounds)
    n = sum(each["records"] for each in rounds)
    record("speed.rebuild_events_per_s", per_s, n=n, command=COMMAND)
    write_result("speed_rebuild", {"protocol": __doc__, "world": vars(WORLD), "rounds": rounds})


def _rebuild(shop: Path) -> dict[str, Any]:
    before = os.times()
    started = time.perf_counter()
    done = germane("rebuild", "--json", cwd=shop)
    seconds, after = time.perf_counter() - started, os.times()
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["equal"], told
    records: int = told["records"]
    cpu = (
        after.children_user + after.children_system - before.children_user - before.children_system
    )
    return {
        "records": records,
        "seconds": round(seconds, 2),
        "cpu_s": round(cpu, 2),
        "records_per_s": round(records / seconds, 1),
    }


if __name__ == "__main__":
    main()
