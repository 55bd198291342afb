"""Erasing somebody: the log, what was folded from it, what was learned, what was written, and every byte of it.

Two ways lead to the same end. Offline, records go and everything is folded anew at once. While serving, the
person is gone for every read from one step on (``Engine.fold_erasure``), and their records go in that step's
transaction; the shared model in memory, which has seen them, is neither kept nor trained from, and the next
start folds the log anew. The list beside the database says who was erased, so that a backup that is put back
forgets them again.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import msgspec

from germane.app import strangers
from germane.app.accounts import Accounts
from germane.app.arrival import Arrival
from germane.app.consents import KIND as CONSENT
from germane.app.consents import blanked
from germane.app.entries import ALL, Entries
from germane.app.erasure_receipt import receipt
from germane.app.footprint import Trail, end_of, own
from germane.app.moving import ALL_MAIL, Suppression, address_key
from germane.app.opening import REFOLD, SNAPSHOT, left, write_snapshot
from germane.app.reading import beside
from germane.app.rebuild import fold_anew
from germane.app.records import keys_of, merges
from germane.app.sheet import Sheet
from germane.app.trained import TREES, attach
from germane.app.undeclared import STORED as UNDECLARED
from germane.domain.erasure import Erasure
from germane.domain.errors import Overloaded, UnknownPerson
from germane.domain.event import Event
from germane.domain.ids import DEFAULT_TENANT
from germane.domain.ledger import Entry, EntryKind
from germane.domain.message import Why
from germane.domain.moves import Erased, Suppressed
from germane.domain.ports import Store
from germane.domain.purposes import EMAIL_MARKETING
from germane.domain.record import Record, Txn
from germane.domain.settings import Settings
from germane.domain.world import World
from germane.privacy.erasure import Line, mark
from germane.storage.blobs import FolderBlobs
from germane.storage.history import drop_aside
from germane.storage.lines import append, lines
from germane.storage.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from germane.app.engine import Engine

LIST = "erasures.jsonl"
"""The list of erasures, in the data folder."""
TRIES = 20
PLURALS = {
    "enrolment": "enrolments",
    "approval": "approvals",
    "message": "messages",
    "draft": "drafts",
}
_LINKING = ("identify", "alias")
_decode_event = msgspec.msgpack.Decoder(Event).decode


@dataclass(slots=True)
class Found:
    """What there is of somebody, as far as it is durable."""

    trail: Trail
    people: set[str]
    """Keys whose profile, entries and links are theirs."""
    links: dict[str, str]
    """External key -> person, of those."""
    upto: int
    """The log was read up to here."""
    letters: list[int] = field(default_factory=list)
    last_letter: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    """What goes, by kind."""


def find(store: Store, tenant: str, person: str) -> Found:
    """Everything of one person, by the key that they have now. It only reads, and may run beside a writer."""
    return find_all(store, tenant, [person])[0]


def find_all(store: Store, tenant: str, people: Sequence[str]) -> list[Found]:
    """The same of each of some people; the log is read twice."""
    upto = store.last_seq()
    found = merges(store.read(0, until=upto, archived=True))
    ends = [keys_of(found, each) for each in people]
    trails = [Trail(tenant, {each: 0}) for each in people]
    theirs = [_theirs(each, mine) for each, mine in zip(people, ends, strict=True)]
    places: dict[str, list[int]] = {"": [*range(len(people))]}
    for n, (person, mine) in enumerate(zip(people, ends, strict=True)):
        for key in {person, *mine}:
            places.setdefault(key, []).append(n)
    for record in store.read(0, until=upto, archived=True):
        if record.person or record.kind == "move":
            for n in places.get(record.person, ()):
                trails[n].offer(record, theirs[n])
    return [
        _found(store, trail, partial(own, store, tenant, person=each), upto)
        for each, trail in zip(people, trails, strict=True)
    ]


def _theirs(person: str, ends: Mapping[str, int]) -> Callable[[Record], bool]:
    return lambda each: each.person == person or each.seq < ends.get(each.person, 0)


def _found(
    store: Store, trail: Trail, mine: Callable[[Collection[str]], set[str]], upto: int
) -> Found:
    """What a trail that has seen all records comes to. ``mine``: those of some keys that are nobody else's."""
    for _ in trail.barred(store):
        pass
    people = mine(trail.keys)
    links = store.externals_of(trail.tenant, people)
    trail.externals = mine({*trail.externals, *links})
    _told_to_profiles(store, people, trail)
    found = Found(trail, people, links, upto)
    take_letters(store, found)
    found.counts = _counts(store, found)
    return found


