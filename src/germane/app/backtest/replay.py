"""The past once more: everything is predicted before it is learned, by the engine itself.

Events that share a time are all predicted before any of them is learned; the whole catalogue competes;
nothing is known that was not known then. Trees are trained beside, as a server would have it done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from zlib import crc32

from msgspec.structs import replace

from germane.app.backtest.intake import Entry, Intake, key_of
from germane.app.backtest.plan import QUOTA_SHARE, QUOTAS, SIZE, Plan, variants
from germane.app.backtest.spool import person_hash
from germane.app.backtest.store import ForgetfulStore
from germane.app.beside import Beside
from germane.app.engine import Engine
from germane.app.world import ReplayWorld
from germane.domain.decision import Ask, Decision
from germane.domain.event import Event
from germane.domain.profile import Profile
from germane.domain.record import Txn
from germane.domain.settings import SurfaceSpec
from germane.ingest.signals import Extractor
from germane.measure.ranking import Scores, score
from germane.measure.sheet import Sheet
from germane.predict.model import SharedModel
from germane.predict.parts import Parts
from germane.predict.rules import bought
from germane.train import rivals
from germane.train.rivals import Rivals, filled

PERSONAL, BLEND, NO_TRAITS = "personal", "the blend without trees", "personal, without traits"
NEW_PERSONAL, NEW_BROADCAST = "new/personal", "new/best list for everyone"
ALONE, WITHOUT, QUOTA = "alone/", "without/", "quota/"
OF_SEEN, OF_NEW = "|had before", "|new to the person"
REPEATS_MIN = 0.02
"""Where less than this share of what people choose, when they come back, is something they had, it is left
out of all lists ..."""
REPEATS_TOLD = 100
"""... if they chose so often at least."""
YOUNG_MS = 7 * 86_400_000
BEFORE = 5
MUCH = 20
"""Interactions from which on a person's history is long."""


@dataclass(slots=True)
class Tally:
    """Counts of places in lists."""

    places: Counter[str] = field(default_factory=Counter)
    """By list."""
    young: Counter[str] = field(default_factory=Counter)
    """Places with an item that was in the catalogue for less than a week."""
    young_hits: Counter[str] = field(default_factory=Counter)
    """Of those, the ones that were chosen."""
    new_kind: Counter[str] = field(default_factory=Counter)
    """Places with an item of a category that was new to the person."""
    new_kind_hits: Counter[str] = field(default_factory=Counter)
    short: Counter[str] = field(default_factory=Counter)
    """Slots that should have been diverse and could not be."""
    shown: dict[str, set[str]] = field(default_factory=dict)
    """Different items."""
    sources: Counter[str] = field(default_factory=Counter)
    """Source -> the sum of its positive parts in the scores of what was shown."""
    choices: int = 0
    young_choices: int = 0
    unknown_choices: int = 0
    """Of items that nobody had heard of when they were chosen."""
    in_candidates: int = 0


