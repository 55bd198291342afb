"""The engine's folding half: one step at a time, shown to every later read before it is durable."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from msgspec.structs import replace

from germane.app.arrival import Arrival
from germane.app.committer import Committer
from germane.app.consents import KIND, blanked
from germane.app.entries import ALL
from germane.app.known import Known
from germane.app.letters import Letters, ids_in
from germane.app.stats import Stats
from germane.app.undeclared import STORED, trimmed
from germane.app.unheard import Unheard
from germane.domain.erasure import Erasure
from germane.domain.errors import GermaneError, StorageFailed
from germane.domain.event import Event, Rejection
from germane.domain.item import Item
from germane.domain.moves import AnyMove, Erased
from germane.domain.ports import Learner
from germane.domain.record import Txn
from germane.ingest.identity import keys_of


class Folding(Known):
    """What every writer does, bulk writers among them. All methods are called from one thread."""

    counters: Stats
    stale: bool
    forgotten: int
    _committer: Committer
    _letters: Letters
    _unheard: Unheard
    _seq: int
    _ticket: int

    def fold_events(self, events: Sequence[Event]) -> tuple[Txn, int, int]:
        """For bulk writers: fold without committing; (changes, accepted, duplicates)."""
        return self._fold_events(events)

    def fold_item(self, item: Item) -> Txn:
        """For bulk writers: fold one catalogue entry without committing."""
        arrival, txn = self._arrival(), Txn()
        self._steps.put_item(item, f"item:{arrival.seq}", arrival, txn)
        return self._held(txn)

    def fold_move(self, move: AnyMove) -> Txn:
        """For bulk writers: fold one move without committing.

        Raises:
            WrongMove: it cannot be made.
            GermaneError: a verdict cannot be given.
        """
        arrival, txn = self._arrival(), Txn()
        try:
            self._steps.move(move, arrival, txn)
        except GermaneError:
            self._seq -= 1
            raise
        return self._held(txn)

    def fold_erasure(self, move: Erased, erasure: Erasure, also: Txn) -> Txn:
        """Fold that somebody is erased: no later read knows them. It is durable by ``note``, with ``also``."""
        arrival = self._arrival()
        txn = Txn(entries=also.entries, meta=also.meta | {STORED: b""})
        txn.erasure = replace(erasure, before=arrival.seq)
        self._steps.move(move, arrival, txn)
        said = [
            x
            for each in erasure.people
            for x in self.entries.of(self.tenant, each, KIND, limit=ALL)
        ]
        self._memory.erase(erasure, txn, self._ticket + 1)
        txn.entries |= {(self.tenant, KIND, each.key): blanked(each) for each in said}
        self.let_go()
        self.undeclared.counts.clear()  # names that clients made up may be theirs
        return self._held(txn)

    def letters_of(self, rejected: Sequence[Rejection], source: str) -> Txn:
        """For bulk writers: dead letters, not yet committed."""
        self.counters.rejected += len(rejected)
        now_ms = self.world.now_ms()
        admitted = (each for each in rejected if not self._unkept(each, now_ms))
        kept = [each for x in admitted if (each := self._declared_of(x)) is not None]
        self.counters.dead_letters += len(kept)
        return self._letters.keep(kept, source, now_ms)

    def same_item(self, item: Item) -> bool:
        """Whether the catalogue has exactly this already (apart from when it first came)."""
        known = self._steps.items.get(item.item_id)
        return known is not None and known == replace(item, created_ms=known.created_ms)

    def let_go(self) -> None:
        """Something that the shared model has seen is in the log no more: it is to be learned anew."""
        self.stale = True
        self.forgotten += 1

    @contextmanager
    def learning_by(self, learner: Learner) -> Iterator[None]:
        """Somebody else is told what is to be learned."""
        self._steps.model = learner
        try:
            yield
        finally:
            self._steps.model = self.model

    def make_room(self) -> None:
        """For bulk writers: drop what is remembered of what is committed."""
        self._memory.forget()

    def close_group(self) -> int:
        """For bulk writers: what was folded so far is one group; its ticket, to commit it later."""
        self._ticket += 1
        return self._ticket

    def commit(self, txn: Txn, ticket: int | None = None) -> None:
        """For bulk writers: make it durable in the caller's thread."""
        if not txn.empty:
            self.store.commit(txn)
            self._memory.settle(txn, self.close_group() if ticket is None else ticket)

    def _fold_events(self, events: Sequence[Event]) -> tuple[Txn, int, int]:
        """Fold those that are new; one bad event goes to the dead letters and stops nobody.

        What is neither accepted nor a duplicate is in the dead letters.

        Raises:
            StorageFailed: what is known of somebody cannot be read, which is not the event's fault.
        """
        seen = self._memory.seen(self.tenant, [each.message_id for each in events])
        if len(events) > 1:  # one read for all, instead of two for each
            self._memory.prepare(self.tenant, {key for each in events for key in keys_of(each)})
        whole, accepted, duplicates = Txn(), 0, 0
        for event in events:
            if event.message_id in seen:
                duplicates += 1
                continue
            seen.add(event.message_id)
            try:
                txn, missing = self._fold_event(event)
            except StorageFailed:
                self._cut_off(whole)
                raise
            if self.undeclared.count(missing):
                whole.meta[STORED] = self.undeclared.packed()
            unkept = not (txn.records or txn.letters)  # it is no mistake
            accepted += bool(txn.records) or unkept
            self.counters.unkept += unkept
            self.counters.undeclared += unkept and bool(missing)
            whole.absorb(txn)
        self.counters.events.add(accepted)
        self.counters.duplicates += duplicates
        self.counters.rejected += len(events) - accepted - duplicates
        self.counters.dead_letters += len(whole.letters)
        return whole, accepted, duplicates

    def _fold_event(self, event: Event) -> tuple[Txn, tuple[str, ...]]:
        """What it changes, and the names of what nothing declares of it."""
        arrival, txn = self._arrival(), Txn()
        missing: tuple[str, ...] = ()
        try:
            missing = self._unheard.look(event, aloud=self._committer.running)
            rewards = self._steps.event(event, arrival, txn)
        except StorageFailed:
            self._seq -= 1
            raise
        except Exception as error:  # a poisonous event must not stop the others (law 10)
            self._seq -= 1
            return self._poisoned(event, error, arrival), missing
        if not txn.records:
            self._seq -= 1
            return txn, missing
        self.counters.credited(rewards)
        return self._held(txn), missing

    def _cut_off(self, txn: Txn) -> None:
        """While serving, what was folded before reading failed is seen by every later read: it goes on its way.
        A bulk writer ends here, and nothing of its group is kept."""
        if self._committer.running:
            self._submit(txn)

    def _submit(self, txn: Txn) -> None:
        """Have it committed."""
        raise NotImplementedError

    def _poisoned(self, event: Event, error: Exception, at: Arrival) -> Txn:
        """A dead letter of what may be kept of an event that could not be folded; of one that could not even be
        asked about, whose it is and what it is called."""
        try:
            kept = self._steps.admissible(event, at)
        except (
            Exception
        ):  # what failed is the asking itself: it must not stop the others, either (law 10)
            kept = replace(event, properties={}, traits={}, context={}, extra={})
        return Txn() if kept is None else self._letters.poisoned(kept, error, at.received_ms)

    def _unkept(self, rejected: Rejection, now_ms: int) -> bool:
        """Whether what could not be used is of somebody of whom nothing may be kept."""
        ids = ids_in(rejected.body)
        if not any(ids):
            return False
        out = self.gate.opted_out(self.whose(*ids), now_ms)
        if out:
            self.refused["dead letter"] += 1
        return out

    def _declared_of(self, rejected: Rejection) -> Rejection | None:
        """What could not be used, without what nothing declares; ``None``: nothing is left of it."""
        body = trimmed(rejected.body, self.gate.declared, self.library.uses)
        if body is None:
            self.refused["dead letter"] += 1
            return None
        return rejected if body is rejected.body else replace(rejected, body=body)

    def _arrival(self) -> Arrival:
        self._seq += 1
        return Arrival(self._seq, self.tenant, self.world.now_ms())

    def _held(self, txn: Txn) -> Txn:
        """Show the step to every later read, before it is durable."""
        self._memory.hold(txn, self._ticket + 1)
        return txn
