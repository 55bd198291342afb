"""Throw away all that is derived and fold the log again (law 7)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec.structs import replace

from germane.app import folded, strangers
from germane.app.arrival import Arrival
from germane.app.consents import Blank, blanks, keep_blank, proven
from germane.app.deciding import Deciding
from germane.app.engine import Engine
from germane.app.entries import Entries
from germane.app.letters import Letters
from germane.app.memory import Memory
from germane.app.opening import left, settings_digest, write_snapshot
from germane.app.retaining import LOOKED, carrying
from germane.app.sheet import Sheet
from germane.app.steps import Steps
from germane.app.stub import stub_decision
from germane.domain.decision import Decision
from germane.domain.event import Event
from germane.domain.forest import Trained
from germane.domain.ids import DEFAULT_TENANT
from germane.domain.item import Item
from germane.domain.moves import AnyMove
from germane.domain.outcome import Impression, Outcome
from germane.domain.ports import Model, Store
from germane.domain.profile import Profile
from germane.domain.record import Record, Txn
from germane.domain.settings import Settings
from germane.ingest.signals import Extractor
from germane.predict.model import SharedModel
from germane.storage.blobs import FolderBlobs
from germane.storage.memory import MemoryStore

GROUP = 2_000


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


class Rebuild:
    """Folds records as they stand in the log: same offsets, same arrival times, same ids."""

    def __init__(
        self,
        settings: Settings,
        key: bytes,
        trained: Callable[[str], Trained | None] = lambda _: None,
        blanks: Iterable[Blank] = (),
    ) -> None:
        """``blanks``: lines of the consent ledger of people who were erased, in their order."""
        self._blanks = deque(blanks)
        self.model: Model = SharedModel(settings)
        self._trained = trained
        self.scratch: Store = MemoryStore()
        self._key = key
        self._memory = Memory(self.scratch)
        self._steps = Steps(settings, self._memory, self.model, Extractor(settings), key)
        settings = self._steps.settings  # with what content brings
        self._deciding = Deciding(settings, self._memory, self.model, key, self._steps.items.get)
        self._ticket = 0
        self.records = 0

    def txns(
        self, records: Iterator[Record], progress: Callable[[int], None] | None = None
    ) -> Iterator[Txn]:
        """The state changes of each record, in groups."""
        group = Txn()
        for record in records:
            group.absorb(self.step(record))
            self.records += 1
            if self.records % GROUP == 0:
                yield group
                group = Txn()
                if progress is not None:
                    progress(self.records)
        yield group

    def step(self, record: Record) -> Txn:
        """Fold one record."""
        txn = Txn()
        while self._blanks and self._blanks[0].seq < record.seq:
            sheet = Sheet(self._memory.entries, record.tenant, txn)
            keep_blank(self._blanks.popleft(), sheet)
        self._apply(
            record, Arrival(record.seq, record.tenant, record.received_ms, logged=True), txn
        )
        txn.letters.clear()  # they were kept when the record was new
        self._ticket += 1
        self._memory.hold(txn, self._ticket)
        self.scratch.commit(txn)
        self._memory.settle(txn, self._ticket)
        if record.derived and not txn.records:  # nothing comes of it now, so it teaches nothing
            txn.records.append(replace(record, derived=b""))
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
    blank = blanks(engine.store, engine.tenant)
    work = Rebuild(engine.settings, engine.key, blanks=blank)
    with carrying(engine.store, engine.tenant):
        engine.store.replace_state(work.txns(engine.store.read(0), progress))
    strangers.drop_all(engine.store, engine.tenant, engine.settings, now_ms)
    settled = Letters(engine.store).counted(Extractor(engine.settings), engine.world.now_ms())
    engine.store.commit(settled)
    folded.settle(engine.store, digest)
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
    return gone if store.meta(LOOKED) and (store.archive() or left(store)) else ""


def save_rebuilt(report: RebuildReport, data_dir: Path, settings: Settings) -> None:
    """Make the rebuilt model the newest snapshot."""
    write_snapshot(report.model, FolderBlobs(data_dir / "models"), settings, report.left)
