"""Every I/O call fails once: `just bench iofaults`.

A real server is started, used in every way that writes (events, decisions, consent, an erasure) and
stopped; and so are the commands that seal, snapshot, erase and rebuild. First once without a fault, to
count the calls on the data folder; then once for each call, which fails: with EIO, for what writes also
with ENOSPC or after half of what was to be written. For calls that sync there is a disk that never syncs
again, too. Whatever comes of it, the server refuses with 503, or the process ends with an error in words;
and a start without faults finds everything that was acknowledged, nothing twice, and the state that a
rebuild makes. Nothing is acknowledged after a sync of the database has failed.

All of it takes an hour or two; `GERMANE_SHARE=10` tries every tenth call.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from rich.progress import Progress

from benchmarks.figures import record, write_result
from tests.acceptance.iofaults.fault import NONE, Fault, Runs, every
from tests.acceptance.iofaults.lives import SCENARIOS, Lived, Scenario, base
from tests.acceptance.iofaults.oracle import tried

COMMAND = "just bench iofaults"
SHARE = int(os.environ.get("GERMANE_SHARE", "1"))
TOLD = 40
"""Of what is wrong, so many are told in the result."""


def plan(runs: Runs, scenario: Scenario, project: Path, folder: Path) -> list[Fault]:
    """One run without a fault, in which nothing may be wrong; then what can fail."""
    lived = tried(runs, scenario, project, folder, NONE)
    assert not lived.lost, (scenario.name, lived.lost)
    assert not lived.odd, (scenario.name, lived.odd)
    found = every(folder / "calls")
    shutil.rmtree(folder)
    return found[::SHARE]


def run(share: Progress | None = None) -> dict[str, Any]:
    """All scenarios."""
    with tempfile.TemporaryDirectory() as folder:
        return _run(Path(folder), share)


def _run(folder: Path, bar: Progress | None) -> dict[str, Any]:
    runs, project = Runs(), base(folder / "base")
    tried_, refused, ended = Counter[str](), Counter[int](), 0
    lost: list[str] = []
    odd: list[str] = []
    plans = [(x, plan(runs, x, project, folder / "run")) for x in SCENARIOS]
    task = bar.add_task("Faults", total=sum(len(x) for _, x in plans)) if bar else None
    for scenario, faults in plans:
        for fault in faults:
            lived = tried(runs, scenario, project, folder / "run", fault)
            _note(scenario, lived, lost, odd)
            tried_[f"{scenario.name}: {fault.call}"] += bool(lived.failed)
            refused.update(lived.refusals)
            ended += lived.ended
            shutil.rmtree(folder / "run")
            if bar and task is not None:
                bar.advance(task)
    return {
        "faults": tried_.total(),
        "by_call": dict(sorted(tried_.items())),
        "refused": {str(status): n for status, n in sorted(refused.items())},
        "ended_with_an_error": ended,
        "silent_losses": len(lost),
        "odd": len(odd),
        "lost": lost[:TOLD],
        "what_was_odd": odd[:TOLD],
    }


def _note(scenario: Scenario, lived: Lived, lost: list[str], odd: list[str]) -> None:
    where = f"{scenario.name}, {lived.fault}, {lived.failed[0].file if lived.failed else '-'}"
    if lived.lost:
        lost.append(f"{where}: {'; '.join(lived.lost[:3])}")
        print(lost[-1], flush=True)
    if lived.odd:
        odd.append(f"{where}: {'; '.join(lived.odd[:3])}")
        print(odd[-1], flush=True)


def main() -> None:
    """Run, print, write."""
    with Progress() as bar:
        result = run(bar)
    print(json.dumps(result, indent=2))
    write_result("iofaults", {"protocol": __doc__, "share": SHARE, **result})
    record("iofault.silent_losses", result["silent_losses"], n=result["faults"], command=COMMAND)
    assert result["silent_losses"] == result["odd"] == 0, result


if __name__ == "__main__":
    main()
