"""The figures Germane keeps about itself: `benchmarks/results/figures.json`, newest measurement of each."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
FIGURES = RESULTS / "figures.json"


def record(key: str, value: float, *, n: int, command: str) -> None:
    """Store a measured value, whatever it is, with its count, day, commit and command."""
    entry = {"value": value, "n": n, "date": _today(), "commit": _commit(), "command": command}
    RESULTS.mkdir(parents=True, exist_ok=True)
    with (RESULTS / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        figures = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
        figures[key] = entry
        FIGURES.write_text(json.dumps(figures, indent=2, sort_keys=True) + "\n")
    print(f"{key} = {value:g}  (n = {n:,})")


def write_result(name: str, result: dict[str, Any]) -> Path:
    """Store a benchmark's whole result with date and machine as `results/NAME.json`."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{name}.json"
    whole = {"date": _today(), "commit": _commit(), "machine": machine()} | result
    path.write_text(json.dumps(whole, indent=2) + "\n")
    return path


def machine() -> dict[str, Any]:
    """What a reader needs to judge a time: processor, cores, memory, Python."""
    cpu = "unknown"
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            x.split(":", 1)[1].strip() for x in info.read_text().splitlines() if "model name" in x
        ]
        cpu = names[0] if names else cpu
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_gib": round(memory, 1),
        "system": platform.system(),
        "python": platform.python_version(),
    }


def _today() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d")


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"
