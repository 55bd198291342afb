"""The in-memory binding: a test double that keeps the contract, and the scratch store of a rebuild."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence

from msgspec.structs import replace

from germane.domain.decision import Decision
from germane.domain.erasure import Erasure
from germane.domain.event import DeadLetter
from germane.domain.item import Item
from germane.domain.ledger import Entry, beyond
from germane.domain.months import month_label, month_of
from germane.domain.profile import Profile
from germane.domain.record import FROM_OUTSIDE, Record, Txn
from germane.domain.retirement import ARCHIVE, Piece, Retirement
from germane.storage.codec import canonical, encode, state_digest


class MemoryStore:
    """Implements ``domain.ports.Store`` without a disk."""

    def __init__(self) -> None:
        self._log: list[Record] = []
        self._seen: dict[tuple[str, str], int] = {}
        self._offsets: dict[int, int] = {}
        self._profiles: dict[tuple[str, str], Profile] = {}
        self._people: dict[tuple[str, str], str] = {}
        self._items: dict[tuple[str, str], Item] = {}
        self._decisions: dict[tuple[str, str], Decision] = {}
        self._entries: dict[tuple[str, str, str], Entry] = {}
        self._letters: dict[int, DeadLetter] = {}
        self._meta: dict[str, bytes] = {}
        self._staged: Txn | None = None
        self._archive: list[tuple[str, Record]] = []

    def commit(self, txn: Txn) -> None:
        """Take all of it."""
        self.stage(txn)
        self.sync()

    def stage(self, txn: Txn) -> None:
        """Take it, and show it to nobody."""
        assert self._staged is None, "one transaction at a time"
        self._staged = txn

    def sync(self) -> None:
        """Show what is staged."""
        txn, self._staged = self._staged, None
        assert txn is not None, "nothing is staged"
        if txn.erasure is not None:
            self._erase(txn.erasure)
        for record in txn.records:
            self._log.append(record)
            if record.kind in FROM_OUTSIDE:
                self._seen.setdefault((record.tenant, record.message_id), record.seq)
            self._offsets[record.slot] = record.seq
        self._state(txn)
        for letter in txn.letters:
            number = max(self._letters, default=0) + 1
            self._letters[number] = replace(letter, letter_id=number)
        for number, at_ms in txn.replayed_letters:
            self._letters[number] = replace(self._letters[number], replayed_ms=at_ms)
        for number, at_ms in txn.dismissed_letters:
            self._letters[number] = replace(self._letters[number], dismissed_ms=at_ms)
        self._meta |= txn.meta

    def _state(self, txn: Txn) -> None:
        for key, profile in txn.profiles.items():
            if profile is None:
                self._profiles.pop(key, None)
            else:
                self._profiles[key] = profile
        self._people |= txn.identities
        for key, item in txn.items.items():
            if item is None:
                self._items.pop(key, None)
            else:
                self._items[key] = item
        for named, entry in txn.entries.items():
            if entry is None:
                self._entries.pop(named, None)
            else:
                self._entries[named] = entry
        for tenant, decision in txn.decisions:
            self._decisions[tenant, decision.decision_id] = decision

    def write_ahead(self, erasure: Erasure) -> None:
        """There is no file."""

    def scrub(self, *, large: bool = False) -> bool:
        """There is no file."""
        return True

    def _erase(self, what: Erasure) -> None:
        people, seqs = {(what.tenant, each) for each in what.people}, {*what.seqs}

        def goes(record: Record) -> bool:
            between = what.after < record.seq < what.before
            return record.seq in seqs or (between and (record.tenant, record.person) in people)

        archived = [each for _, each in self._archive]
        gone = [each for each in (*self._log, *archived) if goes(each)]
        self._log = [each for each in self._log if not goes(each)]
        self._archive = [each for each in self._archive if not goes(each[1])]
        for record in gone:
            self._seen.pop((record.tenant, record.message_id), None)
            self._decisions.pop((record.tenant, record.message_id.removeprefix("decision:")), None)
        for key in people:
            self._profiles.pop(key, None)
        self._people = {k: v for k, v in self._people.items() if (k[0], v) not in people}
        theirs = [k for k, e in self._entries.items() if (k[0], e.person) in people]
        for named in theirs:
            del self._entries[named]
        for number in what.letters:
            self._letters.pop(number, None)

    def last_seq(self) -> int:
        """Highest log offset."""
        return self._log[-1].seq if self._log else 0

    def seen(self, tenant: str, message_ids: Sequence[str]) -> set[str]:
        """Those that are in the log."""
        return {each for each in message_ids if (tenant, each) in self._seen}

    def profile(self, tenant: str, person: str) -> Profile | None:
        """A person's state."""
        return self._profiles.get((tenant, person))

    def profiles(self, tenant: str, *, after: str = "", limit: int = 1000) -> list[Profile]:
        """A page of people."""
        keys = sorted(p for t, p in self._profiles if t == tenant and p > after)[:limit]
        return [self._profiles[tenant, key] for key in keys]

    def profiles_among(self, tenant: str, people: Sequence[str]) -> dict[str, Profile]:
        """Those of the people who are known."""
        found = ((each, self._profiles.get((tenant, each))) for each in people)
        return {person: profile for person, profile in found if profile is not None}

    def people_of(self, tenant: str, externals: Sequence[str]) -> dict[str, str]:
        """Who each external key belongs to."""
        found = ((each, self._people.get((tenant, each))) for each in externals)
        return {external: person for external, person in found if person is not None}

    def person_of(self, tenant: str, external: str) -> str | None:
        """Who an external key belongs to."""
        return self._people.get((tenant, external))

    def externals_of(self, tenant: str, people: Collection[str]) -> dict[str, str]:
        """The keys that lead to people."""
        return {e: p for (t, e), p in self._people.items() if t == tenant and p in people}

    def items(self, tenant: str) -> Iterator[Item]:
        """The catalogue, by item id."""
        for key in sorted(self._items):
            if key[0] == tenant:
                yield self._items[key]

    def decision(self, tenant: str, decision_id: str) -> Decision | None:
        """A decision by id."""
        return self._decisions.get((tenant, decision_id))

    def entry(self, tenant: str, kind: str, key: str) -> Entry | None:
        """One entry of the ledger."""
        return self._entries.get((tenant, kind, key))

    def entries_among(self, tenant: str, kind: str, keys: Sequence[str]) -> list[Entry]:
        """Those of the keys that are there."""
        found = (self._entries.get((tenant, kind, each)) for each in dict.fromkeys(keys))
        return [each for each in found if each is not None]

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
        """A page of entries in order of the key, or the highest key first."""
        assert topic is not None or not status, "a status is looked for inside a topic"
        found = (e for e in self._all(tenant, kind) if beyond(e.key, after, newest=newest))
        wanted = (e for e in found if topic in (None, e.topic) and status in ("", e.status))
        return sorted(wanted, key=lambda e: e.key, reverse=newest)[:limit]

    def entries_of(self, tenant: str, person: str, kind: str, *, limit: int = 1000) -> list[Entry]:
        """A person's entries, the highest key first."""
        found = (e for e in self._all(tenant, kind) if e.person == person)
        return sorted(found, key=lambda e: e.key, reverse=True)[:limit]

    def entries_of_each(
        self, tenant: str, people: Sequence[str], kind: str, *, limit: int
    ) -> list[Entry]:
        """The entries of several people."""
        wanted = {*people} - {""}
        return [e for e in self._all(tenant, kind) if e.person in wanted][:limit]

    def due(self, tenant: str, kind: str, until_ms: int, *, limit: int = 1000) -> list[Entry]:
        """Entries that are due, the longest waiting first."""
        found = (e for e in self._all(tenant, kind) if 0 < e.due_ms <= until_ms)
        return sorted(found, key=lambda e: (e.due_ms, e.key))[:limit]

    def next_due(self, tenant: str, kind: str) -> int:
        """When the next one is due, in ms; 0: none is."""
        return min((e.due_ms for e in self._all(tenant, kind) if e.due_ms > 0), default=0)

    def entry_counts(self, tenant: str, kind: str) -> dict[tuple[str, str], int]:
        """(topic, status) -> how many."""
        return dict(Counter((e.topic, e.status) for e in self._all(tenant, kind)))

    def _all(self, tenant: str, kind: str) -> Iterator[Entry]:
        return (e for (t, k, _), e in self._entries.items() if (t, k) == (tenant, kind))

    def record(self, seq: int) -> Record | None:
        """One log record by its offset."""
        return next((each for each in self._log if each.seq == seq), None)

    def read(
        self, after: int, *, until: int | None = None, archived: bool = False
    ) -> Iterator[Record]:
        """The log in order."""
        found = {each.seq: each for each in self._log}
        if archived:
            found |= {each.seq: each for _, each in self._archive}
        for _, record in sorted(found.items()):
            if record.seq > after and (until is None or record.seq <= until):
                yield record

    def letters(
        self, *, after: int = 0, limit: int = 100, pending_only: bool = True
    ) -> list[DeadLetter]:
        """Dead letters in order."""
        found = [
            letter
            for number, letter in sorted(self._letters.items())
            if number > after and (letter.pending or not pending_only)
        ]
        return found[:limit]

    def pending_letters(self) -> int:
        """How many wait."""
        return sum(each.pending for each in self._letters.values())

    def letter(self, letter_id: int) -> DeadLetter | None:
        """One dead letter."""
        return self._letters.get(letter_id)

    def counts(self) -> dict[str, int]:
        """Rows by kind."""
        return {
            "records": len(self._log),
            "profiles": len(self._profiles),
            "items": len(self._items),
            "decisions": len(self._decisions),
            "letters": len(self._letters),
            "entries": len(self._entries),
        }

    def meta(self, key: str) -> bytes | None:
        """A named value."""
        return self._meta.get(key)

    def state_hash(self) -> str:
        """SHA-256 of the state."""
        return state_digest(
            ((t, p, canonical(encode(self._profiles[t, p]))) for t, p in sorted(self._profiles)),
            ((t, e, self._people[t, e]) for t, e in sorted(self._people)),
            ((t, i, canonical(encode(self._items[t, i]))) for t, i in sorted(self._items)),
            (
                (t, k, key, e.person, e.topic, e.status, e.due_ms, canonical(e.body))
                for (t, k, key), e in sorted(self._entries.items())
            ),
            sorted(self._offsets.items()),
        )

    def replace_state(self, txns: Iterable[Txn]) -> None:
        """Swap what is derived."""
        before, derived = self._derived(), dict[int, Record]()
        for each in before:
            setattr(self, each, {})
        try:
            for txn in txns:
                self._state(txn)
                derived |= {record.seq: record for record in txn.records}
        except BaseException:
            vars(self).update(before)
            raise
        self._log = [derived.get(record.seq, record) for record in self._log]

    def _derived(self) -> dict[str, object]:
        """What a rebuild swaps, by name."""
        names = ("_profiles", "_people", "_items", "_decisions", "_entries")
        return {each: getattr(self, each) for each in names}

    def seal(self, before_ms: int, *, limit: int = 50_000) -> int:
        """There is nowhere to move to."""
        return 0

    def pieces(self, *, archived: bool = False) -> list[Piece]:
        """A piece a month."""
        if archived:
            return [Piece(f"{ARCHIVE}{month}", month, n) for month, n in self.archive().items()]
        counts = Counter(_month(each) for each in self._log)
        return [Piece(f"{x}:{self._newest(x)}", x, n) for x, n in sorted(counts.items())]

    def damaged(self, *, quick: bool = False) -> list[Piece]:
        """There are no files."""
        return []

    def give_up(self, piece: str) -> None:
        """There are no files."""

    def _newest(self, month: str) -> int:
        return max((each.seq for each in self._log if _month(each) == month), default=0)

    def piece(self, name: str) -> list[Record]:
        """The records of a month."""
        if name.startswith(ARCHIVE):
            month = name.removeprefix(ARCHIVE)
            return [each for _, each in self._archive if _month(each) == month]
        month, _, newest = name.partition(":")
        fits = newest == str(self._newest(month))
        return [each for each in self._log if _month(each) == month] if fits else []

    def retire(self, what: Retirement) -> None:
        """Move records of a month into the archive, or drop them."""
        if what.piece.startswith(ARCHIVE):
            for _, each in self._archive:
                if each.seq in what.gone:
                    self._seen.pop((each.tenant, each.message_id), None)
            self._archive = [
                (since, replace(each, body=what.left.get(each.seq, each.body)))
                for since, each in self._archive
                if each.seq not in what.gone
            ]
            return
        assert self.last_seq() not in what.leaves, "or its offset would be given again"
        if not self.piece(what.piece):
            return
        moved = what.archived | what.gone
        self._archive += [(what.month, x) for x in self._log if x.seq in what.archived]
        for each in self._log:
            if each.seq in what.leaves:
                self._decisions.pop((each.tenant, each.message_id.removeprefix("decision:")), None)
            if each.seq in what.gone:
                self._seen.pop((each.tenant, each.message_id), None)
        self._log = [
            replace(
                each,
                body=what.left.get(each.seq, each.body),
                derived=b"" if each.seq in moved else each.derived,
            )
            for each in self._log
            if each.seq not in what.leaves
        ]

    def archive(self) -> dict[str, int]:
        """Month -> how many records."""
        return dict(sorted(Counter(_month(each) for _, each in self._archive).items()))

    def expire(self, before: str) -> int:
        """Drop what retired before a month."""
        gone = [each for since, each in self._archive if since < before]
        self._archive = [each for each in self._archive if each[0] >= before]
        for each in gone:
            self._seen.pop((each.tenant, each.message_id), None)
        return len(gone)

    def close(self) -> None:
        """Nothing to release."""


def _month(record: Record) -> str:
    return month_label(month_of(record.at_ms))
