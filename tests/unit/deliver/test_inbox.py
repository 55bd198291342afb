"""In-app messages: pulled and streamed."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Sequence
from functools import partial
from typing import cast

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request

from germane.api.connection import Connection, Room
from germane.api.errors import on_germane_error
from germane.api.inbox import Inboxes
from germane.api.overload import Overload
from germane.deliver.inbox import InboxMessage, page, stream
from germane.domain.errors import GermaneError


class Kept:
    """Messages in memory."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, InboxMessage]] = []
        self.news = asyncio.Event()

    def put(self, name: str) -> None:
        position = f"{len(self.messages) + 1:06d}"
        made = InboxMessage(
            message_id=name, campaign="c", form="tooltip", anchor="#x", content={"a": "ü\n"}
        )
        self.messages.append((position, made))
        self.news.set()

    async def waiting(self, person: str, after: str) -> Sequence[tuple[str, InboxMessage]]:
        return [each for each in self.messages if each[0] > after and person == "u:ann"]

    async def changed(self, person: str, timeout_s: float) -> bool:
        try:
            async with asyncio.timeout(timeout_s):
                await self.news.wait()
        except TimeoutError:
            return False
        self.news.clear()
        return True


def test_a_pull() -> None:
    async def go() -> None:
        kept = Kept()
        assert await page(kept, "u:ann") == {"messages": [], "last": ""}
        kept.put("m-1")
        kept.put("m-2")
        found = await page(kept, "u:ann", "000001")
        assert found["last"] == "000002"
        assert found["messages"] == [
            {
                "messageId": "m-2",
                "campaign": "c",
                "form": "tooltip",
                "anchor": "#x",
                "content": {"a": "ü\n"},
                "decisionId": "",
                "expiresAt": "",
            }
        ]

    asyncio.run(go())


def test_a_stream_goes_on_where_it_broke() -> None:
    """Each message once and in order, heartbeats between, JSON on one line."""

    async def go() -> None:
        kept = Kept()
        kept.put("m-1")
        kept.put("m-2")
        events = stream(kept, "u:ann", "000001", heartbeat_s=0.05)
        assert (await anext(events)).startswith(b"retry: ")
        first = await anext(events)
        assert first.startswith(b"id: 000002\nevent: message\ndata: {")
        assert first.endswith(b"}\n\n")
        assert first.count(b"\n") == 4
        assert json.loads(first.split(b"data: ")[1])["messageId"] == "m-2"
        kept.news.clear()
        assert await anext(events) == b": still here\n\n"
        kept.put("m-3")
        assert b"m-3" in await anext(events)
        await events.aclose()

    asyncio.run(go())


def test_over_http() -> None:
    """The person is whoever the server says; positions are checked."""
    kept_people: list[str] = []

    def who(request: Request) -> str:
        kept_people.append("u:ann")
        return "u:ann"

    async def go() -> None:
        kept = Kept()
        kept.put("m-1")
        on = Inboxes(kept, who)
        app = Starlette(
            routes=on.routes(),
            exception_handlers={GermaneError: on_germane_error},
        )
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            found = (await client.get("/v1/inbox")).json()
            assert [each["messageId"] for each in found["messages"]] == ["m-1"]
            assert (await client.get("/v1/inbox?after=000001")).json()["messages"] == []
            async with asyncio.timeout(5):
                alone = await client.head("/v1/inbox/stream")
            assert alone.headers["content-type"].startswith("text/event-stream")
            assert alone.content == b""
            refused = await client.get("/v1/inbox", params={"after": "a\nb"})
            assert refused.status_code == 400

    asyncio.run(go())


def test_a_stream_over_a_real_server() -> None:
    """Line by line as it comes; it ends with its reader, and the next one goes on behind what was read."""

    async def go() -> None:
        kept = Kept()
        kept.put("m-1")
        kept.put("m-2")
        on = Inboxes(kept, lambda _: "u:ann")
        config = uvicorn.Config(
            Starlette(routes=on.routes()), log_config=None, timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            serving = asyncio.create_task(server.serve([listener]))
            port = listener.getsockname()[1]
            first = await heard(port, "", until=b"m-2")
            assert b"content-type: text/event-stream" in first
            assert first.index(b"m-1") < first.index(b"m-2")
            kept.put("m-3")
            second = await heard(port, "Last-Event-ID: 000002\r\n", until=b"m-3")
            assert b"m-1" not in second
            assert b"m-2" not in second
            server.should_exit = True
            await asyncio.wait_for(serving, 10)

    asyncio.run(go())


def test_a_stream_does_not_hold_up_a_server_that_stops(caplog: pytest.LogCaptureFixture) -> None:
    """Its reader comes back when the next one is there."""
    room = Room(Overload({}))

    async def go() -> None:
        app = Starlette(routes=Inboxes(Kept(), lambda _: "u:ann").routes())
        http = cast("type[Connection]", partial(Connection, room=room))
        server = uvicorn.Server(
            uvicorn.Config(app, http=http, log_config=None, timeout_graceful_shutdown=30)
        )
        with socket.create_server(("127.0.0.1", 0)) as listener:
            serving = asyncio.create_task(server.serve([listener]))
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            writer.write(b"GET /v1/inbox/stream HTTP/1.1\r\nHost: here\r\n\r\n")
            await reader.readuntil(b"retry: ")
            server.should_exit = True
            await asyncio.wait_for(serving, 5)
            assert (await reader.read()).endswith(b"\r\n")
            writer.close()

    asyncio.run(go())
    assert not [each for each in caplog.records if each.levelname == "ERROR"]


async def heard(port: int, header: str, until: bytes) -> bytes:
    """What a reader gets until something comes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /v1/inbox/stream HTTP/1.1\r\nHost: here\r\n{header}\r\n".encode())
    got = b""
    async with asyncio.timeout(10):
        while until not in got:
            got += await reader.read(1000)
    writer.close()
    await writer.wait_closed()
    return got


def test_a_stream_needs_a_position_without_line_breaks() -> None:
    from germane.api.inbox import _after
    from germane.domain.errors import BadRequest

    scope = {"type": "http", "headers": [(b"last-event-id", b"a b")], "query_string": b""}
    with pytest.raises(BadRequest):
        _after(Request(scope))
