"""What the benchmark of starts writes, and what its stored result holds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from benchmarks import figures
from benchmarks.speed import start
from benchmarks.speed.world import World


def test_its_result_holds_what_it_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing else: the rebuild has a result of its own."""
    written: dict[str, Any] = {}
    monkeypatch.setattr(World, "made", lambda _: figures.RESULTS)
    monkeypatch.setattr(start, "_start", lambda _: {"seconds": 1.0})
    monkeypatch.setattr(start, "profile_bytes", lambda _: 1.0)
    monkeypatch.setattr(start, "record", lambda *_, **__: None)
    monkeypatch.setattr(start, "write_result", lambda _, result: written.update(result))
    start.main()
    stored = json.loads((figures.RESULTS / "speed_start.json").read_text())
    assert stored.keys() - {"date", "commit", "machine"} == written.keys()
    assert stored["protocol"] == written["protocol"]
