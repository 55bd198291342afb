"""One request to an application in this process, and what comes back of it, byte for byte."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import msgspec
from starlette.types import ASGIApp as App
from starlette.types import Message

__all__ = ["Answer", "App", "ask", "basic", "bearer"]

STREAMED_S = 0.2
"""A stream does not end: so long it is listened to."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client sees, but for the id of the request."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def basic(user: str, password: str = "") -> dict[str, str]:
    """An Authorization header."""
    return {"authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


def bearer(key: str) -> dict[str, str]:
    """Likewise."""
    return {"authorization": f"Bearer {key}"}


async def ask(
    app: App,
    method: str,
    path: str,
    headers: dict[str, str] | None = None,
    body: Any = None,
) -> Answer:
    """Send it: ``path`` encoded, with its query; ``body`` as JSON, or bytes as they are."""
    where, _, query = path.partition("?")
    sent = (
        body if isinstance(body, bytes) else msgspec.json.encode(body) if body is not None else b""
    )
    given = {"host": "here", "content-length": str(len(sent)), **(headers or {})}
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
        "scheme": "http", "path": unquote(where), "raw_path": where.encode(),
        "query_string": query.encode(), "root_path": "", "client": ("203.0.113.7", 1),
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        "server": ("here", 80),
    }  # fmt: skip
    begun: dict[str, Any] = {}
    said, taken = bytearray(), False

    async def receive() -> Message:
        nonlocal taken
        if taken:
            await asyncio.Event().wait()
        taken = True
        return {"type": "http.request", "body": sent, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            begun.update(message)
        else:
            said.extend(message.get("body", b""))

    try:
        await asyncio.wait_for(app(scope, receive, send), STREAMED_S if "/stream" in where else 30)
    except TimeoutError:
        assert "/stream" in where, path
    return _seen(begun, bytes(said))


def _seen(begun: dict[str, Any], body: bytes) -> Answer:
    raw = {name.decode().lower(): value.decode() for name, value in begun["headers"]}
    request_id = raw.pop("x-request-id")
    return Answer(
        begun["status"], tuple(sorted(raw.items())), body.replace(request_id.encode(), b"REQUEST")
    )
