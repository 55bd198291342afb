"""Putting a backup back: whole or not at all, without whoever was erased since, as it was or up to a moment.

Everything happens beside the place where it is to be (``storage.placing``): it is copied and compared with the
manifest, the erasures that any list knows of are obeyed, and, for an earlier moment, the records after it are
erased and the rest is folded anew. Only then it takes its place.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from germane.app import folded
from germane.app.carried import Carried, every, since
from germane.app.engine import Engine
from germane.app.erasing import LIST, add_lines
from germane.app.opening import REFOLD, open_engine, settings_digest
from germane.domain.enrolment import Enrolment
from germane.domain.erasure import Erasure
from germane.domain.message import Why
from germane.domain.moves import AnyMove, Switched
from germane.domain.record import Txn
from germane.domain.settings import Settings
from germane.domain.world import World
from germane.profile.words import moment
from germane.storage.backup import Manifest, copied
from germane.storage.files import room_for, room_in
from germane.storage.lines import BadLines
from germane.storage.placing import DATABASE, WORK, looked_at, workplace
from germane.storage.sqlite import SqliteStore
from germane.storage.sqlite.connection import FolderLock
from germane.storage.sqlite.trouble import make_folder

_log = logging.getLogger(__name__)
_WAITING = ("approval", "queued", "claimed", "ambiguous")


@dataclass(frozen=True, slots=True)
class Restored:
    """What is in the data folder now."""

    offset: int
    """The newest record of then: what the restore itself noted comes after it."""
    state_hash: str
    """As of that offset."""
    dropped: int
    """Records that came after the moment."""
    erasures: int
    """Lines of lists of erasures that the backup did not have."""
    refused: int
    """Times that somebody said no, or an address was closed, after the moment: they hold."""
    held: bool
    """Whether sending was stopped, because what has gone out since may be waiting again."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Of which backup, and where to."""

    backup: Path
    manifest: Manifest
    folder: Path
    until_ms: int | None = None
    """Only what was received until then; ``None``: all of it."""
    lists: tuple[Path, ...] = ()
    """Lists of erasures that may know of more than the backup's."""
    force: bool = False
    """What is in the folder may go."""


def restore(
    settings: Settings,
    wanted: Wanted,
    world: World,
    advance: Callable[[int], None] = lambda _: None,
) -> Restored:
    """Put a backup back.

    Args:
        settings: The validated declaration.
        wanted: What, and where to.
        world: The clock.
        advance: Told how many bytes more are copied.

    Raises:
        WouldReplace: the folder has something, and nobody said that it may go.
        StorageBusy: another process has the folder.
        BackupDamaged: a file is missing or not what was written; nothing was changed.
        NoRoom: it does not fit; nothing was changed.
    """
    folder = wanted.folder
    looked_at(folder, force=wanted.force)
    make_folder(folder)
    lock = FolderLock(folder)
    try:
        _remember(folder)
        with room_in(folder), workplace(folder) as work:
            room_for(folder, _wanted_bytes(wanted))
            copied(wanted.backup, wanted.manifest, work, advance)
            known = sum(
                add_lines(work, each) for each in (*wanted.lists, folder / LIST) if each.exists()
            )
            return _opened(settings, wanted, work, world, known)
    finally:
        lock.release()


def _remember(folder: Path) -> None:
    """A restore that was broken off when the data of before had gone may have the only list of erasures."""
    found = folder / WORK / LIST
    if found.exists() and not (folder / DATABASE).exists():
        try:
            add_lines(folder, found)
        except (
            BadLines
        ) as error:  # it was broken off while it was copied, and had no time to be durable
            _log.warning("passed over: %s", error.message)


def _wanted_bytes(wanted: Wanted) -> int:
    """What it takes on the disk. Folding anew takes the space of the database once more."""
    database = sum(each.bytes for each in wanted.manifest.files if each.path == DATABASE)
    return wanted.manifest.bytes + (database if wanted.until_ms is not None else 0)


def _opened(
    settings: Settings, wanted: Wanted, work: Path, world: World, erasures: int
) -> Restored:
    """What was copied, brought to where it is to be; closed again."""
    dropped, carried = 0, Carried()
    engine = open_engine(settings, work, mode="write", world=world)  # obeys the lists
    if wanted.until_ms is not None:
        try:
            carried, dropped = _rewound(engine, wanted.until_ms)
        finally:
            engine.store.close()
        engine = open_engine(settings, work, mode="write", world=world)  # folds what is left anew
        folded.settle(engine.store, settings_digest(settings), settings)
    try:
        offset, state = engine.store.last_seq(), engine.store.state_hash()
        stop = _stop(engine, wanted)
        noted = [*carried.refusals, *carried.access(engine), *stop]
        if noted:
            engine.put_moves(noted)
    finally:
        engine.store.close()
    return Restored(offset, state, dropped, erasures, len(carried.refusals), bool(stop))


def _stop(engine: Engine, wanted: Wanted) -> list[AnyMove]:
    """Nothing goes out before somebody has looked, if anything could: what was sent since may be waiting."""
    waiting = any(
        status in _WAITING for _, status in engine.entries.counts(engine.tenant, "message")
    )
    live = any(each.status == "live" for each in engine.library.campaigns.values())
    stopped = any(each["scope"] == "all" for each in engine.moving.switches(engine.tenant))
    if stopped or not (waiting or live):
        return []
    until_ms = wanted.manifest.made_ms if wanted.until_ms is None else wanted.until_ms
    text = f"Restored as of {moment(until_ms)}: what was sent since may be waiting again."
    return [Switched("all", "", on=True, why=Why(engine.world.now_ms(), "restored", text))]


# -- an earlier moment -------------------------------------------------------------------------------


def _rewound(engine: Engine, until_ms: int) -> tuple[Carried, int]:
    """Erase what came after a moment, and mark the rest to be folded anew; what holds all the same, and how
    many records went."""
    store = engine.store
    assert isinstance(store, SqliteStore)
    seq, offsets = _place_of(store, until_ms)
    carried = since(engine, seq, until_ms)
    seqs = tuple(each.seq for each in store.read(seq, archived=True))
    later = {
        (engine.tenant, "enrolment", each.key): None
        for each in every(engine.store, engine.tenant, "enrolment")
        if msgspec.msgpack.decode(each.body, type=Enrolment).entered_ms > until_ms
    }
    erasure = Erasure(engine.tenant, (), seqs)
    store.commit(Txn(erasure=erasure, entries={**later}, meta={REFOLD: b"restored"}))
    store.rewind(seq, offsets, until_ms)
    return carried, len(seqs)


def _place_of(store: SqliteStore, until_ms: int) -> tuple[int, dict[int, int]]:
    """The offset of the last record that came until a moment, and the highest one of each slot until then. One
    before it may say that it came later: the clock was ahead for a while."""
    last, until, offsets = 0, dict[int, int](), dict[int, int]()
    for record in store.read(0, archived=True):
        offsets[record.slot] = record.seq
        if record.received_ms <= until_ms:
            last = record.seq
            until.update(offsets)
            offsets.clear()
    return last, until
