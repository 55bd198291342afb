"""What a client may keep the server waiting for. Time is asked for, not waited for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec
import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from germane.api import connection as limits
from germane.api.connection import Connection, Room
from germane.api.errors import ErrorBody
from germane.api.overload import SENDERS, Overload
from germane.app.stats import Stats

ASK = b"POST /v1/track HTTP/1.1\r\nHost: here\r\nContent-Length: %d\r\n\r\n%b"


class Site:
    """A server whose application answers with the length of the body."""

    def __init__(self, room: Room, port: int) -> None:
        self.room, self._port = room, port
        self.writers: list[asyncio.StreamWriter] = []

    async def client(self, sent: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A client that has sent something."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        self.writers.append(writer)
        writer.write(sent)
        return reader, writer

    async def phases(self, *wanted: str) -> None:
        """Wait until the connections are so far."""
        await until(lambda: sorted(each.phase for each in self.room.all) == sorted(wanted))

    def late(self, after_s: float) -> int:
        """How many connections would be cut after so long."""
        now = asyncio.get_running_loop().time() + after_s
        return sum(each.late(now) for each in self.room.all)


async def until(true: Callable[[], bool]) -> None:
    """Give others their turn until something is so."""
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.001)


async def _closed(writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        await writer.wait_closed()


async def length(scope: Any, receive: Any, send: Any) -> None:
    """The application."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message["type"] == "http.request" and message["more_body"]
    told = b"%d" % len(body)
    headers = [(b"content-length", b"%d" % len(told))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": told})


async def hasty(scope: Any, receive: Any, send: Any) -> None:
    """An application that answers before it has read anything."""
    await send(
        {"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]}
    )
    await send({"type": "http.response.body", "body": b""})


async def much(scope: Any, receive: Any, send: Any) -> None:
    """An application that says more than fits on the way."""
    told = bytes(20_000_000)
    headers = [(b"content-length", b"%d" % len(told))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": told})


@asynccontextmanager
async def served(app: Any = length, connections: int = 100) -> AsyncIterator[Site]:
    """A site, until its end."""
    overload = Overload({"/v1/track": Stats()})
    room = Room(overload, connections)
    config, state = Config(overload.over(app), log_config=None), ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Connection(config, state, {}, loop, room=room), "127.0.0.1", 0
    )
    site = Site(room, server.sockets[0].getsockname()[1])
    try:
        yield site
    finally:
        server.close()
        for writer in site.writers:
            writer.transport.abort()
            await _closed(writer)
        await until(lambda: not state.connections and not state.tasks)


def running(work: Callable[[], Awaitable[None]]) -> None:
    """In an event loop of its own."""
    asyncio.run(work())  # type: ignore[arg-type]


def test_a_head_and_a_body_have_a_deadline_and_a_client_at_rest_has_none() -> None:
    async def work() -> None:
        async with served() as site:
            clients = [
                await site.client(each) for each in (b"", b"\r\n", b"POST /", ASK % (9, b"half"))
            ]
            await site.phases("idle", "head", "head", "body")
            assert site.late(limits.HEAD_S - 1) == 0
            assert site.late(limits.HEAD_S + 1) == 2
            assert site.late(limits.BODY_S + 1) == 3
            clients[3][1].write(b"whole")
            assert (await clients[3][0].read(15)).startswith(b"HTTP/1.1 200")
            await site.phases("idle", "idle", "head", "head")
            assert site.late(limits.BODY_S + 1) == 2

    running(work)


def test_one_more_byte_does_not_move_a_deadline() -> None:
    async def work() -> None:
        async with served() as site:
            _, writer = await site.client(b"POST /v1/")
            await site.phases("head")
            (each,) = site.room.all
            since = each.since
            writer.write(b"track HTTP/1.1\r\nX: y")
            await until(lambda: each._head_bytes > 9)
            assert each.since == since

    running(work)


def test_who_is_late_is_cut() -> None:
    async def work() -> None:
        async with served() as site:
            reader, _ = await site.client(b"POST /")
            await site.phases("head")
            (each,) = site.room.all
            each.since -= limits.HEAD_S + 1
            await site.room.look()
            assert await reader.read() == b""
            assert not site.room.all

    running(work)


def test_an_answer_that_nobody_takes_is_given_up() -> None:
    async def work() -> None:
        async with served(much) as site:
            reader, _ = await site.client(ASK % (0, b""))
            await until(lambda: any(x.transport.get_write_buffer_size() for x in site.room.all))
            assert site.late(0) == 0
            assert site.late(limits.TAKE_S + 1) == 1
            async with asyncio.timeout(20):  # who does take it has all of it
                found = await reader.readexactly(20_000_000)
            assert len(found) == 20_000_000
            assert site.late(limits.TAKE_S + 1) == 0

    running(work)


_JAVA = (
    b"POST /v1/track HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nContent-Length: 15\r\n"
    b"Host: here\r\nHTTP2-Settings: AAEA\r\nUpGrade: h2c\r\nX-Last: 1\r\n\r\n"
)
"""The head of the first request of a client that would rather speak HTTP/2."""


@pytest.mark.parametrize("sent", [1, 2, 7, 1_000], ids="{} bytes at a time".format)
def test_a_wish_to_speak_another_protocol_is_ignored(sent: int) -> None:
    """However the request comes, its body is read as it is, and the connection goes on."""
    asked = _JAVA + b"\r\nupgrade: no\r\n"

    async def work() -> None:
        async with served() as site:
            reader, writer = await site.client()
            for _ in range(2):
                for at in range(0, len(asked), sent):
                    writer.write(asked[at : at + sent])
                    await asyncio.sleep(0.001)
                said = await reader.readuntil(b"\r\n\r\n")
                assert (said[:15], await reader.readexactly(2)) == (b"HTTP/1.1 200 OK", b"15")

    running(work)


@pytest.mark.parametrize("at", range(len(_JAVA)))
def test_a_head_in_two_parts_is_the_head(at: int) -> None:
    """Nothing is left behind, and nothing is said twice."""
    seen: list[bytes] = []

    class Heard(Connection):
        def __init__(self) -> None:
            self.phase, self._held = "head", b""

    heard = Heard()
    seen += [heard._without_upgrade(_JAVA[:at]), heard._without_upgrade(_JAVA[at:])]
    assert b"".join(seen) == _JAVA.replace(b"UpGrade", b"x-upgrade")
    assert heard._held == b""


def test_a_head_has_a_size() -> None:
    async def work() -> None:
        async with served() as site:
            reader, writer = await site.client(b"GET / HTTP/1.1\r\n")
            writer.write(b"".join(b"X-%d: y\r\n" % each for each in range(10_000)))
            assert (await reader.read()).startswith(b"HTTP/1.1 431 ")

    running(work)


def test_a_request_before_it_is_no_part_of_a_head() -> None:
    """The next one may begin with the last bytes of a large one."""

    async def work() -> None:
        async with served() as site:
            large = bytes(limits.HEAD_BYTES)
            reader, writer = await site.client(ASK % (len(large), large) + b"GET / HT")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
            await reader.readexactly(len(b"65536"))
            writer.write(b"TP/1.1\r\nHost: here\r\n\r\n")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")

    running(work)


@pytest.mark.parametrize("sent", [b"GET /\x01 HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00"])
def test_what_is_no_http_gets_an_error_of_the_one_shape(sent: bytes) -> None:
    """The second one speaks TLS."""

    async def work() -> None:
        async with served() as site:
            reader, _ = await site.client(sent)
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
            assert b"content-type: application/json\r\n" in head
            assert b"content-length: %d\r\n" % len(body) in head
            said = msgspec.json.decode(body, type=ErrorBody)
            assert (said.success, said.code) == (False, "request.invalid")

    running(work)


def test_when_there_are_too_many_the_slowest_go() -> None:
    """Not those whose request is whole, and not who came last."""

    async def work() -> None:
        async with served(connections=3) as site:
            slow, _ = await site.client(b"POST /")
            await site.phases("head")
            for _ in range(2):
                await site.client()
            await site.phases("head", "idle", "idle")
            reader, _ = await site.client(ASK % (5, b"hello"))
            assert (await reader.read(15)).startswith(b"HTTP/1.1 200")
            assert await slow.read() == b""
            assert len(site.room.all) == 3

    running(work)


def test_bodies_that_are_not_whole_have_a_bound_together(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        async with served() as site:
            first, _ = await site.client(ASK % (4_000, bytes(600)))
            await until(lambda: site.room.bodies_bytes == 600)
            _, second = await site.client(ASK % (4_000, bytes(600)))
            assert await first.read() == b""
            await until(lambda: site.room.bodies_bytes == 600)
            second.close()
            await until(lambda: site.room.bodies_bytes == 0)

    monkeypatch.setattr(limits, "BODIES_BYTES", 1_000)
    running(work)


def test_a_body_that_was_answered_takes_no_room_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is it read for ever."""

    async def work() -> None:
        async with served(hasty) as site:
            reader, writer = await site.client(ASK % (9_000, bytes(600)))
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 404 ")
            (each,) = site.room.all
            writer.write(bytes(2_000))
            await until(lambda: each._discarded_bytes == 2_000)
            assert site.room.bodies_bytes == 0
            writer.write(bytes(5_000))
            with suppress(ConnectionError):
                assert await reader.read() == b""
            assert not site.room.all

    monkeypatch.setattr(limits, "BODIES_BYTES", 1_000)
    monkeypatch.setattr(limits, "DISCARDED_BYTES", 4_000)
    running(work)


def test_who_sends_the_end_of_a_body_after_the_answer_may_rest_as_long_as_others() -> None:
    async def work() -> None:
        async with served(hasty) as site:
            reader, writer = await site.client()
            await site.phases("idle")
            (each,) = site.room.all
            each.timeout_keep_alive = 0.2  # type: ignore[assignment]
            writer.write(ASK % (4, b""))
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 404 ")
            writer.write(b"late")
            async with asyncio.timeout(5):
                assert await reader.read() == b""

    running(work)


def test_a_request_that_would_wait_too_long_is_refused_and_the_connection_stays() -> None:
    async def work() -> None:
        async with served() as site:
            for _ in range(10_000):
                site.room.overload.waits()
            reader, writer = await site.client(ASK % (5, b"hello"))
            said = await reader.readuntil(b"\r\n\r\n")
            assert said.startswith(b"HTTP/1.1 429 ")
            length = int(said.split(b"content-length: ")[1].split(b"\r\n")[0])
            assert b'"server.overloaded"' in await reader.readexactly(length)
            site.room.overload._read.clear()
            writer.write(ASK % (5, b"hello"))
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")

    running(work)


@pytest.mark.parametrize("apart", [False, True], ids=["as a whole", "in two parts"])
def test_a_refusal_counts_as_life_of_its_connection(
    apart: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However it came, the connection may rest as long after it as after any other answer; then it is closed,
    and what else it says is answered as ever."""

    async def work() -> None:
        async with served() as site:
            for _ in range(SENDERS):
                site.room.overload.waits()
            monkeypatch.setattr(site.room.overload, "_cost_s", 10.0)
            reader, writer = await site.client()
            await site.phases("idle")
            (mine,) = site.room.all
            monkeypatch.setattr(mine, "timeout_keep_alive", 0.3)
            writer.write(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
            sent, began = ASK % (5, b"hello"), asyncio.get_running_loop().time()
            for _ in range(4):
                await asyncio.sleep(0.1)
                if apart:
                    writer.write(sent[:30])
                    await asyncio.sleep(0.01)
                writer.write(sent[30:] if apart else sent)
                said = await reader.readuntil(b"\r\n\r\n")
                assert b"HTTP/1.1 429 " in said
                length = int(said.split(b"content-length: ")[1].split(b"\r\n")[0])
                await reader.readexactly(length)
            assert await reader.read() == b""
            assert 0.6 < asyncio.get_running_loop().time() - began < 4

    running(work)
