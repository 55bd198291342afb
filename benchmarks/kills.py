"""kill -9 under load: `just bench kills`.

A real server takes batches of 20 events from several clients; it is killed at random moments and
started again. Every acknowledged event must be there, none may count twice, and the state that the
last start finds must equal the state rebuilt from the log. A kill cannot lose what the page cache
still holds: that the disk really has it is the matter of the power-cut replay.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import sqlite3
import tempfile
import threading
import time
import uuid
from base64 import b64encode
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.figures import record, write_result
from tests.acceptance.conftest import Server, a_project, germane

COMMAND = "just bench kills"
KILLS = int(os.environ.get("GERMANE_KILLS", "60"))
CLIENTS = 4
BATCH = 20
PEOPLE = 300


class Client(threading.Thread):
    """Sends batches until told to stop; a batch that was not acknowledged is sent again, unchanged."""

    def __init__(self, server: Server, number: int, stop: threading.Event) -> None:
        super().__init__()
        self._server, self._stop_it = server, stop
        self._chance = random.Random(number)
        self.acked: list[tuple[str, str]] = []
        """(message id, person)"""

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
                raise http.client.HTTPException(f"status {answer.status}")
        self.acked += [(each["messageId"], each["userId"]) for each in batch]

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


def kill_loop(server: Server, kills: int) -> tuple[list[tuple[str, str]], list[float], float]:
    """Acknowledged (message id, person), seconds from each kill to ready, events per second."""
    stop = threading.Event()
    clients = [Client(server, number, stop) for number in range(CLIENTS)]
    chance, ready_s = random.Random(7), []
    started = time.perf_counter()
    for client in clients:
        client.start()
    for _ in range(kills):
        time.sleep(chance.uniform(0.15, 0.5))
        server.kill()
        killed = time.perf_counter()
        server.start()
        ready_s.append(time.perf_counter() - killed)
    time.sleep(0.5)
    stop.set()
    for client in clients:
        client.join()
    seconds = time.perf_counter() - started
    acked = [each for client in clients for each in client.acked]
    return acked, ready_s, len(acked) / seconds


def check(server: Server, acked: list[tuple[str, str]]) -> dict[str, Any]:
    """Compare what was acknowledged with what is there."""
    counted = {
        row["personId"].removeprefix("u:"): row["readiness"]["evidence"]
        for row in map(
            json.loads,
            germane(
                "export",
                "people",
                "-",
                "--config",
                str(server.config),
                "--data",
                str(server.data_dir),
            ).stdout.splitlines(),
        )
    }
    with sqlite3.connect(server.data_dir / "germane.db") as database:
        logged = Counter(
            row[0] for row in database.execute("SELECT message_id FROM log WHERE kind = 'event'")
        )
        people = Counter(
            dict(
                database.execute(
                    "SELECT person, count(*) FROM log WHERE kind = 'event' GROUP BY person"
                )
            )
        )
        integrity = database.execute("PRAGMA integrity_check").fetchone()[0]
    database.close()
    rebuilt = germane(
        "rebuild", "--config", str(server.config), "--data", str(server.data_dir), "--json"
    )
    wrong = sum(people[f"u:{person}"] != count for person, count in counted.items())
    return {
        "acked": len(acked),
        "logged": len(logged),
        "lost": len({message for message, _ in acked} - set(logged)),
        "double": sum(count - 1 for count in logged.values()) + wrong,
        "integrity": integrity,
        "rebuild_equal": json.loads(rebuilt.stdout)["equal"],
    }


def run(kills: int) -> dict[str, Any]:
    """The whole check."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(a_project(Path(folder) / "shop")).start()
        try:
            acked, ready_s, rate = kill_loop(server, kills)
        finally:
            server.close()
        found = check(server, acked)
    ready = sorted(ready_s)
    return {
        "kills": kills,
        **found,
        "events_per_second": round(rate, 1),
        "ready_s": {"p50": round(ready[len(ready) // 2], 3), "max": round(ready[-1], 3)},
    }


def main() -> None:
    """Run, print, write."""
    result = run(KILLS)
    print(json.dumps(result, indent=2))
    write_result("kills", {"protocol": __doc__, **result})
    record("loop.kills", result["kills"], n=result["acked"], command=COMMAND)
    record("loop.kill_lost_events", result["lost"], n=result["acked"], command=COMMAND)
    record("loop.kill_double_events", result["double"], n=result["acked"], command=COMMAND)
    assert result["lost"] == result["double"] == 0, result
    assert result["integrity"] == "ok", result
    assert result["rebuild_equal"], result


if __name__ == "__main__":
    main()
