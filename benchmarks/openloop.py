"""A load generator in a process of its own: requests at the time they are due, whatever becomes of those
before.

A client that waits for its answer before it asks again slows down with the server, and so never overloads
it. This one keeps to its schedule: each request goes out when it is due, over a kept connection that is
free, or over a new one, up to ``lines`` of them; what finds none is counted as not sent. A time runs from
when a request was due to its whole answer.

With ``rate`` 0 each of the lines asks again as soon as it is answered: that measures capacity.

It is started by ``Load``, which hands it a ``Plan`` and reads what it found. What it takes itself is told,
too.
"""

from __future__ import annotations

import asyncio
import re
import resource
import subprocess
import sys
import tempfile
from array import array
from collections import Counter, defaultdict, deque
from pathlib import Path
from time import perf_counter
from typing import cast

import msgspec
import uvloop

from benchmarks.loop import head_of

TICK_S = 0.002
PATIENCE_S = 20.0
"""A request without an answer for so long is given up."""
BATCH = 20
LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
RETRY = re.compile(rb"(?i)\r\nretry-after: *\d+\r\n")


class Plan(msgspec.Struct):
    """What is to be sent."""

    port: int
    write_key: str
    server_key: str
    seconds: float
    rate: float = 0.0
    """Requests a second; 0: as fast as they are answered."""
    lines: int = 32
    """Connections at most."""
    mix: str = "tttdttdtbt"
    """Kinds of requests, taken in turn: one event, a batch of 20, a decision."""
    people: int = 2_000
    first: int = 0
    """Number of the first request: message ids are made of it, and never come twice."""
    acked: str = ""
    """A file for the numbers of the events that were acknowledged."""