def _told_to_profiles(store: Store, people: Collection[str], trail: Trail) -> None:
    for profile in store.profiles_among(trail.tenant, [*people]).values():
        email = profile.traits.get("email")
        if email is not None and isinstance(email.value, str):
            trail.emails.add(email.value)
        if profile.user_id:
            trail.externals.add(f"u:{profile.user_id}")


def take_letters(store: Store, found: Found) -> list[int]:
    """Their dead letters that have not been found yet."""
    new, found.last_letter = found.trail.letters(store, after=found.last_letter)
    found.letters += new
    return new


def _counts(store: Store, found: Found) -> dict[str, int]:
    kinds, tenant = found.trail.kinds, found.trail.tenant
    counts = {
        "profiles": len(store.profiles_among(tenant, [*found.people])),
        "identities": len(found.links),
        **{
            f"{kind}s": kinds[kind]
            for kind in ("event", "decision", "impression", "outcome", "move")
        },
        **dict.fromkeys(PLURALS.values(), 0),
        "deadLetters": len(found.letters),
    }
    for kind in get_args(EntryKind):
        theirs = store.entries_of_each(tenant, [*found.people], kind, limit=ALL)
        if theirs:
            counts[PLURALS.get(kind, f"{kind}s")] = len(theirs)
    return counts


# -- one step ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class Step:
    """What is to be recorded, all of it made before anything is done."""

    line: Line
    erasure: Erasure
    kept: list[Suppressed]
    """Addresses that are not written to stay so."""
    also: Txn

    @property
    def move(self) -> Erased:
        """The record of it."""
        return Erased(self.line.receipt, self.line.people)


def prepared(store: Store, tenant: str, key: bytes, found: Found, now_ms: int) -> Step:
    """What erases somebody."""
    theirs = {*found.people, *found.trail.externals}
    until = {each: now_ms if each in theirs else ms for each, ms in found.trail.keys.items()}
    until |= dict.fromkeys(theirs, now_ms)
    people = {mark(key, tenant, each): ms for each, ms in until.items()}
    line = Line(f"er_{secrets.token_hex(8)}", now_ms, people)
    erasure = Erasure(
        tenant,
        tuple(sorted(found.people)),
        tuple(sorted(found.trail.seqs)),
        after=found.upto,
        letters=tuple(found.letters),
    )
    also = Txn(meta={obeyed_as(line): str(now_ms).encode(), REFOLD: line.receipt.encode()})
    return Step(line, erasure, _kept(store, tenant, found.trail, now_ms), also)


def obeyed_as(line: Line) -> str:
    """Under this name a store keeps that a line of the list was obeyed."""
    return f"erased:{line.receipt}"


def _kept(store: Store, tenant: str, trail: Trail, now_ms: int) -> list[Suppressed]:
    """Suppressions of their addresses, told anew in words that name nobody."""
    found = []
    for address in sorted({address_key("email", each) for each in trail.emails}):
        said = {x.purpose for x in trail.suppressed.values() if x.address == address}
        for purpose in sorted({"", ALL_MAIL, EMAIL_MARKETING} | said):
            entry = store.entry(tenant, "suppression", f"{address}:{purpose}")
            if entry is not None:
                code = msgspec.msgpack.decode(entry.body, type=Suppression).why.code
                why = Why(now_ms, code, "Nothing is sent to it any more.")
                found.append(Suppressed("email", address, purpose, True, why))
    return found


def _changed(store: Store, tenant: str, trail: Trail) -> dict[tuple[str, str, str], Entry | None]:
    """Entries that are nobody's and change all the same: messages about theirs, and their accounts."""
    kinds = ("message", "draft", "approval")
    found: dict[tuple[str, str, str], Entry | None] = {
        (tenant, kind, each.key): None
        for kind in kinds
        for each in store.entries_among(tenant, kind, sorted(trail.messages))
    }
    return found | _accounts(store, tenant, trail)


def _accounts(store: Store, tenant: str, trail: Trail) -> dict[tuple[str, str, str], Entry | None]:
    """What is known of the accounts of which they told something, from what others told."""
    if not trail.accounts:
        return {}
    scratch = MemoryStore()
    entries, gone = Entries(scratch), {*trail.seqs}
    for record in store.read(0):
        if record.kind == "event" and record.seq not in gone and b"group" in record.body:
            event, txn = _decode_event(record.body), Txn()
            if event.group_id in trail.accounts:
                Accounts(entries).heard(event, Sheet(entries, tenant, txn))
                scratch.commit(txn)
    named = [(tenant, "account", each) for each in trail.accounts]
    return {each: scratch.entry(*each) for each in named}


