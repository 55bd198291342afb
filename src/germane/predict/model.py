"""The shared model: folds observations, ranks for a person, explains, and can be written and read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from germane.domain.decay import readiness as readiness_of
from germane.domain.decision import Actions, Ask, Decision, SlateItem
from germane.domain.event import Interaction
from germane.domain.forest import MADE_AHEAD, NEW, Trained, heads_ahead
from germane.domain.hours import slot_of_week
from germane.domain.item import Item
from germane.domain.moment import ActiveHour, Activity, Week
from germane.domain.outcome import Example, Observation, Reward, Trial
from germane.domain.ports import Model, Ranked
from germane.domain.profile import Profile
from germane.domain.settings import Settings, SurfaceSpec
from germane.predict import dump
from germane.predict.bandit import choosing
from germane.predict.blender import pack
from germane.predict.boosts import Boosts
from germane.predict.candidates import Candidates
from germane.predict.features import LAYOUT, NAMES
from germane.predict.filters import Filters
from germane.predict.looking import LOOKED_FURTHER, first, further
from germane.predict.parts import Parts, parts
from germane.predict.person import Person
from germane.predict.ranking import Ranking
from germane.predict.residual import DEPTH, NOTHING, Residual
from germane.predict.rules import Rules, bought
from germane.predict.slate import Policy
from germane.predict.state import State

Floats = npt.NDArray[np.float64]

BEFORE = 12
LESSON_BEST, LESSON_SPREAD = DEPTH, 12
"""Rows of a lesson beside the chosen ones: the best by score, and a sample spread over the rest."""
AWAY_MS = 6 * 3_600_000
"""Whoever was away for so long has come back."""
MAX_SIZE = 200
_REWARD_WEIGHT_MAX = 4.0


class SharedModel:
    """Implements ``domain.ports.Model``."""

    version = f"blend-{LAYOUT}"

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.seq = 0
        self.state = State(settings)
        self._residual = NOTHING
        self._ahead = frozenset(heads_ahead(settings.surfaces.values()))
        self._filters = Filters(tuple(settings.attributes))
        self._rules: dict[str, Rules] = {}
        self._boosts: dict[str, Boosts] = {}
        self._rule()

    def use(self, trained: Trained | None) -> None:
        """Rank with what was trained from now on, or with the blend alone (domain.ports.Model.use)."""
        self._residual = Residual(trained) if trained is not None else NOTHING

    def take(self, other: Model) -> None:
        """Have another one's state (domain.ports.Model.take)."""
        assert isinstance(other, SharedModel)
        self.state, self.seq = other.state, other.seq
        self._rule()

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

    @property
    def latest_ms(self) -> int:
        """Time of the newest interaction that was counted (domain.ports.Model.latest_ms)."""
        return self.state.latest_ms

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
        ahead: bool = False,
        rewards: Sequence[tuple[Reward, Decision | None]] = (),
        shown: Sequence[str] = (),
        active: ActiveHour | None = None,
        trials: Sequence[Trial] = (),
    ) -> Observation:
        """What is to be learned from this record (domain.ports.Model.observe)."""
        examples = [each for each in map(self._reward_example, rewards) if each is not None]
        back = self._came_back(profile, at_ms)
        of_next = lesson and not _knows_later(profile, at_ms)
        if interactions and (of_next or (ahead and back and self._liked(interactions))):
            examples += self._lessons(profile, interactions, at_ms, lesson=of_next, back=back)
        owned = tuple(int(bought(profile, each.item_id)) for each in interactions)
        return Observation(
            at_ms=at_ms,
            interactions=tuple(interactions),
            before=self._before(profile, at_ms) if interactions else (),
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

    def put_surfaces(self, seq: int, prefix: str, surfaces: Sequence[SurfaceSpec]) -> None:
        """The choice surfaces that a content item brings (domain.ports.Learner)."""
        self.state.choosers.bring(prefix, surfaces)
        self._rule()
        self.seq = seq

    def _rule(self) -> None:
        """Compile the rules of every surface."""
        attributes = tuple(self.settings.attributes)
        surfaces = {**self.settings.surfaces, **self.state.choosers.brought}
        self._rules = {
            name: Rules(choosing.seen_by_rules(each), attributes) for name, each in surfaces.items()
        }
        self._boosts = {name: Boosts(rules) for name, rules in self._rules.items()}

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
        residual = self._residual
        ranking = Ranking(
            self.state,
            profile,
            surface,
            ask,
            self._policy(surface, ask),
            self._rules[surface.name],
            self._boosts[surface.name],
            self._filters,
            residual,
            at_ms=at_ms,
            readiness=readiness,
        )
        answer = ranking.answer(seed)
        return replace(
            answer, policy=self._policy_version(residual) if ranking.by_trees else self.version
        )

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

    def default(
        self, surface: SurfaceSpec, ask: Ask, *, at_ms: int, person: Profile | None = None
    ) -> Ranked:
        """The slate that depends on nobody (domain.ports.Model.default)."""
        if surface.kind == "choice":
            chooser = self.state.choosers.of[surface.name]
            return chooser.default(ask, self._rules[surface.name], self._filters, at_ms=at_ms)
        person = person or Profile(person="")
        test = self._rules[surface.name].eligible(person, ask, self._filters, at_ms)
        state = self.state
        trending = surface.default_source == "trending"
        source = state.lists.trending if trending else state.lists.bestsellers
        numbers = [state.index[each] for each in surface.default if each in state.index]
        if surface.default_source != "curated":
            numbers += source
        numbers += range(len(state.ids))[:LOOKED_FURTHER] if len(numbers) < MAX_SIZE else ()
        size = self._policy(surface, ask).size
        chosen = first(state, dict.fromkeys(numbers), test, size)
        if len(chosen) < size:
            chosen += further(state, test, size - len(chosen), set(chosen))
        items = tuple(
            SlateItem(state.ids[number], place, 0.0, 1.0, "default", {}, ())
            for place, number in enumerate(chosen)
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
        self._rule()

    def digest(self) -> str:
        """SHA-256 of the state."""
        return dump.digest(self.state)

    # -- inside ----------------------------------------------------------------------------------

    def _policy(self, surface: SurfaceSpec, ask: Ask) -> Policy:
        size = min(ask.size or surface.size, MAX_SIZE)
        return Policy(
            size, surface.diversity_quota, surface.exploration_share, surface.explore_from
        )

    def _before(self, profile: Profile, at_ms: int) -> tuple[Interaction, ...]:
        """Those of the latest interactions that speak for their item: what came before, in a sequence."""
        return tuple(each for each in before(profile, at_ms) if each.signal in self.state.liking)

    def _activity(self, active: ActiveHour, at_ms: int, *, lesson: bool) -> Activity:
        """Where it counts in the week; as a lesson also how well it was foreseen."""
        moment = self.state.moment
        evidence = moment.lesson(active.before, active.hour, at_ms) if lesson else ()
        return Activity(slot_of_week(active.hour), evidence)

    def _came_back(self, profile: Profile, at_ms: int) -> bool:
        """Whether this person had been away, where that is asked for."""
        if not self._ahead or not profile.recent:
            return False
        return at_ms - profile.recent[-1].at_ms >= AWAY_MS

    def _liked(self, interactions: Sequence[Interaction]) -> list[str]:
        """Items that something speaks for."""
        return [each.item_id for each in interactions if each.signal in self.state.liking]

    def _lessons(
        self,
        profile: Profile,
        interactions: Sequence[Interaction],
        at_ms: int,
        *,
        lesson: bool,
        back: bool,
    ) -> list[Example]:
        """Rank as if asked just before, and note which candidates were then taken: among all of
        them, and once more among those that were new to the person.

        Args:
            profile: Before.
            interactions: What was done.
            at_ms: When.
            lesson: Whether it is one for the next step.
            back: Whether it is one for lists that are made ahead: also where nothing of it was taken yet.
        """
        person = Person(profile, self.state, self.settings, at_ms)
        trust = readiness_of(profile.evidence, self.settings.profile.readiness_half)
        found = Candidates(self.state, person, trust)
        features = found.matrix()
        taken = [self.state.index.get(each, -1) for each in self._liked(interactions)]
        chosen = np.isin(found.numbers, taken)
        everything = np.arange(len(chosen))
        new = np.flatnonzero(~found.own())
        lessons = (("", everything), (NEW, new)) if len(new) < len(chosen) else (("", everything),)
        keys = self.state.keys(found.numbers) if back and taken else None
        made: list[Example] = []
        for name, rows in lessons:
            named = keys if MADE_AHEAD[name] in self._ahead else None
            of_next = lesson and bool(chosen[rows].any())
            if len(rows) and (of_next or named is not None):
                scores = features @ self.state.blender.weights(name)
                head = name if of_next else MADE_AHEAD[name]
                made.append(example(head, features, scores, chosen, rows, named))
        return made

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


def before(profile: Profile, at_ms: int) -> tuple[Interaction, ...]:
    """The latest interactions until then: all that is read of them for an event that is no lesson."""
    recent = profile.recent
    if _knows_later(profile, at_ms):
        recent = tuple(each for each in recent if each.at_ms <= at_ms)
    return recent[-BEFORE:]


def _knows_later(profile: Profile, at_ms: int) -> bool:
    """Whether a profile holds what was done after that time: then it is not the person of that moment, and
    what came next is no secret to it."""
    return bool(profile.recent) and profile.recent[-1].at_ms > at_ms


def example(
    name: str,
    features: Floats,
    scores: Floats,
    chosen: npt.NDArray[np.bool_],
    rows: npt.NDArray[np.intp],
    keys: npt.NDArray[np.uint32] | None = None,
) -> Example:
    """A lesson from some of the candidates: the best, in their order; of the rest those chosen, and a
    sample of the others that says how many it stands for. ``keys``: what stands for each candidate's item,
    to be kept with it."""
    order = rows[np.argsort(-scores[rows], kind="stable")]
    best, rest = order[:LESSON_BEST], order[LESSON_BEST:]
    picked, others = rest[chosen[rest]], rest[~chosen[rest]]
    sample = others[:: max(len(others) // LESSON_SPREAD, 1)]
    keep = np.concatenate((best, picked, sample))
    stands_for = len(others) / len(sample) if len(sample) else 1.0
    positives = tuple(np.flatnonzero(chosen[keep]).tolist())
    named = b"" if keys is None else keys[keep].astype("<u4").tobytes()
    return Example(
        name, len(keep), pack(features[keep]), positives, 1.0, len(sample), stands_for, named
    )
