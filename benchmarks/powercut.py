"""The power fails at any write: `just bench powercut`.

A real server is recorded under load, down to every write, sync, rename and unlink, with what it acknowledged
in between: events (some sent twice), impressions, outcomes, items, opt-outs, dead letters, erasures; while
history is sealed, snapshots and trees are written, and it is killed and started again. Then the disk is
rebuilt as a power cut leaves it, at each of these operations, with any part of what was not synced: single
512-byte sectors, lengths, names (``tests/acceptance/powercut/disk.py`` has the model). The store opens each
disk, and all that was acknowledged before the cut has to be there, once. Each distinct content that comes of
it is opened by a whole engine: SQLite's integrity check, sealed files by their hash, personal and shared
state equal to the ones folded anew from the log, duplicates known, an erasure in the log, in the list and
down to every byte, or not at all. Some disks are started by `germane serve`, which is asked about everybody
and sent everything again.

Two controls have to fail: SQLite with ``synchronous=NORMAL``, and sealed files that are never synced.

In rounds, each with a recording of its own. Rounds that are done are kept, so it can be stopped and goes on
where it was, as long as the program is the same.
"""

from __future__ import annotations

import json
import os
from typing import Any

from benchmarks import rounds
from benchmarks.figures import record, write_result
from tests.acceptance.powercut.recording import HOLES
from tests.acceptance.powercut.rounds import a_round, control

COMMAND = "just bench powercut"
STATES = int(os.environ.get("GERMANE_STATES", "100000"))
ROUND = 10_000
SERVERS = 5
"""Disks of a round that a real server starts on."""
SUMMED = ("states", "contents", "operations", "acknowledged", "lost", "corrupt", "half", "servers")


def main() -> None:
    """Round after round; print, write."""
    done = rounds.done("powercut")
    while (states := sum(each["states"] for each in done)) < STATES:
        print(f"{states:,} of {STATES:,} states are done", flush=True)
        found = a_round(min(ROUND, STATES - states), seed=1 + len(done), servers=SERVERS)
        done.append(found)
        rounds.keep("powercut", done)
        print(json.dumps(found, indent=2), flush=True)
    tell(done, {hole: control(hole) for hole in HOLES})


def tell(done: list[dict[str, Any]], controls: dict[str, dict[str, Any]]) -> None:
    """Write what all rounds have together, and fail when they fail or the controls do not."""
    total = {name: sum(each[name] for each in done) for name in SUMMED}
    bad = total["lost"] + total["corrupt"] + total["half"]
    bad += sum(len(each["servers_wrong"]) for each in done)
    print(json.dumps(total | {"controls": controls}, indent=2), flush=True)
    write_result("powercut", {"protocol": __doc__, **total, "controls": controls, "rounds": done})
    caught = failures(controls["commits"])
    record("powercut.states", total["states"], n=total["states"], command=COMMAND)
    record("powercut.lost_or_corrupt", bad, n=total["states"], command=COMMAND)
    record("powercut.control_failures", caught, n=controls["commits"]["states"], command=COMMAND)
    assert bad == 0, total
    assert all(failures(each) for each in controls.values()), controls


def failures(found: dict[str, Any]) -> int:
    """Disks that were not made whole again."""
    return int(found["lost"] + found["corrupt"] + found["half"])


if __name__ == "__main__":
    main()
