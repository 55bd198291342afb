"""`germane` whose WAL is moved and begun anew often, so that the replay sees it; for the controls, with a hole
in it: the replay must find what it breaks.

``whole``: no hole. ``commits``: SQLite with ``synchronous=NORMAL``, which is the usual advice for the WAL.
``history``: sealed files and their names are not synced; SQLite syncs as ever.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import apsw

from germane.storage.sqlite import checkpoint

PAGES, TURN = 60, 120


def main(hole: str, arguments: list[str]) -> None:
    """Run a command with one of the holes."""
    checkpoint.PAGES, checkpoint.TURN = PAGES, TURN
    if hole == "commits":
        from germane.storage.sqlite import store

        safe = store.open_writer

        def lazy(path: Path) -> apsw.Connection:
            connection = safe(path)
            connection.execute("PRAGMA synchronous=NORMAL")
            return connection

        store.open_writer = lazy
    elif hole == "history":
        sync = os.fsync

        def forgetful(descriptor: int) -> None:
            if "history" not in Path(f"/proc/self/fd/{descriptor}").readlink().parts:
                sync(descriptor)

        os.fsync = forgetful
    else:
        assert hole == "whole", hole
    from germane.cli import main as run

    sys.argv = ["germane", *arguments]
    run()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
