"""What is written at once is what uvicorn would have written, and leaves the connection as it would have."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.server import ServerState

from germane.api import server
from germane.api.body import answer, parse
from germane.api.connection import Connection, Room
from germane.api.endpoint import Endpoint
from germane.api.overload import Overload
from germane.api.server import over
from germane.domain.errors import BadRequest

DATE = (b"date", b"Mon, 30 Nov 2026 09:50:20 GMT")
ASK = b"POST /v1/echo HTTP/1.1\r\nhost: here\r\n%bcontent-length: %d\r\n\r\n%b"


class Wire(asyncio.Transport):
    """Keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.said = bytearray()
        self.writes = 0
        self.closed = False

    def write(self, data: Any) -> None:
        assert not self.closed
        self.said += data
        self.writes += 1

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        """It is asked for the next."""

    def resume_reading(self) -> None:
        """Likewise."""


async def echo(request: Request) -> Response:
    """The endpoint."""
    said = await parse(request, dict[str, Any])
    if said.get("crash"):
        raise RuntimeError
    if said.get("gone"):
        request.receive.__self__.disconnected = True  # type: ignore[attr-defined]
    if said.get("wrong"):
        raise BadRequest("It is wrong.")
    return answer(said, said.get("status", 200))


async def talk(sent: bytes, steps: int, between: Callable[[Connection], None]) -> tuple[Any, ...]:
    """What comes of it when it is sent in so many parts: the bytes, and how the connection is left."""
    endpoint = Endpoint("POST", "/v1/echo", echo, "", "", "open")
    overload = Overload({})
    config = Config(
        overload.over(over([endpoint], access_log=False)), log_config=None, access_log=False
    )
    config.load()
    state, wire = ServerState(), Wire()
    state.default_headers = [DATE]
    each = Connection(config, state, {}, asyncio.get_running_loop(), room=Room(overload))
    each.connection_made(wire)
    size = -(-len(sent) // steps)
    for begin in range(0, len(sent), size):
        each.data_received(sent[begin : begin + size])
        between(each)
        await asyncio.sleep(0)
    async with asyncio.timeout(10):
        while state.tasks:  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0)
    armed = each.timeout_keep_alive_task is not None
    left = (
        each.phase,
        each.cycle.response_complete,
        armed,
        state.total_requests,
        len(each.pipeline),
    )
    found = bytes(wire.said), wire.closed, left, wire.writes
    if not wire.closed:
        each.connection_lost(None)
    return found


def nothing(_: Connection) -> None:
    """Happens between two parts."""


def both(
    monkeypatch: pytest.MonkeyPatch,
    sent: bytes,
    steps: int = 1,
    between: Callable[[Connection], None] = nothing,
) -> tuple[Any, Any]:
    """At once, and uvicorn's way."""
    monkeypatch.setattr(server, "drawn", lambda: "0123456789abcdef")
    once = asyncio.run(talk(sent, steps, between))
    monkeypatch.setattr(server, "written", lambda *_: False)
    return once, asyncio.run(talk(sent, steps, between))


def an_ask(body: bytes, headers: bytes = b"") -> bytes:
    return ASK % (headers, len(body), body)


@pytest.mark.parametrize("steps", [1, 2, 7])
@pytest.mark.parametrize(
    ("sent", "writes"),
    [
        (an_ask(b'{"a":1}'), 1),
        (an_ask(b'{"status":503}'), 1),
        (an_ask(b'{"a":1}', b"origin: https://a.example\r\n"), 1),
        (an_ask(b'{"a":1}', b"connection: close\r\n"), 1),
        (an_ask(b'{"a":1}').replace(b"HTTP/1.1", b"HTTP/1.0"), 1),
        (an_ask(b'{"a":1}') + an_ask(b'{"b":2}') + an_ask(b'{"c":3}'), 3),
        (an_ask(b'{"a":1}', b"expect: 100-continue\r\n"), 2),
        (an_ask(b'{"wrong":true}'), 2),
        (an_ask(b'{"crash":true}'), 2),
        (an_ask(b"no JSON"), 2),
    ],
)
def test_the_same_bytes_and_the_same_connection(
    monkeypatch: pytest.MonkeyPatch, sent: bytes, writes: int, steps: int
) -> None:
    once, twice = both(monkeypatch, sent, steps)
    assert once[:3] == twice[:3]
    assert once[0].count(b"x-request-id: 0123456789abcdef\r\n") == sent.count(b"POST ")
    assert once[0].count(b"date: Mon, 30 Nov") == sent.count(b"POST ")
    assert once[3] == writes or steps > 1


def test_who_has_gone_is_told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    once, twice = both(monkeypatch, an_ask(b'{"gone":true}'))
    assert once == twice
    assert (once[0], once[3]) == (b"", 0)


def test_who_takes_nothing_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes by uvicorn's way, which waits."""

    def paused(each: Connection) -> None:
        each.pause_writing()
        asyncio.get_running_loop().call_later(0.01, each.resume_writing)

    once, twice = both(monkeypatch, an_ask(b'{"a":1}'), 1, paused)
    assert once == twice
    assert once[3] == 2


def test_what_uvicorn_would_not_send_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A header with a line break in it: the connection ends."""
    given = server._headers

    def broken(*args: Any) -> Any:
        return [*given(*args), (b"x", b"a\r\nset-cookie: b")]

    monkeypatch.setattr(server, "_headers", broken)
    once, twice = both(monkeypatch, an_ask(b'{"a":1}'))
    assert once == twice
    assert once[:2] == (b"", True)


@pytest.mark.parametrize("body", [b'{"a":1}', b'{"wrong":true}'])
def test_a_request_leaves_nothing_to_be_collected(body: bytes) -> None:
    """But for the last of a connection, which goes with it."""
    asyncio.run(talk(an_ask(body), 1, nothing))
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        asyncio.run(talk(an_ask(body) * 20, 1, nothing))
        gc.collect()
        cycles = [each for each in gc.garbage if isinstance(each, RequestResponseCycle)]
        assert len(cycles) <= 1
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
