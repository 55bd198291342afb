"""How far something long has come."""

from __future__ import annotations

import sys
import time
from typing import Any


class progress:  # noqa: N801 - reads as a verb at its place
    """A bar on a terminal, a plain line every few seconds elsewhere."""

    def __init__(self, total: int | None, what: str, *, quiet: bool = False) -> None:
        self._total, self._what, self._quiet = total, what, quiet
        self._done, self._told = 0, time.monotonic()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Any:
        if not self._quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import (
                BarColumn,
                MofNCompleteColumn,
                Progress,
                TextColumn,
                TimeRemainingColumn,
            )

            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                console=Console(stderr=True),
            )
            self._bar.start()
            self._task = self._bar.add_task(self._what, total=self._total)
        return self.advance

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def advance(self, count: int) -> None:
        """So many more are done."""
        self._done += count
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done)
        elif not self._quiet and time.monotonic() - self._told > 5:
            self._told = time.monotonic()
            share = f" ({self._done / self._total:.0%})" if self._total else ""
            sys.stderr.write(f"{self._what}: {self._done:,}{share}\n")
