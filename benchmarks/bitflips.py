"""A byte on the disk changes: `just bench bitflips`.

A data folder with everything in it (log, profiles, entries, dead letters, sealed history, archive, snapshot,
trees) is opened once as it is, and asked for all it knows: every person's export and decision, the log,
counts, ledger, models, and what becomes of events that are sent again. Then one byte is changed, anywhere
in any file, the folder is opened again in a fresh copy and asked the same. Each answer must be the same
(harmless), or a clear error, or the folder does not open, or it is said which model is passed over
(detected). *Wrong* is any other answer, *crashed* an error that is none of ours.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from rich.progress import track

from benchmarks.figures import record, write_result
from tests.acceptance.bitflips import Trial, base, flips

COMMAND = "just bench bitflips"
FLIPS = int(os.environ.get("GERMANE_FLIPS", "10000"))
PEOPLE = 6
TOLD = 40
"""Of what is wrong, so many are told in the result."""


def run(count: int) -> dict[str, Any]:
    """So many flips, spread evenly over all bytes."""
    fates: dict[str, Counter[str]] = {}
    bad = []
    with tempfile.TemporaryDirectory() as folder:
        pristine = base(Path(folder) / "pristine", PEOPLE)
        trial = Trial(pristine, Path(folder) / "flipped", PEOPLE)
        for flip in track(flips(pristine, count), "Flips"):
            found = trial.tried(flip)
            fates.setdefault(flip.file.split("/")[0], Counter())[found.fate] += 1
            if found.fate in ("wrong", "crashed"):
                bad.append(f"{flip}: {found.fate}, {found.what}")
    return {
        "flips": sum(each.total() for each in fates.values()),
        "by_file": {name: dict(each) for name, each in sorted(fates.items())},
        "bad": len(bad),
        "what_was_bad": bad[:TOLD],
    }


def main() -> None:
    """Run, print, write."""
    result = run(FLIPS)
    print(json.dumps(result, indent=2))
    write_result("bitflips", {"protocol": __doc__, **result})
    record("bitflip.wrong_or_crashed", result["bad"], n=result["flips"], command=COMMAND)
    assert result["bad"] == 0, result


if __name__ == "__main__":
    main()
