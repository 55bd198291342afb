"""Clients that take their time, in a process of their own: heads and bodies a byte a second, answers likewise.

A third of the connections each. Whoever is cut comes again. It goes on until its standard input is closed,
and then tells how many connections of each kind were cut.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections import Counter
from itertools import count

import msgspec
import uvloop

PACE_S = 1.0
KINDS = ("head", "body", "answer")
HEAD = b"POST /v1/track HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
BODY = b"POST /v1/track HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 30000\r\n\r\n"
ASK = b"GET /openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
WINDOW = 2_048
"""Bytes that the system may take for us."""


class Slow(msgspec.Struct):
    """What is wanted."""

    port: int
    connections: int


async def one(kind: str, port: int, cut: Counter[str]) -> None:
    """One connection until it is cut, and again."""
    loop = asyncio.get_running_loop()
    while True:
        with socket.socket() as mine:
            mine.setblocking(False)
            mine.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)
            try:
                await loop.sock_connect(mine, ("127.0.0.1", port))
                first = {"head": HEAD, "body": BODY, "answer": ASK}[kind]
                await loop.sock_sendall(mine, first)
                await (_reading if kind == "answer" else _sending)(mine)
            except OSError:
                cut[kind] += 1
        await asyncio.sleep(PACE_S)


async def _sending(mine: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    for _ in count():
        await asyncio.sleep(PACE_S)
        await loop.sock_sendall(mine, b"x")


async def _reading(mine: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    for _ in count():
        await asyncio.sleep(PACE_S)
        if not await loop.sock_recv(mine, 1):
            raise ConnectionError


async def every(wanted: Slow) -> Counter[str]:
    """All of them, not all at the same moment."""
    cut: Counter[str] = Counter()
    tasks = []
    for number in range(wanted.connections):
        tasks.append(asyncio.ensure_future(one(KINDS[number % 3], wanted.port, cut)))
        await asyncio.sleep(PACE_S / wanted.connections)
    print("there", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    for each in tasks:
        each.cancel()
    await asyncio.wait(tasks)
    return cut


class Crowd:
    """Slow clients at work beside whoever started them: there when it is made."""

    def __init__(self, wanted: Slow) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.trickle", msgspec.json.encode(wanted).decode()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"there\n"

    def leave(self) -> dict[str, int]:
        """How many of each kind were cut; all are gone."""
        told, _ = self._process.communicate()
        assert self._process.returncode == 0, "the slow clients failed"
        return msgspec.json.decode(told, type=dict[str, int])


def main() -> None:
    """Until the standard input ends."""
    wanted = msgspec.json.decode(sys.argv[1], type=Slow)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        cut = runner.run(every(wanted))
    print(msgspec.json.encode(dict(cut)).decode())


if __name__ == "__main__":
    main()
