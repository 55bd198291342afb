"""A fault, and a process that runs a `germane` command under it."""

from __future__ import annotations

import ctypes
import errno
import multiprocessing
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from multiprocessing.context import ForkServerContext
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from tests.acceptance.tools import compiler, locked

SOURCE = Path(__file__).with_name("shim.c")
HALF = -1
"""Not an error, but half of what was to be written."""
ERRORS = {"EIO": errno.EIO, "ENOSPC": errno.ENOSPC, "half": HALF}
SYNCS = ("fsync", "fdatasync")
CALLS: dict[str, tuple[str, ...]] = {
    "open": ("EIO",),
    "write": ("EIO", "ENOSPC", "half"),
    "pwrite": ("EIO", "ENOSPC", "half"),
    "fsync": ("EIO",),
    "fdatasync": ("EIO",),
    "ftruncate": ("EIO",),
    "rename": ("EIO",),
    "unlink": ("EIO",),
    "mkdir": ("ENOSPC",),
    "read": ("EIO",),
    "pread": ("EIO",),
}
"""What can become of each call."""
SOON = 60
"""So many pages in the WAL are moved into the main file, so that a short life has that, too."""
LOADED = ("germane.cli.program", "germane.cli.served", "germane.cli.chores", "germane.api.server",
          "germane.app.relearning", "germane.app.postbox", "pyarrow.parquet", "uvicorn.loops.auto",
          "uvicorn.protocols.http.httptools_impl")  # fmt: skip
"""What every command needs is loaded once: the processes are forked from one that has it."""


class Fault(NamedTuple):
    """The Nth call of a kind on the data folder."""

    call: str
    nth: int
    """0: none; calls are only counted."""
    what: str = "EIO"
    stays: bool = False
    """And every later one of the kind, until the process ends."""

    def __str__(self) -> str:
        return f"{self.call} {self.nth} {self.what}{' and on' if self.stays else ''}"


NONE = Fault("", 0, "EIO")


class Told(NamedTuple):
    """A line of the shim's log."""

    failed: bool
    at_s: float
    nth: int
    call: str
    file: str


def told(log: Path) -> list[Told]:
    """Every call on the folder, in order."""
    lines = [each.split(" ", 4) for each in log.read_text().splitlines()]
    return [Told(a == "FAILED", float(b), int(c), d, e) for a, b, c, d, e in lines]


def every(log: Path) -> list[Fault]:
    """One fault for each call that was counted and each way in which it can fail; of a sync, also that none
    succeeds from there on."""
    found = Counter(each.call for each in told(log))
    once = [
        Fault(call, nth, what)
        for call, ways in CALLS.items()
        for nth in range(1, found[call] + 1)
        for what in ways
    ]
    return once + [each._replace(stays=True) for each in once if each.call in SYNCS]


def shim() -> Path:
    """The library, compiled once for each state of its source."""
    digest = sha256(SOURCE.read_bytes()).hexdigest()[:16]
    with locked(f"iofaults-{digest}.so") as library:
        if not library.exists():
            whole = [compiler(), "-shared", "-fPIC", "-O1", str(SOURCE), "-o", str(library), "-ldl"]
            subprocess.run(whole, check=True, capture_output=True, text=True)
        return library


class Runs:
    """Starts commands, each in a fresh process with the shim in it."""

    def __init__(self) -> None:
        before = os.environ.get("LD_PRELOAD")
        os.environ["LD_PRELOAD"] = str(shim())
        self._from: ForkServerContext = multiprocessing.get_context("forkserver")
        try:
            self._from.set_forkserver_preload([*LOADED])
            first = self._from.Process(
                target=_nothing
            )  # starts the process that all are forked from
            first.start()
            first.join()
        finally:
            os.environ.pop("LD_PRELOAD")
            if before is not None:
                os.environ["LD_PRELOAD"] = before
        assert first.exitcode == 0

    def start(
        self,
        arguments: Sequence[str],
        fault: Fault,
        folder: Path,
        log: Path,
        said: Path,
        **env: str,
    ) -> Any:
        """A process that runs `germane ARGUMENTS`; what it says goes into ``said``."""
        process = self._from.Process(
            target=_run, args=([*arguments], fault, str(folder), str(log), str(said), env)
        )
        process.start()
        return process


def _nothing() -> None:
    """Ends."""


def _run(
    arguments: list[str], fault: Fault, folder: str, log: str, said: str, env: dict[str, str]
) -> None:
    """In the new process."""
    out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(out, 1)
    os.dup2(out, 2)
    sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
    os.environ.update(env)
    sys.argv = ["germane", *arguments]
    from germane.cli import main
    from germane.storage.sqlite import checkpoint

    checkpoint.PAGES = checkpoint.TURN = SOON

    arm = ctypes.CDLL(None).fault_arm
    arm(
        folder.encode(),
        fault.call.encode(),
        ctypes.c_long(fault.nth),
        ERRORS[fault.what],
        int(fault.stays),
        log.encode(),
    )
    main()


def sample(faults: Sequence[Fault], most: int, seed: int = 7) -> list[Fault]:
    """Of each call and way up to so many, from anywhere in the run."""
    groups: dict[tuple[str, str, bool], list[Fault]] = {}
    for each in faults:
        groups.setdefault((each.call, each.what, each.stays), []).append(each)
    chance = Random(seed)
    return [x for group in groups.values() for x in chance.sample(group, min(most, len(group)))]
