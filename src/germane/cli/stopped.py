"""An import that is stopped, or cannot go on: what is stored by then, and how to go on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from germane.cli.common import many
from germane.cli.errors import explained
from germane.cli.summary import Summary

KNOWN = "what is stored is known and counts once."


@contextmanager
def told(summary: Summary, stored: Callable[[], int] | None) -> Iterator[None]:
    """Says it of whatever ends an import early: Ctrl-C, or an error, whose hint tells it.

    Args:
        summary: What was read.
        stored: How many records are new in the log; ``None``: none is to be stored.
    """
    try:
        yield
    except KeyboardInterrupt:
        said = f"{_so_far(summary, stored)}\nRun the same command again to go on: {KNOWN}\n"
        sys.stderr.write(said)
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
