"""A served engine that can be asked again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

import httpx
import pytest

from germane.api.server import build
from germane.app.engine import Engine
from tests.unit.api.test_edge import KEYS

T = TypeVar("T")
Call = tuple[str, str, dict[str, Any]]


class Here:
    """The API of an engine, in this process."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._runner = asyncio.Runner()
        self._app = build(engine, KEYS, access_log=False)
        self.run(engine.start())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Something in its event loop."""
        return self._runner.run(work)

    def send(self, *calls: Call) -> list[httpx.Response]:
        """Requests one after the other."""
        return self.run(self._sent(calls))

    async def _sent(self, calls: tuple[Call, ...]) -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=self._app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return [await client.request(method, path, **more) for method, path, more in calls]

    def close(self) -> None:
        """Make everything durable, and end."""
        self.run(self.engine.stop())
        self._runner.close()


@pytest.fixture
def here(engine: Engine) -> Iterator[Here]:
    served = Here(engine)
    yield served
    served.close()
