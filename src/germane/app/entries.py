"""The ledger as the engine sees it: what is committed, and over it what is not yet."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import get_args

from germane.domain.ledger import Entry, EntryKind, beyond
from germane.domain.ports import Store
from germane.domain.record import Txn

KEPT = 20_000
"""Entries that were looked at lately, kept in memory; ``None``: known not to be there."""
ALL = 1_000_000
EACH = 50
"""Entries a person, on average, up to which those of many people are read at once."""


class Entries:
    """Entries in front of a store. A read sees every entry that was folded (law 3)."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pending: dict[tuple[str, str], dict[str, tuple[int, Entry | None]]] = {}
        self._held_of: dict[tuple[str, str, str], set[str]] = {}
        """(tenant, kind, person) -> keys among them."""
        self._recent: OrderedDict[tuple[str, str, str], Entry | None] = OrderedDict()
        self._theirs: OrderedDict[tuple[str, str, str], list[str]] = OrderedDict()
        """(tenant, kind, person) -> keys of all that are committed, the highest first, and maybe of some that
        are somebody else's by now: kept for whoever was prepared for, until something of theirs commits."""

    def get(self, tenant: str, kind: str, key: str) -> Entry | None:
        """One entry."""
        held = self._over(tenant, kind).get(key)
        if held is not None:
            return held[1]
        named = (tenant, kind, key)
        if named in self._recent:
            self._recent.move_to_end(named)
            return self._recent[named]
        found = self._store.entry(tenant, kind, key)
        self._remember(named, found)
        return found

    def prepare(self, tenant: str, kind: str, keys: Iterable[str]) -> None:
        """Entries that will be looked at, one by one, soon: one read for all of them."""
        over = self._over(tenant, kind)
        wanted = [x for x in keys if x not in over and (tenant, kind, x) not in self._recent]
        found = {each.key: each for each in self._store.entries_among(tenant, kind, wanted)}
        for key in wanted:
            self._remember((tenant, kind, key), found.get(key))

    def prepare_of(self, tenant: str, kind: str, people: Iterable[str]) -> None:
        """As ``prepare``, for people of whom all entries of a kind will be looked at."""
        wanted = [x for x in {*people} if x and (tenant, kind, x) not in self._theirs]
        most = EACH * len(wanted)
        found = self._store.entries_of_each(tenant, wanted, kind, limit=most)
        if len(found) == most:
            return  # they may have more: each of them is asked for
        self._read(tenant, kind, found)
        theirs: dict[str, list[str]] = {each: [] for each in wanted}
        for each in found:
            theirs[each.person].append(each.key)
        for person, keys in theirs.items():
            self._theirs[tenant, kind, person] = sorted(keys, reverse=True)
            if len(self._theirs) > KEPT:
                self._theirs.popitem(last=False)

    def page(
        self,
        tenant: str,
        kind: str,
        *,
        topic: str | None = None,
        status: str = "",
        after: str = "",
        limit: int = 1000,
        newest: bool = False,
    ) -> list[Entry]:
        """In order of the key: all, of a topic, or of a status inside a topic. With ``newest`` the highest
        key comes first, and ``after`` is the last key of the page before."""
        stored = self._store.entries(
            tenant,
            kind,
            topic=topic,
            status=status,
            after=after,
            limit=limit + len(self._over(tenant, kind)),
            newest=newest,
        )
        held = (e for e in self._held(tenant, kind) if beyond(e.key, after, newest=newest))
        wanted = (e for e in held if topic in (None, e.topic) and status in ("", e.status))
        found = [*self._still(tenant, kind, stored), *wanted]
        return sorted(found, key=lambda e: e.key, reverse=newest)[:limit]

    def of(self, tenant: str, person: str, kind: str, *, limit: int = 1000) -> list[Entry]:
        """A person's, the highest key first."""
        over = self._over(tenant, kind)
        stored = self._committed_of(tenant, person, kind, limit + len(over))
        held = (over[key][1] for key in self._held_of.get((tenant, kind, person), ()))
        found = [*self._still(tenant, kind, stored), *(e for e in held if e is not None)]
        return sorted(found, key=lambda e: e.key, reverse=True)[:limit]

    def due(self, tenant: str, kind: str, until_ms: int, *, limit: int = 1000) -> list[Entry]:
        """Those that are due, the longest waiting first."""
        stored = self._store.due(
            tenant, kind, until_ms, limit=limit + len(self._over(tenant, kind))
        )
        if len(stored) <= KEPT // 10:  # of more, most are only looked over
            self._read(tenant, kind, stored)
        held = (e for e in self._held(tenant, kind) if 0 < e.due_ms <= until_ms)
        found = [*self._still(tenant, kind, stored), *held]
        return sorted(found, key=lambda e: (e.due_ms, e.key))[:limit]

    def next_due(self, tenant: str, kind: str) -> int:
        """When the next one may be due, in ms; 0: none is. Never too late, now and then too early."""
        held = [e.due_ms for e in self._held(tenant, kind) if e.due_ms > 0]
        stored = self._store.next_due(tenant, kind)
        return min([*held, *([stored] if stored else [])], default=0)

    def counts(self, tenant: str, kind: str) -> dict[tuple[str, str], int]:
        """(topic, status) -> how many are committed."""
        return self._store.entry_counts(tenant, kind)

    def hold(self, txn: Txn, ticket: int) -> None:
        """Show a step's changes to every later read."""
        for (tenant, kind, key), entry in txn.entries.items():
            over = self._pending.setdefault((tenant, kind), {})
            self._not_of(tenant, kind, over.get(key))
            over[key] = (ticket, entry)
            if entry is not None and entry.person:
                self._held_of.setdefault((tenant, kind, entry.person), set()).add(key)

    def settle(self, txn: Txn, ticket: int) -> None:
        """A group up to ``ticket`` is durable."""
        for tenant, kind, key in txn.entries:
            held = self._pending.get((tenant, kind), {})
            if key in held and held[key][0] <= ticket:
                self._not_of(tenant, kind, held[key])
                self._remember((tenant, kind, key), held.pop(key)[1])
            now = txn.entries[tenant, kind, key]
            if now is not None:
                self._theirs.pop((tenant, kind, now.person), None)

    def erase(self, tenant: str, person: str, txn: Txn) -> None:
        """A step removes all that is a person's."""
        for kind in get_args(EntryKind):
            for each in self.of(tenant, person, kind, limit=ALL):
                txn.entries[tenant, kind, each.key] = None
            self._theirs.pop((tenant, kind, person), None)

    def forget(self) -> None:
        """Make room: what is committed is read again when it is asked for."""
        self._recent.clear()
        self._theirs.clear()

    def _committed_of(self, tenant: str, person: str, kind: str, limit: int) -> list[Entry]:
        """A person's, as they are in the store."""
        keys = self._theirs.get((tenant, kind, person))
        if keys is None:
            return self._store.entries_of(tenant, person, kind, limit=limit)
        found = (self.get(tenant, kind, each) for each in keys)
        return [each for each in found if each is not None and each.person == person][:limit]

    def _read(self, tenant: str, kind: str, stored: Iterable[Entry]) -> None:
        """What the store has is remembered, but where something else is true by now."""
        for each in self._still(tenant, kind, stored):
            self._remember((tenant, kind, each.key), each)

    def _remember(self, named: tuple[str, str, str], entry: Entry | None) -> None:
        self._recent[named] = entry
        self._recent.move_to_end(named)
        if len(self._recent) > KEPT:
            self._recent.popitem(last=False)

    def _not_of(self, tenant: str, kind: str, was: tuple[int, Entry | None] | None) -> None:
        """What was held is so no more."""
        entry = was[1] if was is not None else None
        if entry is None or not entry.person:
            return
        keys = self._held_of[tenant, kind, entry.person]
        keys.discard(entry.key)
        if not keys:
            del self._held_of[tenant, kind, entry.person]

    def _over(self, tenant: str, kind: str) -> dict[str, tuple[int, Entry | None]]:
        """What is not committed yet: it hides what is."""
        return self._pending.get((tenant, kind), {})

    def _held(self, tenant: str, kind: str) -> list[Entry]:
        return [entry for _, entry in self._over(tenant, kind).values() if entry is not None]

    def _still(self, tenant: str, kind: str, stored: Iterable[Entry]) -> list[Entry]:
        over = self._over(tenant, kind)
        return [e for e in stored if e.key not in over]
