"""Load from outside, and what it costs: `wrk` for how much a server can, a paced client for how long it takes.

`wrk` (C) asks as fast as it is answered. The paced client sends at the times of a schedule, whether or not the
answer before it is there, and counts from the time that was due: what waits in line is waited for.
"""

from __future__ import annotations

import asyncio
import re
import resource
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import NamedTuple

from benchmarks.loop import LENGTH, head_of, quantile
from tests.acceptance.tools import wrk

SCRIPTS = Path(__file__).parent
_RATE = re.compile(r"Requests/sec: *([\d.]+)")
_BAD = re.compile(r"Non-2xx or 3xx responses: *(\d+)|Socket errors: (.*)")
_UNIT = {"us": 0.001, "ms": 1.0, "s": 1000.0}


class Full(NamedTuple):
    """What a server did under full load."""

    per_s: float
    p99_ms: float
    generator_cpu: float
    """Cores that the generator took."""


def full(url: str, script: str, *arguments: str, connections: int, seconds: float) -> Full:
    """Ask as fast as it is answered."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    command = [wrk(), "-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency", "--timeout", "30s"]
    command += ["-s", str(SCRIPTS / script), url, "--", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    took = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    bad = _BAD.search(done.stdout)
    assert bad is None, f"{bad[0]} of {url}\n{done.stdout}"
    cpu = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / took
    rate, tail = _RATE.search(done.stdout), re.search(r"99% +([\d.]+)(us|ms|s)", done.stdout)
    assert rate is not None, done.stdout
    assert tail is not None, done.stdout
    return Full(float(rate[1]), float(tail[1]) * _UNIT[tail[2]], cpu)


Body = Callable[[int, Random], bytes]
"""(number of the request, chance) what is sent."""


def paced(
    port: int,
    path: str,
    key: str,
    body: Body,
    *,
    rate: float,
    seconds: float,
    connections: int = 64,
) -> list[float]:
    """Ask at a steady rate; milliseconds from when each request was due to its answer, sorted."""
    return sorted(asyncio.run(_paced(port, head_of(path, key), body, rate, seconds, connections)))


async def _paced(
    port: int, head: bytes, body: Body, rate: float, seconds: float, connections: int
) -> list[float]:
    free: asyncio.Queue[Pipe] = asyncio.Queue()
    for _ in range(connections):
        free.put_nowait(await Pipe.open(port))
    times: list[float] = []
    chance, start = Random(11), time.perf_counter() + 0.1

    async def one(data: bytes, due: float) -> None:
        pipe = await free.get()
        await pipe.post(head, data)
        times.append((time.perf_counter() - due) * 1000)
        free.put_nowait(pipe)

    async with asyncio.TaskGroup() as group:
        for number in range(int(rate * seconds)):
            due = start + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(one(body(number, chance), due))
    while not free.empty():
        free.get_nowait().close()
    return times


class Pipe:
    """A kept connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> Pipe:
        """To the server of this machine."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def post(self, head: bytes, body: bytes) -> bytes:
        """One POST; the answer's body."""
        self._writer.write(b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body))
        said = await self._reader.readuntil(b"\r\n\r\n")
        assert said.startswith(b"HTTP/1.1 200"), said
        length = LENGTH.search(said)
        assert length is not None, said
        return await self._reader.readexactly(int(length[1]))

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


def quantiles(ordered: list[float]) -> dict[str, float]:
    """Of sorted milliseconds."""
    shares = {"p50_ms": 0.5, "p99_ms": 0.99}
    return {name: quantile(ordered, share) for name, share in shares.items()}
