"""Every binding of the store, and every channel, keeps to what people said."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from germane.api.auth import Keys
from germane.api.routes import endpoints
from germane.api.server import build
from germane.app.engine import Engine
from germane.app.inbox import InAppChannel
from germane.domain.sending import Channel, Outgoing, Result
from germane.storage.memory import MemoryStore
from germane.storage.sqlite import SqliteStore
from germane.testing.privacy_contract import (
    ChannelPrivacyContract,
    PrivacyContract,
    ReportPrivacyContract,
    an_engine,
)
from tests.unit.app.test_posting import FakeChannel

KEYS = Keys("the-write-key", "the-server-key-of-thirty-two-or-more")
NAMED = {"{surface}": "home", "{content_id}": "welcome"}
REPORTS = sorted(
    each.path
    for each in endpoints(an_engine(MemoryStore()), KEYS)
    if each.method == "GET" and (each.permission == "reports.read" or each.path == "/metrics")
)
"""Every route that only tells figures: a new one cannot be without this."""


class TestMemory(PrivacyContract):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore()


class TestSqlite(PrivacyContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[SqliteStore]:
        opened = SqliteStore.open(tmp_path)
        yield opened
        opened.close()


class Counted(InAppChannel):
    """The channel of the app, counting."""

    count = 0

    async def send(self, outgoing: Outgoing) -> Result:
        """One more."""
        self.count += 1
        return await super().send(outgoing)


class TestInApp(ChannelPrivacyContract):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore()

    @pytest.fixture
    def channel(self) -> Counted:
        return Counted()

    def reached(self, channel: Channel) -> int:
        assert isinstance(channel, Counted)
        return channel.count


class TestAny(ChannelPrivacyContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[SqliteStore]:
        opened = SqliteStore.open(tmp_path)
        yield opened
        opened.close()

    @pytest.fixture
    def channel(self) -> FakeChannel:
        return FakeChannel()

    def reached(self, channel: Channel) -> int:
        assert isinstance(channel, FakeChannel)
        return len(channel.sent)


@pytest.mark.parametrize("path", REPORTS)
class TestReports(ReportPrivacyContract):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore()

    @pytest.fixture(autouse=True)
    def of_path(self, path: str) -> None:
        """Which of them."""
        self.path = path
        for name, value in NAMED.items():
            self.path = self.path.replace(name, value)

    def shown(self, engine: Engine) -> str:
        answer = asyncio.run(_answer(engine, self.path))
        assert answer.status_code in (200, 400, 404), answer.text
        return answer.text


async def _answer(engine: Engine, path: str) -> httpx.Response:
    app = build(engine, KEYS, access_log=False)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        return await client.get(path, auth=(KEYS.server, ""))


def test_most_reports_tell_something() -> None:
    """Of an engine with a surface and nothing else."""
    engine = an_engine(MemoryStore())
    paths = [each.replace("{surface}", "home") for each in REPORTS]
    told = [asyncio.run(_answer(engine, each)).status_code for each in paths]
    assert len(told) >= 6
    assert told.count(200) >= 5
