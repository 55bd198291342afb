"""What does not go back with the log to a moment: a no that was said since, an address that was closed since,
and who may do what. All of it is recorded again, after what is restored."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from germane.app.consents import KIND as CONSENT
from germane.app.consents import Line
from germane.app.engine import Engine
from germane.app.moving import Suppression
from germane.domain.consent import Statement
from germane.domain.key import ApiKey
from germane.domain.ledger import Entry, EntryKind
from germane.domain.moves import AnyMove, Appointed, KeyPut, Stated, Suppressed
from germane.domain.operator import Operator
from germane.domain.ports import Store

BY = "restore"
"""Who made the records, in their words."""


@dataclass(frozen=True, slots=True)
class Carried:
    """What is to be recorded again."""

    refusals: tuple[AnyMove, ...] = ()
    operators: tuple[Operator, ...] = ()
    keys: tuple[ApiKey, ...] = ()

    def access(self, engine: Engine) -> list[AnyMove]:
        """Of operators and keys what is another than what an engine knows: a key that was revoked opens nothing
        again."""
        moving, tenant = engine.moving, engine.tenant
        known = {each.name: each for each in moving.approvals.operators(tenant)}
        found: list[AnyMove] = []
        for each in self.operators:
            before = known.get(each.name)
            if before is None or replace(each, since_ms=before.since_ms) != before:
                found.append(Appointed(each, BY))
        for key in self.keys:
            had = moving.security.key(tenant, key.key_id)
            if had is None or replace(key, used_day=had.used_day, made_ms=had.made_ms) != had:
                found.append(KeyPut(key, BY))
        return found


def since(engine: Engine, seq: int, until_ms: int) -> Carried:
    """What came after an offset, received at the moment or before, and is to hold."""
    moving, tenant = engine.moving, engine.tenant
    return Carried(
        (*_said_since(engine, seq), *_closed_since(engine, until_ms)),
        tuple(moving.approvals.operators(tenant)),
        tuple(moving.security.ring(tenant).keys.values()),
    )


def _said_since(engine: Engine, seq: int) -> Iterator[AnyMove]:
    """Every no after an offset that no later yes without an end undid: it always stands."""
    lines = every(engine.store, engine.tenant, CONSENT)
    for person, said in noes(lines, lambda place: place > seq):
        yield stated(person, said)


def noes(lines: Iterable[Entry], counts: Callable[[int], bool]) -> Iterator[tuple[str, Statement]]:
    """Of lines of the ledger, in their order: each no that no later yes without an end undid, and whose it is.

    Args:
        lines: All of them, or all after some offset.
        counts: Which noes are looked for, by their offset.
    """
    found: dict[tuple[str, str], Statement] = {}
    for entry in lines:
        body = msgspec.msgpack.decode(entry.body, type=Line).body
        if body is None:
            continue
        said = msgspec.msgpack.decode(body, type=Statement)
        for person in {said.person, entry.person}:  # they may have become one since
            if said.state == "withdrawn" and counts(place_of(entry)):
                found[person, said.purpose] = said
            elif said.state == "granted" and said.stands and not said.until_ms:
                found.pop((person, said.purpose), None)
    for (person, _), said in found.items():
        yield person, said


def place_of(line: Entry) -> int:
    """The log offset of a line of the ledger."""
    return int(line.key.partition(".")[0])


def stated(person: str, said: Statement) -> Stated:
    """What somebody said, to be recorded again."""
    return Stated(
        person,
        said.purpose,
        granted=said.state == "granted",
        method=said.method,
        notice=said.version,
        text_sha256=said.text_sha256,
        source=said.source,
        at_ms=said.at_ms,
        until_ms=said.until_ms,
        notice_name=said.notice,
        salt=uuid.uuid4().hex,
    )


def _closed_since(engine: Engine, until_ms: int) -> Iterator[AnyMove]:
    """Addresses that must not be written to any more since a moment."""
    for entry in every(engine.store, engine.tenant, "suppression"):
        said = msgspec.msgpack.decode(entry.body, type=Suppression)
        if said.why.at_ms > until_ms:
            address = entry.key.partition(":")[0]
            yield Suppressed(said.channel, address, said.purpose, on=True, why=said.why)


def every(store: Store, tenant: str, kind: EntryKind) -> Iterator[Entry]:
    """All entries of a kind, in order of the key."""
    after = ""
    while page := store.entries(tenant, kind, after=after):
        yield from page
        after = page[-1].key
