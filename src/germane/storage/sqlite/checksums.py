"""Every page of the database carries a checksum, which is compared whenever the page is read.

SQLite's own extension does that (``cksumvfs``, which comes with APSW): eight bytes at the end of each page of
the file, computed when the page is moved there from the WAL. A page that is not as it was written is an error
of the read, so no answer is made from it, also not that there is no such row.

A connection without the extension that moves the WAL leaves wrong checksums: it is loaded before any is made.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import apsw
import apsw.sqlite_extra

from germane.domain.errors import StorageFailed

BYTES = 8
"""At the end of each page."""
CACHE_KIB = 65_536
_STATEMENTS = 256


@cache
def _loaded() -> None:
    """The extension, for all connections of this process.

    Raises:
        StorageFailed: this build of APSW has none.
    """
    try:
        apsw.sqlite_extra.load(apsw.Connection(":memory:"), "cksumvfs")
    except apsw.sqlite_extra.NotAvailable as error:
        raise StorageFailed(
            f"This installation of APSW cannot check pages: {error}.",
            hint="Install the package that PyPI has: pip install --force-reinstall --only-binary :all: apsw",
        ) from None


def connected(path: Path, patience_s: float = 10.0) -> apsw.Connection:
    """A connection that checks what it reads. ``patience_s``: how long it waits for others."""
    _loaded()
    connection = apsw.Connection(str(path), statementcachesize=_STATEMENTS)
    connection.set_busy_timeout(round(patience_s * 1000))
    connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
    return connection


def checks(connection: apsw.Connection) -> bool:
    """Whether the pages of its file carry checksums, which are compared."""
    carries = connection.reserve_bytes("main") == BYTES
    return carries and connection.execute("PRAGMA checksum_verification").get == "1"


def ask_for(connection: apsw.Connection) -> None:
    """The file's pages carry checksums once it is made, or written anew (``VACUUM``)."""
    connection.reserve_bytes("main", BYTES)
