"""The whole loop under load: event sent, acknowledged, decision that has seen it.

1,000 events and 500 decisions a second together, by the clients of `just bench loop`: sixteen connections, each
of which asks for a decision after every other event. An acknowledged event was synced, so the loop
cannot be faster than the disk: its own fdatasync is measured before each round, and stands beside it.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from rich.progress import track

from benchmarks.figures import record, write_result
from benchmarks.loop import Load, fdatasync_ms, one_round, quantile

COMMAND = "just bench speed loop"
ROUNDS = int(os.environ.get("GERMANE_ROUNDS", "3"))
LOAD = Load(int(os.environ.get("GERMANE_EVENTS", "20000")), 1_000.0, workers=16, per_decision=2)


def main() -> None:
    """Rounds, each with a fresh server; the middle one counts."""
    rounds: list[dict[str, Any]] = []
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        for number in track(range(ROUNDS), "loop"):
            disk = fdatasync_ms(Path(folder))
            found = one_round(Path(folder) / f"shop-{number}", LOAD)
            count += len(found.pairs)
            rounds.append(
                {
                    **found.figures(),
                    "disk_fdatasync_ms": {"p50": quantile(disk, 0.5), "p99": quantile(disk, 0.99)},
                }
            )
    ratio = median(x["pair_ms"]["p50"] / x["disk_fdatasync_ms"]["p50"] for x in rounds)
    slow = median(x["pair_ms"]["p99"] for x in rounds)
    write_result("speed_loop", {"protocol": __doc__, "load": LOAD._asdict(), "rounds": rounds})
    record("speed.loop_p50_over_fdatasync", round(ratio, 2), n=count, command=COMMAND)
    record("speed.loop_p99_ms", slow, n=count, command=COMMAND)


if __name__ == "__main__":
    main()
