"""The shared model: folds observations, ranks for a person, explains, and can be written and read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from germane.domain.decay import readiness as readiness_of
from germane.domain.decision import Actions, Ask, Candidate, Decision, SlateItem
from germane.domain.event import Interaction
from germane.domain.forest import Trained
from germane.domain.hours import slot_of_week
from germane.domain.item import Item
from germane.domain.moment import ActiveHour, Activity, Week
from germane.domain.outcome import Example, Observation, Reward, Trial
from germane.domain.ports import Ranked
from germane.domain.profile import Profile, QuotaCount
from germane.domain.settings import Settings, SurfaceSpec
from germane.predict import dump
from germane.predict.bandit import choosing
from germane.predict.blender import NEW, pack
from germane.predict.candidates import Candidates
from germane.predict.features import LAYOUT, NAMES
from germane.predict.filters import Filters
from germane.predict.parts import Parts, parts
from germane.predict.person import Person, positive, turned_down
from germane.predict.reasons import contributions, reasons
from germane.predict.residual import DEPTH, NOTHING, Residual
from germane.predict.rules import Rules, bought
from germane.predict.slate import MAX_POOL, Policy, Row, arrange, pool_size
from germane.predict.state import State
from germane.predict.together import partners, together_scores

Floats = npt.NDArray[np.float64]

BEFORE = 12
LESSON_BEST, LESSON_SPREAD = DEPTH, 12
"""Rows of a lesson beside the chosen ones: the best by score, and a sample spread over the rest."""
KEPT_CANDIDATES = 20
MAX_SIZE = 200
LOOKED_THROUGH = 5_000
"""So many of the best-selling items are looked through for what a filter leaves."""
_REWARD_WEIGHT_MAX = 4.0


class SharedModel:
    """Implements ``domain.ports.Model``."""

    version = f"blend-{LAYOUT}"

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.seq = 0
        self.state = State(settings)
        attributes = tuple(settings.attributes)
        self._residual = NOTHING
        self._filters = Filters(attributes)
        self._rules = {
            name: Rules(choosing.seen_by_rules(each), attributes)
            for name, each in settings.surfaces.items()
        }

    def use(self, trained: Trained | None) -> None:
        """Rank with what was trained from now on, or with the blend alone (domain.ports.Model.use)."""
        self._residual = Residual(trained) if trained is not None else NOTHING

    @property
    def policy(self) -> str:
        """What decides: the code's version, and that of what was trained."""
        return self._policy_version(self._residual)

    def _policy_version(self, residual: Residual) -> str:
        return f"{self.version}+{residual.version}" if residual.version else self.version

    @property
    def lessons(self) -> int:
        """Next-item lessons folded so far (domain.ports.Model.lessons)."""
        return self.state.blender.base.steps

    def blend(self, head: str) -> list[float]:
        """The blend's weights of a head, one a feature (domain.ports.Model.blend)."""
        weights: list[float] = self.state.blender.weights(head).tolist()
        return weights

    # -- learning --------------------------------------------------------------------------------

    def observe(
        self,
        profile: Profile,
        interactions: Sequence[Interaction],
        *,
        at_ms: int,
        lesson: bool,
        rewards: Sequence[tuple[Reward, Decision | None]] = (),
        shown: Sequence[str] = (),
        active: ActiveHour | None = None,
        trials: Sequence[Trial] = (),
    ) -> Observation:
        """What is to be learned from this record (domain.ports.Model.observe)."""
        examples = [each for each in map(self._reward_example, rewards) if each is not None]
        if lesson and interactions:
            examples += self._lessons(profile, interactions, at_ms)
        owned = tuple(int(bought(profile, each.item_id)) for each in interactions)
        return Observation(
            at_ms=at_ms,
            interactions=tuple(interactions),
            before=self._before(profile) if interactions else (),
            owned=owned,
            examples=tuple(examples),
            shown=tuple(shown),
            rewards=tuple(reward for reward, _ in rewards),
            activity=self._activity(active, at_ms, lesson=lesson) if active is not None else None,
            trials=tuple(trials),
        )

    def fold(self, seq: int, observation: Observation) -> None:
        """Learn one observation."""
        self.state.learn(observation)
        self.seq = seq

    def put_item(self, seq: int, item: Item) -> None:
        """Add or change a catalogue entry."""
        self.state.put(item)
        self.seq = seq

    def remove_item(self, seq: int, item_id: str) -> None:
        """Take an item out of every future slate."""
        self.state.remove(item_id)
        self.seq = seq

    # -- asking ----------------------------------------------------------------------------------

    def rank(
        self,
        profile: Profile,
        surface: SurfaceSpec,
        ask: Ask,
        *,
        at_ms: int,
        seed: int,
        readiness: float,
    ) -> Ranked:
        """The personal slate (domain.ports.Model.rank)."""
        if surface.kind == "choice":
            return self.state.choosers.of[surface.name].choose(
                profile,
                ask,
                self._rules[surface.name],
                self._filters,
                at_ms=at_ms,
                seed=seed,
                readiness=readiness,
            )
        person = Person(profile, self.state, self.settings, at_ms)
        found = Candidates(self.state, person, readiness)
        found.include(self._listed(surface))
        found.curate(surface.default)
        if surface.kind == "together" and ask.context.item:
            found.include_numbers(partners(self.state, ask.context.item))
        found.include_numbers(self._qualifying(len(found), profile, surface, ask, at_ms))
        features = found.matrix()
        only_new = surface.already_bought == "exclude"
        residual = self._residual  # one for the whole question, whatever is trained meanwhile
        weights = self.state.blender.weights(surface.name, new=only_new)
        centre = features.mean(axis=0) if len(features) else features.sum(axis=0)
        scores = (features - centre) @ weights  # against the average candidate: only order counts
        extra = self._extra(surface, ask, found.numbers)
        for added in extra.values():
            scores = scores + added
        among = ~found.own() if only_new else None
        lifted = residual.order(NEW if only_new else "", scores, features, among)
        order = self._demoted(lifted.order, profile, surface, found.numbers)
        rows = self._eligible(order, profile, surface, ask, found, at_ms)
        served = profile.quotas.get(surface.name, QuotaCount())
        placed, short = arrange(
            rows,
            self._policy(surface, ask),
            pins=self._rules[surface.name].pins,
            served=served,
            seed=seed,
        )
        places = [each.row.index for each in placed]
        parts = contributions(features[places] - centre, weights, lifted.parts(places))
        final = (scores[places] + lifted.lift(places)).tolist()
        rows_seen = [pack(row) for row in features[places]]
        items = []
        for each, sources, row, score in zip(placed, parts, rows_seen, final, strict=True):
            index = each.row.index
            item = self.state.items[found.numbers[index]]
            assert item is not None, "only items of the catalogue are eligible"
            sources |= {name: float(added[index]) for name, added in extra.items()}
            items.append(
                SlateItem(
                    item_id=item.item_id,
                    position=each.position,
                    score=score,
                    propensity=each.propensity,
                    slot=each.slot,
                    sources=sources,
                    reasons=reasons(sources, each.slot, item, self.state, person, ask),
                    features=row,
                )
            )
        shown = set(places)
        rest = [row for row in rows if row.index not in shown][:KEPT_CANDIDATES]
        said = found.sources_of([row.index for row in rest])
        kept = tuple(
            Candidate(row.item_id, float(scores[row.index]), sources)
            for row, sources in zip(rest, said, strict=True)
        )
        policy = self._policy_version(residual)
        return Ranked(tuple(items), kept, len(found.numbers), short, policy)

    def week(self, hours: Sequence[int], *, at_ms: int) -> Week:
        """When a person is there (domain.ports.Model.week)."""
        return self.state.moment.week(hours, at_ms)

    def standing(self, surface: SurfaceSpec, *, at_ms: int) -> Actions:
        """How the actions of a choice surface stand (domain.ports.Model.standing)."""
        return self.state.choosers.of[surface.name].standing(at_ms)

    def check_filter(self, source: str, surface: SurfaceSpec) -> None:
        """Raises BadFilter unless the filter can be used there."""
        if source:
            self._filters.get(source)
            if surface.kind == "choice":
                choosing.check_action_fields(source, surface)

    def default(self, surface: SurfaceSpec, ask: Ask, *, at_ms: int) -> Ranked:
        """The slate that depends on nobody (domain.ports.Model.default)."""
        if surface.kind == "choice":
            chooser = self.state.choosers.of[surface.name]
            return chooser.default(ask, self._rules[surface.name], self._filters, at_ms=at_ms)
        nobody = Profile(person="")
        test = self._rules[surface.name].eligible(nobody, ask, self._filters, at_ms)
        state = self.state
        source = state.trending if surface.default_source == "trending" else state.bestsellers
        numbers = [state.index[each] for each in surface.default if each in state.index]
        if surface.default_source != "curated":
            numbers += source
        numbers += range(len(state.ids)) if len(numbers) < MAX_SIZE else ()
        chosen: dict[int, Item] = {}
        size = self._policy(surface, ask).size
        for number in numbers:
            item = state.items[number]
            if number not in chosen and item is not None and test(item):
                chosen[number] = item
                if len(chosen) == size:
                    break
        items = tuple(
            SlateItem(item.item_id, place, 0.0, 1.0, "default", {}, ())
            for place, item in enumerate(chosen.values())
        )
        return Ranked(items, (), len(items), 0)

    def eligible(
        self, profile: Profile, surface: SurfaceSpec, ask: Ask, *, at_ms: int
    ) -> Callable[[Item], bool]:
        """A test whether an item may be shown on a surface, now, to this person."""
        return self._rules[surface.name].eligible(profile, ask, self._filters, at_ms)

    def parts(
        self,
        profile: Profile,
        surface: SurfaceSpec,
        ask: Ask,
        shown: frozenset[str],
        *,
        at_ms: int,
        readiness: float,
    ) -> Parts:
        """The blend taken apart: each source alone, and the blend without each (for a backtest)."""
        return parts(
            self.state,
            self.settings,
            profile,
            self.state.blender.weights(surface.name, new=surface.already_bought == "exclude"),
            at_ms=at_ms,
            readiness=readiness,
            test=self.eligible(profile, surface, ask, at_ms=at_ms),
            shown=shown,
            size=self._policy(surface, ask).size,
        )

    # -- state -----------------------------------------------------------------------------------

    def dump(self) -> bytes:
        """All state as bytes."""
        return dump.write(self.state, self.seq)

    def load(self, data: bytes) -> None:
        """Replace the state by a dump.

        Raises:
            ValueError: the dump is damaged or of another version.
        """
        self.seq = dump.read(self.state, data)

    def digest(self) -> str:
        """SHA-256 of the state."""
        return dump.digest(self.state)

    # -- inside ----------------------------------------------------------------------------------

    def _policy(self, surface: SurfaceSpec, ask: Ask) -> Policy:
        size = min(ask.size or surface.size, MAX_SIZE)
        return Policy(
            size, surface.diversity_quota, surface.exploration_share, surface.explore_from
        )

    def _listed(self, surface: SurfaceSpec) -> list[str]:
        """Items that must be candidates whatever the sources say: pinned, or included by id."""
        return [
            item for rule in surface.rules if rule.kind in ("pin", "include") for item in rule.items
        ]

    def _qualifying(
        self, known: int, profile: Profile, surface: SurfaceSpec, ask: Ask, at_ms: int
    ) -> list[int]:
        """Best-selling items that may be shown, enough for the slate and its exploring pool without those
        that were turned down: where a filter or an include rule may leave little of what the sources
        propose, or where they propose little."""
        policy = self._policy(surface, ask)
        size, missing = policy.size, policy.size + pool_size(policy.exploration)
        narrowed = bool(ask.filter) or self._rules[surface.name].includes
        if not narrowed and known >= size + KEPT_CANDIDATES:
            return []
        test = self.eligible(profile, surface, ask, at_ms=at_ms)
        state, found, down = self.state, list[int](), self._turned_down(profile)
        sold = np.argsort(-state.mid.sums[: len(state.ids)], kind="stable")[:LOOKED_THROUGH]
        for number in sold.tolist():
            item = state.items[number]
            if item is not None and test(item):
                found.append(number)
                missing -= number not in down
                if not missing:
                    break
        return found

    def _extra(
        self, surface: SurfaceSpec, ask: Ask, numbers: npt.NDArray[np.intp]
    ) -> dict[str, Floats]:
        """What is added to the blender's score: the item of the page, and boost rules."""
        extra: dict[str, Floats] = {}
        if surface.kind == "together" and ask.context.item:
            extra["together"] = together_scores(self.state, ask.context.item, numbers)
        rules = self._rules[surface.name]
        if rules.boosts:  # a boost multiplies an item's odds, so it adds its logarithm
            items = [self.state.items[number] for number in numbers]
            factors = [1.0 if item is None else rules.factor(item, ask) for item in items]
            extra["rule"] = np.log(np.array(factors))
        return extra

    def _demoted(
        self,
        order: npt.NDArray[np.intp],
        profile: Profile,
        surface: SurfaceSpec,
        numbers: npt.NDArray[np.intp],
    ) -> npt.NDArray[np.intp]:
        """The order with what the person turned down at its very end, and before that what they had,
        where the surface asks for it."""
        down, had = self._turned_down(profile), set[int]()
        if surface.already_bought == "demote":
            index, own = self.state.index, profile.own_items.items()
            had = {index.get(item_id, -1) for item_id, each in own if each.count > 0}
        if not down and not had:
            return order
        of = numbers[order].tolist()
        place = np.array([2 * (each in down) + (each in had) for each in of], dtype=np.intp)
        return order[np.argsort(place, kind="stable")]

    def _turned_down(self, profile: Profile) -> set[int]:
        own = profile.own_items.items()
        return {self.state.index.get(item_id, -1) for item_id, each in own if turned_down(each)}

    def _before(self, profile: Profile) -> tuple[Interaction, ...]:
        """The latest interactions that speak for their item: what came before, in a sequence."""
        return tuple(each for each in profile.recent[-BEFORE:] if positive(each, self.settings))

    def _eligible(
        self,
        order: npt.NDArray[np.intp],
        profile: Profile,
        surface: SurfaceSpec,
        ask: Ask,
        found: Candidates,
        at_ms: int,
    ) -> list[Row]:
        """The best that may be shown: enough for the slate, its pool and its diverse slots."""
        test = self._rules[surface.name].eligible(profile, ask, self._filters, at_ms)
        state, size = self.state, self._policy(surface, ask).size
        enough = size + MAX_POOL + KEPT_CANDIDATES
        adjacent, numbers = found.adjacent(), found.numbers
        categories, names = state.kinds[state.diversity].of, state.kinds[state.diversity].names
        down = self._turned_down(profile)
        rows: list[Row] = []

        def take(index: int) -> bool:
            number = int(numbers[index])
            item = state.items[number]
            if item is None or not test(item):
                return False
            category = names[categories[number]]
            rows.append(Row(item.item_id, category, bool(adjacent[index]), index, number in down))
            return True

        place = 0
        while place < len(order) and len(rows) < enough:
            take(int(order[place]))
            place += 1
        rest = order[place:]
        missing = size - sum(row.adjacent for row in rows)
        pinned = [state.index.get(pin.item_id, -1) for pin in self._rules[surface.name].pins]
        wanted = np.isin(numbers[rest], pinned) if pinned else np.zeros(len(rest), dtype=bool)
        if missing > 0:
            wanted |= adjacent[rest]
        for index in rest[wanted].tolist():
            if missing > 0 or numbers[index] in pinned:
                missing -= take(index) and bool(adjacent[index])
        return rows

    def _activity(self, active: ActiveHour, at_ms: int, *, lesson: bool) -> Activity:
        """Where it counts in the week; as a lesson also how well it was foreseen."""
        moment = self.state.moment
        evidence = moment.lesson(active.before, active.hour, at_ms) if lesson else ()
        return Activity(slot_of_week(active.hour), evidence)

    def _lessons(
        self, profile: Profile, interactions: Sequence[Interaction], at_ms: int
    ) -> list[Example]:
        """Rank as if asked just before, and note which candidates were then taken: among all of
        them, and once more among those that were new to the person."""
        person = Person(profile, self.state, self.settings, at_ms)
        trust = readiness_of(profile.evidence, self.settings.profile.readiness_half)
        found = Candidates(self.state, person, trust)
        features = found.matrix()
        taken = {
            self.state.index.get(each.item_id, -1)
            for each in interactions
            if self.settings.signals[each.signal].weight > 0
        }
        chosen = np.array([number in taken for number in found.numbers.tolist()], dtype=bool)
        everything = np.arange(len(chosen))
        new = np.flatnonzero(~found.own())
        lessons = (("", everything), (NEW, new)) if len(new) < len(chosen) else (("", everything),)
        examples = [
            example(name, features, features @ self.state.blender.weights(name), chosen, rows)
            for name, rows in lessons
        ]
        return [each for each in examples if each is not None]

    def _reward_example(self, pair: tuple[Reward, Decision | None]) -> Example | None:
        """The shown slate with the rewarded item as the chosen one, as it looked when it was decided.

        Deeper positions are seen less, so a reward there says more: its weight grows with the square
        root of the position (examination falls about so), and is bounded.
        """
        reward, decision = pair
        if decision is None or reward.value <= 0:
            return None
        rows = [each for each in decision.items if len(each.features) == 2 * len(NAMES)]
        chosen = [n for n, each in enumerate(rows) if each.item_id == reward.item_id]
        if len(rows) < 2 or not chosen:
            return None
        weight = min((1.0 + rows[chosen[0]].position) ** 0.5, _REWARD_WEIGHT_MAX)
        features = b"".join(each.features for each in rows)
        return Example(decision.surface, len(rows), features, tuple(chosen), weight)


def example(
    name: str,
    features: Floats,
    scores: Floats,
    chosen: npt.NDArray[np.bool_],
    rows: npt.NDArray[np.intp],
) -> Example | None:
    """A lesson from some of the candidates: the best, in their order; of the rest those chosen, and a
    sample of the others that says how many it stands for."""
    if not chosen[rows].any():
        return None
    order = rows[np.argsort(-scores[rows], kind="stable")]
    best, rest = order[:LESSON_BEST], order[LESSON_BEST:]
    picked, others = rest[chosen[rest]], rest[~chosen[rest]]
    sample = others[:: max(len(others) // LESSON_SPREAD, 1)]
    keep = np.concatenate((best, picked, sample))
    stands_for = len(others) / len(sample) if len(sample) else 1.0
    positives = tuple(np.flatnonzero(chosen[keep]).tolist())
    return Example(name, len(keep), pack(features[keep]), positives, 1.0, len(sample), stands_for)
