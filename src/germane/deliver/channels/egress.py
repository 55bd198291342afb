"""Requests to the outside that cannot be led inside: the one place that opens HTTP connections.

The name is resolved once, every address it has must be public, and the connection goes to the very address that was
checked, so that a name that changes its mind (DNS rebinding) gains nothing. TLS and the Host header still speak the
name. Redirects are not followed. All is bounded in time and size.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence

import h11
import msgspec

from germane.deliver.channels.addresses import BadTarget, Target, checked, is_allowed, target

MAX_ANSWER_BYTES = 256_000
MAX_REQUEST_BYTES = 2_000_000
AGENT = "Germane"
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host and port to all IP addresses, as text."""


class Answered(msgspec.Struct, frozen=True):
    """What the other side said."""

    status: int
    headers: dict[str, str]
    """Small letters."""
    body: bytes


class Forbidden(Exception):
    """The URL may not be asked. The message says why, without the reader's secrets."""


class Failed(Exception):
    """Nothing was answered. ``sent`` tells whether the request may have arrived."""

    def __init__(self, reason: str, *, sent: bool) -> None:
        self.reason, self.sent = reason, sent
        super().__init__(reason)


class Egress:
    """Asks URLs. ``allowed`` hosts (``host`` or ``host:port``) may be private, and without TLS."""

    def __init__(
        self,
        *,
        allowed: frozenset[str] = frozenset(),
        timeout_s: float = 15.0,
        resolve: Resolver | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._allowed = allowed
        self._timeout_s = timeout_s
        self._resolve = resolve or resolved
        self._tls = tls

    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Answered:
        """Ask once.

        Raises:
            Forbidden: the URL, or an address that its host has, may not be asked. Nothing was sent.
            Failed: no connection, no answer in time, one that is too large, or none that is HTTP.
        """
        try:
            where = target(url, self._allowed)
        except BadTarget as error:
            raise Forbidden(f"The URL is not asked: {error}.") from None
        if len(body) > MAX_REQUEST_BYTES:
            raise Forbidden(
                f"The body has {len(body):,} bytes; the limit is {MAX_REQUEST_BYTES:,}."
            )
        exchange = _Exchange(where, self._context(where))
        try:
            async with asyncio.timeout(self._timeout_s):
                addresses = await self._addresses(where)
                return await exchange.run(addresses, method, headers or {}, body)
        except TimeoutError:
            raise Failed(f"no answer in {self._timeout_s:g} s", sent=exchange.sent) from None
        except ssl.SSLError as error:
            raise Failed(f"TLS failed: {error.reason or error}", sent=exchange.sent) from None
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise Failed(f"the connection failed: {reason}", sent=exchange.sent) from None
        except h11.ProtocolError:
            raise Failed("the answer is not HTTP", sent=exchange.sent) from None
        finally:
            exchange.close()

    def _context(self, where: Target) -> ssl.SSLContext | None:
        if where.scheme == "http":
            return None
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls

    async def _addresses(self, where: Target) -> list[str]:
        """All addresses of the host; none when one of them is not public."""
        try:
            found = list(await self._resolve(where.host, where.port))
        except (OSError, UnicodeError):
            raise Failed("its host has no address", sent=False) from None
        by_name = is_allowed(where.host, where.port, self._allowed)
        for each in found:
            why = checked(each, by_name=by_name)
            if why:
                raise Forbidden(f"The URL is not asked: its address {each} is {why}.")
        if not found:
            raise Failed("its host has no address", sent=False)
        return list(dict.fromkeys(found))


async def resolved(host: str, port: int) -> Sequence[str]:
    """What the system's resolver says. Raises OSError when there is none."""
    loop = asyncio.get_running_loop()
    rows = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return [str(row[4][0]) for row in rows]


class _Exchange:
    """One request and its answer on a connection of its own."""

    def __init__(self, where: Target, context: ssl.SSLContext | None) -> None:
        self._where = where
        self._context = context
        self._writer: asyncio.StreamWriter | None = None
        self.sent = False

    async def run(
        self, addresses: Sequence[str], method: str, headers: Mapping[str, str], body: bytes
    ) -> Answered:
        reader, self._writer = await self._connected(addresses)
        http = h11.Connection(h11.CLIENT)
        said = {
            "host": self._where.authority,
            "user-agent": AGENT,
            "accept": "*/*",
            "connection": "close",
            **{name.lower(): value for name, value in headers.items()},
        }
        if body or method in ("POST", "PUT"):
            said["content-length"] = str(len(body))
        request = h11.Request(method=method, target=self._where.path, headers=list(said.items()))
        data = http.send(request) or b""
        if body:
            data += http.send(h11.Data(data=body)) or b""
        data += http.send(h11.EndOfMessage()) or b""
        self.sent = True
        self._writer.write(data)
        await self._writer.drain()
        return await _answer(http, reader)

    async def _connected(
        self, addresses: Sequence[str]
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """To the first checked address that takes it: never by name."""
        name = self._where.host if self._context is not None else None
        last: OSError | None = None
        for each in addresses:
            try:
                return await asyncio.open_connection(
                    each, self._where.port, ssl=self._context, server_hostname=name
                )
            except ssl.SSLError:
                raise
            except OSError as error:
                last = error
        assert last is not None
        raise last

    def close(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()


async def _answer(http: h11.Connection, reader: asyncio.StreamReader) -> Answered:
    status, headers, body = 0, {}, bytearray()
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            http.receive_data(await reader.read(16_384))
        elif isinstance(event, h11.Response):
            status = event.status_code
            headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in event.headers}
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > MAX_ANSWER_BYTES:
                raise Failed(f"the answer is over {MAX_ANSWER_BYTES:,} bytes", sent=True)
        elif isinstance(event, h11.EndOfMessage):
            return Answered(status, headers, bytes(body))
        elif isinstance(event, h11.ConnectionClosed):
            raise Failed("the connection was closed without an answer", sent=True)
