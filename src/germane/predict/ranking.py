"""One question to the model, answered in steps: gather, score, order, leave out, place, explain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from germane.domain.decision import Ask, Candidate, SlateItem
from germane.domain.forest import MADE_AHEAD, NEW
from germane.domain.muting import EXPLORE, FACTOR
from germane.domain.ports import Ranked
from germane.domain.profile import Profile, QuotaCount
from germane.domain.settings import SurfaceSpec
from germane.predict.blender import pack
from germane.predict.boosts import Boosts
from germane.predict.candidates import Candidates
from germane.predict.features import SOURCES
from germane.predict.filters import Filters
from germane.predict.looking import best_sold, further, related
from germane.predict.person import Person, had_before, turned_down
from germane.predict.reasons import Telling, contributions
from germane.predict.residual import Residual
from germane.predict.rules import Rules
from germane.predict.slate import MAX_POOL, Placed, Policy, Row, arrange, pool_size
from germane.predict.state import State
from germane.predict.together import partners, together_scores

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]

KEPT_CANDIDATES = 20
MUTED = "muted"
"""What it changes in a score that the person muted something, in explanations."""


class Ranking:
    """The personal slate of one surface for one person, now."""

    def __init__(
        self,
        state: State,
        profile: Profile,
        surface: SurfaceSpec,
        ask: Ask,
        policy: Policy,
        rules: Rules,
        boosts: Boosts,
        filters: Filters,
        residual: Residual,
        *,
        at_ms: int,
        readiness: float,
    ) -> None:
        """
        Args:
            state: What all people taught; not changed.
            profile: The person.
            surface: Where.
            ask: What is asked.
            policy: Size, quota and exploration of the slate, as the surface has them.
            rules: Those of the surface, compiled.
            boosts: What of them changes scores.
            filters: Compiles the ask's filter.
            residual: What was trained; one for the whole question, whatever is trained meanwhile.
            at_ms: When.
            readiness: How far the personal part is trusted, in [0, 1).

        Raises:
            BadFilter: the ask's filter is not a valid expression.
        """
        self._state = state
        self._profile = profile
        self._surface = surface
        self._ask = ask
        self._rules, self._boosts = rules, boosts
        self._residual = residual
        self._test = rules.eligible(profile, ask, filters, at_ms)
        self._down = self._turned_down()
        self._only_new = surface.already_bought == "exclude"
        self._weights = state.blender.weights(surface.name, new=self._only_new)
        self._person = Person(profile, state, state.settings, at_ms)
        self._muted = self._person.muted
        spared = EXPLORE in self._muted.sources
        self._policy = replace(policy, exploration=0.0) if spared else policy
        self._page = ask.context.item if "together" not in self._muted.sources else ""
        self._found = Candidates(state, self._person, readiness)

    def answer(self, seed: int) -> Ranked:
        """The slate (domain.ports.Model.rank); all chance comes from ``seed``. Asked once."""
        self._gather()
        rows = self._ordered()
        if len(rows) < self._policy.size and self._gather_further():
            rows = self._ordered()
        placed, short = self._arranged(rows, seed)
        if short and self._gather_related(short):
            rows = self._ordered()
            placed, short = self._arranged(rows, seed)
        items, kept = self._items(placed), self._kept(rows, placed)
        return Ranked(items, kept, len(self._found.numbers), short)

    @property
    def by_trees(self) -> bool:
        """Whether trees had a say in the answer."""
        return self._lifted.by_trees

    # -- who is a candidate ----------------------------------------------------------------------

    def _gather(self) -> None:
        """What the sources propose, and what must be there whatever they say."""
        found, surface, item = self._found, self._surface, self._page
        found.include(
            each for rule in surface.rules if rule.kind in ("pin", "include") for each in rule.items
        )
        found.curate(surface.default)
        if surface.kind == "together" and item:
            found.include_numbers(partners(self._state, item))
        size = self._policy.size
        if self._ask.filter or self._rules.includes or not found.has(size + KEPT_CANDIDATES):
            enough = size + pool_size(self._policy.exploration)
            found.include_numbers(best_sold(self._state, self._test, enough, self._down))

    def _gather_further(self) -> bool:
        """Where too few may be shown: from all of the catalogue. Whether that found any."""
        known = set(self._found.numbers.tolist())
        more = further(self._state, self._test, self._policy.size, known)
        self._found.include_numbers(more)
        return bool(more)

    def _gather_related(self, short: int) -> bool:
        """Where too few may be shown of related categories: more of these. Whether that found any."""
        unwanted = self._unwanted_kinds()
        kinds = [each for each in self._found.related_kinds() if each not in unwanted]
        if not kinds:
            return False
        known = set(self._found.numbers.tolist())
        more = related(self._state, kinds, self._test, short, self._policy.size, known)
        self._found.include_numbers(more)
        return bool(more)

    # -- in which order --------------------------------------------------------------------------

    def _ordered(self) -> list[Row]:
        """Candidates that may be shown, best first."""
        self._score()
        among = ~self._found.own() if self._only_new else None
        head = NEW if self._only_new else ""
        head = MADE_AHEAD[head] if self._surface.horizon == "day" else head
        self._lifted = self._residual.order(head, self._scores, self._features, among)
        return self._eligible(self._demoted(self._lifted.order))

    def _score(self) -> None:
        """By the blend, against the average candidate (only order counts), with what is added to it."""
        self._features = self._found.matrix()
        self._scores = self._features @ self._weights
        if len(self._scores):
            self._scores -= np.add.reduce(self._scores) / len(self._scores)
        self._less = self._unwanted(self._found.numbers)
        self._extra = self._added(self._found.numbers)
        for added in self._extra.values():
            self._scores = self._scores + added

    def _added(self, numbers: Numbers) -> dict[str, Floats]:
        """What is added to the blender's score: the item of the page, boost rules, what was muted."""
        extra: dict[str, Floats] = {}
        ask, state = self._ask, self._state
        if self._surface.kind == "together" and self._page:
            extra["together"] = together_scores(state, self._page, numbers)
        if self._rules.boosts:
            extra["rule"] = self._boosts.added(state, numbers, ask)
        if not self._muted.empty:
            extra[MUTED] = np.log(FACTOR) * self._less
        return extra

    def _unwanted(self, numbers: Numbers) -> Bools:
        """Which candidates are of a kind that the person wants less of, shape (n,)."""
        muted, of = self._unwanted_kinds(), self._state.kinds[self._state.diversity].of
        return np.isin(of[numbers], muted) if muted else np.zeros(len(numbers), dtype=bool)

    def _unwanted_kinds(self) -> list[int]:
        """The same, as their numbers."""
        known = self._state.kinds[self._state.diversity].numbers
        values = self._muted.values.get(self._state.diversity, {})
        return [known[each] for each in values if each in known]

    def _demoted(self, order: Numbers) -> Numbers:
        """The order with what the person turned down at its very end, and before that what they had,
        where the surface asks for it."""
        down, had = self._down, np.zeros(len(order), dtype=bool)
        if self._surface.already_bought == "demote":
            had = self._were_had(self._found.numbers[order])
        if not down and not had.any():
            return order
        less = np.isin(self._found.numbers[order], list(down))
        return order[np.argsort(2 * less + had, kind="stable")]

    def _were_had(self, numbers: Numbers) -> Bools:
        """Which of these the person had, whatever may be said of it, shape (n,)."""
        index, own = self._state.index, self._profile.own_items.items()
        counted = [index.get(item_id, -1) for item_id, each in own if each.count > 0]
        found: Bools = np.isin(numbers, counted)
        return found | had_before(self._state.keys(numbers), self._profile.had)

    def _turned_down(self) -> set[int]:
        index, own = self._state.index, self._profile.own_items.items()
        return {
            index.get(item_id, -1) for item_id, each in own if each.rejected_s and turned_down(each)
        }

    def _eligible(self, order: Numbers) -> list[Row]:
        """The best that may be shown: enough for the slate, its pool and its diverse slots."""
        size = self._policy.size
        enough = size + max(MAX_POOL, KEPT_CANDIDATES)
        adjacent, numbers = self._found.adjacent() & ~self._less, self._found.numbers
        rows: list[Row] = []
        begun = 0
        while begun < len(order) and len(rows) < enough:  # most may be shown: one turn is the rule
            part = order[begun : begun + enough - len(rows)]
            rows += self._may_be_shown(part, adjacent)
            begun += len(part)
        rest = order[begun:]
        missing = size - sum(row.adjacent for row in rows)
        pins = [self._state.index.get(pin.item_id, -1) for pin in self._rules.pins]
        pinned = np.isin(numbers[rest], pins) if pins else None
        if pinned is not None and pinned.any():
            rows += self._may_be_shown(rest[pinned], adjacent)
            rest = rest[~pinned]
        if missing > 0:
            rows += self._may_be_shown(rest[adjacent[rest]], adjacent, missing)
        return rows

    def _may_be_shown(self, order: Numbers, adjacent: Bools, count: int | None = None) -> list[Row]:
        """The first ``count`` of these candidates, or all, without those that must not be shown."""
        state, test, down = self._state, self._test, self._down
        kinds = state.kinds[state.diversity]
        numbers = self._found.numbers[order]
        rows: list[Row] = []
        for index, number, kind, near, less in zip(
            order.tolist(),
            numbers.tolist(),
            kinds.of[numbers].tolist(),
            adjacent[order].tolist(),
            self._less[order].tolist(),
            strict=True,
        ):
            item = state.items[number]
            if item is not None and test(item):
                unwanted = less or number in down
                rows.append(Row(item.item_id, kinds.names[kind], near, index, unwanted))
                if len(rows) == count:
                    break
        return rows

    def _arranged(self, rows: Sequence[Row], seed: int) -> tuple[list[Placed], int]:
        """The filled positions, and how many slots had to be diverse and could not be."""
        served = self._profile.quotas.get(self._surface.name, QuotaCount())
        return arrange(rows, self._policy, pins=self._rules.pins, served=served, seed=seed)

    # -- what is said of it ----------------------------------------------------------------------

    def _items(self, placed: Sequence[Placed]) -> tuple[SlateItem, ...]:
        """The filled positions, each with its score taken apart."""
        if not placed:
            return ()
        places = [each.row.index for each in placed]
        numbers = self._found.numbers[places].tolist()
        features = self._features[places]
        lift, trees = self._lifted.told(places)
        against = features - np.add.reduce(self._features, axis=0) / len(self._features)
        parts = contributions(against, self._weights, trees)
        if self._extra:
            parts = np.column_stack((parts, *(added[places] for added in self._extra.values())))
        if self._muted.sources:
            self._hush(parts)
        scores = (self._scores[places] + lift).tolist()
        packed, width = pack(features), 2 * features.shape[1]
        sources, curated = (*SOURCES, *self._extra), self._found.curated
        telling = Telling(self._state, self._person, self._ask, sources, curated)
        strongest = np.argsort(-parts, axis=1, kind="stable").tolist()
        found = []
        for place, (each, row) in enumerate(zip(placed, parts.tolist(), strict=True)):
            item = self._state.items[numbers[place]]
            assert item is not None, "only items of the catalogue are eligible"
            found.append(
                SlateItem(
                    item_id=item.item_id,
                    position=each.position,
                    score=scores[place],
                    propensity=each.propensity,
                    slot=each.slot,
                    sources=telling.sources(row),
                    reasons=telling.reasons(row, strongest[place], each.slot, item),
                    features=packed[place * width : (place + 1) * width],
                )
            )
        return tuple(found)

    def _hush(self, parts: Floats) -> None:
        """What trees make of it that a source is silent speaks for no source."""
        muted = [place for place, each in enumerate(SOURCES) if each in self._muted.sources]
        parts[:, -1] += parts[:, muted].sum(axis=1)
        parts[:, muted] = 0.0

    def _kept(self, rows: Sequence[Row], placed: Sequence[Placed]) -> tuple[Candidate, ...]:
        """The best of those that are not shown."""
        shown = {each.row.index for each in placed}
        rest = [row for row in rows if row.index not in shown][:KEPT_CANDIDATES]
        places = [row.index for row in rest]
        said = self._found.sources_of(places)
        scores = self._scores[places].tolist()
        return tuple(
            Candidate(row.item_id, score, sources)
            for row, score, sources in zip(rest, scores, said, strict=True)
        )
