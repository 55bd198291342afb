"""A backup beside a server, and putting it back: `just bench backup`.

A shop with imported history, served; one client sends an event every 10 ms and waits for its acknowledgement,
first alone, then while backups are made one after the other. The last one is put back, and its state compared
with the one that the server's own log gives up to there.
"""

from __future__ import annotations

import json
import os
import random
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from rich.progress import track

from benchmarks.figures import write_result
from tests.acceptance.conftest import Server, a_project, germane
from tests.acceptance.test_backups import run as ran
from tests.acceptance.test_backups import states_at

EVENTS = int(os.environ.get("GERMANE_EVENTS", "50000"))
PEOPLE = max(EVENTS // 10, 1)
SECONDS = 30.0
EVERY_S = 0.01
ITEMS = tuple(f"{kind}-{n}" for kind in ("lamp", "bike", "toy", "pan") for n in range(1, 6))


def history(path: Path) -> None:
    """A year of views of many people."""
    chance = random.Random(5)
    with path.open("w") as file:
        for _ in range(EVENTS):
            day = f"2026-{chance.randrange(1, 12):02d}-{chance.randrange(1, 28):02d}"
            row = {
                "timestamp": f"{day}T{chance.randrange(24):02d}:00:00Z",
                "userId": f"p{chance.randrange(PEOPLE)}",
                "event": "Product Viewed",
                "product_id": chance.choice(ITEMS),
            }
            file.write(json.dumps(row) + "\n")


def acknowledged(server: Server, until: Any, seed: int) -> list[float]:
    """Milliseconds that each event took to be acknowledged, while ``until()`` is false."""
    chance, took = random.Random(seed), list[float]()
    while not until():
        body = {
            "userId": f"p{chance.randrange(PEOPLE)}",
            "event": "Product Viewed",
            "properties": {"product_id": chance.choice(ITEMS)},
        }
        started = time.perf_counter()
        assert server.api.post("/v1/track", json=body).status_code == 200
        took.append((time.perf_counter() - started) * 1000)
        time.sleep(EVERY_S)
    return took


def spread(took: list[float]) -> dict[str, float]:
    """How they are spread."""
    took = sorted(took)
    found = {"p50": took[len(took) // 2], "p99": took[int(len(took) * 0.99)], "max": took[-1]}
    return {"n": len(took)} | {name: round(each, 2) for name, each in found.items()}


def backups_meanwhile(server: Server, place: Path, where: tuple[str, ...]) -> dict[str, Any]:
    """Acknowledgements while backups are made, and what these were."""
    made, ends = list[dict[str, Any]](), time.monotonic() + SECONDS

    def work() -> None:
        while time.monotonic() < ends:
            made.append(ran("backup", str(place), *where))

    thread = threading.Thread(target=work)
    thread.start()
    took = acknowledged(server, lambda: not thread.is_alive(), 2)
    thread.join()
    return {"took": took, "made": made}


def measure() -> dict[str, Any]:
    """Import, serve, measure, put back, compare."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(a_project(Path(folder) / "shop"))
        where = ("--config", str(server.config), "--data", str(server.data_dir))
        steps = iter(track(range(5), "import, alone, backups, restore, compare"))
        next(steps)
        history(Path(folder) / "history.jsonl")
        done = germane("import", "events", str(Path(folder) / "history.jsonl"), *where)
        assert done.returncode == 0, done.stderr
        ran("seal", *where)
        server.start()
        try:
            next(steps)
            ends = time.monotonic() + SECONDS
            alone = acknowledged(server, lambda: time.monotonic() > ends, 1)
            next(steps)
            beside = backups_meanwhile(server, Path(folder) / "backups", where)
        finally:
            server.close()
        next(steps)
        other = str(Path(folder) / "other")
        back = ran("restore", str(Path(folder) / "backups"), *where[:2], "--data", other)
        next(steps)
        _, (state,) = states_at(server, back["offset"])
        made = beside["made"]
    seconds = sorted(each["seconds"] for each in made)
    return {
        "events": EVENTS,
        "people": PEOPLE,
        "bytes": made[-1]["bytes"],
        "backups": len(made),
        "backup_s": {"p50": seconds[len(seconds) // 2], "max": seconds[-1]},
        "ack_ms_alone": spread(alone),
        "ack_ms_beside": spread(beside["took"]),
        "restore_s": back["seconds"],
        "state_equal": back["stateHash"] == state,
    }


def main() -> None:
    """Run, print, write."""
    result = measure()
    print(json.dumps(result, indent=2))
    write_result("backup", {"protocol": __doc__, **result})
    assert result["state_equal"], result


if __name__ == "__main__":
    main()
