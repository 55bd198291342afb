"""Whose records may be learned from: not those of people who have opted out since."""

from __future__ import annotations

from functools import lru_cache

from germane.domain.ports import Store
from germane.domain.record import Record
from germane.domain.settings import Settings
from germane.privacy.gate import Gate


class Willing:
    """Asked of each record of a log, by whoever learns from it as a whole; as of the log's end."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._gate = Gate(settings)
        last = store.record(store.last_seq())
        self._now_ms = last.received_ms if last is not None else 0
        self._of = lru_cache(maxsize=100_000)(self._asked)

    def __call__(self, record: Record) -> bool:
        """Whether a record may be learned from; what is nobody's may."""
        return not record.person or self._of(record.tenant, record.person)

    def _asked(self, tenant: str, person: str) -> bool:
        """Whoever is no more was merged into somebody, whose word counts."""
        passed: set[str] = set()
        while person not in passed:
            passed.add(person)
            person = self._store.person_of(tenant, person) or person
        found = self._store.profile(tenant, person)
        return found is not None and not self._gate.opted_out(found, self._now_ms)
