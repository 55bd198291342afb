"""From a data folder to an engine that knows everything that is in its log."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Literal

import msgspec

from germane.app import folded
from germane.app.engine import Engine
from germane.app.library import PREFIX, prefix_of, surfaces_of
from germane.app.retaining import RETIRED
from germane.app.trained import attach
from germane.app.world import SystemWorld
from germane.domain.errors import StorageFailed
from germane.domain.ids import FOLDER_SECRET
from germane.domain.item import Item
from germane.domain.moves import AnyMove, ContentGone, ContentPut
from germane.domain.outcome import Observation
from germane.domain.ports import Blobs, Model, Store
from germane.domain.record import Record, Txn
from germane.domain.settings import PEOPLE_IN_MEMORY, Settings
from germane.domain.world import World
from germane.predict.model import SharedModel
from germane.storage.blobs import FolderBlobs
from germane.storage.sqlite import SqliteStore

SNAPSHOT = "shared"
REFOLD = "refold"
"""Set while the shared model in memory has seen somebody who was erased since: it is not kept, and the next
start folds the log anew."""
LONG_TAIL = 10_000
"""Records that had to be folded at the start, from which on a snapshot is made at once: a server that is killed
again and again before it makes one would take longer each time."""
SHORT_TAIL = 500
"""The same while a snapshot is small; one is made, too, when writing it takes less time than folding took."""
BYTES_A_RECORD = 2_000
"""So much of a snapshot is written in the time in which one record is folded."""
_log = logging.getLogger(__name__)


def open_engine(
    settings: Settings,
    data_dir: Path,
    *,
    mode: Literal["serve", "read", "write"] = "serve",
    world: World | None = None,
    progress: Callable[[int], None] | None = None,
    people_in_memory: int = PEOPLE_IN_MEMORY,
) -> Engine:
    """Open (or create) a data folder.

    Args:
        settings: The validated declaration.
        data_dir: Holds the database, history and models.
        mode: ``serve`` and ``write`` take the folder for themselves; ``read`` looks beside a server,
            and its shared model stays empty.
        world: Clock and seeds; the machine's when not given.
        progress: Told how many records have been folded into the shared model.
        people_in_memory: How many people are kept there; all others are read when they are met.

    Raises:
        StorageBusy: another process has the folder.
        NotObeyed: a reader finds a list of erasures that this store does not know of.
    """
    store = SqliteStore.open(data_dir, mode="read" if mode == "read" else "serve")
    try:
        key = decision_key(store, readonly=mode == "read")
        from germane.app import erasing, putback  # they fold anew, and that opens nothing

        if mode == "read":
            putback.check(store, data_dir)
        else:
            erasing.finish(settings, store, data_dir, key, world or SystemWorld())
            folded.note(store, settings_digest(settings), settings)
        model = SharedModel(settings)
        if mode != "read":
            blobs = FolderBlobs(data_dir / "models")
            size = load_snapshot(model, blobs, settings, store.last_seq(), left(store))
            if not size:
                _drop_unfounded(blobs, store.last_seq())
            tail = catch_up(model, store, progress)
            if tail >= min(LONG_TAIL, SHORT_TAIL + size // BYTES_A_RECORD):
                _kept(model, blobs, settings, left(store))
            attach(model, blobs)
        engine = Engine(
            settings,
            store,
            model,
            world or SystemWorld(),
            key=key,
            people_in_memory=people_in_memory,
        )
        engine.folder = data_dir
        return engine
    except BaseException:
        store.close()  # or nobody could open the folder before this process ends
        raise


def left(store: Store, *, refolded: bool = False) -> str:
    """Names what has left the log since the beginning: a model that was made before has seen what is there no
    more. ``refolded``: as it is once the mark of the last erasure is gone."""
    marks = b"" if refolded else store.meta(REFOLD) or b"", store.meta(RETIRED) or b""
    return " ".join(each.decode() for each in marks).strip()


def _kept(model: Model, blobs: Blobs, settings: Settings, left: str) -> None:
    """Write a snapshot, if that can be done."""
    try:
        write_snapshot(model, blobs, settings, left)
    except OSError as error:  # the log has everything: the next start folds it again
        _log.warning("no snapshot could be written: %s", error)


def save_snapshot(engine: Engine, data_dir: Path) -> None:
    """Write the shared model, so that the next start need not fold the log again: unless it has to, or the
    model has folded what never became durable."""
    if engine.stale or not engine.health()["ready"] or engine.store.meta(REFOLD):
        return
    if (
        engine.model.seq > engine.store.last_seq()
    ):  # somebody was too impatient for the last commits
        return
    _kept(engine.model, FolderBlobs(data_dir / "models"), engine.settings, left(engine.store))


def write_snapshot(model: Model, blobs: Blobs, settings: Settings, left: str = "") -> None:
    """Store a dump of the model with the log offset it stands for, and what had left the log by then."""
    manifest: dict[str, object] = {
        "seq": model.seq,
        "version": model.version,
        "settings": settings_digest(settings),
        "left": left,
    }
    blobs.put(SNAPSHOT, f"{model.seq:016d}", model.dump(), manifest)
    blobs.prune(SNAPSHOT, 2)


def advance_snapshot(settings: Settings, data_dir: Path) -> int:
    """Fold what the log has beyond the newest snapshot into a new one; the number of records.

    It reads beside a server that writes: shared state is a fold over the log, so any process can
    make it. Nothing is written if the log has nothing new, or lost something under it.

    Raises:
        NotFound: there is no data folder.
        StorageFailed: records were sealed, erased or retired while the log was read; try again.
    """
    store = SqliteStore.open(data_dir, mode="read")
    try:
        model, blobs = SharedModel(settings), FolderBlobs(data_dir / "models")
        gone, last, where = left(store), store.last_seq(), store.moved()
        begins = not load_snapshot(model, blobs, settings, last, gone)
        begun, count = model.seq, 0
        for record in store.read(model.seq, until=last):
            fold_shared(model, record)
            count += 1
        if (store.moved(), left(store)) != (where, gone):
            raise StorageFailed("Records left the log, or their place in it, while it was read.")
        if begins or model.seq > begun:
            write_snapshot(model, blobs, settings, gone)
            if left(store) != gone:  # somebody was erased in this very moment
                blobs.prune(SNAPSHOT, 0)
    finally:
        store.close()
    return count


def load_snapshot(
    model: Model, blobs: Blobs, settings: Settings, last_seq: int, left: str = ""
) -> int:
    """Load the newest snapshot if it fits this code, these settings and this log, and what has left it; how
    many bytes it has, 0: none was loaded."""
    found = blobs.newest(SNAPSHOT)
    if found is None:
        return 0
    data, manifest = found
    misfit = _misfit(manifest, model, settings, last_seq, left)
    if misfit is not None:
        _log.log(*misfit)
        return 0
    try:
        model.load(data)
    except ValueError as error:
        _log.warning("%s: folding the whole log", error)
        return 0
    return len(data)


def _drop_unfounded(blobs: Blobs, last_seq: int) -> None:
    """A snapshot that has seen more than the log has goes: once that is as long, it would seem to be of it."""
    found = blobs.newest(SNAPSHOT)
    if found is not None and _beyond(found[1], last_seq):
        blobs.prune(SNAPSHOT, 0)


def _beyond(manifest: dict[str, object], last_seq: int) -> bool:
    seq = manifest.get("seq")
    return not isinstance(seq, int) or seq > last_seq


def _misfit(
    manifest: dict[str, object], model: Model, settings: Settings, last_seq: int, left: str
) -> tuple[int, str] | None:
    """Why a snapshot cannot be used, and how loud that is to be said; ``None``: it can. What an operator does
    (another configuration, an upgrade) is no fault, and where the log is short nobody waits for it."""
    changed, more = "", ""
    if manifest.get("left", "") != left:
        changed = "records have left the log since the snapshot was made"
    elif _beyond(manifest, last_seq):
        text = f"the snapshot has seen {manifest.get('seq')} records and the log has {last_seq}: "
        text += "is it the log of this folder?"
        return logging.WARNING, f"{text} The shared model is made anew"
    elif manifest.get("version") != model.version:
        changed = "the snapshot was made by another version of Germane"
    elif manifest.get("settings") != settings_digest(settings):
        changed = "the configuration has changed since the snapshot was made"
        more = (
            "; events that are stored keep what they meant when they came, until `germane rebuild` reads them "
            "with the new configuration"
        )
    if not changed:
        return None
    level = logging.INFO if last_seq > SHORT_TAIL else logging.DEBUG
    return level, f"{changed}: the shared model is made anew ({last_seq:,} records){more}"


def catch_up(model: Model, store: Store, progress: Callable[[int], None] | None = None) -> int:
    """Fold what the log has beyond the model's offset; the number of records."""
    count = 0
    for record in store.read(model.seq):
        fold_shared(model, record)
        count += 1
        if progress is not None and count % 5_000 == 0:
            progress(count)
    return count


