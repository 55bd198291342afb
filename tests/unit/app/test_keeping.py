"""Housekeeping goes on after a failure."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from germane.app import keeping
from germane.domain.errors import StorageFailed
from germane.storage.memory import MemoryStore
from germane.testing import FakeWorld, a_shop


class Enough(Exception):
    """Ends the loop."""


def test_a_failure_does_not_end_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The disk was full once: it is told, and everything is tried again the next time."""
    monkeypatch.setattr(keeping, "EVERY_S", 0.0)
    kept = keeping.Keeping(a_shop(), MemoryStore(), "main", FakeWorld)
    done: list[str] = []

    async def call(work: Callable[[], Any]) -> Any:
        done.append(work.__name__)
        if len(done) == 1:
            raise StorageFailed("the disk is full")
        if len(done) == 3:
            raise Enough
        return work()

    with pytest.raises(Enough):
        asyncio.run(kept.run(call))
    assert done == ["seal", "seal", "forget"]
    assert "the disk is full" in caplog.text
