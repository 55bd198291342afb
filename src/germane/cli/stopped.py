"""A command that is stopped, or cannot go on: what is done by then, and how to go on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sized
from contextlib import contextmanager
from pathlib import Path

from germane.cli.common import many
from germane.cli.errors import explained
from germane.cli.summary import Summary

KNOWN = "what is stored is known and counts once."
BEFORE = "Nothing is imported yet: the files were only looked at.\nRun the same command again.\n"
AFTER = f"All rows were read and stored. Run the same command again for the summary: {KNOWN}\n"
AFTER_DRY = (
    "All rows were read; nothing was to be stored. Run the same command again for the summary.\n"
)


@contextmanager
def around(summary: Summary, files: int, *, dry_run: bool) -> Iterator[None]:
    """Says it of Ctrl-C before the first row of an import and after the last one.

    Args:
        summary: What was read.
        files: How many there are.
        dry_run: Whether nothing is to be stored.
    """
    try:
        yield
    except KeyboardInterrupt:
        if not summary.stopped:
            after = AFTER_DRY if dry_run else AFTER
            sys.stderr.write(after if len(summary.read) == files else BEFORE)
        raise


@contextmanager
def told(summary: Summary, stored: Callable[[], int] | None) -> Iterator[None]:
    """Says it of whatever ends the reading of an import early: Ctrl-C, or an error, whose hint tells it.

    Args:
        summary: What was read.
        stored: How many records are new in the log; ``None``: none is to be stored.
    """
    try:
        yield
    except KeyboardInterrupt:
        said = f"{_so_far(summary, stored)}\nRun the same command again to go on: {KNOWN}\n"
        sys.stderr.write(said)
        summary.stopped = True
        raise
    except Exception as error:
        found = explained(error)
        if found is None:
            raise
        again = f"Then run the same command again: {KNOWN}" if stored else ""
        lines = (found.hint, _so_far(summary, stored), again)
        found.hint = "\n".join(each for each in lines if each)
        raise found from error


def _so_far(summary: Summary, stored: Callable[[], int] | None) -> str:
    whole = f" (all of {', '.join(summary.read)})" if summary.read else ""
    done = f"{many(stored(), 'new record')} stored" if stored else "nothing was to be stored"
    return f"Read {many(summary.rows, 'row')}{whole}; {done}."


@contextmanager
def reported(events: Sized, out: Path) -> Iterator[None]:
    """Says of Ctrl-C that ends a backtest without a report what was read.

    Args:
        events: What was read.
        out: Where the report would be.
    """
    try:
        yield
    except KeyboardInterrupt:
        sys.stderr.write(
            f"{many(len(events), 'event')} read. There is no report yet, and {out} is as it was.\n"
            "Run the same command again to begin anew.\n"
        )
        raise