class Times(msgspec.Struct):
    """Milliseconds, from when requests were due to their whole answers."""

    count: int
    ranks: list[float]
    """Of the sorted times, a thousand evenly spaced, the last one the longest."""

    @classmethod
    def of(cls, times: array[float]) -> Times:
        """From all of them."""
        ordered = sorted(times)
        last = len(ordered) - 1
        ranks = [ordered[each * last // 1_000] for each in range(1_001)] if ordered else []
        return cls(len(ordered), ranks)

    def at(self, share: float) -> float:
        """A quantile; -1 when there are none."""
        return round(self.ranks[round(share * 1_000)], 2) if self.ranks else -1.0


class Found(msgspec.Struct):
    """What became of it."""

    seconds: float
    offered: int
    answers: dict[str, int]
    """How many by status; ``unsent``, ``broken`` (the connection ended), ``silent`` (given up)."""
    without_retry: int
    """Refusals (429, 503) that do not say when to come again."""
    ms: dict[str, Times]
    """Of what was answered with 200, by kind."""
    refused_ms: Times
    p99_by_second: list[float]
    """Of what was answered with 200, in milliseconds, by the second in which it was due."""
    lines: int
    """Connections that were open at once, at most."""
    cpu_s: float
    """Processor time that this generator took."""


class Line(asyncio.Protocol):
    """One connection: a request, its answer, the next."""

    def __init__(self, load: OpenLoop) -> None:
        self.load = load
        self.transport: asyncio.Transport | None = None
        self.received = b""
        self.number = -1
        self.due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """What was due when it was opened goes first."""
        self.transport = cast("asyncio.Transport", transport)
        if self.number >= 0:
            self.transport.write(self.load.request(self.number))
        else:
            self.load.freed(self)

    def ask(self, number: int, due: float) -> None:
        """Send a request, now or as soon as the connection is there."""
        self.number, self.due = number, due
        if self.transport is not None:
            self.transport.write(self.load.request(number))

    def data_received(self, data: bytes) -> None:
        """A part of an answer."""
        self.received += data
        end = self.received.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self.received[: end + 4]
        length = LENGTH.search(head)
        if length is None or len(self.received) < end + 4 + int(length[1]):
            return
        self.received = b""
        number, self.number = self.number, -1
        self.load.answered(number, self.due, head)
        self.load.freed(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The server hung up, or was never reached."""
        self.load.lost(self)


class OpenLoop:
    """One run of a plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._heads = {
            "t": head_of("/v1/track", plan.write_key),
            "b": head_of("/v1/batch", plan.write_key),
            "d": head_of("/v1/decide", plan.server_key),
        }
        self._free: deque[Line] = deque()
        self._open: set[Line] = set()
        self._most = 0
        self._next = plan.first
        self._opening: set[asyncio.Task[None]] = set()
        self._started = 0.0
        self._sending = True
        self.answers: Counter[str] = Counter()
        self.without_retry = 0
        self.ms: dict[str, array[float]] = {kind: array("d") for kind in "tbd"}
        self.refused_ms = array("d")
        self.by_second: defaultdict[int, list[float]] = defaultdict(list)
        self.acked = array("Q")

    def kind(self, number: int) -> str:
        """Of a request: the mix in turn."""
        return self.plan.mix[number % len(self.plan.mix)]

    def request(self, number: int) -> bytes:
        """As bytes."""
        kind, who = self.kind(number), (number * 7919) % self.plan.people
        if kind == "t":
            body = _event(number, who)
        elif kind == "b":
            body = b'{"batch":[%b]}' % b",".join(
                _event(number, (who + each) % self.plan.people, each) for each in range(BATCH)
            )
        else:
            body = b'{"person":{"userId":"o%d"},"surfaces":[{"surface":"home-grid"}]}' % who
        return b"%bContent-Length: %d\r\n\r\n%b" % (self._heads[kind], len(body), body)

    def answered(self, number: int, due: float, head: bytes) -> None:
        """Count one answer."""
        now = perf_counter()
        status, kind = head[9:12].decode(), self.kind(number)
        self.answers[status] += 1
        if status == "200":
            self.ms[kind].append((now - due) * 1000)
            self.by_second[int(due - self._started)].append((now - due) * 1000)
            if kind != "d":
                self.acked.append(number)
        elif status in ("429", "503"):
            self.refused_ms.append((now - due) * 1000)
            self.without_retry += RETRY.search(head) is None

    def freed(self, line: Line) -> None:
        """A line may be used again."""
        if self._sending and not self.plan.rate:
            line.ask(self._number(), perf_counter())
        else:
            self._free.append(line)

    def lost(self, line: Line) -> None:
        """A line is no more."""
        self._open.discard(line)
        if line in self._free:
            self._free.remove(line)
        if line.number >= 0:
            self.answers["broken"] += 1

    def _number(self) -> int:
        self._next += 1
        return self._next - 1

    def _one(self, due: float) -> None:
        """Send one that is due."""
        if self._free:
            self._free.pop().ask(self._number(), due)
        elif len(self._open) < self.plan.lines:
            self._line().ask(self._number(), due)
        else:
            self._number()
            self.answers["unsent"] += 1

    def _line(self) -> Line:
        line = Line(self)
        self._open.add(line)
        self._most = max(self._most, len(self._open))
        task = asyncio.ensure_future(self._connect(line))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)
        return line

    async def _connect(self, line: Line) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: line, "127.0.0.1", self.plan.port)
        except OSError:
            self.lost(line)

    async def run(self) -> Found:
        """All of it; returns when each request has an answer, or is given up."""
        plan, self._started = self.plan, perf_counter()
        if not plan.rate:
            for _ in range(plan.lines):
                self._line()
        sent = 0
        while (now := perf_counter() - self._started) < plan.seconds:
            while sent < int(now * plan.rate):
                self._one(self._started + sent / plan.rate)
                sent += 1
            await asyncio.sleep(TICK_S)
        self._sending = False
        await self._answers()
        return self._found()

    async def _answers(self) -> None:
        """Wait for those under way."""
        until = perf_counter() + PATIENCE_S
        while perf_counter() < until and any(each.number >= 0 for each in self._open):
            await asyncio.sleep(0.01)
        for each in self._open:
            if each.number >= 0:
                self.answers["silent"] += 1
                each.number = -1
            if each.transport is not None:
                each.transport.abort()

    def _found(self) -> Found:
        used = resource.getrusage(resource.RUSAGE_SELF)
        if self.plan.acked:
            Path(self.plan.acked).write_bytes(self.acked.tobytes())
        last = int(self.plan.seconds)
        return Found(
            seconds=self.plan.seconds,
            offered=self._next - self.plan.first,
            answers=dict(self.answers),
            without_retry=self.without_retry,
            ms={kind: Times.of(times) for kind, times in self.ms.items()},
            refused_ms=Times.of(self.refused_ms),
            p99_by_second=[
                Times.of(array("d", self.by_second[each])).at(0.99) for each in range(last)
            ],
            lines=self._most,
            cpu_s=used.ru_utime + used.ru_stime,
        )


def _event(number: int, who: int, each: int = 0) -> bytes:
    return (
        b'{"type":"track","event":"Product Viewed","messageId":"%b","userId":"o%d",'
        b'"properties":{"product_id":"lamp-%d","price":10}}'
        % (message_id(number, each).encode(), who, 1 + number % 5)
    )


def message_id(number: int, each: int = 0) -> str:
    """Of the event, or of one of a batch."""
    return f"open-{number}-{each}"


class Load:
    """The generator at work beside whoever started it."""

    def __init__(self, plan: Plan) -> None:
        self._told = tempfile.TemporaryFile()  # noqa: SIM115 - until it was read
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.openloop"], stdin=subprocess.PIPE, stdout=self._told
        )
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(plan))
        self._process.stdin.close()

    @property
    def running(self) -> bool:
        """Whether it is still at work."""
        return self._process.poll() is None

    def found(self) -> Found:
        """Wait for the end."""
        assert self._process.wait() == 0, "the generator failed"
        with self._told as told:
            told.seek(0)
            return msgspec.json.decode(told.read(), type=Found)


def main() -> None:
    """Run the plan on the standard input; what was found goes to the standard output."""
    plan = msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(OpenLoop(plan).run())
    sys.stdout.buffer.write(msgspec.json.encode(found))


if __name__ == "__main__":
    main()
