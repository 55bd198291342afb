"""Every binding of the store, and every channel, keeps to what people said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from germane.app.inbox import InAppChannel
from germane.domain.sending import Channel, Outgoing, Result
from germane.storage.memory import MemoryStore
from germane.storage.sqlite import SqliteStore
from germane.testing.privacy_contract import ChannelPrivacyContract, PrivacyContract
from tests.unit.app.test_posting import FakeChannel


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
