"""What does not go back with the log to a moment: a no that was said since, an address that was closed since,
and who may do what. All of it is recorded again, after what is restored."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
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
    noes: dict[tuple[str, str], Statement] = {}
    for entry in every(engine, CONSENT):
        body = msgspec.msgpack.decode(entry.body, type=Line).body
        if body is not None and int(entry.key.partition(".")[0]) > seq:
            said = msgspec.msgpack.decode(body, type=Statement)
            for person in {said.person, entry.person}:  # they may have become one since
                if said.state == "withdrawn":
                    noes[person, said.purpose] = said
                elif said.stands and not said.until_ms:
                    noes.pop((person, said.purpose), None)
    for (person, purpose), said in noes.items():
        yield Stated(
            person,
            purpose,
            granted=False,
            method=said.method,
            notice=said.version,
            text_sha256=said.text_sha256,
            source=said.source,
            at_ms=said.at_ms,
            notice_name=said.notice,
            salt=uuid.uuid4().hex,
        )


def _closed_since(engine: Engine, until_ms: int) -> Iterator[AnyMove]:
    """Addresses that must not be written to any more since a moment."""
    for entry in every(engine, "suppression"):
        said = msgspec.msgpack.decode(entry.body, type=Suppression)
        if said.why.at_ms > until_ms:
            address = entry.key.partition(":")[0]
            yield Suppressed(said.channel, address, said.purpose, on=True, why=said.why)


def every(engine: Engine, kind: EntryKind) -> Iterator[Entry]:
    """All entries of a kind, in order of the key."""
    after = ""
    while page := engine.store.entries(engine.tenant, kind, after=after):
        yield from page
        after = page[-1].key
