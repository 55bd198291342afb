"""Rounds of a long check that are done and kept, so that it can be stopped and goes on where it was."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

_CACHE = Path(__file__).parent / ".cache"


def done(name: str) -> list[dict[str, Any]]:
    """Those of a check that are kept, if they are of this program."""
    path = _CACHE / f"{name}.json"
    if not path.exists():
        return []
    kept = json.loads(path.read_text())
    return list(kept["rounds"]) if kept["program"] == _program() else []


def keep(name: str, rounds: list[dict[str, Any]]) -> None:
    """All that are done so far."""
    _CACHE.mkdir(exist_ok=True)
    whole = {"program": _program(), "rounds": rounds}
    (_CACHE / f"{name}.json").write_text(json.dumps(whole))


def _program() -> str:
    """What is checked: the tree of the sources as committed."""
    return subprocess.check_output(
        ["git", "rev-parse", "HEAD:src"], text=True, cwd=Path(__file__).parent
    ).strip()
