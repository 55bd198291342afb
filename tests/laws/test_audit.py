"""Law of the audit log: editing, removing, adding or moving any entry is detected."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from germane.app.engine import Engine
from germane.app.trail import Proof, Trail, linked
from germane.domain.audit import AuditHead, AuditLink, AuditRecord
from germane.domain.ledger import Entry
from germane.domain.moves import Audited
from germane.domain.record import Txn
from germane.domain.settings import Settings
from germane.predict.model import SharedModel
from germane.privacy import chain
from germane.storage.memory import MemoryStore
from germane.testing import FakeWorld

_encode = msgspec.msgpack.encode
Stored = dict[tuple[str, str, str], Entry | None]
texts = st.text(st.characters(codec="utf-8"), max_size=30)
records = st.lists(
    st.builds(
        AuditRecord,
        st.just(0),
        texts,
        st.sampled_from(["people.read", "keys"]),
        texts,
        texts,
        st.sampled_from([200, 401, 403]),
        st.integers(1, 10**6),
    ),
    min_size=1,
    max_size=12,
)


def a_trail(entered: list[AuditRecord]) -> tuple[Engine, Trail]:
    """An audit log with these records."""
    settings = Settings()
    engine = Engine(settings, MemoryStore(), SharedModel(settings), FakeWorld(), key=b"k")
    trail = Trail(engine)
    for each in entered:
        trail.enter(each)
    return engine, trail


def proven(trail: Trail, head: bytes | None = None) -> Proof:
    """What a verification finds."""
    return asyncio.run(trail.proven(head))


def links(engine: Engine) -> list[AuditLink]:
    """All entries in their order."""
    page = engine.store.entries(engine.tenant, "audit")
    return [msgspec.msgpack.decode(each.body, type=AuditLink) for each in page]


def tamper(engine: Engine, changed: Stored) -> None:
    """Write into the data folder past the engine, as somebody with a database tool would."""
    engine.store.commit(Txn(entries=changed))
    engine.entries.forget()


def named(engine: Engine, place: int) -> tuple[str, str, str]:
    """Where an entry is stored."""
    return engine.tenant, "audit", f"{place:012}"


def stored(link: AuditLink, place: int) -> Entry:
    """A link as an entry at a place."""
    return Entry("audit", f"{place:012}", _encode(link))


@given(records)
def test_what_was_entered_is_whole(entered: list[AuditRecord]) -> None:
    engine, trail = a_trail(entered)
    proof = proven(trail)
    assert (proof.whole, proof.entries, proof.broken) == (True, len(entered), None)
    said = [each.record() for each in links(engine)]
    now_ms = engine.world.now_ms()
    assert said == [replace(each, at_ms=now_ms) for each in entered]
    for each in links(engine):
        assert proven(trail, each.digest).whole, "every head that it once had is known"
    assert not proven(trail, bytes(31) + b"\x01").whole


EDITS: list[Callable[[AuditLink, bytes], AuditLink]] = [
    lambda link, noise: replace(link, body=link.body[:-1] + noise),
    lambda link, noise: replace(
        link, body=msgspec.json.encode(replace(link.record(), actor=noise.hex() + "!"))
    ),
    lambda link, noise: replace(link, salt=link.salt + noise.hex() + "!"),
    lambda link, noise: replace(link, seal=chain.seal("", noise)),
    lambda link, noise: replace(link, digest=chain.seal("", noise)),
    lambda link, noise: replace(link, place=link.place + 1 + noise[0]),
    # the whole link is forged anew, with a fitting seal and digest: the ones after it give it away
    lambda link, noise: linked(
        AuditHead(link.place - 1, chain.START), link.body + noise, link.salt
    ),
]


@given(records, st.data())
def test_an_edit_is_found(entered: list[AuditRecord], data: st.DataObject) -> None:
    engine, trail = a_trail(entered)
    place = data.draw(st.integers(1, len(entered)))
    edit = data.draw(st.sampled_from(EDITS))
    before = links(engine)[place - 1]
    after = edit(before, data.draw(st.binary(min_size=1, max_size=8)))
    if after == before:
        return
    tamper(engine, {named(engine, place): stored(after, place)})
    proof = proven(trail)
    assert not proof.whole
    assert proof.broken in (place, place + 1)


@given(records, st.data())
def test_a_removal_is_found(entered: list[AuditRecord], data: st.DataObject) -> None:
    """At the start, in the middle, at the end, and of everything."""
    engine, trail = a_trail(entered)
    gone = data.draw(st.sets(st.integers(1, len(entered)), min_size=1))
    tamper(engine, {named(engine, place): None for place in gone})
    assert proven(trail).broken == min(gone)


@given(records, st.data())
def test_another_order_is_found(entered: list[AuditRecord], data: st.DataObject) -> None:
    engine, trail = a_trail(entered)
    before = links(engine)
    order = data.draw(st.permutations(range(len(before))))
    renumber = data.draw(st.booleans())
    if order == list(range(len(before))):
        return
    moved = [before[each] for each in order]
    moved = [replace(x, place=n + 1) for n, x in enumerate(moved)] if renumber else moved
    tamper(engine, {named(engine, n + 1): stored(x, n + 1) for n, x in enumerate(moved)})
    first = next(n for n, each in enumerate(order) if n != each)
    assert proven(trail).broken == first + 1


@given(records, records)
def test_an_addition_is_found(entered: list[AuditRecord], forged: list[AuditRecord]) -> None:
    """Entries that fit the chain, but that the head does not know."""
    engine, trail = a_trail(entered)
    link = links(engine)[-1]
    head, added = AuditHead(link.place, link.digest), {}
    for each in forged:
        link = linked(head, msgspec.json.encode(each), "salt")
        head = AuditHead(link.place, link.digest)
        added[named(engine, link.place)] = stored(link, link.place)
    tamper(engine, dict(added))
    assert proven(trail).broken == len(entered) + len(forged) + 1


@given(records, records)
def test_a_chain_forged_anew_does_not_know_the_head_that_was_noted(
    entered: list[AuditRecord], forged: list[AuditRecord]
) -> None:
    """Who can write everything can make another chain that holds; a head that was noted elsewhere tells."""
    engine, _ = a_trail(entered)
    noted = links(engine)[-1].digest
    other, trail = a_trail(forged)
    assert proven(trail).whole
    assert not proven(trail, noted).whole
    assert other is not engine


@given(records, st.data())
def test_a_log_that_was_tampered_with_does_not_fold_into_a_chain_that_holds(
    entered: list[AuditRecord], data: st.DataObject
) -> None:
    """A rebuild does not launder: links are folded as they were forged."""
    engine, _ = a_trail(entered)
    logged = links(engine)
    place = data.draw(st.integers(1, len(logged)))
    drop = data.draw(st.booleans()) and place < len(logged)
    changed = replace(
        logged[place - 1], body=b'{"atMs":0,"actor":"","permission":"","act":"other"}'
    )
    told = logged[: place - 1] + ([] if drop else [changed]) + logged[place:]
    again, trail = a_trail([])
    for each in told:
        again.put_moves([Audited(each)])
    assert not proven(trail).whole
