"""Bulk writing: the same fold, committed in large groups."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from germane.app.consents import KIND, is_known, said_by, said_in
from germane.app.letters import Waiting
from germane.app.receipt import Receipt
from germane.domain.event import Event, Rejection
from germane.domain.item import Item
from germane.domain.moves import Stated
from germane.domain.record import Txn
from germane.privacy.ledger import takes_back

if TYPE_CHECKING:
    from germane.app.engine import Engine


EXAMPLES = 5
"""Of what is wrong with events, so much is told."""
TOGETHER = 256
"""Events that are folded at once: what is known of their people is read at once, too."""


class Importer:
    """Collects folded changes and has them committed when enough have come together."""

    def __init__(
        self, engine: Engine, source: str, group: int, commit: Callable[[Txn], None]
    ) -> None:
        self._engine = engine
        self._commit = commit
        self._source = source
        self._group = group
        self._txn = Txn()
        self._collected: list[Event] = []
        self._accepted = self._duplicates = self._rejected = 0
        self._letters = self._letters_again = 0
        self._waiting = Waiting(engine.store)
        self.wrong: list[str] = []
        """Of what dead letters say that were made so far, the first, each once."""
        self.outdated = 0
        """Statements so far that changed nothing: something newer was said already."""
        self.taken_back: list[Stated] = []
        """Noes so far that are older than the yes that stood: a no always stands."""

    @property
    def receipt(self) -> Receipt:
        """Counts so far."""
        self._fold_collected()
        return Receipt(self._accepted, self._duplicates, self._rejected, self._engine.seq)

    @property
    def letters(self) -> int:
        """Dead letters so far: of events that could not be folded, and of parts of others."""
        self._fold_collected()
        return self._letters

    @property
    def letters_again(self) -> int:
        """The same again: of events that could not be folded before either, and whose letters wait."""
        self._fold_collected()
        return self._letters_again

    def collect(self, event: Event) -> None:
        """As ``add``, but together with those that come next, before anything else is asked or told."""
        self._collected.append(event)
        if len(self._collected) == TOGETHER:
            self._fold_collected()

    def add(self, events: Sequence[Event]) -> None:
        """Fold events; duplicates are passed over, what cannot be folded becomes a dead letter."""
        self._fold_collected()
        self._fold(events)

    def _fold_collected(self) -> None:
        events, self._collected = self._collected, []
        if events:
            self._fold(events)

    def _fold(self, events: Sequence[Event]) -> None:
        txn, accepted, duplicates = self._engine.fold_events(events)
        self._accepted += accepted
        self._duplicates += duplicates
        self._rejected += len(events) - accepted - duplicates
        self._take(txn)

    def add_items(self, items: Sequence[Item]) -> int:
        """Fold catalogue entries; one that is as it was changes nothing. How many were not."""
        self._fold_collected()
        before = self._accepted
        for item in items:
            if self._engine.same_item(item):
                self._duplicates += 1
                continue
            self._take(self._engine.fold_item(item))
            self._accepted += 1
        return self._accepted - before

    def add_statements(self, moves: Sequence[Stated]) -> None:
        """Record what people said, in this order; what the ledger has already is passed over."""
        self._fold_collected()
        engine = self._engine
        engine.prepare([each.person for each in moves])
        people = {engine.profile_of(each.person).person for each in moves}
        engine.entries.prepare_of(engine.tenant, KIND, people)
        for move in moves:
            person = engine.profile_of(move.person)
            if is_known(said_by(engine.entries, engine.tenant, person.person), move):
                self._duplicates += 1
                continue
            if not move.granted and takes_back(
                person, move.purpose, move.at_ms, engine.world.now_ms()
            ):
                self.taken_back.append(move)
            txn = engine.fold_move(replace(move, salt=uuid.uuid4().hex))
            self.outdated += sum(not each.stands for each in said_in(txn))
            self._accepted += 1
            self._take(txn)

    def reject(self, rejected: Sequence[Rejection]) -> None:
        """Keep what cannot be used as dead letters."""
        self._fold_collected()
        if rejected:
            self._rejected += len(rejected)
            self._take(self._engine.letters_of(rejected, self._source))

    def mark(self, key: str, value: bytes) -> None:
        """A named value that commits together with what was added before it (where to go on)."""
        self._fold_collected()
        self._txn.meta[key] = value

    def flush(self) -> None:
        """Commit what has been added."""
        self._fold_collected()
        if not self._txn.empty:
            self._commit(self._txn)
            self._txn = Txn()

    def finish(self) -> None:
        """Commit what is left, and what was counted."""
        self._fold_collected()
        for key, value in self._engine.uncounted().items():
            self.mark(key, value)
        self.flush()

    def _take(self, txn: Txn) -> None:
        letters, txn.letters = len(txn.letters), self._waiting.new(txn.letters)
        self._letters += len(txn.letters)
        for each in txn.letters:
            if len(self.wrong) < EXAMPLES and each.message not in self.wrong:
                self.wrong.append(each.message)
        self._letters_again += letters - len(txn.letters)
        self._txn.absorb(txn)
        if len(self._txn.records) >= self._group:
            self.flush()
