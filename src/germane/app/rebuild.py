"""Throw away all that is derived and fold the log again (law 7)."""

from __future__ import annotations

import dataclasses
import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import msgspec
from msgspec.structs import replace

from germane.app import folded, strangers
from germane.app.apart import APART_FROM, Apart, apart_for
from germane.app.arrival import Arrival
from germane.app.consents import Blank, blanks, keep_blank, proven
from germane.app.deciding import Deciding
from germane.app.engine import Engine
from germane.app.entries import Entries
from germane.app.letters import Letters
from germane.app.memory import Memory
from germane.app.opening import left, settings_digest, write_snapshot
from germane.app.retaining import GIVEN_UP, carrying, has_retired
from germane.app.sheet import Sheet
from germane.app.steps import Steps
from germane.app.stub import stub_decision
from germane.domain.decision import Decision
from germane.domain.errors import GermaneError
from germane.domain.event import Event
from germane.domain.forest import Trained
from germane.domain.ids import DEFAULT_TENANT
from germane.domain.item import Item
from germane.domain.moves import AnyMove
from germane.domain.outcome import Impression, Outcome
from germane.domain.ports import Model, Store
from germane.domain.profile import Profile
from germane.domain.record import Record, Txn
from germane.domain.settings import PEOPLE_IN_MEMORY, Settings
from germane.ingest.signals import Extractor
from germane.predict.model import SharedModel
from germane.storage.blobs import FolderBlobs
from germane.storage.memory import MemoryStore

GROUP = 2_000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """Whether the rebuilt state is the live one, by hash."""

    records: int
    state_hash_before: str
    state_hash_after: str
    model_before: str
    model_after: str
    model: Model
    """The rebuilt shared model."""
    letters: int = 0
    """Dead letters of logged events that could be folded whole now."""

    why: str = ""
    """Why the states may differ, as a sentence; empty: they should not."""

    ledger_kept: bool = True
    """Whether the consent ledger still has all that it had."""
    left: str = ""
    """What had left the log (``opening.left``)."""

    @property
    def equal(self) -> bool:
        """Live state and rebuilt state are the same."""
        before = (self.state_hash_before, self.model_before)
        return before == (self.state_hash_after, self.model_after)


@dataclass(slots=True)
class _Group:
    """Some records, folded and not yet written."""

    ticket: int
    txn: Txn = field(default_factory=Txn)
    stored: dict[int, bytes] = field(default_factory=dict)
    """What the log has as derived, by offset."""

    def changes(self) -> Txn:
        """What is to be written: of the log only what is another now, and where decisions are."""
        records = [
            each
            for each in self.txn.records
            if each.kind == "decision" or each.derived != self.stored[each.seq]
        ]
        return dataclasses.replace(self.txn, records=records)


class Rebuild:
    """Folds records as they stand in the log: same offsets, same arrival times, same ids."""

    def __init__(
        self,
        settings: Settings,
        key: bytes,
        trained: Callable[[str], Trained | None] = lambda _: None,
        blanks: Iterable[Blank] = (),
        *,
        store: Store | None = None,
        people_in_memory: int = PEOPLE_IN_MEMORY,
        apart: Apart | None = None,
        gaps: bool = False,
    ) -> None:
        """
        Args:
            settings: The declaration.
            key: The data folder's own.
            trained: What decisions were made with, by the version that they name.
            blanks: Lines of the consent ledger of people who were erased, in their order.
            store: Whose state is replaced by ``txns``; what was folded is read there. ``None``: one in memory,
                for ``step``.
            people_in_memory: How many people are kept there.
            apart: Another process that learns what is shared; ``None``: ``model`` does.
            gaps: A part of the log was given up: a record that rests on what is not there changes nothing.
        """
        self._gaps = gaps
        self._blanks = deque(blanks)
        self.model: Model = SharedModel(settings)
        self._trained = trained
        self.scratch: Store = store if store is not None else MemoryStore()
        self._key = key
        self._memory = Memory(self.scratch, profiles=people_in_memory)
        self._apart = apart
        learner = self.model if apart is None else apart
        self._steps = Steps(settings, self._memory, learner, Extractor(settings), key)
        settings = self._steps.settings  # with what content brings
        self._deciding = Deciding(settings, self._memory, self.model, key, self._steps.items.get)
        self._ticket = 0
        self.records = 0

    def txns(
        self, records: Iterator[Record], progress: Callable[[int], None] | None = None
    ) -> Iterator[Txn]:
        """The state changes of all records, in groups. Each is written when the next one is asked for. While
        one is folded, another process may learn the one before."""
        before: _Group | None = None
        for group in self._groups(records):
            if before is not None:
                self._learned(before)
            if self._apart is not None:
                self._apart.send(group.txn.records)
            if before is not None:
                yield from self._written(before)
            before = group
            if progress is not None:
                progress(self.records)
        if before is not None:
            self._learned(before)
            yield from self._written(before)
        if self._apart is not None:
            self.model.load(self._apart.model())

    def _groups(self, records: Iterator[Record]) -> Iterator[_Group]:
        while some := list(islice(records, GROUP)):
            group = _Group(0)
            for record in some:
                txn = self._fold(record)
                _unlearn(record, txn)
                group.txn.absorb(txn)
                group.stored[record.seq] = record.derived
            self.records += len(some)
            group.ticket = self._ticket
            yield group

    def _learned(self, group: _Group) -> None:
        if self._apart is not None:
            group.txn.records = self._apart.finished(group.txn.records)

    def _written(self, group: _Group) -> Iterator[Txn]:
        yield group.changes()
        self._memory.settle(group.txn, group.ticket)

    def step(self, record: Record) -> Txn:
        """Fold one record, and write it to ``scratch``."""
        txn = self._fold(record)
        self.scratch.commit(txn)
        self._memory.settle(txn, self._ticket)
        _unlearn(record, txn)
        return txn

    def _fold(self, record: Record) -> Txn:
        txn = Txn()
        while self._blanks and self._blanks[0].seq < record.seq:
            sheet = Sheet(self._memory.entries, record.tenant, txn)
            keep_blank(self._blanks.popleft(), sheet)
        at = Arrival(record.seq, record.tenant, record.received_ms, logged=True)
        try:
            self._apply(record, at, txn)
        except GermaneError as error:
            if not self._gaps:
                raise
            _log.debug("record %d rests on what was given up: %s", record.seq, error)
        txn.letters.clear()  # they were kept when the record was new
        self._ticket += 1
        self._memory.hold(txn, self._ticket)
        return txn

    def decide_again(self, logged: Decision) -> Decision:
        """The decision as it comes out now: called just before its record is folded, the same (law 5)."""
        profile = self._memory.profile(DEFAULT_TENANT, logged.person) or Profile(logged.person)
        assert logged.ask is not None, "a decision is logged with its question"
        self.model.use(self._trained(logged.model_version))
        return self._deciding.decide(
            DEFAULT_TENANT, profile, logged.ask, at_ms=logged.at_ms, seed=logged.seed
        )

    def _apply(self, record: Record, at: Arrival, txn: Txn) -> None:
        decode, body = msgspec.msgpack.decode, record.body
        match record.kind:
            case "event":
                self._steps.event(decode(body, type=Event), at, txn)
            case "item":
                self._steps.put_item(decode(body, type=Item), record.message_id, at, txn)
            case "item_removed":
                self._steps.remove_item(decode(body, type=str), record.message_id, at, txn)
            case "decision":
                self._steps.decision(decode(body, type=Decision), at, txn)
            case "impression":
                impression = decode(body, type=Impression)
                decision = self._decision(record.tenant, impression.decision_id)
                self._steps.impression(impression, decision, at, txn)
            case "move":
                self._steps.move(decode(body, type=AnyMove), at, txn)
            case "outcome":
                outcome = decode(body, type=Outcome)
                decision = self._decision(record.tenant, outcome.decision_id)
                self._steps.outcome(outcome, decision, at, txn)

    def _decision(self, tenant: str, decision_id: str) -> Decision:
        found = self._memory.decision(tenant, decision_id)
        found = found or stub_decision(decision_id, self._key)
        assert found is not None, "a report was accepted for a decision that is not ours"
        return found


