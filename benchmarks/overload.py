"""Ten times what the server can do: `just bench overload`.

A real server, and a generator in a process of its own on the same machine (what it takes is told, too).
Seven of ten requests are an event, two a decision, one a batch of 20 events. In one run:

1. Capacity: 32 clients, each asks again as soon as it is answered.
2. Calm: 30 % of that, at times of the clock.
3. Overload: ten times capacity, for five minutes. A request that is due is sent, whatever became of those
   before; up to 2,000 connections. Memory is looked at twice a second.
4. The same as 2., at once: how many seconds until the p99 of a second is no more than the worst one before.
5. Capacity again, for the machine may have changed meanwhile; goodput is compared with the mean of both.

Refusals must be 429 or 503, and say when to come again. At the end the server is stopped, and every
acknowledged event must be in the log.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from array import array
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from rich.progress import Progress

from benchmarks.figures import record, write_result
from benchmarks.openloop import BATCH, Found, Load, Plan, message_id
from benchmarks.process import cpu_s, rss_mib
from germane.storage.sqlite.checksums import connected
from tests.acceptance.conftest import Server, a_project

COMMAND = "just bench overload"
SECONDS = float(os.environ.get("GERMANE_OVERLOAD_S", "300"))
TIMES = 10.0
CALM = 0.3
"""Share of capacity at which the server is at ease."""
CALM_S = 10.0
CAPACITY_S = 15.0
LINES = 2_000
CLIENTS = 32
RSS_LIMIT_MIB = 512
KINDS = {"t": "event", "b": "batch", "d": "decision"}


class Phase(NamedTuple):
    """What came of one phase of load."""

    found: Found
    memory_mib: list[float]
    """Of the server, twice a second."""
    cpu_s: float
    """Processor time that the server had."""

    def per_core_s(self) -> float:
        """Requests answered with 200 for each second of a core: what neighbours take does not count."""
        return round(self.found.answers.get("200", 0) / self.cpu_s, 1)


class Trial:
    """One server, and phases of load on it."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.server = server
        self._folder = folder
        self._first = 0
        self._plans: list[Plan] = []

    @property
    def pid(self) -> int:
        """Of the server."""
        assert self.server._process is not None
        return self.server._process.pid

    def phase(self, seconds: float, rate: float = 0.0) -> Phase:
        """One phase."""
        plan = Plan(
            self.server.port,
            self.server.write_key,
            self.server.server_key,
            seconds,
            rate,
            LINES if rate else CLIENTS,
            first=self._first,
            acked=str(self._folder / f"acked-{len(self._plans)}"),
        )
        self._plans.append(plan)
        load, memory, used_s = Load(plan), [], cpu_s(self.pid)
        while load.running:
            memory.append(rss_mib(self.pid))
            time.sleep(0.5)
        found = load.found()
        self._first += found.offered
        return Phase(found, memory, cpu_s(self.pid) - used_s)

    def acked(self) -> Iterator[str]:
        """Message ids of all that was acknowledged."""
        for plan in self._plans:
            for number in array("Q", Path(plan.acked).read_bytes()):
                many = BATCH if plan.mix[number % len(plan.mix)] == "b" else 1
                yield from (message_id(number, each) for each in range(many))

    def lost(self) -> tuple[int, int]:
        """How many were acknowledged, and how many of these are not in the log; the server is stopped."""
        with closing(connected(self.server.data_dir / "germane.db")) as database:
            logged = {row[0] for row in database.execute("SELECT message_id FROM log")}
        acked = list(self.acked())
        return len(acked), sum(each not in logged for each in acked)


