"""The peers' own environment, and child processes that tell how far they are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

from benchmarks.quality.cells import HERE

ROOT = HERE.parents[1]
ENVIRONMENT = "GERMANE_PEERS_VENV"
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "IRSPACK_NUM_THREADS_DEFAULT"), "1"
)
Told = Callable[[str, int, int], None]


class ChildFailed(Exception):
    """A child process ended in error; the message is the end of what it said."""


def peers_python(cache: Path, told: Told) -> Path:
    """The peers' interpreter; makes their environment when it is not there yet."""
    folder = Path(os.environ.get(ENVIRONMENT, cache / "peers-venv"))
    python, done = folder / "bin" / "python", folder / "requirements.txt"
    wanted = (HERE / "requirements.txt").read_text()
    if ENVIRONMENT in os.environ or (done.exists() and done.read_text() == wanted):
        return python
    told("installing the peers", 0, 1)
    venv.create(folder, with_pip=True)
    install = [str(python), "-m", "pip", "install", "-q", "-r", str(HERE / "requirements.txt")]
    subprocess.run(install, check=True)
    done.write_text(wanted)
    told("installing the peers", 1, 1)
    return python


def child(python: Path | None, arguments: list[str], told: Told) -> None:
    """Run a module in a process of its own, and pass on what it tells.

    Raises:
        ChildFailed: it did not end well.
    """
    source = [str(ROOT)] + ([str(ROOT / "src")] if python is None else [])
    command = [str(python or sys.executable), "-W", "ignore", "-m", *arguments]
    environment = os.environ | ONE_THREAD | {"PYTHONPATH": os.pathsep.join(source)}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            if line.startswith("{"):
                found = json.loads(line)
                told(found.get("what", ""), found["done"], found["of"])
        said = process.stderr.read()
    if process.returncode:
        raise ChildFailed(said[-2_000:])