# -- doing it ----------------------------------------------------------------------------------------


def erase_here(engine: Engine, *person_ids: str) -> list[dict[str, Any]]:
    """Erase some people at once, without an event loop; a receipt each. The engine must be opened again
    afterwards.

    Raises:
        UnknownPerson: nothing is stored of anybody of one of the names; nobody is erased.
    """
    store, tenant, now_ms = engine.store, engine.tenant, engine.world.now_ms()
    people = [resolved(store, tenant, each, engine.person_key(each)) for each in person_ids]
    found = find_all(store, tenant, people)
    steps = [prepared(store, tenant, engine.key, each, now_ms) for each in found]
    models, aside = _blobs_cleared(engine.folder), _aside_dropped(engine.folder)
    _listed(engine.folder, [each.line for each in steps])
    engine.stale = True
    _commit(store, tenant, steps, now_ms)
    clean = _fold_anew(engine.settings, store, engine.folder, engine.key, now_ms)
    for each in found:
        each.counts |= aside
    return [
        receipt(engine, step, each, models, clean=clean, at_once=True)
        for step, each in zip(steps, found, strict=True)
    ]


async def erase(engine: Engine, person_id: str) -> dict[str, Any]:
    """As ``erase_here``, while serving; what is shared is learned anew by the next start.

    Raises:
        UnknownPerson: nothing is stored of anybody of that name.
        Overloaded: so much is being merged into them that nobody can say what is theirs.
    """
    async with engine.erasing, engine.unsealed():
        found, step = await _looked_for(engine, person_id)
        _listed(engine.folder, [step.line])
        if step.kept:
            engine.put_moves(step.kept)
        await _settled(engine, engine.fold_erasure(step.move, step.erasure, step.also))
    models = _blobs_cleared(engine.folder)
    found.counts |= _aside_dropped(engine.folder)
    if engine.folder is not None:
        attach(engine.model, FolderBlobs(engine.folder / "models"))
    late = take_letters(engine.store, found)
    if late:
        await _settled(engine, Txn(erasure=Erasure(engine.tenant, (), letters=tuple(late))))
        found.counts["deadLetters"] += len(late)
    clean = await engine.between(engine.store.scrub)
    return receipt(engine, step, found, models, clean=clean, at_once=False)


async def _settled(engine: Engine, txn: Txn) -> None:
    """Make it durable, whether or not there is a thread that commits."""
    if engine.serving:
        await engine.note(txn)
    else:
        engine.commit(txn)


async def _looked_for(engine: Engine, person_id: str) -> tuple[Found, Step]:
    """What there is of somebody, and what erases it; as of this moment."""
    store, tenant, apart = beside(engine), engine.tenant, asyncio.to_thread
    person = await apart(resolved, store, tenant, person_id, engine.person_key(person_id))
    for _ in range(TRIES):
        person = engine.profile_of(person).person
        found = await apart(find, store, tenant, person)
        step = await apart(prepared, store, tenant, engine.key, found, engine.world.now_ms())
        await apart(store.write_ahead, step.erasure)
        step.also.entries = await apart(_changed, store, tenant, found.trail)
        if not _overtaken(engine, found):
            return found, step
    raise Overloaded()


def resolved(store: Store, tenant: str, person_id: str, known: str | None) -> str:
    """The key of a person, by person key, user id or anonymous id; also of one of whom only the log knows.

    Raises:
        UnknownPerson: nothing is stored of anybody of that name.
    """
    if known is not None:
        return known
    keys = (person_id, f"u:{person_id}", f"a:{person_id}")
    recorded = {each.person for each in store.read(0, archived=True) if each.person in keys}
    for key in keys:
        if key in recorded:
            return end_of(store, tenant, key)
    raise UnknownPerson(f"Nothing is known about {person_id!r}.")


def _overtaken(engine: Engine, found: Found) -> bool:
    """Whether a history was merged into theirs since it was looked for them."""
    if any(engine.profile_of(each).person not in found.people for each in found.people):
        return True
    if engine.linking(found.people) - {*found.links}:
        return True
    return any(
        each.kind == "event"
        and each.person in found.people
        and _decode_event(each.body).kind in _LINKING
        for each in engine.store.read(found.upto)
    )


def _blobs_cleared(folder: Path | None) -> int:
    """Drop every snapshot and everything that was trained; how many versions."""
    if folder is None:
        return 0
    blobs = FolderBlobs(folder / "models")
    count = sum(len(blobs.versions(each)) for each in (SNAPSHOT, TREES))
    for each in (SNAPSHOT, TREES):
        blobs.prune(each, 0)
    return count


