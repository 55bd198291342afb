"""Event to changed decision on the running server: `just bench loop`.

A real server (`germane serve`, embedded storage) takes 200 events a second over HTTP; for 10,000 of
them the same connection asks for a decision as soon as the event is acknowledged. Measured from
sending the event to having the decision that has seen it. The disk's own fdatasync is measured
beside it, since an acknowledged event is one that was synced.

In rounds, each with a fresh server, and the figure is the middle one: on a machine that others use,
too, the same code was measured at 9 and at 32 ms within minutes.
"""

from __future__ import annotations

import json
import os
import random
import re
import socket
import tempfile
import threading
import time
from base64 import b64encode
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from msgspec.json import encode

from benchmarks.figures import record, write_result
from tests.acceptance.conftest import Server, a_project

COMMAND = "just bench loop"
PAIRS = int(os.environ.get("GERMANE_PAIRS", "10500"))
ROUNDS = int(os.environ.get("GERMANE_ROUNDS", "5"))
PEOPLE = 2_000


class Load(NamedTuple):
    """What is sent in one round."""

    events: int
    rate: float
    """Events a second, of all workers together."""
    workers: int = 4
    per_decision: int = 1
    """After each so many events of a worker, a decision is asked for."""


LOAD = Load(PAIRS, 200.0)


class Wire:
    """A kept connection that does no more than it must: on a small machine what the client takes is
    missing to the server."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def post(self, head: bytes, body: bytes) -> bytes:
        """One POST; the answer's body. ``head``: see ``head_of``."""
        self._socket.sendall(b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body))
        received = b""
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self._more()
        assert received.startswith(b"HTTP/1.1 200"), received
        length = int(LENGTH.search(received[:end])[1])  # type: ignore[index]
        while len(received) < end + 4 + length:
            received += self._more()
        return received[end + 4 :]

    def _more(self) -> bytes:
        part = self._socket.recv(65_536)
        assert part, "the server closed the connection"
        return part

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def head_of(path: str, key: str) -> bytes:
    """The part of a request that is always the same."""
    auth = b64encode(f"{key}:".encode()).decode()
    lines = (f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Basic {auth}")
    return "".join(f"{line}\r\n" for line in lines).encode()


class Worker(threading.Thread):
    """One client: an event at its time, then a decision, over a kept connection."""

    def __init__(self, server: Server, number: int, start: float, load: Load) -> None:
        super().__init__()
        self._server, self._number, self._start, self._load = server, number, start, load
        self.ack_ms: list[float] = []
        self.pair_ms: list[float] = []
        self.unseen = 0

    def run(self) -> None:
        """Send this worker's share, at its own pace."""
        wire = Wire(self._server.port)
        track = head_of("/v1/track", self._server.write_key)
        decide = head_of("/v1/decide", self._server.server_key)
        chance = random.Random(self._number)
        load, workers = self._load, self._load.workers
        for step in range(self._number, load.events, workers):
            user = f"u{self._number}-{chance.randrange(PEOPLE // workers)}"
            event = encode(
                {
                    "userId": user,
                    "event": "Product Viewed",
                    "messageId": f"loop-{step}",
                    "properties": {"product_id": chance.choice(ITEMS), "price": 10},
                }
            )
            asked = encode({"person": {"userId": user}, "surfaces": [{"surface": "home-grid"}]})
            due = self._start + step / load.rate
            time.sleep(max(0.0, due - time.perf_counter()))
            before = time.perf_counter()
            wire.post(track, event)
            acked = time.perf_counter()
            self.ack_ms.append((acked - before) * 1000)
            if step // workers % load.per_decision:
                continue
            answer = wire.post(decide, asked)
            done = time.perf_counter()
            self.pair_ms.append((done - before) * 1000)
            offset = int(OFFSET.search(answer)[1])  # type: ignore[index]
            self.unseen += offset <= LAST.get(user, 0)
            LAST[user] = offset
        wire.close()


ITEMS = [
    f"{kind}-{number}"
    for kind in ("tent", "mat", "boots", "lamp", "pan", "novel", "toy")
    for number in range(1, 6)
]
LAST: dict[str, int] = {}


LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
OFFSET = re.compile(rb'"personOffset": *(\d+)')


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


class Round(NamedTuple):
    """What one fresh server did."""

    seconds: float
    pairs: list[float]
    """Milliseconds from sending an event to having the decision that has seen it, sorted."""
    acks: list[float]
    """From sending it to having it acknowledged, sorted."""

    def figures(self) -> dict[str, Any]:
        """In short."""
        return {
            "pairs": len(self.pairs),
            "events_per_second": round(len(self.acks) / self.seconds, 1),
            "decisions_per_second": round(len(self.pairs) / self.seconds, 1),
            "pair_ms": {
                "p50": quantile(self.pairs, 0.5),
                "p99": quantile(self.pairs, 0.99),
                "max": round(self.pairs[-1], 3),
            },
            "ack_ms": {"p50": quantile(self.acks, 0.5), "p99": quantile(self.acks, 0.99)},
        }


def one_round(folder: Path, load: Load = LOAD) -> Round:
    """A fresh server, all pairs."""
    LAST.clear()
    server = Server(a_project(folder)).start()
    try:
        start = time.perf_counter() + 0.2
        workers = [Worker(server, number, start, load) for number in range(load.workers)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        seconds = time.perf_counter() - start
    finally:
        server.close()
    unseen = sum(worker.unseen for worker in workers)
    assert unseen == 0, f"{unseen} decisions had not seen an acknowledged event"
    pairs = sorted(x for worker in workers for x in worker.pair_ms)
    return Round(seconds, pairs, sorted(x for worker in workers for x in worker.ack_ms))


def main() -> None:
    """Run, print, write."""
    rounds = []
    with tempfile.TemporaryDirectory() as folder:
        disk = fdatasync_ms(Path(folder))
        for number in range(ROUNDS):
            rounds.append(one_round(Path(folder) / f"shop-{number}"))
            print(json.dumps(rounds[-1].figures()), flush=True)
    result = {
        "protocol": __doc__,
        "rounds": [each.figures() for each in rounds],
        "disk_fdatasync_ms": {"p50": quantile(disk, 0.5), "p99": quantile(disk, 0.99)},
    }
    write_result("loop", result)
    count = sum(len(each.pairs) for each in rounds)
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        middle = median(quantile(each.pairs, share) for each in rounds)
        record(f"loop.event_to_decision_{name}_ms", middle, n=count, command=COMMAND)


if __name__ == "__main__":
    main()
