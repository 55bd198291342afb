"""Fixtures that every kind of test may use."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from germane.app.engine import Engine
from germane.app.opening import open_engine
from germane.domain.settings import Settings
from germane.testing import FakeWorld, a_shop, an_item

settings.register_profile(
    "default", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60
)
settings.register_profile("nightly", settings.get_profile("default"), max_examples=2_000)
settings.load_profile(os.environ.get("GERMANE_HYPOTHESIS", "default"))


@pytest.fixture
def world() -> FakeWorld:
    return FakeWorld()


@pytest.fixture
def shop() -> Settings:
    return a_shop()


@pytest.fixture
def engine(tmp_path: Path, shop: Settings, world: FakeWorld) -> Iterator[Engine]:
    """An engine on a new data folder, with 60 items."""
    opened = open_engine(shop, tmp_path / "data", world=world)
    with opened.importer() as importer:
        importer.add_items([an_item(n) for n in range(60)])
    yield opened
    opened.store.close()


def run(coroutine: object) -> object:
    """Run one coroutine to its end."""
    return asyncio.run(coroutine)  # type: ignore[arg-type]