def fold_shared(model: Model, record: Record) -> None:
    """One log record's part in shared state: it needs nothing but the record."""
    if record.kind == "item":
        model.put_item(record.seq, msgspec.msgpack.decode(record.body, type=Item))
    elif record.kind == "item_removed":
        model.remove_item(record.seq, msgspec.msgpack.decode(record.body, type=str))
    elif record.kind == "move":
        _brought(model, record)
    elif record.derived:
        model.fold(record.seq, msgspec.msgpack.decode(record.derived, type=Observation))


def _brought(model: Model, record: Record) -> None:
    """The choices that content brings with it."""
    move = msgspec.msgpack.decode(record.body, type=AnyMove)
    if isinstance(move, ContentPut):
        prefix = prefix_of(move.content.content_id)
        model.put_surfaces(record.seq, prefix, surfaces_of(move.content))
    elif isinstance(move, ContentGone):
        model.put_surfaces(record.seq, prefix_of(move.content_id), [])


def settings_digest(settings: Settings) -> str:
    """SHA-256 of the declaration: shared state folded under another one is not reused. What content
    brings is none of it."""
    declared = {k: v for k, v in settings.surfaces.items() if not k.startswith(PREFIX)}
    settings = msgspec.structs.replace(settings, surfaces=declared)
    return sha256(msgspec.json.encode(settings, order="deterministic")).hexdigest()


def decision_key(store: Store, *, readonly: bool) -> bytes:
    """The secret that signs decision ids, made when the folder is."""
    key = store.meta(FOLDER_SECRET)
    if key is None:
        key = secrets.token_bytes(32)
        if not readonly:
            store.commit(Txn(meta={FOLDER_SECRET: key}))
    return key
