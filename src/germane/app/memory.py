"""What the engine knows in memory: a bounded cache of committed state, and all that is not yet committed.

Reads go: not yet committed, then recently used, then the store. So a decision sees every event that
was folded, whether or not its commit is through (law 3).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import Generic, TypeVar

from germane.app.entries import Entries
from germane.domain.decision import Decision
from germane.domain.erasure import Erasure
from germane.domain.ports import Store
from germane.domain.profile import Profile
from germane.domain.record import FROM_OUTSIDE, Record, Txn
from germane.domain.settings import PEOPLE_IN_MEMORY

Value = TypeVar("Value")


class Overlay(Generic[Value]):
    """Uncommitted values over a bounded cache of committed ones. ``None`` is a value: *known to be absent*."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pending: dict[tuple[str, str], tuple[int, Value | None]] = {}
        self._recent: OrderedDict[tuple[str, str], Value | None] = OrderedDict()

    def find(self, key: tuple[str, str]) -> tuple[bool, Value | None]:
        """Whether the key is known here, and its value."""
        held = self._pending.get(key)
        if held is not None:
            return True, held[1]
        if key in self._recent:
            self._recent.move_to_end(key)
            return True, self._recent[key]
        return False, None

    def put(self, key: tuple[str, str], value: Value | None, ticket: int) -> None:
        """A new value that will be committed under ``ticket``."""
        self._pending[key] = (ticket, value)

    def remember(self, key: tuple[str, str], value: Value | None) -> None:
        """A committed value, read from the store."""
        self._recent[key] = value
        if len(self._recent) > self._limit:
            self._recent.popitem(last=False)

    def settle(self, key: tuple[str, str], ticket: int) -> None:
        """Everything up to ``ticket`` is durable: the value may now be forgotten when space is short."""
        held = self._pending.get(key)
        if held is not None and held[0] <= ticket:
            del self._pending[key]
            self._recent.pop(key, None)
            self.remember(key, held[1])

    def forget(self) -> None:
        """Drop what is committed: the store has it."""
        self._recent.clear()

    def among(self, wanted: Callable[[Value], bool]) -> list[tuple[str, str]]:
        """Keys of the values that are known here and wanted."""
        held = [
            key for key, (_, value) in self._pending.items() if value is not None and wanted(value)
        ]
        return held + [
            k for k, value in self._recent.items() if value is not None and wanted(value)
        ]


