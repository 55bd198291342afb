"""A store over another one that is only read: what is committed is kept beside it, as long as that is open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from msgspec.structs import replace

from germane.domain.decision import Decision
from germane.domain.event import DeadLetter
from germane.domain.item import Item
from germane.domain.ledger import Entry
from germane.domain.ports import Store
from germane.domain.profile import Profile
from germane.domain.record import FROM_OUTSIDE, Txn
from germane.storage import codec
from germane.storage.memory import MemoryStore
from germane.storage.sqlite.scratch import Scratch

OWN = 2**60
"""Ids of dead letters from here on are of those that were committed here."""
GONE = b""
"""In the place of what was removed."""
_letter = msgspec.msgpack.Decoder(DeadLetter).decode
_entry = msgspec.msgpack.Decoder(Entry).decode


class Above(MemoryStore):
    """Answers what an import of events asks, as a store would that had committed all of it. Of the log it keeps
    no bodies; campaigns, content and the catalogue are those of the store below."""

    def __init__(self, below: Store) -> None:
        """``below``: it stays as it is."""
        super().__init__()
        self._below = below
        self._own = Scratch()
        self._last = below.last_seq()
        self._own_letters = 0

    def commit(self, txn: Txn) -> None:
        """Keep what is asked for again."""
        heard = (x for x in txn.records if x.kind in FROM_OUTSIDE)
        self._own.put("seen", ((_of(x.tenant, x.message_id), b"", "") for x in heard))
        people = ((_of(*key), _packed(each), "") for key, each in txn.profiles.items())
        self._own.put("profile", people)
        links = ((_of(*key), person.encode(), "") for key, person in txn.identities.items())
        self._own.put("link", links)
        self._own.put("entry", (self._kept(*each) for each in txn.entries.items()))
        self._own.put("letter", (self._numbered(each) for each in txn.letters))
        self._meta |= txn.meta
        self._last = max((self._last, *(each.seq for each in txn.records)))

    def _kept(self, named: tuple[str, str, str], entry: Entry | None) -> tuple[str, bytes, str]:
        tenant, kind, _ = named
        if entry is None:
            return _of(*named), GONE, ""
        whose = _of(tenant, kind, entry.person) if entry.person else ""
        return _of(*named), codec.encode(entry), whose

    def _numbered(self, letter: DeadLetter) -> tuple[str, bytes, str]:
        self._own_letters += 1
        number = OWN + self._own_letters
        return str(number), codec.encode(replace(letter, letter_id=number)), ""

    def last_seq(self) -> int:
        """Highest log offset, of both."""
        return self._last

    def seen(self, tenant: str, message_ids: Sequence[str]) -> set[str]:
        """Those that were committed below, or here."""
        keys = {_of(tenant, each): each for each in message_ids}
        own = {keys[key] for key in self._own.among("seen", [*keys])}
        return own | self._below.seen(tenant, message_ids)

    def profile(self, tenant: str, person: str) -> Profile | None:
        """A person's state."""
        return self.profiles_among(tenant, [person]).get(person)

    def profiles_among(self, tenant: str, people: Sequence[str]) -> dict[str, Profile]:
        """Those of the people who are known."""
        own = self._found("profile", tenant, people)
        found = self._below.profiles_among(tenant, [x for x in people if x not in own])
        return found | {x: codec.decode_profile(each) for x, each in own.items() if each != GONE}

    def person_of(self, tenant: str, external: str) -> str | None:
        """Who an external key belongs to."""
        return self.people_of(tenant, [external]).get(external)

    def people_of(self, tenant: str, externals: Sequence[str]) -> dict[str, str]:
        """Who each external key belongs to."""
        own = {x: each.decode() for x, each in self._found("link", tenant, externals).items()}
        return self._below.people_of(tenant, [x for x in externals if x not in own]) | own

    def _found(self, kind: str, tenant: str, names: Sequence[str]) -> dict[str, bytes]:
        """Name -> what is here of it."""
        keys = {_of(tenant, each): each for each in names}
        return {keys[key]: value for key, value in self._own.among(kind, [*keys]).items()}

    def items(self, tenant: str) -> Iterator[Item]:
        """The catalogue."""
        return self._below.items(tenant)

    def decision(self, tenant: str, decision_id: str) -> Decision | None:
        """A decision by id."""
        return self._below.decision(tenant, decision_id)

    def entry(self, tenant: str, kind: str, key: str) -> Entry | None:
        """One entry of the ledger."""
        return next(iter(self.entries_among(tenant, kind, [key])), None)

    def entries_among(self, tenant: str, kind: str, keys: Sequence[str]) -> list[Entry]:
        """Those of the keys that are there."""
        own = self._own.among("entry", [_of(tenant, kind, each) for each in keys])
        rest = [each for each in keys if _of(tenant, kind, each) not in own]
        found = [_entry(each) for each in own.values() if each != GONE]
        return found + self._below.entries_among(tenant, kind, rest)

    def entries_of(self, tenant: str, person: str, kind: str, *, limit: int = 1000) -> list[Entry]:
        """A person's entries, the highest key first."""
        below = self._below.entries_of(tenant, person, kind, limit=limit)
        own = self._own.among("entry", [_of(tenant, kind, each.key) for each in below])
        found = [each for each in below if _of(tenant, kind, each.key) not in own]
        found += [_entry(each) for each in self._own.of("entry", _of(tenant, kind, person))]
        return sorted(found, key=lambda each: each.key, reverse=True)[:limit]

    def entries(
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
        """A page of entries below: of what no import of events changes."""
        return self._below.entries(
            tenant,
            kind,
            topic=topic,
            status=status,
            after=after,
            limit=limit,
            newest=newest,
        )

    def letters(
        self, *, after: int = 0, limit: int = 100, pending_only: bool = True
    ) -> list[DeadLetter]:
        """Dead letters, first those below."""
        if after < OWN:
            below = self._below.letters(after=after, limit=limit, pending_only=pending_only)
            if below:
                return below
        return [_letter(each) for each in self._own.page("letter", str(max(after, OWN)), limit)]

    def meta(self, key: str) -> bytes | None:
        """A named value."""
        return self._meta.get(key, self._below.meta(key))

    def close(self) -> None:
        """Let go what was kept; the store below stays open."""
        self._own.close()


def _of(*names: str) -> str:
    return "\0".join(names)


def _packed(person: Profile | None) -> bytes:
    return GONE if person is None else codec.pack(codec.encode(person))
