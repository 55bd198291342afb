"""Everything in the log that is of one person: what an export shows, and what an erasure removes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from germane.app.moving import address_key
from germane.app.records import keys_of, merges
from germane.deliver import outbox
from germane.domain.event import Event
from germane.domain.ids import anonymous_person, known_person
from germane.domain.moves import AnyMove, Claimed, Planned, Rewritten, Stated, Suppressed, Ticked
from germane.domain.ports import Store
from germane.domain.record import Record
from germane.privacy.erasure import is_of, mentions

Theirs = Callable[[Record], bool]
_PAGE = 100
_decode_event = msgspec.msgpack.Decoder(Event).decode
_decode_move = msgspec.msgpack.Decoder(AnyMove).decode


@dataclass(slots=True)
class Trail:
    """What is found out about somebody while their records go by."""

    tenant: str
    keys: dict[str, int] = field(default_factory=dict)
    """Person keys under which something of theirs is recorded -> when the last of it came, ms since 1970."""
    seqs: list[int] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    """Kind of record -> how many."""
    externals: set[str] = field(default_factory=set)
    """Keys that their events came under."""
    messages: set[str] = field(default_factory=set)
    emails: set[str] = field(default_factory=set)
    accounts: set[str] = field(default_factory=set)
    """Of which they told something."""
    suppressed: dict[int, Suppressed] = field(default_factory=dict)
    """Log offset -> every suppression of an address, whosesoever it is."""

    @property
    def ids(self) -> set[str]:
        """Every name that they have: keys, and ids as they were sent."""
        keys = {*self.keys, *self.externals}
        return keys | {each.partition(":")[2] for each in keys}

    def walk(self, store: Store, theirs: Theirs, until: int) -> Iterator[Record]:
        """Their records in log order; then suppressions of their addresses, which the log has of nobody."""
        for record in store.read(0, until=until, archived=True):
            if self.offer(record, theirs):
                yield record
        yield from self.barred(store)

    def offer(self, record: Record, theirs: Theirs) -> bool:
        """Look at the next record of the log; whether it is theirs."""
        if record.tenant != self.tenant or not (theirs(record) or self._names_them(record)):
            return False
        self._take(record)
        return True

    def barred(self, store: Store) -> Iterator[Record]:
        """At the end: suppressions of their addresses."""
        addresses = {address_key("email", each) for each in self.emails}
        for seq, move in self.suppressed.items():
            found = store.record(seq) if move.address in addresses else None
            if found is not None:
                self._count(found)
                yield found

    def letters(self, store: Store, after: int) -> tuple[list[int], int]:
        """Ids of the dead letters after one that are theirs; and the last one there is."""
        ids, emails = self.ids, {each.strip() for each in self.emails}
        found: list[int] = []
        while page := store.letters(after=after, limit=_PAGE, pending_only=False):
            found += [each.letter_id for each in page if is_of(each, ids, emails)]
            after = page[-1].letter_id
        return found, after

    def _take(self, record: Record) -> None:
        self._count(record)
        if record.person:
            self.keys[record.person] = max(self.keys.get(record.person, 0), record.received_ms)
        if record.kind == "event":
            self._heard(_decode_event(record.body))
        elif record.kind == "move":
            self._moved(_decode_move(record.body))

    def _count(self, record: Record) -> None:
        self.seqs.append(record.seq)
        self.kinds[record.kind] += 1

    def _heard(self, event: Event) -> None:
        if event.user_id:
            self.externals.add(known_person(event.user_id))
        if event.anonymous_id:
            self.externals.add(anonymous_person(event.anonymous_id))
        if event.previous_id:
            previous = event.previous_id
            self.externals |= {known_person(previous), anonymous_person(previous)}
        if event.kind == "group" and event.group_id and event.traits:
            self.accounts.add(event.group_id)
        else:
            self._addresses(event.traits)
        self._addresses(event.context.get("traits"))

    def _addresses(self, traits: object) -> None:
        email = traits.get("email") if isinstance(traits, Mapping) else None
        if isinstance(email, str) and email.strip():
            self.emails.add(email)

    def _moved(self, move: Any) -> None:
        if isinstance(move, Planned | Rewritten):
            self.messages.add(move.message.message_id)
        address = move.address if isinstance(move, Claimed) else ""
        if "@" in address:
            self.emails.add(address)
        if isinstance(move, Stated):
            self.externals.add(move.person)

    def _names_them(self, record: Record) -> bool:
        """Whether a move that is nobody's names them: a tick, a reminder of an approval of their message."""
        if record.kind != "move" or record.person:
            return False
        move = _decode_move(record.body)
        if isinstance(move, Suppressed):
            self.suppressed[record.seq] = move
        elif isinstance(move, Ticked):
            return mentions(move.subject, self.keys)
        elif isinstance(move, Planned | Rewritten):
            return self._told(move)
        return getattr(move, "message_id", "") in self.messages

    def _told(self, move: Planned | Rewritten) -> bool:
        said = msgspec.json.encode(outbox.unpacked(move.rendered)).decode()
        said += f" {move.message.key} {move.message.subject}"
        return mentions(said, self.keys) or mentions(said, self.messages)


def of_person(store: Store, person: str, until: int) -> Theirs:
    """Whether a record is of a person, by the key that they have now; with all from before two histories turned
    out to be one. It reads the log."""
    ends = keys_of(merges(store.read(0, until=until, archived=True)), person)
    return lambda each: each.person == person or each.seq < ends.get(each.person, 0)


def end_of(store: Store, tenant: str, key: str) -> str:
    """Who a key leads to now."""
    passed: set[str] = set()
    while key not in passed:
        passed.add(key)
        key = store.person_of(tenant, key) or key
    return key


def own(store: Store, tenant: str, keys: Collection[str], person: str) -> set[str]:
    """Those of the keys that lead to a person, or to nobody: a device may be somebody else's by now."""

    def theirs(key: str) -> bool:
        end = end_of(store, tenant, key)
        return end == person or (end == key and store.profile(tenant, key) is None)

    return {each for each in keys if theirs(each)}
