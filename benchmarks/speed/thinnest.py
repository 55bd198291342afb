"""The thinnest durable server: what it takes to receive, append, sync and answer, and nothing else.

The same server library with the same settings as Germane's, and one file. Whatever comes is appended as
it is, what waits is written and synced together, and then it is answered. It reads no JSON, knows
nobody, and would take anything twice: the limit that a server like ours can be held against.

With ``GERMANE_CONSTANT`` set to a file, it answers every request with that body, and appends nothing.
"""

from __future__ import annotations

import asyncio
import os
import queue
import sys
import threading
from pathlib import Path

from starlette.types import Receive, Scope, Send

from germane.app.stats import Stats
from germane.cli.serving import http_server, listen, run_server

HEADERS = [(b"content-type", b"application/json"), (b"x-content-type-options", b"nosniff")]


class Log:
    """Appends bytes; those who wait meanwhile are served by the next sync."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._jobs: queue.SimpleQueue[list[tuple[bytes, asyncio.Future[None]]]] = (
            queue.SimpleQueue()
        )
        self._busy = False
        threading.Thread(target=self._run, daemon=True).start()

    async def append(self, body: bytes) -> None:
        """Durable when this returns."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._waiting.append((body, done))
        if not self._busy:
            self._busy = True
            loop.call_soon(self._next)
        await done

    def _next(self) -> None:
        group, self._waiting = self._waiting, []
        self._busy = bool(group)
        if group:
            self._jobs.put(group)

    def _run(self) -> None:
        while True:
            group = self._jobs.get()
            os.write(self._file, b"\n".join(body for body, _ in group) + b"\n")
            os.fdatasync(self._file)
            group[0][1].get_loop().call_soon_threadsafe(self._done, group)

    def _done(self, group: list[tuple[bytes, asyncio.Future[None]]]) -> None:
        for _, done in group:
            done.set_result(None)
        self._next()


class Thinnest:
    """The ASGI application."""

    def __init__(self, folder: Path, constant: bytes = b"") -> None:
        self.traffic: dict[str, Stats] = {}
        """Nothing is ever refused."""
        self._folder = folder
        self._log: Log | None = None
        self._answer = constant or b'{"success":true}'
        self._appends = not constant

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Every request alike."""
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        if self._appends and scope["method"] == "POST":
            self._log = self._log or Log(self._folder / "log")
            await self._log.append(body)
        length = (b"content-length", b"%d" % len(self._answer))
        await send({"type": "http.response.start", "status": 200, "headers": [*HEADERS, length]})
        await send({"type": "http.response.body", "body": self._answer})


def main() -> None:
    """``FOLDER PORT``."""
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    constant = os.environ.get("GERMANE_CONSTANT")
    app = Thinnest(folder, Path(constant).read_bytes() if constant else b"")
    with listen("127.0.0.1", port) as listener:
        run_server(http_server(app, grace_s=1), listener)


if __name__ == "__main__":
    main()
