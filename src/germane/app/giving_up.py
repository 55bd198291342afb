"""Going on without damaged files of history of which there is no backup.

The files move aside. What nobody must lose, and the state still knows, is recorded again as new: what was
said to each purpose, who is who, keys and operators, kill switches, the catalogue, content and campaigns. Then
all that is derived is folded anew from the log that is left, so that the state is what a rebuild finds. What
was given up stands in the log, and in a named value for whoever asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec

from germane.app.arrival import Arrival
from germane.app.carried import every, noes, place_of, stated
from germane.app.consents import KIND as CONSENT
from germane.app.consents import Line as Proof
from germane.app.erasing import LIST, due
from germane.app.moving import Switch
from germane.app.opening import REFOLD, decision_key, open_engine
from germane.app.records import end_of
from germane.app.retaining import GIVEN_UP
from germane.domain.campaign import Campaign
from germane.domain.consent import Statement
from germane.domain.content import Content
from germane.domain.erasure import Erasure
from germane.domain.event import Event
from germane.domain.ids import DEFAULT_TENANT
from germane.domain.item import Item
from germane.domain.key import ApiKey
from germane.domain.ledger import Entry, EntryKind
from germane.domain.message import Why
from germane.domain.moves import (
    AnyMove,
    Appointed,
    CampaignPut,
    CampaignTurned,
    ContentGone,
    ContentPut,
    GivenUp,
    KeyPut,
    Stated,
    Switched,
)
from germane.domain.operator import Operator
from germane.domain.ports import Store
from germane.domain.record import Record, Txn
from germane.domain.retirement import Piece
from germane.domain.settings import Settings
from germane.domain.world import World
from germane.ingest.identity import resolve
from germane.privacy.erasure import mark
from germane.storage.sqlite import SqliteStore

BY = "given up"
"""Who made the records, in their words."""
_LINKING = ("identify", "alias")
_decode = msgspec.msgpack.decode
_encode = msgspec.msgpack.encode


class Loss(msgspec.Struct, frozen=True):
    """A file of history that was given up."""

    file: str
    """In the data folder."""
    month: str
    records: int
    at_ms: int
    """When."""


@dataclass(slots=True)
class _Rest:
    """What the log says without the files that are given up."""

    offsets: set[int] = field(default_factory=set)
    """Of those that the files might have had."""
    links: dict[str, str] = field(default_factory=dict)
    items: dict[str, Item | None] = field(default_factory=dict)
    contents: set[str] = field(default_factory=set)


def losses(store: Store) -> list[Loss]:
    """What was given up so far."""
    stored = store.meta(GIVEN_UP)
    return _decode(stored, type=list[Loss]) if stored else []


def give_up(settings: Settings, folder: Path, world: World) -> list[Piece]:
    """Go on without the damaged files of history; which they were. Not while serving.

    Args:
        settings: The validated declaration.
        folder: The data folder.
        world: The clock.

    Raises:
        NotFound: there is no data.
        StorageBusy: another process has it.
    """
    SqliteStore.open(folder, mode="read").close()
    store = SqliteStore.open(folder)
    try:
        damaged = store.damaged()
        gone = [each for each in damaged if not each.archived]
        if gone:
            told = _Telling(store, folder, world.now_ms())
            store.set_aside([each.name for each in gone], told.txn(gone, damaged))
    finally:
        store.close()
    if gone:  # or a crash came in between, and the next start does it
        open_engine(settings, folder, mode="write", world=world).store.close()
    return gone


@dataclass(slots=True)
class _Telling:
    """Makes the records that take the place of what is given up."""

    store: SqliteStore
    folder: Path
    now_ms: int
    tenant: str = DEFAULT_TENANT
    _named: set[str] | None = None

    def txn(self, gone: list[Piece], damaged: list[Piece]) -> Txn:
        """All that is recorded, with what the files alone had."""
        had = {seq for each in gone for seq in range(each.first_seq, each.last_seq + 1)}
        rest = _Rest()
        for record in self.store.read(0, archived=True, without={x.name for x in damaged}):
            _take(record, had, rest)
        lost = had - rest.offsets
        known = losses(self.store)
        known += [Loss(f"history/{x.name}", x.month, x.rows, self.now_ms) for x in gone]
        return Txn(
            records=[*self._records(gone, lost, rest)],
            erasure=Erasure(self.tenant, (), tuple(sorted(lost))),
            meta={GIVEN_UP: _encode(known), REFOLD: BY.encode()},
        )

    def _records(self, gone: list[Piece], lost: set[int], rest: _Rest) -> Iterator[Record]:
        """In the order in which they are folded: a yes before what it allows, a no at the end."""
        seq = self.store.last_seq()
        yes, no = self._said(lost)
        moves = [GivenUp(x.name, x.month, x.rows, x.first_seq, x.last_seq) for x in gone]
        for body in (*moves, *yes, *self._links(rest), *self._items(rest), *no, *self._kept(rest)):
            seq += 1
            yield self._record(Arrival(seq, self.tenant, self.now_ms), body)

    def _record(self, at: Arrival, body: AnyMove | Event | Item | str) -> Record:
        if isinstance(body, Event):
            person = f"u:{body.user_id}"
            return at.record("event", person, body.message_id, body.at_ms, body)
        if isinstance(body, Item):
            return at.record("item", "", f"item:{at.seq}", self.now_ms, body)
        if isinstance(body, str):
            return at.record("item_removed", "", f"item:{at.seq}", self.now_ms, body)
        person = body.person if isinstance(body, Stated) else ""
        return at.record("move", person, f"move:{at.seq}", self.now_ms, body)

    # -- people ----------------------------------------------------------------------------------

    def _said(self, lost: set[int]) -> tuple[list[Stated], list[Stated]]:
        """What holds of what people said in the lost records: every yes without an end, and the rest."""
        lines = [*every(self.store, self.tenant, CONSENT)]
        no = [stated(*each) for each in noes(lines, lost.__contains__)]
        yes = [stated(each.person, each) for each in _yeses(lines, lost)]
        no, yes = ([x for x in each if self._stays(x.person)] for each in (no, yes))
        ends = [each for each in yes if each.until_ms]
        return [each for each in yes if not each.until_ms], [*no, *ends]

    def _stays(self, person: str) -> bool:
        """Whether nobody is about to be erased by a list: what is recorded of them now would stay."""
        if self._named is None:
            self._named = {x for line in due(self.store, self.folder / LIST) for x in line.people}
        key = decision_key(self.store, readonly=True)
        return not self._named or mark(key, self.tenant, person) not in self._named

    def _links(self, rest: _Rest) -> Iterator[Event]:
        """Who is who, as far as the log does not say it any more."""
        after = ""
        while page := self.store.profiles(self.tenant, after=after):
            after = page[-1].person
            since = {each.person: each.first_seen_ms for each in page if self._stays(each.person)}
            seen = {*since}
            while found := self.store.externals_of(self.tenant, [*since]):
                for external, person in found.items():
                    if person.startswith("u:") and rest.links.get(external, external) != person:
                        yield _link(external, person, since[person])
                since = {each: since[person] for each, person in found.items() if each not in seen}
                seen |= {*since}

    # -- everything else -------------------------------------------------------------------------

    def _items(self, rest: _Rest) -> Iterator[Item | str]:
        """The catalogue, as far as the log says something else."""
        there = {each.item_id: each for each in self.store.items(self.tenant)}
        yield from (each for name, each in there.items() if rest.items.get(name) != each)
        yield from (x for x, each in rest.items.items() if each is not None and x not in there)

    def _kept(self, rest: _Rest) -> Iterator[AnyMove]:
        """Who may do what, what is stopped, what was written; and that nothing goes out for now."""
        why = Why(self.now_ms, "given_up", "History was given up: what went out may wait again.")
        for entry in self._all("operator"):
            yield Appointed(_decode(entry, type=Operator), BY)
        for entry in self._all("key"):
            yield KeyPut(_decode(entry, type=ApiKey), BY)
        contents = [_decode(each, type=Content) for each in self._all("content")]
        yield from (ContentPut(each, each.put_by) for each in contents)
        yield from (ContentGone(x) for x in rest.contents - {each.content_id for each in contents})
        campaigns = [_decode(each, type=Campaign) for each in self._all("campaign")]
        for campaign in campaigns:
            yield CampaignPut(campaign, campaign.put_by)
            yield CampaignTurned(campaign.name, campaign.status, why)
        for each in every(self.store, self.tenant, "switch"):
            scope, _, name = each.key.partition(":")
            yield Switched(scope, name, on=True, why=_decode(each.body, type=Switch).why)  # type: ignore[arg-type]
        if any(each.status == "live" for each in campaigns) or self._all("message"):
            yield Switched("all", "", on=True, why=why)

    def _all(self, kind: EntryKind) -> list[bytes]:
        return [each.body for each in every(self.store, self.tenant, kind)]


def _take(record: Record, had: set[int], rest: _Rest) -> None:
    """Look at a record that is left."""
    if record.seq in had:
        rest.offsets.add(record.seq)
    if record.kind == "item":
        item = _decode(record.body, type=Item)
        rest.items[item.item_id] = item
    elif record.kind == "item_removed":
        rest.items[_decode(record.body, type=str)] = None
    elif record.kind == "event":
        event = _decode(record.body, type=Event)
        if event.kind in _LINKING:
            rest.links |= resolve(event, partial(end_of, rest.links)).claims
    elif record.kind == "move":
        move = _decode(record.body, type=AnyMove)
        if isinstance(move, ContentPut):
            rest.contents.add(move.content.content_id)
        elif isinstance(move, ContentGone):
            rest.contents.discard(move.content_id)


def _yeses(lines: Iterable[Entry], lost: set[int]) -> list[Statement]:
    """Every lost yes that is the last word of whom it is of."""
    found: dict[tuple[str, str], Statement] = {}
    for entry in lines:
        body = _decode(entry.body, type=Proof).body
        if body is None:
            continue
        said = _decode(body, type=Statement)
        found.pop((said.person, said.purpose), None)
        if said.state == "granted" and said.stands and place_of(entry) in lost:
            found[said.person, said.purpose] = said
    return [*found.values()]


def _link(external: str, person: str, at_ms: int) -> Event:
    """What says that a key is of somebody."""
    kind, _, name = external.partition(":")
    user = person.partition(":")[2]
    message_id = f"{BY}:{external}"
    if kind == "a":
        return Event(message_id, "identify", at_ms, user_id=user, anonymous_id=name)
    return Event(message_id, "alias", at_ms, user_id=user, previous_id=name)