def _aside_dropped(folder: Path | None) -> dict[str, int]:
    """Damaged files that were given up may tell of anybody: they go. How many, if any."""
    count = drop_aside(folder) if folder is not None else 0
    return {"damagedFiles": count} if count else {}


def _commit(store: Store, tenant: str, steps: Sequence[Step], now_ms: int) -> None:
    """Record them and let the rows go, where nobody serves. What is derived must be folded anew."""
    txn, seq = Txn(meta={UNDECLARED: b""}), store.last_seq()  # clients made those names up
    for move in (move for each in steps for move in (*each.kept, each.move)):
        seq += 1
        at = Arrival(seq, tenant, now_ms)
        txn.records.append(at.record("move", "", f"move:{seq}", now_ms, move))
    for each in steps:
        txn.meta |= each.also.meta
    erased = [each.erasure for each in steps]
    txn.erasure = Erasure(
        tenant,
        tuple(person for each in erased for person in each.people),
        tuple(sorted({seq for each in erased for seq in each.seqs})),
        letters=tuple({number for each in erased for number in each.letters}),
    )
    said = store.entries_of_each(tenant, txn.erasure.people, CONSENT, limit=ALL)
    txn.entries |= {(tenant, CONSENT, each.key): blanked(each) for each in said}
    store.commit(txn)


def _fold_anew(
    settings: Settings, store: Store, folder: Path | None, key: bytes, now_ms: int
) -> bool:
    """All that is derived, from the log that is left; then the mark goes. Whether no byte is left."""
    work = fold_anew(settings, store, key)
    strangers.drop_all(store, DEFAULT_TENANT, settings, now_ms)
    if folder is not None:
        _blobs_cleared(folder)
        blobs, gone = FolderBlobs(folder / "models"), left(store, refolded=True)
        write_snapshot(work.model, blobs, settings, gone)
    store.commit(Txn(meta={REFOLD: b""}))
    return store.scrub(large=True)


# -- at the next start, and after a backup was put back ----------------------------------------------------


def finish(settings: Settings, store: Store, folder: Path, key: bytes, world: World) -> None:
    """What a start does before anything is served: obey the list, and fold anew what is due."""
    now_ms, listed = world.now_ms(), due(store, folder / LIST)
    if listed:
        drop_aside(folder)
        _obeyed(store, key, listed, now_ms)
    if store.meta(REFOLD):
        _fold_anew(settings, store, folder, key, now_ms)


def due(store: Store, path: Path) -> list[Line]:
    """Lines of a list of erasures that were not obeyed."""
    return [each for each in lines(path, Line) if store.meta(obeyed_as(each)) is None]


def _obeyed(store: Store, key: bytes, listed: Sequence[Line], now_ms: int) -> None:
    """Erase whom lines name from a store that does not know of it: what came later stays."""
    tenant, marks, until = DEFAULT_TENANT, dict[str, str](), dict[str, int]()
    for line in listed:
        for each, ms in line.people.items():
            until[each] = max(ms, until.get(each, 0))

    def theirs(record: Record) -> bool:
        person = record.person
        if person and person not in marks:
            marks[person] = mark(key, tenant, person)
        return bool(person) and record.received_ms <= until.get(marks[person], -1)

    def mine(keys: Collection[str]) -> set[str]:
        return {each for each in keys if mark(key, tenant, each) in until}

    trail, upto = Trail(tenant), store.last_seq()
    for record in store.read(0, until=upto, archived=True):
        trail.offer(record, theirs)
    found = _found(store, trail, mine, upto)
    done = {obeyed_as(each): str(now_ms).encode() for each in listed} | {UNDECLARED: b""}
    if not (trail.seqs or found.letters):
        store.commit(Txn(meta=done))
        return
    steps = [prepared(store, tenant, key, found, now_ms)]
    steps[0].line = listed[0]
    steps[0].also.meta = done | {REFOLD: listed[-1].receipt.encode()}
    steps += [Step(each, Erasure(tenant, ()), [], Txn()) for each in listed[1:]]
    _commit(store, tenant, steps, now_ms)


def add_lines(folder: Path, other: Path) -> int:
    """Take the lines of another list into a data folder's; how many are new. The next start obeys them.

    Raises:
        BadList: it is no list of erasures.
    """
    known = {each.receipt for each in lines(folder / LIST, Line)}
    new = [each for each in lines(other, Line, must=True) if each.receipt not in known]
    _listed(folder, new)
    return len(new)


def _listed(folder: Path | None, new: Iterable[Line]) -> None:
    if folder is not None:
        append(folder / LIST, new)
