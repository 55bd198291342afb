"""Learning anew while serving: what is shared, from a log that has lost records.

Somebody was erased, or records retired. A child process folds the log that is left into a snapshot
(``opening.advance_snapshot``); here the live model takes it over: what was folded since the snapshot is read
from the log, what is folded meanwhile is noted, and then the one takes the other's place between two requests.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from germane.app.engine import Engine
from germane.app.opening import SNAPSHOT, fold_shared, left
from germane.app.reading import beside
from germane.domain.item import Item
from germane.domain.outcome import Observation
from germane.domain.ports import Learner, Model, Store
from germane.domain.settings import SurfaceSpec
from germane.predict.model import SharedModel
from germane.storage.blobs import FolderBlobs

PAUSE_S = 0.02
TRIES = 500
CHUNK = 64
"""Records folded between two chances for other work to run."""


class Noting:
    """Implements ``domain.ports.Learner``: the live model, and a note of what it is told to learn."""

    def __init__(self, live: Learner) -> None:
        self._live = live
        self.notes: deque[Callable[[Learner], None]] = deque()
        self.observe = live.observe

    @property
    def lessons(self) -> int:
        """Of the live model."""
        return self._live.lessons

    @property
    def latest_ms(self) -> int:
        """Of the live model."""
        return self._live.latest_ms

    def fold(self, seq: int, observation: Observation) -> None:
        """Learn one observation."""
        self._told(lambda each: each.fold(seq, observation))

    def put_item(self, seq: int, item: Item) -> None:
        """Add or change a catalogue entry."""
        self._told(lambda each: each.put_item(seq, item))

    def remove_item(self, seq: int, item_id: str) -> None:
        """Take an item out."""
        self._told(lambda each: each.remove_item(seq, item_id))

    def put_surfaces(self, seq: int, prefix: str, surfaces: Sequence[SurfaceSpec]) -> None:
        """The choices that content brings."""
        self._told(lambda each: each.put_surfaces(seq, prefix, surfaces))

    def _told(self, what: Callable[[Learner], None]) -> None:
        what(self._live)
        self.notes.append(what)


def snapshot_of(engine: Engine) -> bytes | None:
    """The newest snapshot, if it is of the log that is left."""
    assert engine.folder is not None, "there are no snapshots without a folder"
    found = FolderBlobs(engine.folder / "models").newest(SNAPSHOT)
    fits = found is not None and found[1].get("left", "") == left(engine.store)
    return found[0] if found is not None and fits else None


async def relearn(engine: Engine, snapshot: bytes, forgotten: int) -> bool:
    """Let a serving engine go on with what a snapshot makes of the log; whether it does. Not where something
    was forgotten since, or the disk does not follow: then another snapshot is needed.

    Args:
        engine: It serves.
        snapshot: A dump of a shared model.
        forgotten: ``engine.forgotten`` before the snapshot was begun.

    Raises:
        ValueError: the dump is damaged or of another version.
    """
    fresh = SharedModel(engine.settings)
    await asyncio.to_thread(fresh.load, snapshot)
    upto, noting = engine.seq, Noting(engine.model)
    with engine.learning_by(noting):
        if not await _durable(engine, upto):
            return False
        await asyncio.to_thread(_follow, fresh, beside(engine), upto)
        while noting.notes:
            for _ in range(min(len(noting.notes), CHUNK)):
                noting.notes.popleft()(fresh)
            await asyncio.sleep(0)
        if engine.forgotten != forgotten:
            return False
        engine.model.take(fresh)
        engine.stale = False
    return True


async def _durable(engine: Engine, upto: int) -> bool:
    """Wait until the log has all that was folded, also what nobody waits for."""
    for _ in range(TRIES):
        if engine.store.last_seq() >= upto:
            return True
        await asyncio.sleep(PAUSE_S)
    return False


def _follow(model: Model, store: Store, upto: int) -> None:
    for record in store.read(model.seq, until=upto):
        fold_shared(model, record)
