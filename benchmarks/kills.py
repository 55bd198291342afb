"""kill -9 under load: `just bench kills`.

A real server takes batches of 20 events from several clients; it is killed at random moments and
started again. Every acknowledged event must be there, none may count twice, and the state that the
last start finds must equal the state rebuilt from the log; of some of the kills the data folder is
copied before the next start, and the same must hold of the copy. A kill cannot lose what the page cache
still holds: that the disk really has it is the matter of the power-cut replay.

The rate is that of acknowledged events in the time in which the server was ready. From a kill to ready is
from the signal to the first answer of `/readyz` that says so, as a client sees it: Python, its imports, the
database's recovery, the tail of the log. The server has its byte code compiled, as one that pip installed.

In rounds of 100 kills, each on a fresh data folder and checked as a whole. Rounds that are done are kept, so
it can be stopped and goes on where it was, as long as the program is the same. The machine's load at the end of
each round tells how much else ran beside it.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import shutil
import tempfile
import threading
import time
import uuid
from base64 import b64encode
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track

from benchmarks import rounds
from benchmarks.figures import record, write_result
from germane.storage.sqlite.checksums import connected
from tests.acceptance.conftest import Server, a_project, germane

COMMAND = "just bench kills"
KILLS = int(os.environ.get("GERMANE_KILLS", "1000"))
ROUND = 100
SAMPLED = 40
"""Of every so many kills the data folder is copied, and the copy checked."""
CLIENTS = 4
BATCH = 20
PEOPLE = 300
SUMMED = ("kills", "acked", "logged", "lost", "double", "samples", "refused")


class Client(threading.Thread):
    """Sends batches until told to stop; a batch that was not acknowledged is sent again, unchanged."""

    def __init__(self, server: Server, number: int, stop: threading.Event) -> None:
        super().__init__()
        self._server, self._stop_it = server, stop
        self._chance = random.Random(number)
        self.acked: list[str] = []
        """Message ids."""
        self.refused = 0
        """Batches that were answered, but not with 200."""

    def run(self) -> None:
        """Until stopped and everything that was begun is acknowledged."""
        waiting: list[dict[str, Any]] = []
        while waiting or not self._stop_it.is_set():
            with contextlib.closing(self._connect()) as connection:
                try:
                    while waiting or not self._stop_it.is_set():
                        waiting = waiting or [self._message() for _ in range(BATCH)]
                        self._send(connection, waiting)
                        waiting = []
                except (OSError, http.client.HTTPException):
                    time.sleep(0.02)

    def _send(self, connection: http.client.HTTPConnection, batch: list[dict[str, Any]]) -> None:
        """One batch; it is acknowledged when this returns."""
        connection.request("POST", "/v1/batch", json.dumps({"batch": batch}), self._auth())
        with contextlib.closing(connection.getresponse()) as answer:
            answer.read()
            if answer.status != 200:
                self.refused += 1
                raise http.client.HTTPException(f"status {answer.status}")
        self.acked += [each["messageId"] for each in batch]

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=10)

    def _auth(self) -> dict[str, str]:
        return {
            "Authorization": "Basic " + b64encode(f"{self._server.write_key}:".encode()).decode()
        }

    def _message(self) -> dict[str, Any]:
        return {
            "type": "track",
            "event": "Product Viewed",
            "messageId": uuid.UUID(int=self._chance.getrandbits(128)).hex,
            "userId": f"k{self._chance.randrange(PEOPLE)}",
            "properties": {"product_id": f"lamp-{self._chance.randrange(1, 6)}"},
        }


@dataclass(slots=True)
class Loop:
    """What was seen while the server was killed and started again."""

    acked: list[str] = field(default_factory=list)
    refused: int = 0
    ready_s: list[float] = field(default_factory=list)
    """From each kill to ready; without those after which the folder was copied first."""
    up_s: float = 0.0
    """How long it was ready, in all."""
    samples: list[tuple[Path, set[str]]] = field(default_factory=list)
    """Copies of the data folder as a kill left it, and what had been acknowledged by then."""


def kill_loop(server: Server, kills: int, seed: int, copies: Path) -> Loop:
    """Kill and start again, under load."""
    stop, chance, seen = threading.Event(), random.Random(seed), Loop()
    clients = [Client(server, seed * CLIENTS + number, stop) for number in range(CLIENTS)]
    ready = time.perf_counter()
    for client in clients:
        client.start()
    for number in track(range(kills), "killing"):
        time.sleep(chance.uniform(0.15, 0.5))
        killed = time.perf_counter()
        server.kill()
        seen.up_s += killed - ready
        if sampled := number % SAMPLED == SAMPLED // 2:
            copy = shutil.copytree(server.data_dir, copies / str(number))
            seen.samples.append((copy, {each for client in clients for each in client.acked}))
        server.start()
        ready = time.perf_counter()
        if not sampled:
            seen.ready_s.append(ready - killed)
    time.sleep(0.5)
    seen.up_s += time.perf_counter() - ready
    stop.set()
    for client in clients:
        client.join()
    seen.acked = [each for client in clients for each in client.acked]
    seen.refused = sum(client.refused for client in clients)
    return seen


def check(config: Path, data: Path, acked: set[str]) -> dict[str, Any]:
    """Compare what was acknowledged with what is there, and what is there with the log."""
    where = ("--config", str(config), "--data", str(data))
    exported = germane("export", "people", "-", *where)
    assert exported.returncode == 0, exported.stderr
    people = map(json.loads, exported.stdout.splitlines())
    counted = {each["personId"]: each["readiness"]["evidence"] for each in people}
    with contextlib.closing(connected(data / "germane.db")) as database:
        ids = "SELECT message_id FROM log WHERE kind = 'event'"
        logged = Counter(each for (each,) in database.execute(ids))
        of_each = "SELECT person, count(*) FROM log WHERE kind = 'event' GROUP BY person"
        log = dict(database.execute(of_each))
        integrity = database.execute("PRAGMA integrity_check").fetchall()[0][0]
    rebuilt = germane("rebuild", *where, "--json")
    assert rebuilt.returncode == 0, rebuilt.stderr
    wrong = sum(log.get(each, 0) != counted.get(each, 0) for each in {*log, *counted})
    return {
        "acked": len(acked),
        "logged": len(logged),
        "lost": len(acked - set(logged)),
        "double": sum(count - 1 for count in logged.values()) + wrong,
        "integrity": integrity,
        "rebuild_equal": json.loads(rebuilt.stdout)["equal"],
    }


def run(kills: int, seed: int = 7) -> dict[str, Any]:
    """One round, checked."""
    with tempfile.TemporaryDirectory() as folder:
        # an installed program has its byte code: the first start compiles it, whatever this process does
        server = Server(a_project(Path(folder) / "shop"), PYTHONDONTWRITEBYTECODE="").start()
        try:
            seen = kill_loop(server, kills, seed, Path(folder))
        finally:
            server.close()
        found = check(server.config, server.data_dir, set(seen.acked))
        samples = [check(server.config, copy, acked) for copy, acked in seen.samples]
    return {
        "kills": kills,
        **found,
        "refused": seen.refused,
        "samples": len(samples),
        "samples_hold": all(map(holds, samples)),
        "up_s": round(seen.up_s, 3),
        "events_per_second_up": round(found["acked"] / seen.up_s, 1),
        "load": round(os.getloadavg()[0], 1),
        "ready_s": [round(each, 3) for each in seen.ready_s],
    }


def holds(found: dict[str, Any]) -> bool:
    """Whether nothing is lost, nothing counts twice, and the state is that of the log."""
    return (
        found["lost"] == found["double"] == 0
        and found["integrity"] == "ok"
        and found["rebuild_equal"] is True
        and found.get("samples_hold", True)
    )


def main() -> None:
    """Round after round; print, write."""
    done = rounds.done("kills")
    while (kills := sum(each["kills"] for each in done)) < KILLS:
        print(f"{kills:,} of {KILLS:,} kills are done", flush=True)
        found = run(min(ROUND, KILLS - kills), seed=7 + len(done))
        assert holds(found), found
        done.append(found)
        rounds.keep("kills", done)
    told_all(done)


def told_all(done: list[dict[str, Any]]) -> None:
    """Write what all rounds have together."""
    total = {name: sum(each[name] for each in done) for name in SUMMED}
    ready = [second for each in done for second in each["ready_s"]]
    p50, p99, most = (round(float(each), 3) for each in np.quantile(ready, (0.5, 0.99, 1.0)))
    total["events_per_second_up"] = round(total["acked"] / sum(each["up_s"] for each in done), 1)
    total["ready_s"] = {"p50": p50, "p99": p99, "max": most}
    print(json.dumps(total, indent=2), flush=True)
    write_result("kills", {"protocol": __doc__, **total, "rounds": done})
    n = total["acked"]
    record("loop.kills", total["kills"], n=n, command=COMMAND)
    record("loop.kill_lost_events", total["lost"], n=n, command=COMMAND)
    record("loop.kill_double_events", total["double"], n=n, command=COMMAND)
    record("kills.n", total["kills"], n=n, command=COMMAND)
    record("kills.lost_or_double", total["lost"] + total["double"], n=n, command=COMMAND)
    record("kills.events_per_second", total["events_per_second_up"], n=n, command=COMMAND)
    record("kills.ready_p50_s", p50, n=len(ready), command=COMMAND)
    record("kills.ready_p99_s", p99, n=len(ready), command=COMMAND)


if __name__ == "__main__":
    main()
