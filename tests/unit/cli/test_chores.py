"""What a server has done beside it: a model that is learned anew after something has left the log."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from germane.app import erasing
from germane.app.engine import Engine
from germane.app.opening import catch_up, open_engine
from germane.cli import chores
from germane.cli.chores import Chores
from germane.cli.program import app
from germane.config import load
from germane.domain.settings import TrainingSpec
from germane.predict.model import SharedModel
from germane.testing import an_event, an_item
from tests.unit.cli.test_rights import RUN


def test_the_server_goes_on_with_what_a_child_learned(tmp_path: Path) -> None:
    """By the command itself, beside the server."""
    assert RUN.invoke(app, ["init", str(tmp_path / "shop")]).exit_code == 0
    config, folder = tmp_path / "shop" / "germane.toml", tmp_path / "data"
    engine = open_engine(load(config, {}).settings, folder)
    beside = Chores(engine, config, folder, TrainingSpec(enabled=False))

    async def run() -> None:
        await engine.start()
        await engine.put_items([an_item(n) for n in range(5)])
        await engine.accept([an_event(user=f"u{n % 3}", item=f"i{n % 5}") for n in range(30)])
        await erasing.erase(engine, "u1")
        assert engine.stale
        again = asyncio.create_task(asyncio.to_thread(beside.relearn))
        while not again.done():
            await engine.accept([an_event(user="u2", item="i3")])
            await asyncio.sleep(0.01)
        await again
        assert not engine.stale
        await engine.stop()

    asyncio.run(run())
    fresh = SharedModel(engine.settings)
    catch_up(fresh, engine.store)
    assert engine.model.digest() == fresh.digest()
    engine.store.close()


def test_a_child_that_cannot_be_started_does_not_end_the_chores(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What it was for is tried again."""
    tried = threading.Semaphore(0)

    def no_room(*_: Any, **__: Any) -> None:
        tried.release()
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(chores, "LOOK_S", 0.01)
    monkeypatch.setattr(chores, "SNAPSHOT_RECORDS", 1)
    monkeypatch.setattr(chores.subprocess, "Popen", no_room)
    doing = Chores(engine, Path("none.toml"), Path("none"), TrainingSpec(enabled=False))
    engine.accept_now([an_event()])
    doing.start()
    assert all(tried.acquire(timeout=10) for _ in range(3))
    doing.close()
    assert "Cannot allocate memory" in caplog.text
