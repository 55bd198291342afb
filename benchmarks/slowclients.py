"""2,000 slow clients beside an honest one: `just bench slowclients`.

A real server; an honest client asks 50 times a second, an event or a decision, at times of the clock. In
turns without and with 2,000 connections that send a head or a body a byte a second, or take an answer so;
whoever is cut comes again. The figure is the honest p99 with them by that without them, the middle one of
the rounds each.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

from rich.progress import track

from benchmarks.figures import record, write_result
from benchmarks.openloop import Found, Load, Plan
from benchmarks.process import cpu_s, descriptors, rss_mib
from benchmarks.trickle import Crowd, Slow
from tests.acceptance.conftest import Server, a_project

COMMAND = "just bench slowclients"
CONNECTIONS = int(os.environ.get("GERMANE_SLOW_CLIENTS", "2000"))
ROUNDS = 4
SECONDS = 15.0
RATE = 50.0


class Pair:
    """A server, asked by the honest client."""

    def __init__(self, server: Server, seconds: float) -> None:
        self.server, self._seconds = server, seconds
        self._first = 0

    @property
    def pid(self) -> int:
        """Of the server."""
        assert self.server._process is not None
        return self.server._process.pid

    def honest(self) -> Found:
        """What the honest client found in one turn."""
        server = self.server
        keys = server.port, server.write_key, server.server_key
        plan = Plan(*keys, self._seconds, RATE, 200, mix="td", first=self._first)
        found = Load(plan).found()
        self._first += found.offered
        return found


def p99_ms(found: Found) -> float:
    """The longer one of events and decisions."""
    return max(found.ms[kind].at(0.99) for kind in "td")


def run(connections: int, rounds: int = ROUNDS, seconds: float = SECONDS) -> dict[str, Any]:
    """The whole check."""
    alone: list[float] = []
    beside: list[float] = []
    answers, cut, held = Counter[str](), Counter[str](), []
    with tempfile.TemporaryDirectory() as folder:
        server = Server(a_project(Path(folder) / "shop")).start()
        try:
            pair = Pair(server, seconds)
            pair.honest()  # caches
            for _ in track(range(rounds), "rounds"):
                calm = pair.honest()
                alone.append(p99_ms(calm))
                used_s = cpu_s(pair.pid)
                crowd = Crowd(Slow(server.port, connections))
                found = pair.honest()
                held.append(
                    {
                        "descriptors": descriptors(pair.pid),
                        "rss_mib": round(rss_mib(pair.pid), 1),
                        "server_cores": round((cpu_s(pair.pid) - used_s) / seconds, 2),
                    }
                )
                cut.update(crowd.leave())
                beside.append(p99_ms(found))
                answers.update(calm.answers)
                answers.update(found.answers)
        finally:
            server.close()
    return {
        "connections": connections,
        "rounds": rounds,
        "p99_alone_ms": alone,
        "p99_beside_ms": beside,
        "ratio": round(median(beside) / median(alone), 3),
        "answers": dict(answers),
        "cut": dict(cut),
        "server": held,
    }


def main() -> None:
    """Run, print, write."""
    result = run(CONNECTIONS)
    print(json.dumps(result, indent=2))
    write_result("slowclients", {"protocol": __doc__, **result})
    n = result["answers"].get("200", 0)
    record("slowclients.honest_p99_ratio", result["ratio"], n=n, command=COMMAND)
    assert set(result["answers"]) == {"200"}, result


if __name__ == "__main__":
    main()
