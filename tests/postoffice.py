"""aiosmtpd in a thread. It stops so that nothing is left: its own way forgets open connections."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP


class Remembered(SMTP):
    """Leaves each of its transports (the one below TLS first) with its socket in a list."""

    connections: list[tuple[asyncio.Transport, Any]]

    def connection_made(self, transport: Any) -> None:
        self.connections.append((transport, transport.get_extra_info("socket")))
        super().connection_made(transport)


class PostOffice(Controller):
    """On a free port of this machine, unless told one."""

    kind: type[Remembered] = Remembered

    def __init__(self, handler: Any, port: int = 0, **more: Any) -> None:
        self._connections: list[tuple[asyncio.Transport, Any]] = []
        super().__init__(handler, hostname="127.0.0.1", port=port, **more)

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call] # theirs has no types

    def factory(self) -> SMTP:
        """One connection's protocol."""
        served = self.kind(self.handler, **self.SMTP_kwargs)
        served.connections = self._connections
        return served

    async def _emptied(self) -> None:
        """No new connection, and the old ones are closed: a socket that is closed has no number."""
        assert self.server is not None
        self.server.close()
        for transport, _ in self._connections:
            transport.abort()
        async with asyncio.timeout(5):
            while any(s.fileno() != -1 for _, s in self._connections):  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.001)

    def stop(self, no_assert: bool = False) -> None:
        """Close every connection, then end the loop and the thread."""
        asyncio.run_coroutine_threadsafe(self._emptied(), self.loop).result(10)
        super().stop(no_assert)


@contextmanager
def open_office(office: PostOffice) -> Iterator[int]:
    """The port it listens at."""
    office.start()
    try:
        yield office.port
    finally:
        office.stop()
