"""The ledger inside one step: what the step has written so far lies over what was there before."""

from __future__ import annotations

from germane.app.entries import Entries
from germane.domain.ledger import Entry
from germane.domain.record import Txn


class Sheet:
    """Reads and writes entries of one step."""

    def __init__(self, entries: Entries, tenant: str, txn: Txn) -> None:
        self._entries = entries
        self._tenant = tenant
        self._txn = txn

    def get(self, kind: str, key: str) -> Entry | None:
        """One entry."""
        named = (self._tenant, kind, key)
        written = self._txn.entries
        return written[named] if named in written else self._entries.get(*named)

    def of(self, person: str, kind: str) -> list[Entry]:
        """A person's, the highest key first."""
        mine = {
            key: e for (t, k, key), e in self._txn.entries.items() if (t, k) == (self._tenant, kind)
        }
        before = [e for e in self._entries.of(self._tenant, person, kind) if e.key not in mine]
        now = [e for e in mine.values() if e is not None and e.person == person]
        return sorted([*before, *now], key=lambda e: e.key, reverse=True)

    def put(self, entry: Entry) -> None:
        """Write one."""
        self._txn.entries[self._tenant, entry.kind, entry.key] = entry

    def drop(self, kind: str, key: str) -> None:
        """Remove one."""
        self._txn.entries[self._tenant, kind, key] = None
