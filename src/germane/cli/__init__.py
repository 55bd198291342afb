"""The command line: parse, call the engine, render. Imports are lazy, so that `--help` is quick."""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point: errors become a message with its remedy and an exit code, never a traceback."""
    import gc

    gc.set_threshold(100_000, 20, 50)  # state is large and has no cycles: look for them rarely

    try:
        from germane.cli.asked import only
        from germane.cli.errors import guarded, set_up_warnings
        from germane.cli.program import app
    except KeyboardInterrupt:
        sys.stderr.write("Stopped.\n")
        sys.exit(130)

    set_up_warnings()
    sys.exit(guarded(only(app, sys.argv[1:])))
