"""Values for as long as a command runs: in memory, and of many in a file without a name that goes with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import apsw

from germane.storage.sqlite.checksums import CACHE_KIB

MARKS = 500
"""Keys of one statement, at most."""
_PLAIN = "unix"
"""How its file is read: without checksums, for nothing of it lasts."""
_MADE = f"""
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    PRAGMA cache_size = -{CACHE_KIB};
    CREATE TABLE kept (kind TEXT, key BLOB, whose BLOB, value BLOB, PRIMARY KEY (kind, key)) WITHOUT ROWID;
    CREATE INDEX kept_whose ON kept (kind, whose) WHERE whose IS NOT NULL;
"""


class Scratch:
    """Bytes by kind and key, each of which may be somebody's. For one thread."""

    def __init__(self) -> None:
        self._file = apsw.Connection("", vfs=_PLAIN)
        self._file.execute(_MADE).fetchall()

    def put(self, kind: str, rows: Iterable[tuple[str, bytes, str]]) -> None:
        """Each as (key, value, whose; empty: nobody's), in the place of what was there."""
        packed = ((kind, _key(key), _key(whose) or None, value) for key, value, whose in rows)
        with self._file:
            self._file.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?)", packed)

    def among(self, kind: str, keys: Sequence[str]) -> dict[str, bytes]:
        """Key -> value, of those that are there."""
        found: dict[str, bytes] = {}
        for start in range(0, len(keys), MARKS):
            part = {_key(each): each for each in keys[start : start + MARKS]}
            marks = ",".join("?" * len(part))
            sql = f"SELECT key, value FROM kept WHERE kind = ? AND key IN ({marks})"  # noqa: S608 - marks
            found |= {part[key]: value for key, value in self._file.execute(sql, (kind, *part))}
        return found

    def of(self, kind: str, whose: str) -> list[bytes]:
        """The values that are somebody's."""
        sql = "SELECT value FROM kept WHERE kind = ? AND whose = ?"
        return [value for (value,) in self._file.execute(sql, (kind, _key(whose)))]

    def page(self, kind: str, after: str, limit: int) -> list[bytes]:
        """Values in order of their key."""
        sql = "SELECT value FROM kept WHERE kind = ? AND key > ? ORDER BY key LIMIT ?"
        return [value for (value,) in self._file.execute(sql, (kind, _key(after), limit))]

    def close(self) -> None:
        """Let the file go."""
        self._file.close()


def _key(text: str) -> bytes:
    """Half characters may be in what clients made up."""
    return text.encode("utf-8", "surrogatepass")
