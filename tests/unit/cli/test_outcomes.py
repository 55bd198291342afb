"""``content outcomes``: as a table, and as JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from germane.app.engine import Engine
from germane.cli import outcomes
from tests.unit.app.outcomes.test_outcomes import (
    a_mail,
    a_run,
    an_answer,
    composed,
    edited,
    found,
    live,
    sent,
)


def test_the_table(engine: Engine, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line for each variant, the answer in words, and what was changed by people."""
    monkeypatch.setenv("COLUMNS", "200")
    live(engine, a_mail(), a_run())
    messages = composed(engine, [f"p{n}" for n in range(40)])
    edited(engine, messages[0])
    sent(engine, messages[1:])
    engine.world.advance(days=1)  # type: ignore[attr-defined]
    engine.accept_now([an_answer(each, "Email Link Clicked") for each in messages[1:9]])
    engine.world.advance(days=9)  # type: ignore[attr-defined]
    figures = found(engine)
    monkeypatch.setattr(outcomes, "_found", lambda *_, **__: figures)
    outcomes.run("picks", Path("germane.toml"), None, as_json=False)
    printed = capsys.readouterr().out
    assert re.search(r"drafted +the writer +\d+ +\d+ +\d", printed)
    assert re.search(r"plain +a person +\d+ +\d+ +\d", printed)
    assert "Not known yet (n = 39)" in printed
    assert "count for no variant" in printed
    outcomes.run("picks", Path("germane.toml"), None, as_json=True)
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(figures.view()))
