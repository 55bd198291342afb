"""The API without a server, for whoever has the data folder open: the same routes, checks and answers."""

from __future__ import annotations

import asyncio
import secrets
from base64 import b64encode
from typing import Any
from urllib.parse import unquote

import msgspec
from starlette.types import ASGIApp, Message

from germane.api.auth import Keys
from germane.api.callers import HEADER
from germane.api.server import build
from germane.app.back import Back
from germane.app.channels import Ways
from germane.app.engine import Engine


class Inside:
    """Answers requests in the calling thread; what it writes is durable when it answers."""

    def __init__(self, engine: Engine, ways: Ways | None = None, back: Back | None = None) -> None:
        """``ways``: those out that are configured; ``None``: not known. ``back``: what links need; ``None``: no
        purpose has a title."""
        key = secrets.token_urlsafe(32)
        self._mark = b"Basic " + b64encode(f"{key}:".encode())
        keys = Keys("", key, local=True)
        self._app: ASGIApp = build(engine, keys, access_log=False, ways=ways, back=back)

    def ask(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, operator: str = ""
    ) -> tuple[int, dict[str, Any]]:
        """One request.

        Args:
            method: GET, POST, PUT or DELETE.
            path: With its query, both encoded as in a URL.
            body: Sent as JSON; ``None``: none is.
            operator: In whose name; empty: nobody's.

        Returns:
            The status, and the answer.
        """
        return asyncio.run(self._asked(method, path, body, operator))

    async def _asked(
        self, method: str, path: str, body: dict[str, Any] | None, operator: str
    ) -> tuple[int, dict[str, Any]]:
        where, _, query = path.partition("?")
        sent = msgspec.json.encode(body) if body is not None else b""
        named = [(HEADER, operator.encode())] if operator else []
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(where),
            "raw_path": where.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(b"host", b"inside"), (b"authorization", self._mark), *named],
            "client": None,
            "server": ("inside", 0),
        }
        status, said = 500, bytearray()

        async def receive() -> Message:
            return {"type": "http.request", "body": sent, "more_body": False}

        async def send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                said.extend(message.get("body", b""))

        await self._app(scope, receive, send)
        return status, msgspec.json.decode(bytes(said), type=dict[str, Any])
