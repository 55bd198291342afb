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
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import msgspec

from germane.app import strangers
from germane.app.accounts import Accounts
from germane.app.arrival import Arrival
from germane.app.entries import ALL, Entries
from germane.app.moving import Suppression, address_key
from germane.app.opening import REFOLD, SNAPSHOT, write_snapshot
from germane.app.rebuild import Rebuild
from germane.app.sheet import Sheet
from germane.app.trail import Trail, end_of, of_person, own
from germane.app.trained import TREES, attach
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
from germane.privacy.erasure import Line, mark, signed
from germane.profile.words import rfc3339
from germane.storage.blobs import FolderBlobs
from germane.storage.lines import append, lines
from germane.storage.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

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
    upto = store.last_seq()
    theirs = of_person(store, person, upto)

    def mine(keys: Collection[str]) -> set[str]:
        return own(store, tenant, keys, person)

    return _found(store, Trail(tenant, {person: 0}), theirs, mine, upto)


def _found(
    store: Store,
    trail: Trail,
    theirs: Callable[[Record], bool],
    mine: Callable[[Collection[str]], set[str]],
    upto: int,
) -> Found:
    """``mine``: those of some keys that lead to nobody else."""
    for _ in trail.walk(store, theirs, upto):
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
    new = [each.letter_id for each in found.trail.letters(store, after=found.last_letter)]
    found.letters += new
    newest = store.letters(after=found.last_letter, limit=ALL, pending_only=False)
    found.last_letter = newest[-1].letter_id if newest else found.last_letter
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
    also = Txn(meta={_done(line): str(now_ms).encode(), REFOLD: line.receipt.encode()})
    return Step(line, erasure, _kept(store, tenant, found.trail, now_ms), also)


def _done(line: Line) -> str:
    """Under this name a store keeps that a line of the list was obeyed."""
    return f"erased:{line.receipt}"


def _kept(store: Store, tenant: str, trail: Trail, now_ms: int) -> list[Suppressed]:
    """Suppressions of their addresses, told anew in words that name nobody."""
    found = []
    for address in sorted({address_key("email", each) for each in trail.emails}):
        said = {x.purpose for x in trail.suppressed.values() if x.address == address}
        for purpose in sorted({"", EMAIL_MARKETING} | said):
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


def erase_here(engine: Engine, person_id: str) -> dict[str, Any]:
    """Erase somebody at once, without an event loop; the receipt. The engine must be opened again afterwards.

    Raises:
        UnknownPerson: nothing is stored of anybody of that name.
    """
    store, now_ms = engine.store, engine.world.now_ms()
    person = resolved(store, engine.tenant, person_id, engine.person_key(person_id))
    found = find(store, engine.tenant, person)
    step = prepared(store, engine.tenant, engine.key, found, now_ms)
    models = _blobs_cleared(engine.folder)
    _listed(engine.folder, [step.line])
    _commit(store, engine.tenant, step, now_ms)
    engine.stale = True
    _fold_anew(engine.settings, store, engine.folder, engine.key, now_ms)
    return receipt(engine, step, found, models, at_once=True)


async def erase(engine: Engine, person_id: str) -> dict[str, Any]:
    """As ``erase_here``, while serving; what is shared is learned anew by the next start.

    Raises:
        UnknownPerson: nothing is stored of anybody of that name.
        Overloaded: so much is being merged into them that nobody can say what is theirs.
    """
    with engine.unsealed():
        found, step = await _looked_for(engine, person_id)
        _listed(engine.folder, [step.line])
        if step.kept:
            engine.put_moves(step.kept)
        await _settled(engine, engine.fold_erasure(step.move, step.erasure, step.also))
    models = _blobs_cleared(engine.folder)
    if engine.folder is not None:
        attach(engine.model, FolderBlobs(engine.folder / "models"))
    late = take_letters(engine.store, found)
    if late:
        await _settled(engine, Txn(erasure=Erasure(engine.tenant, (), letters=tuple(late))))
        found.counts["deadLetters"] += len(late)
    return receipt(engine, step, found, models, at_once=False)


async def _settled(engine: Engine, txn: Txn) -> None:
    """Make it durable, whether or not there is a thread that commits."""
    if engine.serving:
        await engine.note(txn)
    else:
        engine.commit(txn)


