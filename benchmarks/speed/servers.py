"""The servers that are measured, each in a process of its own, and what they take of the machine."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import httpx

from tests.acceptance.conftest import SERVER_KEY, WRITE_KEY, Server, free_port

TICKS = os.sysconf("SC_CLK_TCK")


class Measured(Server):
    """``germane serve`` on a folder that is there, if wanted on some cores alone."""

    def __init__(self, folder: Path, cores: Sequence[int] = (), **environment: str) -> None:
        super().__init__(folder, **environment)
        self._cores = cores

    def command(self) -> list[str]:
        """What runs."""
        return on(self._cores, super().command())

    @property
    def pid(self) -> int:
        """Of the process."""
        assert self._process is not None
        return self._process.pid


class Thin:
    """``benchmarks.speed.thinnest``."""

    def __init__(
        self, folder: Path, cores: Sequence[int] = (), constant: Path | None = None
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.write_key, self.server_key = WRITE_KEY, SERVER_KEY
        environment = dict(os.environ)
        if constant is not None:
            environment["GERMANE_CONSTANT"] = str(constant)
        run = [sys.executable, "-m", "benchmarks.speed.thinnest", str(folder), str(self.port)]
        self._process = subprocess.Popen(on(cores, run), env=environment)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                httpx.get(self.url)
                return
            except httpx.HTTPError:
                time.sleep(0.05)
        raise AssertionError("the thin server did not start")

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def close(self) -> None:
        """Stop."""
        self._process.terminate()
        self._process.wait(10)


def on(cores: Sequence[int], command: list[str]) -> list[str]:
    """The command on these cores alone; none: on all."""
    if not cores:
        return command
    return ["taskset", "-c", ",".join(map(str, cores)), *command]


def cpu_s(pid: int) -> float:
    """Processor time that a process has taken so far, its ended children left out."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_mb(pid: int) -> float:
    """Memory that a process has now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