def _unlearn(record: Record, txn: Txn) -> None:
    """Where nothing comes of a record now, it teaches nothing."""
    if record.derived and not txn.records:
        txn.records.append(replace(record, derived=b""))


def fold_anew(
    settings: Settings,
    store: Store,
    key: bytes,
    *,
    people_in_memory: int = PEOPLE_IN_MEMORY,
    apart_from: int = APART_FROM,
    progress: Callable[[int], None] | None = None,
) -> Rebuild:
    """Put what the log folds to in the place of all that is derived, at once. Of the people only some are in
    memory at a time.

    Args:
        settings: The declaration.
        store: Nobody else writes it.
        key: The data folder's own.
        people_in_memory: How many people are kept there.
        apart_from: From so many records on, and where there are two cores, two processes fold.
        progress: Told how many records are folded.

    Raises:
        LearnerEnded: the other process has ended before its time; the state is as it was.
    """
    with apart_for(settings, store.last_seq(), apart_from) as apart:
        work = Rebuild(
            settings,
            key,
            blanks=blanks(store, DEFAULT_TENANT),
            store=store,
            people_in_memory=people_in_memory,
            apart=apart,
            gaps=bool(store.meta(GIVEN_UP)),
        )
        txns = work.txns(store.read(0), progress)
        store.replace_state(carrying(store, DEFAULT_TENANT, txns))
    return work


def rebuild(engine: Engine, progress: Callable[[int], None] | None = None) -> RebuildReport:
    """Fold the whole log anew and put the result in the place of the live state.

    Not while serving. The engine must be opened again afterwards.
    """
    now_ms = engine.world.now_ms()
    strangers.drop_all(engine.store, engine.tenant, engine.settings, now_ms)
    state_before, model_before = engine.store.state_hash(), engine.model.digest()
    said, digest = proven(engine.entries, engine.tenant), settings_digest(engine.settings)
    whys = (_aged(engine.store), folded.why_other(engine.store, digest))
    why = "; or ".join(each for each in whys if each)
    work = fold_anew(engine.settings, engine.store, engine.key, progress=progress)
    strangers.drop_all(engine.store, engine.tenant, engine.settings, now_ms)
    settled = Letters(engine.store).counted(Extractor(engine.settings), engine.world.now_ms())
    engine.store.commit(settled)
    folded.settle(engine.store, digest, engine.settings)
    return RebuildReport(
        work.records,
        state_before,
        engine.store.state_hash(),
        model_before,
        work.model.digest(),
        work.model,
        len(settled.replayed_letters),
        why,
        proven(Entries(engine.store), engine.tenant, said.digest).passed,
        left(engine.store),
    )


def _aged(store: Store) -> str:
    gone = "records have left the log because of their age, with what came of them alone"
    return gone if has_retired(store) and (store.archive() or left(store)) else ""


def save_rebuilt(report: RebuildReport, data_dir: Path, settings: Settings) -> None:
    """Make the rebuilt model the newest snapshot."""
    write_snapshot(report.model, FolderBlobs(data_dir / "models"), settings, report.left)
