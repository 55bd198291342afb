"""Much is folded faster by two processes: this one folds people, a child what they share.

Nobody's profile depends on the shared model, and the model is a fold over the log (see ``domain.ports``).
So while this process folds a group, the child learns the one before (``app.learner``), in log order; a
group is committed when the child has said what the log keeps of it. All of it becomes durable together,
as ever, and is byte for byte what one process makes.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from germane.app.importer import Importer
from germane.app.learner import Asked, Brought, Learned, Removed, Start, Task, Told
from germane.app.pipes import get, put, there
from germane.domain.decision import Decision
from germane.domain.errors import GermaneError
from germane.domain.event import Interaction
from germane.domain.item import Item
from germane.domain.moment import ActiveHour
from germane.domain.outcome import Observation, Reward, Trial
from germane.domain.profile import Profile
from germane.domain.record import Record, Txn
from germane.domain.settings import Settings, SurfaceSpec
from germane.predict.model import SharedModel, before

if TYPE_CHECKING:
    from germane.app.engine import Engine

APART_FROM = 20_000
"""Records from which on a second process is worth its start."""
_encode = msgspec.msgpack.encode
_learned = msgspec.msgpack.Decoder(Learned).decode


class LearnerEnded(GermaneError):
    """The process that learns has ended before its time."""

    code = "import.learner_ended"
    hint = "What was committed is safe: start the same command again."


class Apart:
    """``domain.ports.Learner`` that notes what it is asked and told, for the child to do.

    What it answers is empty; ``finished`` puts the child's answers in its place.
    """

    latest_ms = 0
    """The child knows; that no event is called one of a rush here sends no profile too few."""

    def __init__(self, start: Start) -> None:
        self.lessons = 0
        """As last heard of: as the number grows, fewer events become one."""
        self._makes_ahead = start.settings.makes_ahead
        self._asked: Asked | None = None
        self._notes: dict[int, Told] = {}
        self._child = subprocess.Popen(
            [sys.executable, "-c", "from germane.app.learner import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for us to handle
        )
        self._put(_encode(start))

    # -- asked and told while records are folded -------------------------------------------------

    def observe(
        self,
        profile: Profile,
        interactions: Sequence[Interaction],
        *,
        at_ms: int,
        lesson: bool,
        ahead: bool = False,
        rewards: Sequence[tuple[Reward, Decision | None]] = (),
        shown: Sequence[str] = (),
        active: ActiveHour | None = None,
        trials: Sequence[Trial] = (),
    ) -> Observation:
        """Note the question."""
        whole = lesson or (ahead and self._makes_ahead)
        self._asked = Asked(
            profile if whole else _in_part(profile, interactions, at_ms),
            whole,
            tuple(interactions),
            at_ms,
            tuple(rewards),
            active,
            tuple(trials),
            tuple(shown),
        )
        return Observation(at_ms)

    def fold(self, seq: int, _: Observation) -> None:
        """The question that was asked last is of this record."""
        assert self._asked is not None
        self._notes[seq], self._asked = Told(asked=self._asked), None

    def put_item(self, seq: int, item: Item) -> None:
        """Note a catalogue entry."""
        self._notes[seq] = Told(item=item)

    def remove_item(self, seq: int, item_id: str) -> None:
        """Note that one is gone."""
        self._notes[seq] = Told(removed=Removed(item_id))

    def put_surfaces(self, seq: int, prefix: str, surfaces: Sequence[SurfaceSpec]) -> None:
        """Note the choices of a content item."""
        self._notes[seq] = Told(brought=Brought(prefix, tuple(surfaces)))

    # -- group by group --------------------------------------------------------------------------

    def send(self, records: Sequence[Record]) -> None:
        """Have a group learned."""
        tasks = [
            Task(each.seq, each.message_id, each.at_ms, each.received_ms, self._notes[each.seq])
            for each in records
            if each.seq in self._notes
        ]
        self._put(_encode(tasks))

    def finished(self, records: Sequence[Record]) -> list[Record]:
        """The records of the group that was sent, with what the log keeps of them."""
        learned = _learned(self._get())
        self.lessons = learned.lessons
        derived = iter(learned.derived)
        return [
            replace(each, derived=next(derived))
            if self._notes.pop(each.seq, None) is not None
            else each
            for each in records
        ]

    def model(self) -> bytes:
        """The model as it is after all that was sent; the child ends."""
        self._put(b"")
        data = self._get()
        self._child.wait()
        return data

    def close(self) -> None:
        """End the child, if it is still there."""
        self._child.kill()
        self._child.communicate()

    def _put(self, data: bytes) -> None:
        try:
            put(there(self._child.stdin), data)
        except BrokenPipeError:
            raise LearnerEnded from None

    def _get(self) -> bytes:
        try:
            return get(there(self._child.stdout))
        except EOFError:
            raise LearnerEnded from None


def _worthwhile(records: int, least: int) -> bool:
    return records >= least and (os.cpu_count() or 1) > 1


@contextmanager
def apart_for(settings: Settings, records: int, least: int = APART_FROM) -> Iterator[Apart | None]:
    """A child that learns from the beginning, where so much is to be folded that it is worth it, and there is a
    core for it."""
    if not _worthwhile(records, least):
        yield None
        return
    apart = Apart(Start(settings, SharedModel(settings).dump()))
    try:
        yield apart
    finally:
        apart.close()


class _Groups:
    """Commits each group when it is learned: while the next one is."""

    def __init__(self, engine: Engine, apart: Apart) -> None:
        self._engine = engine
        self._apart = apart
        self._sent: tuple[Txn, int] | None = None

    def commit(self, txn: Txn) -> None:
        """The group before is durable when this returns, and this one on its way."""
        learned = self._learned()
        self._apart.send(txn.records)
        self._sent = txn, self._engine.close_group()
        if learned is not None:
            self._engine.commit(*learned)

    def finish(self) -> None:
        """All of it is durable when this returns."""
        learned = self._learned()
        if learned is not None:
            self._engine.commit(*learned)

    def _learned(self) -> tuple[Txn, int] | None:
        """The group that was sent last, whole."""
        sent, self._sent = self._sent, None
        if sent is not None:
            sent[0].records = self._apart.finished(sent[0].records)
        return sent


def importer_for(
    engine: Engine, source: str, records: int, *, group: int = 2_000
) -> AbstractContextManager[Importer]:
    """What writes about so many records: with a child that learns, where that is worth it."""
    if _worthwhile(records, APART_FROM):
        return importer_apart(engine, source, group=group)
    return engine.importer(source, group=group)


@contextmanager
def importer_apart(engine: Engine, source: str, *, group: int) -> Iterator[Importer]:
    """Like ``Engine.importer``, with a child process that learns. A commit ends one group later.

    Raises:
        LearnerEnded: the child ended. Whole groups are committed; the engine's model is behind the log,
            and must be opened anew.
    """
    apart = Apart(Start(engine.settings, engine.model.dump()))
    groups = _Groups(engine, apart)
    importer = Importer(engine, source, group, groups.commit)
    try:
        with engine.learning_by(apart):
            yield importer
            importer.finish()
            groups.finish()
        engine.make_room()  # for the model that was learned elsewhere
        engine.model.load(apart.model())
    finally:
        apart.close()


def _in_part(profile: Profile, interactions: Sequence[Interaction], at_ms: int) -> Profile:
    """As much of a person as a model reads of an event that is no lesson."""
    own = profile.own_items
    return Profile(
        profile.person,
        recent=before(profile, at_ms),
        own_items={each.item_id: own[each.item_id] for each in interactions if each.item_id in own},
        had=profile.had,
    )
