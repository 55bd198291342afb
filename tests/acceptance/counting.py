"""Machine instructions of the fold and of a decision, on a fixed input: the same on a busy and an idle machine.

`germane.testing.work` runs under valgrind, which counts every instruction, those of libraries included. The
kernels of virtual machines often hide the processor's own counters; this needs none.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from germane.testing.work import PARTS
from tests.acceptance.tools import valgrind

_TOTAL = re.compile(r"^totals: (\d+)$", re.MULTILINE)


def instructions(folder: Path, folds: int, decisions: int) -> dict[str, float]:
    """``fold``: for each event; ``decide``: for each decision, its record included."""
    counts = folder / "counts"
    command = [valgrind(), "--tool=callgrind", "--cache-sim=no", "--dump-before=getpriority"]
    command += [f"--callgrind-out-file={counts}", sys.executable, "-m", "germane.testing.work"]
    done = subprocess.run(
        [*command, str(folds), str(decisions)],
        env=os.environ | {"PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    of = {name: _total(folder / f"counts.{place}") for place, name in enumerate(PARTS, 1)}
    return {"fold": of["fold"] / folds, "decide": of["decide"] / decisions}


def _total(path: Path) -> int:
    found = _TOTAL.search(path.read_text())
    assert found is not None, path
    return int(found[1])