class Memory:
    """Profiles, identities, decisions, the ledger and message ids in front of a store."""

    def __init__(
        self, store: Store, *, profiles: int = PEOPLE_IN_MEMORY, decisions: int = 5_000
    ) -> None:
        self._store = store
        self._profiles: Overlay[Profile] = Overlay(profiles)
        self._people: Overlay[str] = Overlay(profiles)
        self._decisions: Overlay[Decision] = Overlay(decisions)
        self._message_ids: dict[tuple[str, str], int] = {}
        self.entries = Entries(store)
        self._records: dict[int, Record] = {}
        self._erased: list[tuple[int, list[tuple[str, str]], list[tuple[str, str]]]] = []
        """Ticket, links and decisions of erasures that are not committed yet."""

    def profile(self, tenant: str, person: str) -> Profile | None:
        """A person's newest state, committed or not."""
        key = (tenant, person)
        known, value = self._profiles.find(key)
        if not known:
            value = self._store.profile(tenant, person)
            self._profiles.remember(key, value)
        return value

    def profiles(self, tenant: str, *, after: str, limit: int) -> list[Profile]:
        """A page of committed profiles in order of the person key; each may be looked at soon."""
        page = self._store.profiles(tenant, after=after, limit=limit)
        for each in page:
            self._profiles.remember((tenant, each.person), each)
        return page

    def prepare(self, tenant: str, people: Collection[str]) -> None:
        """People who will be looked at, one by one, soon: one read for all their links, one for all their
        profiles."""
        wanted = [x for x in {*people} if not self._people.find((tenant, x))[0]]
        links = self._store.people_of(tenant, wanted)
        for each in wanted:
            self._people.remember((tenant, each), links.get(each))
        now = {self.person_of(tenant, x) or x for x in people}
        unread = [x for x in now if not self._profiles.find((tenant, x))[0]]
        profiles = self._store.profiles_among(tenant, unread)
        for each in unread:
            self._profiles.remember((tenant, each), profiles.get(each))

    def person_of(self, tenant: str, external: str) -> str | None:
        """Who an external key belongs to now: the end of its links, for whoever it was linked to may
        have been merged into another person since."""
        person, passed = self._link(tenant, external), {external}
        while person is not None and person not in passed:
            passed.add(person)
            further = self._link(tenant, person)
            if further is None:
                break
            person = further
        return person

    def owner(self, tenant: str, decision: Decision) -> str:
        """Whom a decision was made for, or who they were merged into; empty where only its signed id
        is known."""
        return self.person_of(tenant, decision.person) or decision.person

    def _link(self, tenant: str, external: str) -> str | None:
        key = (tenant, external)
        known, value = self._people.find(key)
        if not known:
            value = self._store.person_of(tenant, external)
            self._people.remember(key, value)
        return value

    def decision(self, tenant: str, decision_id: str) -> Decision | None:
        """A decision by id. An absent one is not remembered: it may still arrive."""
        key = (tenant, decision_id)
        known, value = self._decisions.find(key)
        if not known:
            value = self._store.decision(tenant, decision_id)
            if value is not None:
                self._decisions.remember(key, value)
        return value

    def seen(self, tenant: str, message_ids: list[str]) -> set[str]:
        """Those of the ids that are in the log, or on their way into it."""
        waiting = {each for each in message_ids if (tenant, each) in self._message_ids}
        rest = [each for each in message_ids if each not in waiting]
        return waiting | self._store.seen(tenant, rest) if rest else waiting

    def record(self, seq: int) -> Record | None:
        """An event or a move by its offset, committed or not."""
        held = self._records.get(seq)
        return held if held is not None else self._store.record(seq)

    def hold(self, txn: Txn, ticket: int) -> None:
        """Show a step's changes to every later read."""
        for key, profile in txn.profiles.items():
            self._profiles.put(key, profile, ticket)
        for key, person in txn.identities.items():
            self._people.put(key, person, ticket)
        for tenant, decision in txn.decisions:
            self._decisions.put((tenant, decision.decision_id), decision, ticket)
        for record in txn.records:
            if record.kind in FROM_OUTSIDE:
                self._message_ids[record.tenant, record.message_id] = ticket
            if record.kind in ("move", "event"):
                self._records[record.seq] = record
        self.entries.hold(txn, ticket)

    def erase(self, what: Erasure, txn: Txn, ticket: int) -> None:
        """Whoever is erased by a step is known to no later read. Their profiles and entries go by ``txn``."""
        people, tenant = {*what.people}, what.tenant
        for person in what.people:
            txn.profiles[tenant, person] = None
            self.entries.erase(tenant, person, txn)
        links = [*self._people.among(people.__contains__), *((tenant, each) for each in people)]
        decisions = self._decisions.among(lambda each: each.person in people)
        for key in links:
            self._people.put(key, None, ticket)
        for key in decisions:
            self._decisions.put(key, None, ticket)
        self._erased.append((ticket, links, decisions))

    def linking(self, tenant: str, people: Collection[str]) -> set[str]:
        """Keys that lead to one of the people, as far as that is known here."""
        found = self._people.among({*people}.__contains__)
        return {external for of, external in found if of == tenant}

    def forget(self) -> None:
        """Make room: what is committed is read again when it is asked for."""
        self._profiles.forget()
        self._people.forget()
        self._decisions.forget()
        self.entries.forget()

    def settle(self, txn: Txn, ticket: int) -> None:
        """A group up to ``ticket`` is durable."""
        self.entries.settle(txn, ticket)
        while self._erased and self._erased[0][0] <= ticket:
            until, links, decisions = self._erased.pop(0)
            for key in links:
                self._people.settle(key, until)
            for key in decisions:
                self._decisions.settle(key, until)
        for key in txn.profiles:
            self._profiles.settle(key, ticket)
        for key in txn.identities:
            self._people.settle(key, ticket)
        for tenant, decision in txn.decisions:
            self._decisions.settle((tenant, decision.decision_id), ticket)
        for record in txn.records:
            if record.kind in FROM_OUTSIDE:
                held = self._message_ids.get((record.tenant, record.message_id))
                if held is not None and held <= ticket:
                    del self._message_ids[record.tenant, record.message_id]
            self._records.pop(record.seq, None)
