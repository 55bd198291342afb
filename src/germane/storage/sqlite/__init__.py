"""The embedded binding: one SQLite file, WAL, ``synchronous=FULL``."""

from germane.storage.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