class Replay:
    """One pass over the events."""

    def __init__(self, intake: Intake, surface: SurfaceSpec, plan: Plan) -> None:
        """
        Args:
            intake: Everything that was read.
            surface: Whose rules hold.
            plan: Whom to predict, and from when.
        """
        self.plan = plan
        self.sheet = Sheet()
        self.tally = Tally()
        self.stopped_ms: int | None = None
        """Where somebody stopped it; ``None``: it came to the end."""
        self.done = 0
        self.leave_out = plan.already == "leave-out"
        self._intake = intake
        self._surfaces = variants(surface)
        settings = replace(intake.settings, surfaces=self._surfaces)
        begin_ms, end_ms = int(intake.spool.at_ms.min()), int(intake.spool.at_ms.max())
        self._world = ReplayWorld(max(begin_ms, 1))
        self.model = SharedModel(settings)
        self.engine = Engine(settings, ForgetfulStore(), self.model, self._world, key=b"b" * 32)
        self.beside = Beside(self.engine, plan.training)
        self._rivals = Rivals()
        self._extractor = Extractor(settings)
        self._entries = intake.entries(begin_ms, end_ms)
        self._entered: dict[str, int] = {}
        """Item -> since when it is in the catalogue."""
        self._told = dict(intake.told)
        self._repeated = self._taken = 0
        self._kind_of: dict[str, str] = {}
        self._kind = settings.diversity_attribute

    def run(
        self, progress: Callable[[int], None], stop: Callable[[], bool] = lambda: False
    ) -> None:
        """Predict and learn everything.

        Args:
            progress: Told how many more events are done.
            stop: Asked now and then whether to end here.
        """
        asking = False
        early = iter([each for each in self._entries if not each.late])
        late = iter([each for each in self._entries if each.late])
        waiting = [next(early, None), next(late, None)]
        for at_ms, events in self._intake.spool.groups():
            self._world.move(at_ms)
            waiting[0] = self._enter(waiting[0], early, at_ms)
            if not asking and at_ms >= self.plan.split_ms:
                asking = True
                self._settle()
            self._tell(events)
            if asking:
                self.beside.train(at_ms)
                if not self._predict(at_ms, events, stop):
                    return
            self._learn(events)  # what could not be predicted is no lesson in predicting it
            waiting[1] = self._enter(waiting[1], late, at_ms)
            self.done += len(events)
            progress(len(events))
            if stop():
                self.stopped_ms = at_ms
                return

    # -- learning --------------------------------------------------------------------------------

    def _enter(self, entry: Entry | None, rest: Iterable[Entry], at_ms: int) -> Entry | None:
        """Items whose time has come; the first whose has not."""
        while entry is not None and entry.at_ms <= at_ms:
            item = entry.item
            self._commit(self.engine.fold_item(item))
            self._entered[item.item_id] = item.created_ms
            kinds = item.values_of(self._kind)
            self._kind_of[item.item_id] = kinds[0] if kinds else ""
            entry = next(iter(rest), None)
        return entry

    def _tell(self, events: list[Event]) -> None:
        """What people told about themselves at a time nobody knows: with the first that they do."""
        for event in events:
            for said in self._told.pop(key_of(event), ()):
                told = replace(said, at_ms=event.at_ms)
                self._commit(self.engine.fold_events([told])[0])

    def _learn(self, events: list[Event]) -> None:
        for event in events:
            chosen = self._chosen(event)
            if chosen:
                profile = self.engine.whose(event.user_id, event.anonymous_id)
                had = _had(profile, chosen) if event.at_ms < self.plan.split_ms else frozenset()
                if had:  # only who comes back can choose again
                    self._taken += len(chosen)
                    self._repeated += sum(item in had for item in chosen)
                self._rivals.learn(_latest(profile), chosen, event.at_ms)
            txn, _, _ = self.engine.fold_events([event])
            self.beside.folded(txn)
            self._commit(txn)

    def _commit(self, txn: Txn) -> None:
        self.engine.commit(txn)

    def _chosen(self, event: Event) -> list[str]:
        found, _ = self._extractor.extract(event)
        return list(dict.fromkeys(x.item_id for x in found if x.signal in self.plan.targets))

    def _settle(self) -> None:
        """Before the first prediction: may lists hold what people had? As what was learned tells."""
        if self.plan.already == "auto":
            few = self._repeated < REPEATS_MIN * self._taken
            self.leave_out = self._taken >= REPEATS_TOLD and few

    # -- predicting ------------------------------------------------------------------------------

    def _predict(self, at_ms: int, events: list[Event], stop: Callable[[], bool]) -> bool:
        """Ask for everyone who chooses something now; false when it was stopped meanwhile."""
        wanted: dict[str, tuple[Event, set[str]]] = {}
        for event in events:
            key = key_of(event)
            if person_hash(key) in self.plan.people:
                chosen = self._chosen(event)
                if chosen:
                    wanted.setdefault(key, (event, set()))[1].update(chosen)
        for key, (event, all_of_them) in wanted.items():
            self._ask(person_hash(key), event, frozenset(all_of_them), at_ms)
            if stop():
                self.stopped_ms = at_ms
                return False
        return True

    def _ask(self, person: int, event: Event, chosen: frozenset[str], at_ms: int) -> None:
        profile = self.engine.whose(event.user_id, event.anonymous_id)
        if self.engine.gate.opted_out(profile, at_ms):
            return
        had = _had(profile, chosen)
        if self.leave_out:
            chosen -= had
        if not chosen or self._passed_over(profile, event):
            return
        row = _Row(self, profile, event, chosen, had, at_ms)
        self.sheet.row(person, **row.facts)
        row.personal()
        row.rivals(self._rivals)
        if chosen - had and not self.leave_out:
            row.only_new(self._rivals)
        if person % QUOTA_SHARE == 0 or len(self.plan.people) < 100:
            row.quotas()

    def _passed_over(self, profile: Profile, event: Event) -> bool:
        """Of what people with much history choose, only a share is predicted (``Plan.later_share``)."""
        if profile.evidence < MUCH or self.plan.later_share >= 1:
            return False
        return crc32(event.message_id.encode()) >= self.plan.later_share * 2**32

    def young(self, item: str, at_ms: int) -> bool:
        """Whether an item is in the catalogue for less than a week."""
        return at_ms - self._entered.get(item, at_ms) < YOUNG_MS

    def known(self, item: str) -> bool:
        """Whether the catalogue has it by now."""
        return item in self._entered

    def kind(self, item: str) -> str:
        """Its category."""
        return self._kind_of.get(item, "")

    def surface(self, quota: float = 0.0, *, new: bool = False) -> SurfaceSpec:
        """What is asked."""
        ending = "leave-out" if self.leave_out or new else "show"
        return self._surfaces[f"{ending}/{round(100 * quota)}"]