async def _looked_for(engine: Engine, person_id: str) -> tuple[Found, Step]:
    """What there is of somebody, and what erases it; as of this moment."""
    store, tenant, apart = engine.store, engine.tenant, asyncio.to_thread
    person = await apart(resolved, store, tenant, person_id, engine.person_key(person_id))
    for _ in range(TRIES):
        person = engine.profile_of(person).person
        found = await apart(find, store, tenant, person)
        step = await apart(prepared, store, tenant, engine.key, found, engine.world.now_ms())
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
    recorded = {each.person for each in store.read(0) if each.person in keys}
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


def _commit(store: Store, tenant: str, step: Step, now_ms: int) -> None:
    """Record it and let the rows go, where nobody serves. What is derived must be folded anew."""
    txn, seq = Txn(erasure=step.erasure, meta=step.also.meta), store.last_seq()
    for move in (*step.kept, step.move):
        seq += 1
        at = Arrival(seq, tenant, now_ms)
        txn.records.append(at.record("move", "", f"move:{seq}", now_ms, move))
    store.commit(txn)


def _fold_anew(
    settings: Settings, store: Store, folder: Path | None, key: bytes, now_ms: int
) -> None:
    """All that is derived, from the log that is left; then the mark goes."""
    work = Rebuild(settings, key)
    store.replace_state(work.txns(store.read(0)))
    strangers.drop_all(store, DEFAULT_TENANT, settings, now_ms)
    if folder is not None:
        _blobs_cleared(folder)
        write_snapshot(work.model, FolderBlobs(folder / "models"), settings)
    store.commit(Txn(meta={REFOLD: b""}))


# -- at the next start, and after a backup was put back ----------------------------------------------------


def finish(settings: Settings, store: Store, folder: Path, key: bytes, world: World) -> None:
    """What a start does before anything is served: obey the list, and fold anew what is due."""
    now_ms = world.now_ms()
    for line in lines(folder / LIST, Line):
        if store.meta(_done(line)) is None:
            _obeyed(store, key, line, now_ms)
    if store.meta(REFOLD):
        _fold_anew(settings, store, folder, key, now_ms)


def _obeyed(store: Store, key: bytes, line: Line, now_ms: int) -> None:
    """Erase whom a line names from a store that does not know of it: what came later stays."""
    tenant, marks = DEFAULT_TENANT, dict[str, str]()

    def theirs(record: Record) -> bool:
        person = record.person
        if person and person not in marks:
            marks[person] = mark(key, tenant, person)
        return bool(person) and record.received_ms <= line.people.get(marks[person], -1)

    def mine(keys: Collection[str]) -> set[str]:
        return {each for each in keys if mark(key, tenant, each) in line.people}

    found = _found(store, Trail(tenant), theirs, mine, store.last_seq())
    step = prepared(store, tenant, key, found, now_ms)
    step.line = line
    step.also.meta = {_done(line): str(now_ms).encode()}
    if found.trail.seqs or found.letters:
        step.also.meta[REFOLD] = line.receipt.encode()
        step.erasure = msgspec.structs.replace(step.erasure, after=0)
        _commit(store, tenant, step, now_ms)
    else:
        store.commit(Txn(meta=step.also.meta))


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


# -- the receipt -------------------------------------------------------------------------------------


def receipt(
    engine: Engine, step: Step, found: Found, models: int, *, at_once: bool
) -> dict[str, Any]:
    """What was done, signed with the data folder's key."""
    told = {
        "receipt": step.line.receipt,
        "at": rfc3339(step.line.at_ms),
        "germane": engine.version,
        "people": sorted(mark(engine.key, engine.tenant, each) for each in found.people),
        "removed": found.counts | {"models": models},
        "kept": [
            {
                "what": "suppressed address hashes",
                "count": len(step.kept),
                "why": "Nobody writes to these addresses again. A hash names nobody.",
            },
            {
                "what": "marks of their keys",
                "count": len(step.line.people),
                "why": "A backup that is put back forgets them again. Without the secret of this data "
                "folder a mark names nobody.",
            },
        ],
        "bytes": {
            "overwritten": "now" if engine.store.clean else "at the next start",
            "text": "The files hold nothing that is left over of deleted rows."
            if engine.store.clean
            else "No row is left. The database is so large, or was being read, that it is written anew "
            "as Germane starts.",
        },
        "sharedModel": {
            "rebuilt": "now" if at_once else "at the next start",
            "text": "It is what the log without them makes of it."
            if at_once
            else "Until then the one in memory still counts what they did, without their name; it is not kept, "
            "and nothing is trained from it.",
        },
    }
    return signed(engine.key, told)
