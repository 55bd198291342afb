"""How time and memory grow with the data: items from 10,000 to 1 M, people from 10,000 to 1 M (5 M if asked).

Each size has its own folder and a fresh server, held to one core. Decisions for people in random order come at
50 a second, slow enough that none waits for another, so what is measured is a decision, and reading a person
who was not in memory. GERMANE_SCALE names sizes as ITEMSxPEOPLE, with commas.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec
from rich.progress import track

from benchmarks.figures import write_result
from benchmarks.speed.load import paced, quantiles
from benchmarks.speed.servers import Measured, resident_mb
from benchmarks.speed.start import profile_bytes
from benchmarks.speed.world import World, user

SIZES = os.environ.get(
    "GERMANE_SCALE", "10000x10000,100000x10000,1000000x10000,10000x1000000,100000x1000000"
)
EVENTS_EACH, MOST_EVENTS = 10, 100_000
RATE, SECONDS = 50.0, 20.0


def main() -> None:
    """One row a size."""
    rows = [_row(*map(int, each.split("x"))) for each in track(SIZES.split(","), "scale")]
    write_result("speed_scale", {"protocol": __doc__, "rate_per_s": RATE, "rows": rows})
    for row in rows:
        print(row)


def _row(items: int, people: int) -> dict[str, Any]:
    world = World(items, people, MOST_EVENTS)
    with tempfile.TemporaryDirectory() as folder:
        shop = world.copied(Path(folder) / "shop")
        server = Measured(shop, cores=(0,))
        started = time.perf_counter()
        server.start()
        try:
            ready_s = time.perf_counter() - started
            begun_mb = resident_mb(server.pid)
            times = paced(
                server.port,
                "/v1/decide",
                server.server_key,
                lambda _, chance: _question(
                    user(chance.randrange(people), MOST_EVENTS // EVENTS_EACH)
                ),
                rate=RATE,
                seconds=SECONDS,
            )
            resident = resident_mb(server.pid)
        finally:
            server.close()
        size = profile_bytes(shop / "germane-data" / "germane.db")
    return {
        "items": items,
        "people": people,
        "decide": {"n": len(times), **quantiles(times)},
        "ready_s": round(ready_s, 2),
        "resident_mb_at_start": round(begun_mb, 1),
        "resident_mb": round(resident, 1),
        "profile_bytes_on_disk": round(size, 1),
    }


def _question(person: str) -> bytes:
    return msgspec.json.encode({"person": {"userId": person}, "surfaces": [{"surface": "home"}]})


if __name__ == "__main__":
    main()
