"""Machine instructions for each event that is folded and each decision, on a fixed input, under valgrind.

What tests/acceptance/test_instructions.py holds, with more of both, three times: they differ by less than a
hundredth.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from statistics import median

from rich.progress import track

from benchmarks.figures import record, write_result
from tests.acceptance.counting import instructions

COMMAND = "just bench speed instructions"
ROUNDS = int(os.environ.get("GERMANE_ROUNDS", "3"))
COUNT = 200


def main() -> None:
    """Count, print, write."""
    found = []
    for _ in track(range(ROUNDS), "instructions"):
        with tempfile.TemporaryDirectory() as folder:
            found.append(instructions(Path(folder), COUNT, COUNT))
    write_result("speed_instructions", {"protocol": __doc__, "count": COUNT, "rounds": found})
    for name in found[0]:
        value = round(median(each[name] for each in found))
        record(f"speed.{name}_instructions", value, n=ROUNDS * COUNT, command=COMMAND)


if __name__ == "__main__":
    main()