class _Row:
    """All lists for one person at one time."""

    def __init__(
        self,
        replay: Replay,
        profile: Profile,
        event: Event,
        chosen: frozenset[str],
        had: frozenset[str],
        at_ms: int,
    ) -> None:
        self._replay, self._profile, self._event = replay, profile, event
        self._chosen, self._had, self._at_ms = chosen, had, at_ms
        self._engine, self._tally = replay.engine, replay.tally
        self._met: frozenset[str] = frozenset()
        self._slate: list[str] = []
        traits = replay.engine.settings.traits
        self._useful = {x for x in profile.traits if x in traits and traits[x].attribute}
        young = [item for item in chosen if replay.young(item, at_ms)]
        self._tally.choices += len(chosen)
        self._tally.young_choices += len(young)
        self._tally.unknown_choices += sum(not replay.known(item) for item in chosen)
        self.facts = {
            "at_ms": at_ms,
            "earlier": profile.evidence,
            "chosen": len(chosen),
            "new": len(chosen - had),
            "traits": bool(profile.traits),
            "useful_traits": bool(self._useful),
            "mass": 0.0,
        }

    def personal(self) -> None:
        """The engine's list, its parts, and the same without what the person declared."""
        surface = self._replay.surface()
        decision = self._decide(surface)
        slate = self._slate = [each.item_id for each in decision.items]
        taken = self._taken_apart(surface, frozenset(slate))
        self._met = taken.met
        self._put(PERSONAL, slate, split=True)
        self._put(BLEND, taken.blend)
        for source, found in taken.alone.items():
            self._put(ALONE + source, found)
        for source, found in taken.without.items():
            self._put(WITHOUT + source, found)
        self._tally.in_candidates += len(self._chosen & taken.candidates)
        self._replay.sheet.amend("mass", taken.mass)
        for item in decision.items:
            for source, part in item.sources.items():
                self._tally.sources[source] += max(part, 0.0)  # type: ignore[assignment]
        if self._useful:
            bare = replace(self._profile, traits={})
            ranked = self._engine.model.rank(
                bare,
                surface,
                Ask(surface.name),
                at_ms=self._at_ms,
                seed=0,
                readiness=self._engine.trust(bare),
            )
            self._put(NO_TRAITS, [each.item_id for each in ranked.items])

    def rivals(self, learned: Rivals) -> None:
        """The simple lists."""
        test = self._test(self._replay.surface())
        everyone = learned.everyone()
        for name, ranked in everyone.items():
            self._put(name, test(ranked), split=True)
        known = self._profile.own_items
        own = {item: known[item] for item in self._had if item in known}
        fill = everyone[rivals.RECENT[28]]
        mine = {
            rivals.AGAIN: rivals.again(own),
            rivals.AGAIN_LATELY: rivals.again_lately(own, self._at_ms),
            rivals.NEXT: learned.following(_latest(self._profile)),
        }
        for name, ranked in mine.items():
            self._put(name, test(filled(ranked, fill)), split=True)

    def only_new(self, learned: Rivals) -> None:
        """Lists of nothing but what the person never had, for what was new to them."""
        surface, wanted = self._replay.surface(new=True), self._chosen - self._had
        decision = self._decide(surface)
        self._score(NEW_PERSONAL, [each.item_id for each in decision.items], wanted)
        test = self._test(surface)
        for name, ranked in learned.everyone().items():
            self._score(f"new/{name}", test(ranked), wanted)

    def quotas(self) -> None:
        """With each diversity quota; without one the list is the personal one."""
        self._put(f"{QUOTA}0", self._slate)
        for quota in QUOTAS:
            self._quota(quota)

    def _quota(self, quota: float) -> None:
        decision = self._decide(self._replay.surface(quota))
        name = f"{QUOTA}{round(100 * quota)}"
        self._put(name, [each.item_id for each in decision.items])
        self._tally.short[name] += decision.quota_short

    def _decide(self, surface: SurfaceSpec) -> Decision:
        event = self._event
        ask = Ask(surface.name)
        (decision,), _ = self._engine.decide(event.user_id, event.anonymous_id, "", [ask])
        return decision

    def _taken_apart(self, surface: SurfaceSpec, shown: frozenset[str]) -> Parts:
        return self._replay.model.parts(
            self._profile,
            surface,
            Ask(surface.name),
            shown,
            at_ms=self._at_ms,
            readiness=self._engine.trust(self._profile),
        )

    def _test(self, surface: SurfaceSpec) -> Callable[[Sequence[str]], list[str]]:
        """Cuts a ranking down to the first that may be shown here."""
        ask = Ask(surface.name)
        may = self._replay.model.eligible(self._profile, surface, ask, at_ms=self._at_ms)
        catalogue = self._engine.catalogue

        hidden = self._had if surface.already_bought == "exclude" else frozenset()

        def allowed(item_id: str) -> bool:
            item = catalogue.get(item_id) if item_id not in hidden else None
            return item is not None and may(item)

        return lambda ranked: list(islice(filter(allowed, ranked), SIZE))

    def _put(self, name: str, slate: list[str], *, split: bool = False) -> None:
        self._score(name, slate, self._chosen)
        if split:
            for ending, wanted in (
                (OF_SEEN, self._chosen & self._had),
                (OF_NEW, self._chosen - self._had),
            ):
                if wanted:
                    self._score(name + ending, slate, wanted)
        if name.startswith((ALONE, WITHOUT)):
            return
        tally, replay = self._tally, self._replay
        tally.places[name] += len(slate)
        tally.shown.setdefault(name, set()).update(slate)
        for item in slate:
            if replay.young(item, self._at_ms):
                tally.young[name] += 1
                tally.young_hits[name] += item in self._chosen
            kind = replay.kind(item)
            if kind and kind not in self._met:
                tally.new_kind[name] += 1
                tally.new_kind_hits[name] += item in self._chosen

    def _score(self, name: str, slate: list[str], wanted: frozenset[str]) -> None:
        found: Scores = score(slate, wanted, SIZE)
        self._replay.sheet.put(name, found)


def _had(profile: Profile, chosen: Iterable[str]) -> frozenset[str]:
    """What the person had, as far as its ids are known; of what they chose now, also longer ago."""
    counted = {item for item, own in profile.own_items.items() if own.count > 0}
    return frozenset(counted.union(item for item in chosen if bought(profile, item)))


def _latest(profile: Profile) -> list[str]:
    """The latest distinct items, newest first."""
    found: dict[str, None] = {}
    for each in reversed(profile.recent):
        found.setdefault(each.item_id)
        if len(found) == BEFORE:
            break
    return list(found)
