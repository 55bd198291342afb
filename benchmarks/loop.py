"""Event to changed decision on the running server: `just bench loop`.

A real server (`germane serve`, embedded storage) takes 200 events a second over HTTP; for 10,000 of
them the same connection asks for a decision as soon as the event is acknowledged. Measured from
sending the event to having the decision that has seen it. The disk's own fdatasync is measured
beside it, since an acknowledged event is one that was synced.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import tempfile
import threading
import time
from base64 import b64encode
from pathlib import Path
from typing import Any

from benchmarks.figures import record, write_result
from tests.acceptance.conftest import Server, a_project

COMMAND = "just bench loop"
PAIRS = int(os.environ.get("GERMANE_PAIRS", "10500"))
RATE = 200.0
WORKERS = 4
PEOPLE = 2_000


class Worker(threading.Thread):
    """One client: an event at its time, then a decision, over a kept connection."""

    def __init__(self, server: Server, number: int, start: float) -> None:
        super().__init__()
        self._server, self._number, self._start = server, number, start
        self.ack_ms: list[float] = []
        self.pair_ms: list[float] = []
        self.unseen = 0

    def run(self) -> None:
        """Send this worker's share, at its own pace."""
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=30)
        chance = random.Random(self._number)
        for step in range(self._number, PAIRS, WORKERS):
            due = self._start + step / RATE
            time.sleep(max(0.0, due - time.perf_counter()))
            user = f"u{self._number}-{chance.randrange(PEOPLE // WORKERS)}"
            item = chance.choice(ITEMS)
            before = time.perf_counter()
            call(
                connection,
                "/v1/track",
                self._server.write_key,
                {
                    "userId": user,
                    "event": "Product Viewed",
                    "messageId": f"loop-{step}",
                    "properties": {"product_id": item, "price": 10},
                },
            )
            acked = time.perf_counter()
            answer = call(
                connection,
                "/v1/decide",
                self._server.server_key,
                {"person": {"userId": user}, "surfaces": [{"surface": "home-grid"}]},
            )
            done = time.perf_counter()
            self.ack_ms.append((acked - before) * 1000)
            self.pair_ms.append((done - before) * 1000)
            offset = answer["decisions"][0]["personOffset"]
            self.unseen += offset <= LAST.get(user, 0)
            LAST[user] = offset


ITEMS = [
    f"{kind}-{number}"
    for kind in ("tent", "mat", "boots", "lamp", "pan", "novel", "toy")
    for number in range(1, 6)
]
LAST: dict[str, int] = {}


def call(connection: http.client.HTTPConnection, path: str, key: str, body: Any) -> Any:
    """One POST; the parsed answer."""
    auth = "Basic " + b64encode(f"{key}:".encode()).decode()
    connection.request("POST", path, json.dumps(body), {"Authorization": auth})
    answer = connection.getresponse()
    data = answer.read()
    assert answer.status == 200, data
    return json.loads(data)


def fdatasync_ms(folder: Path, count: int = 300) -> list[float]:
    """What one small synced append costs on this disk, sorted."""
    descriptor = os.open(folder / "probe", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    times = []
    for _ in range(count):
        started = time.perf_counter()
        os.write(descriptor, b"x" * 600)
        os.fdatasync(descriptor)
        times.append((time.perf_counter() - started) * 1000)
        time.sleep(0.002)
    os.close(descriptor)
    return sorted(times)


def quantile(ordered: list[float], share: float) -> float:
    """Of sorted values."""
    return round(ordered[min(int(share * len(ordered)), len(ordered) - 1)], 3)


def main() -> None:
    """Run, print, write."""
    with tempfile.TemporaryDirectory() as folder:
        disk = fdatasync_ms(Path(folder))
        server = Server(a_project(Path(folder) / "shop")).start()
        try:
            start = time.perf_counter() + 0.2
            workers = [Worker(server, number, start) for number in range(WORKERS)]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
            seconds = time.perf_counter() - start
        finally:
            server.close()
    pairs = sorted(x for worker in workers for x in worker.pair_ms)
    acks = sorted(x for worker in workers for x in worker.ack_ms)
    unseen = sum(worker.unseen for worker in workers)
    assert unseen == 0, f"{unseen} decisions had not seen an acknowledged event"
    result = {
        "protocol": __doc__,
        "pairs": len(pairs),
        "events_per_second": round(len(pairs) / seconds, 1),
        "pair_ms": {"p50": quantile(pairs, 0.5), "p99": quantile(pairs, 0.99), "max": pairs[-1]},
        "ack_ms": {"p50": quantile(acks, 0.5), "p99": quantile(acks, 0.99)},
        "disk_fdatasync_ms": {"p50": quantile(disk, 0.5), "p99": quantile(disk, 0.99)},
        "unseen": unseen,
    }
    print(json.dumps({k: v for k, v in result.items() if k != "protocol"}, indent=2))
    write_result("loop", result)
    record("loop.event_to_decision_p99_ms", quantile(pairs, 0.99), n=len(pairs), command=COMMAND)
    record("loop.event_to_decision_p50_ms", quantile(pairs, 0.5), n=len(pairs), command=COMMAND)


if __name__ == "__main__":
    main()
