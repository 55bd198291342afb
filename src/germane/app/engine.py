"""The engine: one deterministic state machine in front of one durable store."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from msgspec.structs import replace

from germane import __version__
from germane.app.arrival import Arrival, report_key
from germane.app.committer import Committer
from germane.app.deciding import Deciding
from germane.app.folding import Folding
from germane.app.importer import Importer
from germane.app.keeping import Keeping
from germane.app.letters import Letters, Settle
from germane.app.memory import Memory
from germane.app.people import People
from germane.app.receipt import Receipt
from germane.app.reports import Reports
from germane.app.retaining import Retained
from germane.app.stats import Stats
from germane.app.steps import Steps
from germane.app.undeclared import STORED, Undeclared, stored_counts
from germane.app.unheard import Unheard
from germane.domain.decision import Ask, Decision
from germane.domain.errors import Overloaded, StorageFailed
from germane.domain.event import Event, Rejection
from germane.domain.ids import DEFAULT_TENANT
from germane.domain.item import Item
from germane.domain.moves import AnyMove, Stated
from germane.domain.outcome import Impression, Outcome, Verdict
from germane.domain.ports import Model, Store
from germane.domain.profile import Profile
from germane.domain.purposes import PERSONALISATION
from germane.domain.record import Txn
from germane.domain.settings import PEOPLE_IN_MEMORY, Settings
from germane.domain.world import World
from germane.ingest.signals import Extractor

_log = logging.getLogger(__name__)
CHUNK = 64
"""Events folded between two chances for other work to run."""
MAX_WAITING = 20_000
"""Records folded and not yet durable; beyond it new ones are refused."""
MAX_AGE_S = 5.0
"""When one of them waits longer for the disk, new ones are refused: whoever sent them would be gone."""

Report = TypeVar("Report", Impression, Outcome)
Value = TypeVar("Value")


class Engine(Folding):
    """Accepts what happens, decides what to show, learns from the answer.

    All methods are called from one thread (the event loop's, when it serves).
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        model: Model,
        world: World,
        *,
        key: bytes,
        tenant: str = DEFAULT_TENANT,
        people_in_memory: int = PEOPLE_IN_MEMORY,
    ) -> None:
        self.store = store
        self.model = model
        self.world = world
        self.opened_ms = world.now_ms()
        """Since when what is not stored is counted."""
        self.tenant = tenant
        self.version = __version__
        self.counters = Stats()
        self.key = key
        self.folder: Path | None = None
        """The data folder; ``None``: it is all in memory."""
        self.stale = False
        """Whether the shared model has seen what is in the log no more (erased, or too old)."""
        self.forgotten = 0
        """How often it was left behind like that."""
        self._memory = Memory(store, profiles=people_in_memory)
        self._steps = Steps(settings, self._memory, model, Extractor(settings), key)
        self._steps.library.read(tenant)
        self.settings = settings = self._steps.settings  # with what content brings
        self._unheard = Unheard(self._steps.gate.declared, self._steps.library.uses)
        self.undeclared = Undeclared(store.meta(STORED))
        self._steps.items.update((each.item_id, each) for each in store.items(tenant))
        self._deciding = Deciding(settings, self._memory, model, key, self._steps.items.get)
        self._people = People(
            settings, store, tenant, self._memory, model, self._steps.items.get, lambda: self.world
        )
        self._keeping = Keeping(settings, store, tenant, lambda: self.world, self.let_go)
        self._committer = Committer(store, self._settle, self._storage_failed)
        self._reports = Reports(settings, self._memory, key, tenant)
        self._letters = Letters(store)
        self._seq = store.last_seq()
        self._ticket = 0
        self._waiting = 0
        self._last: asyncio.Future[None] | None = None
        self._broken: StorageFailed | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        """While serving: where all methods are called."""
        self._keeper: asyncio.Task[None] | None = None
        self.ended = threading.Event()
        """Set when it stops; after that there is another one (``reading``)."""
        self.erasing = asyncio.Lock()
        """One at a time is erased while serving."""

    # -- life ------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Begin serving: from now on commits happen in the writer thread."""
        self.loop = asyncio.get_running_loop()
        self._committer.start()
        self._keeper = asyncio.create_task(self._keeping.run(self._committer.call))

    async def stop(self) -> None:
        """Make everything durable and end the writer thread."""
        self.ended.set()
        self.ended = threading.Event()
        if self._keeper is not None:
            self._keeper.cancel()
        if self._broken is None:
            try:
                self._submit(Txn(meta=self.uncounted()))
            except StorageFailed as error:  # what waits is to become durable all the same
                _log.warning("undeclared names were not counted: %s", error)
        await self._committer.close()

    def seal(self) -> int:
        """Move some of the records of closed months into history; how many were moved."""
        return self._keeping.seal()

    def retain(self, advance: Callable[[int, int], None] = lambda *_: None) -> Retained:
        """Let go all that is too old, and say what was. Not while serving, which does it by itself.
        ``advance`` is told how many pieces of history were seen to, and how many are left."""
        return self._keeping.retain_all(advance)

    def retention_due(self) -> int:
        """How many pieces of history are to be looked at for what is too old."""
        return self._keeping.due()

    @property
    def serving(self) -> bool:
        """Whether there is a thread that commits."""
        return self._committer.running

    async def between(self, work: Callable[[], Value]) -> Value:
        """Run something between two commits, in the thread that commits."""
        return await self._committer.call(work) if self.serving else work()

    @asynccontextmanager
    async def unsealed(self) -> AsyncIterator[None]:
        """Nothing is moved into history, or out of it, meanwhile: what was being moved is.

        Raises:
            StorageFailed: the disk has refused, and nothing may be stored now.
        """
        if self._broken is not None:
            raise self._broken
        self._keeping.held += 1
        try:
            await self.between(lambda: None)
            yield
        finally:
            self._keeping.held -= 1

    @property
    def seq(self) -> int:
        """Offset of the newest folded record."""
        return self._seq

    def health(self) -> dict[str, Any]:
        """Whether it can serve, and if not, why."""
        reasons = [self._broken.message] if self._broken is not None else []
        return {"ready": not reasons, "reasons": reasons}

    def stats(self) -> dict[str, float]:
        """Counters, rates and latency quantiles by name."""
        return self.counters.snapshot() | {
            "events_without_signal_total": float(self._unheard.total),
            "log_offset": float(self._seq),
            "shared_offset": float(self.model.seq),
            "records_waiting": float(self._waiting),
            "refused_total": float(self.refused.total()),
            "items": float(len(self._steps.items)),
        }

    def found_damaged(self, error: StorageFailed) -> None:
        """What is stored cannot be read any more: nothing is accepted from now on, since whoever goes on with a
        backup would lose it."""
        _log.error("campaigns stop, and nothing is accepted any more: %s. %s", error, error.hint)
        self._broken = error

    # -- writing ---------------------------------------------------------------------------------

    async def accept(
        self, events: Sequence[Event], rejected: Sequence[Rejection] = (), source: str = "api"
    ) -> Receipt:
        """Fold events in their order; return when all of them are durable (law 1).

        Raises:
            Overloaded: too much is waiting for the disk already; nothing was accepted.
            StorageFailed: the disk refused; nothing of this call may be taken as stored.
        """
        self._admit()
        started = time.perf_counter()
        accepted = duplicates = 0
        for start in range(0, len(events), CHUNK):
            if start:
                await asyncio.sleep(0)
            txn, new, old = self._fold_events(events[start : start + CHUNK])
            accepted, duplicates = accepted + new, duplicates + old
            self._submit(txn)
        if rejected:
            self._submit(self.letters_of(rejected, source))
        await self._durable()
        self.counters.ack.add(time.perf_counter() - started)
        unfolded = len(events) - accepted - duplicates
        return Receipt(accepted, duplicates, len(rejected) + unfolded, self._seq)

    def accept_now(
        self, events: Sequence[Event], rejected: Sequence[Rejection] = (), source: str = "import"
    ) -> Receipt:
        """The same without an event loop: folds, commits, returns. Not for use while serving."""
        with self.importer(source) as importer:
            importer.add(events)
            importer.reject(rejected)
        return importer.receipt

    @contextmanager
    def importer(self, source: str = "import", *, group: int = 2_000) -> Iterator[Importer]:
        """Bulk writing: commits every ``group`` records, and what is left at the end."""
        assert not self._committer.running, "an import while serving goes through accept()"
        importer = Importer(self, source, group, self.commit)
        yield importer
        importer.finish()

    async def note(self, txn: Txn) -> None:
        """Make small named values durable with the next group."""
        self._submit(txn)
        await self._durable()

    async def impressions(self, impressions: Sequence[Impression]) -> Receipt:
        """Slates that were seen.

        Raises:
            UnknownDecision: no decision has that id, and the id is not signed by us.
            NotShown: the decision has no such position.
            TooEarly: one is dated before its decision.
        """
        found = [self._reports.impression(each) for each in impressions]
        receipt = await self._feedback(found, self._steps.impression, lambda *_: "counted")
        self.counters.impressions += receipt.accepted
        return receipt

    async def outcomes(self, outcomes: Sequence[Outcome]) -> Receipt:
        """Responses that name their decision.

        Raises:
            UnknownDecision: no decision has that id, and the id is not signed by us.
            UnknownOutcome: the surface does not declare it.
            ValueNeeded: it counts revenue, and has no value.
            NotShown: the item is not in the decision.
            TooEarly: one is dated before its decision.
        """
        found = [self._reports.outcome(each) for each in outcomes]
        receipt = await self._feedback(found, self._steps.outcome, self._steps.judged)
        self.counters.outcomes["reported"] += receipt.verdicts.count("counted")
        return receipt

    async def put_items(self, items: Sequence[Item]) -> Receipt:
        """Add or change catalogue entries, durably."""
        self._admit()
        for item in items:
            self._submit(self.fold_item(item))
        await self._durable()
        return Receipt(len(items), 0, 0, self._seq)

    async def remove_items(self, item_ids: Sequence[str]) -> Receipt:
        """Take items out of the catalogue, durably. Ids that are not in it are passed over."""
        self._admit()
        known = [each for each in item_ids if each in self._steps.items]
        for item_id in known:
            txn = Txn()
            arrival = self._arrival()
            self._steps.remove_item(item_id, f"item:{arrival.seq}", arrival, txn)
            self._submit(self._held(txn))
        await self._durable()
        return Receipt(len(known), 0, 0, self._seq)

    async def move(self, moves: Sequence[AnyMove]) -> None:
        """Record moves in their order; return when all of them are durable.

        Raises:
            WrongMove: one cannot be made; those before it are made.
            GermaneError: the same, of a verdict on an approval.
            Overloaded, StorageFailed: as ``accept``.
        """
        self._admit()
        try:
            self.put_moves(moves)
        finally:
            await self._durable()

    def put_moves(self, moves: Sequence[AnyMove]) -> None:
        """As ``move``, but it does not wait: ``durable`` does. Raises WrongMove."""
        for each in moves:
            txn = self.fold_move(each)
            if self._committer.running:
                self._submit(txn)
            else:
                self.commit(txn)

    def uncounted(self) -> dict[str, bytes]:
        """What of undeclared names was counted since it was stored last: to be stored."""
        packed = self.undeclared.packed()
        same = stored_counts(self.store.meta(STORED)) == self.undeclared.counts
        return {} if same else {STORED: packed}

    def signalled(self, person: Profile) -> None:
        """A browser sent ``Sec-GPC: 1`` with a question: a no to what would be allowed else. To personalisation
        somebody who is not known says it with each request: nobody becomes known by it."""
        now_ms = self.world.now_ms()
        known = self._memory.profile(self.tenant, person.person) is not None
        wanted = [
            x
            for x in self.settings.privacy.gpc
            if (known and person.consent.get(x) is not False)
            or (x != PERSONALISATION and self.gate.allows(person, x, now_ms))
        ]
        salts = (f"{self.world.seed():x}" for _ in wanted)
        self.put_moves(
            [
                Stated(person.person, purpose, False, "gpc", salt=salt)
                for purpose, salt in zip(wanted, salts, strict=True)
            ]
        )

    async def durable(self) -> None:
        """Wait until all that was folded so far is on the disk.

        Raises:
            StorageFailed: the disk refused.
        """
        await self._durable()

    # -- asking ----------------------------------------------------------------------------------

    def decide(
        self,
        user_id: str,
        anonymous_id: str,
        account: str,
        asks: Sequence[Ask],
        *,
        record: bool = True,
    ) -> tuple[list[Decision], float]:
        """Decide each surface for one person; also how far their profile is trusted, in [0, 1).

        The answer has seen every event that was acknowledged (law 3). Its record is durable with
        the next group commit. Nothing is decided when one of the asks is in error.

        With ``record=False`` it is a look: the decisions have no id, and nothing is stored, learned or
        counted.

        Raises:
            UnknownSurface: a surface is not configured.
            BadAsk: one has a size, and is of a choice; or no item, and the surface needs one.
            BadFilter: a filter cannot be used there.
            Overloaded: so many records wait for the disk that there is no room for this one's.
        """
        started = time.perf_counter()
        if record:
            self._have_room()
        self.check(asks)
        profile = self._deciding.whose(self.tenant, user_id, anonymous_id)
        trust = self.trust(profile)
        made = [self._decided(profile.person, each, account, record=record) for each in asks]
        if record:
            self.counters.decide.add(time.perf_counter() - started)
        return made, trust

    def decide_for(self, person: str, ask: Ask) -> Decision:
        """As ``decide``, of one surface for a person by their key; it is logged."""
        self.check([ask])
        return self._decided(self.profile_of(person).person, ask, "", record=True)

    def _decided(self, person: str, ask: Ask, account: str, *, record: bool) -> Decision:
        profile = self._memory.profile(self.tenant, person) or Profile(person)
        decision = self._deciding.decide(
            self.tenant,
            profile,
            _acting_for(ask, account or profile.account),
            at_ms=self.world.now_ms(),
            seed=self.world.seed(),
        )
        if record:
            self._log_decision(decision)
        return decision if record else replace(decision, decision_id="")

    def replay_letter(self, letter_id: int) -> str:
        """Try a dead letter again, without an event loop; empty when it could be used now, else why not."""
        return self.settle_letters("replay", [letter_id])[letter_id]

    def dismiss_letter(self, letter_id: int) -> str:
        """Nothing is to be done about a dead letter; without an event loop. Empty, or why it cannot be."""
        return self.settle_letters("dismiss", [letter_id])[letter_id]

    def settle_letters(self, do: Settle, letter_ids: Sequence[int]) -> dict[int, str]:
        """Replay or dismiss some, in this order, with one commit and without an event loop. Of each: empty, or
        why it could not be."""
        whole, why_not = Txn(), dict[int, str]()
        for number in dict.fromkeys(letter_ids):
            found = self._settled(do, number)
            why_not[number] = found if isinstance(found, str) else ""
            if not isinstance(found, str):
                whole.absorb(found)
        if not whole.empty:
            self.commit(whole)
        return why_not

    async def replay(self, letter_id: int) -> str:
        """As ``replay_letter``, while serving; what it brought is durable when this returns."""
        return (await self.settle("replay", [letter_id]))[letter_id]

    async def dismiss(self, letter_id: int) -> str:
        """As ``dismiss_letter``, while serving."""
        return (await self.settle("dismiss", [letter_id]))[letter_id]

    async def settle(self, do: Settle, letter_ids: Sequence[int]) -> dict[int, str]:
        """As ``settle_letters``, while serving; what they brought is durable when this returns."""
        self._admit()
        why_not = dict[int, str]()
        for number in dict.fromkeys(letter_ids):
            if why_not:
                await asyncio.sleep(0)
            found = self._settled(do, number)
            why_not[number] = found if isinstance(found, str) else ""
            if not isinstance(found, str):
                self._submit(found)
        await self._durable()
        return why_not

    def _settled(self, do: Settle, letter_id: int) -> Txn | str:
        if do == "replay":
            return self._replayed(letter_id)
        return self._letters.dismissed(letter_id, self.world.now_ms())

    def _replayed(self, letter_id: int) -> Txn | str:
        now_ms = self.world.now_ms()
        return self._letters.replayed(letter_id, self._steps.extractor, self._fold_events, now_ms)

    # -- inside ----------------------------------------------------------------------------------

    async def _feedback(
        self,
        reports: Sequence[tuple[Report, Decision]],
        step: Callable[[Report, Decision, Arrival, Txn], None],
        judged: Callable[[Report, Decision, Arrival], Verdict],
    ) -> Receipt:
        """Log each that is new, in order. What was counted before is not logged again."""
        self._admit()
        seen = self._memory.seen(self.tenant, [report_key(each) for each, _ in reports])
        verdicts: list[Verdict] = []
        for report, decision in reports:
            arrival, old = self._arrival(), report_key(report) in seen
            verdicts.append("duplicate" if old else judged(report, decision, arrival))
            if verdicts[-1] == "duplicate":
                self._seq -= 1
                continue
            seen.add(report_key(report))
            txn = Txn()
            step(report, decision, arrival, txn)
            if not txn.records:  # nothing is kept of people who opted out
                self._seq -= 1
                continue
            self._submit(self._held(txn))
        await self._durable()
        duplicates = verdicts.count("duplicate")
        return Receipt(len(verdicts) - duplicates, duplicates, 0, self._seq, tuple(verdicts))

    def _log_decision(self, decision: Decision) -> None:
        txn = Txn()
        self._steps.decision(decision, self._arrival(), txn)
        self._held(txn)
        self.counters.decisions.add(1)
        self.counters.quota_short += decision.quota_short
        if self._committer.running:
            self._ticket += 1
            self._waiting += len(txn.records)
            self._committer.submit_lazy(txn, self._ticket)
        else:
            self.commit(txn)

    def _submit(self, txn: Txn) -> None:
        if txn.empty:
            return
        self._ticket += 1
        self._waiting += len(txn.records)
        self._last = self._committer.submit(txn, self._ticket)
        self._last.add_done_callback(_retrieve)

    async def _durable(self) -> None:
        """Wait until all that was submitted so far is durable, also what somebody else submitted. What was
        refused by a full disk is tried again: once that is through, nobody is refused for it."""
        if self._last is not None and not (self._last.done() and self._committer.through):
            await asyncio.shield(self._last)

    def _admit(self) -> None:
        if self._broken is not None:
            raise self._broken
        if self._committer.oldest_s() > MAX_AGE_S:
            self._full()
        self._have_room()

    def _have_room(self) -> None:
        if self._waiting > MAX_WAITING:
            self._full()

    def _full(self) -> NoReturn:
        self.counters.overloaded += 1
        raise Overloaded()

    def _settle(self, txn: Txn, ticket: int) -> None:
        self._waiting -= len(txn.records)
        self._memory.settle(txn, ticket)

    def _storage_failed(self, error: StorageFailed | None) -> None:
        self._broken = error


def _acting_for(ask: Ask, account: str) -> Ask:
    return replace(ask, context=replace(ask.context, account=account)) if account else ask


def _retrieve(done: asyncio.Future[None]) -> None:
    """Mark a failure as seen: whoever waited for it has it already."""
    if not done.cancelled():
        done.exception()
