"""`germane` with a hole in it, for the controls: the replay must find what it breaks.

``commits``: SQLite with ``synchronous=NORMAL``, which is the usual advice for the WAL. ``files``: nothing that
Python writes is synced (sealed history, the list of erasures, models); SQLite syncs as ever.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from pathlib import Path


def main(hole: str, arguments: list[str]) -> None:
    """Run a command with one of the holes."""
    if hole == "commits":
        from germane.storage.sqlite import store

        safe = store.open_writer

        def lazy(path: Path) -> sqlite3.Connection:
            connection = safe(path)
            connection.execute("PRAGMA synchronous=NORMAL")
            return connection

        store.open_writer = lazy
    else:
        assert hole == "files", hole
        os.fsync = lambda _: None
    from germane.cli import main as run

    sys.argv = ["germane", *arguments]
    run()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
