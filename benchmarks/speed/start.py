"""From `germane serve` to ready, with 1 M people and 10 M events in the data folder.

The start is that after a clean stop: the shared model is read from its snapshot. Each is timed as a user sees
it, from starting the process to the first answer of `/readyz`, each time with none of the folder's files in the
kernel's memory.
"""

from __future__ import annotations

import os
import time
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any

from rich.progress import track

from benchmarks.figures import record, write_result
from benchmarks.speed.servers import Measured, cpu_s, resident_mb
from benchmarks.speed.world import World
from germane.storage.sqlite.checksums import connected

COMMAND = "just bench speed start"
ROUNDS = int(os.environ.get("GERMANE_ROUNDS", "3"))
PEOPLE = int(os.environ.get("GERMANE_PEOPLE", "1000000"))
EVENTS = int(os.environ.get("GERMANE_EVENTS", "10000000"))
WORLD = World(100_000, PEOPLE, EVENTS)


def main() -> None:
    """Starts, one after the other."""
    shop = WORLD.made()
    starts = [_start(shop) for _ in track(range(ROUNDS), "start")]
    seconds = median(each["seconds"] for each in starts)
    record("speed.start_1m_s", round(seconds, 2), n=ROUNDS, command=COMMAND)
    size = profile_bytes(shop / "germane-data" / "germane.db")
    record("speed.profile_bytes_on_disk", round(size, 1), n=PEOPLE, command=COMMAND)
    write_result(
        "speed_start",
        {
            "protocol": __doc__,
            "world": vars(WORLD),
            "starts": starts,
            "profile_bytes_on_disk": size,
        },
    )


def _start(shop: Path) -> dict[str, Any]:
    forget(shop)
    server = Measured(shop)
    started = time.perf_counter()
    server.start()
    try:
        seconds = time.perf_counter() - started
        taken = {"cpu_s": cpu_s(server.pid), "resident_mb": resident_mb(server.pid)}
        return {"seconds": round(seconds, 2), **taken}
    finally:
        server.close()


def forget(folder: Path) -> None:
    """Have the kernel drop what it keeps of the files in memory."""
    for path in folder.rglob("*"):
        if path.is_file():
            file = os.open(path, os.O_RDONLY)
            os.fdatasync(file)
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(file)


def profile_bytes(path: Path) -> float:
    """Space that the table of people and its index take, by person."""
    with closing(connected(path)) as database:
        taken = database.execute(
            "SELECT sum(pgsize) FROM dbstat WHERE name IN ('profile', 'sqlite_autoindex_profile_1')"
        ).get
        count = database.execute("SELECT count(*) FROM profile").get
    return float(taken / count)


if __name__ == "__main__":
    main()
