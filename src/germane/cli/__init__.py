"""The command line: parse, call the engine, render. Imports are lazy, so that `--help` is quick."""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point: errors become a message with its remedy and an exit code, never a traceback."""
    from germane.cli.errors import guarded
    from germane.cli.program import app

    sys.exit(guarded(app))
