"""Rounds of a long check that are done: it can be stopped, and goes on where it was with the same program."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

CACHE = Path(__file__).parent / ".cache"


def rounds_done(name: str) -> list[dict[str, Any]]:
    """Those that are kept, if they are of this program."""
    path = CACHE / f"{name}.json"
    if not path.exists():
        return []
    kept = json.loads(path.read_text())
    return list(kept["rounds"]) if kept["program"] == _program() else []


def keep(name: str, rounds: list[dict[str, Any]]) -> None:
    """All that are done."""
    CACHE.mkdir(exist_ok=True)
    kept = {"program": _program(), "rounds": rounds}
    (CACHE / f"{name}.json").write_text(json.dumps(kept))


def _program() -> str:
    """What is checked: the tree of the sources as committed."""
    return subprocess.check_output(
        ["git", "rev-parse", "HEAD:src"], text=True, cwd=Path(__file__).parent
    ).strip()