def run(seconds: float, capacity_s: float = CAPACITY_S, calm_s: float = CALM_S) -> dict[str, Any]:
    """The whole check."""
    with tempfile.TemporaryDirectory() as folder, Progress() as bars:
        bar = bars.add_task("capacity", total=3 * capacity_s + 2 * calm_s + seconds)

        def phase(seconds: float, rate: float, then: str) -> Phase:
            made = trial.phase(seconds, rate)
            bars.update(bar, advance=seconds, description=then)
            return made

        server = Server(a_project(Path(folder) / "shop")).start()
        try:
            trial = Trial(Path(folder), server)
            phase(capacity_s, 0.0, "capacity")  # people, caches
            first = phase(capacity_s, 0.0, "calm")
            rate = per_s(first.found)
            calm = phase(calm_s, CALM * rate, "overload").found
            flood = phase(seconds, TIMES * rate, "afterwards")
            later = phase(calm_s, CALM * rate, "capacity").found
            last = phase(capacity_s, 0.0, "done")
        finally:
            server.close()
        acked, lost = trial.lost()
    over, before, after = flood.found, first.found, last.found
    memory = flood.memory_mib
    goodput, by_kind = ratio(over, before, after)
    per_core_s = [each.per_core_s() for each in (first, flood, last)]
    sent = over.offered - over.answers.get("unsent", 0)
    return {
        "seconds": seconds,
        "capacity_per_s": [per_s(before), per_s(after)],
        "offered_per_s": round(over.offered / over.seconds, 1),
        "times_capacity": round(sent / over.seconds / ((per_s(before) + per_s(after)) / 2), 2),
        "goodput_per_s": per_s(over),
        "goodput_ratio": goodput,
        "goodput_ratio_by_kind": by_kind,
        "per_core_s": per_core_s,
        "per_core_ratio": round(2 * per_core_s[1] / (per_core_s[0] + per_core_s[2]), 3),
        "answers": over.answers,
        "answers_else": {"before": calm.answers, "after": later.answers},
        "refusals_without_retry_after": over.without_retry,
        "ms": {KINDS[x]: {"p50": t.at(0.5), "p99": t.at(0.99)} for x, t in over.ms.items()},
        "refused_ms": {"p50": over.refused_ms.at(0.5), "p99": over.refused_ms.at(0.99)},
        "rss_mib": {"before": round(memory[0], 1), "max": round(max(memory), 1)},
        "recovered_s": recovered_s(calm, later),
        "calm_p99_by_second_ms": calm.p99_by_second,
        "later_p99_by_second_ms": later.p99_by_second,
        "connections": over.lines,
        "server_cores": round(flood.cpu_s / over.seconds, 2),
        "generator_cores": round(over.cpu_s / over.seconds, 2),
        "acked": acked,
        "lost": lost,
    }


def per_s(found: Found) -> float:
    """Requests that were answered with 200."""
    return round(found.answers.get("200", 0) / found.seconds, 1)


def ratio(over: Found, before: Found, after: Found) -> tuple[float, dict[str, float]]:
    """Goodput by capacity, as a whole and by kind: refusing what is dear would make a fine whole."""
    mean = (per_s(before) + per_s(after)) / 2
    kinds = {
        KINDS[kind]: round(
            2
            * (times.count / over.seconds)
            / (before.ms[kind].count / before.seconds + after.ms[kind].count / after.seconds),
            3,
        )
        for kind, times in over.ms.items()
    }
    return round(per_s(over) / mean, 3), kinds


def recovered_s(calm: Found, later: Found) -> int:
    """Seconds after the end of overload until one is as good as the calm ones were; all of them, if none is."""
    worst = max(calm.p99_by_second)
    good = (number for number, each in enumerate(later.p99_by_second) if 0 <= each <= worst)
    return next(good, len(later.p99_by_second))


def main() -> None:
    """Run, print, write."""
    result = run(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS)
    print(json.dumps(result, indent=2))
    write_result("overload", {"protocol": __doc__, **result})
    n = result["answers"].get("200", 0)
    record("overload.goodput_ratio", result["goodput_ratio"], n=n, command=COMMAND)
    record("overload.per_core_ratio", result["per_core_ratio"], n=n, command=COMMAND)
    record("overload.rss_max_mib", result["rss_mib"]["max"], n=n, command=COMMAND)
    record("overload.recovered_s", result["recovered_s"], n=n, command=COMMAND)
    record("overload.lost_events", result["lost"], n=result["acked"], command=COMMAND)
    assert result["lost"] == 0, result
    assert result["refusals_without_retry_after"] == 0, result
    assert result["rss_mib"]["max"] < RSS_LIMIT_MIB, result


if __name__ == "__main__":
    main()
