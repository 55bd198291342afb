"""Progress: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.quality.environment import Told

EVERY_S = 20.0


class Lines:
    """For logs: begin and end of each job, and a sign of life now and then."""

    def __init__(self, jobs: int) -> None:
        self._jobs, self._done, self._last = jobs, 0, 0.0

    @contextmanager
    def job(self, name: str) -> Iterator[Told]:
        """One job."""
        self._done += 1
        started = self._last = time.monotonic()
        print(f"[{self._done}/{self._jobs}] {name}", flush=True)

        def told(what: str, done: int, of: int) -> None:
            if time.monotonic() - self._last > EVERY_S:
                self._last = time.monotonic()
                print(f"    {what} {done:,} of {of:,}", flush=True)

        yield told
        print(f"    {time.monotonic() - started:.0f} s", flush=True)


class Bars:
    """For terminals: one bar for all jobs, one for the job that runs."""

    def __init__(self, jobs: int, progress: Progress) -> None:
        self._progress = progress
        self._all = progress.add_task("all", total=jobs)
        self._one = progress.add_task("", total=1)

    @contextmanager
    def job(self, name: str) -> Iterator[Told]:
        """One job."""
        self._progress.reset(self._one, description=name, total=1)

        def told(what: str, done: int, of: int) -> None:
            self._progress.update(self._one, description=f"{name} {what}", completed=done, total=of)

        yield told
        self._progress.advance(self._all)


@contextmanager
def showing(jobs: int) -> Iterator[Lines | Bars]:
    """Bars or lines, as it fits."""
    if not sys.stderr.isatty():
        yield Lines(jobs)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield Bars(jobs, progress)
