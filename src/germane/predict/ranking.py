"""One question to the model, answered in steps: gather, score, order, leave out, place, explain."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from germane.domain.decision import Ask, Candidate, SlateItem
from germane.domain.ports import Ranked
from germane.domain.profile import Profile, QuotaCount
from germane.domain.settings import SurfaceSpec
from germane.predict.blender import NEW, pack
from germane.predict.candidates import Candidates
from germane.predict.filters import Filters
from germane.predict.looking import best_sold, further
from germane.predict.person import Person, turned_down
from germane.predict.reasons import contributions, reasons
from germane.predict.residual import Residual
from germane.predict.rules import Rules
from germane.predict.slate import MAX_POOL, Placed, Policy, Row, arrange, pool_size
from germane.predict.state import State
from germane.predict.together import partners, together_scores

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.intp]

KEPT_CANDIDATES = 20


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
            policy: Size, quota and exploration of the slate.
            rules: Those of the surface, compiled.
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
        self._policy = policy
        self._rules = rules
        self._residual = residual
        self._test = rules.eligible(profile, ask, filters, at_ms)
        self._down = self._turned_down()
        self._only_new = surface.already_bought == "exclude"
        self._weights = state.blender.weights(surface.name, new=self._only_new)
        self._person = Person(profile, state, state.settings, at_ms)
        self._found = Candidates(state, self._person, readiness)

    def answer(self, seed: int) -> Ranked:
        """The slate (domain.ports.Model.rank); all chance comes from ``seed``. Asked once."""
        self._gather()
        rows = self._ordered()
        if len(rows) < self._policy.size and self._gather_further():
            rows = self._ordered()
        served = self._profile.quotas.get(self._surface.name, QuotaCount())
        pins = self._rules.pins
        placed, short = arrange(rows, self._policy, pins=pins, served=served, seed=seed)
        items, kept = self._items(placed), self._kept(rows, placed)
        return Ranked(items, kept, len(self._found.numbers), short)

    # -- who is a candidate ----------------------------------------------------------------------

    def _gather(self) -> None:
        """What the sources propose, and what must be there whatever they say."""
        found, surface, item = self._found, self._surface, self._ask.context.item
        found.include(
            each for rule in surface.rules if rule.kind in ("pin", "include") for each in rule.items
        )
        found.curate(surface.default)
        if surface.kind == "together" and item:
            found.include_numbers(partners(self._state, item))
        size = self._policy.size
        if self._ask.filter or self._rules.includes or len(found) < size + KEPT_CANDIDATES:
            enough = size + pool_size(self._policy.exploration)
            found.include_numbers(best_sold(self._state, self._test, enough, self._down))

    def _gather_further(self) -> bool:
        """Where too few may be shown: from all of the catalogue. Whether that found any."""
        known = set(self._found.numbers.tolist())
        more = further(self._state, self._test, self._policy.size, known)
        self._found.include_numbers(more)
        return bool(more)

    # -- in which order --------------------------------------------------------------------------

    def _ordered(self) -> list[Row]:
        """Candidates that may be shown, best first."""
        self._score()
        among = ~self._found.own() if self._only_new else None
        head = NEW if self._only_new else ""
        self._lifted = self._residual.order(head, self._scores, self._features, among)
        return self._eligible(self._demoted(self._lifted.order))

    def _score(self) -> None:
        """By the blend, against the average candidate (only order counts), with what is added to it."""
        features = self._found.matrix()
        self._features = features
        self._centre = features.mean(axis=0) if len(features) else features.sum(axis=0)
        self._scores = (features - self._centre) @ self._weights
        self._extra = self._added(self._found.numbers)
        for added in self._extra.values():
            self._scores = self._scores + added

    def _added(self, numbers: Numbers) -> dict[str, Floats]:
        """What is added to the blender's score: the item of the page, and boost rules."""
        extra: dict[str, Floats] = {}
        ask, state = self._ask, self._state
        if self._surface.kind == "together" and ask.context.item:
            extra["together"] = together_scores(state, ask.context.item, numbers)
        rules = self._rules
        if rules.boosts:  # a boost multiplies an item's odds, so it adds its logarithm
            items = [state.items[number] for number in numbers]
            factors = [1.0 if item is None else rules.factor(item, ask) for item in items]
            extra["rule"] = np.log(np.array(factors))
        return extra

    def _demoted(self, order: Numbers) -> Numbers:
        """The order with what the person turned down at its very end, and before that what they had,
        where the surface asks for it."""
        down, had = self._down, set[int]()
        if self._surface.already_bought == "demote":
            index, own = self._state.index, self._profile.own_items.items()
            had = {index.get(item_id, -1) for item_id, each in own if each.count > 0}
        if not down and not had:
            return order
        of = self._found.numbers[order].tolist()
        place = np.array([2 * (each in down) + (each in had) for each in of], dtype=np.intp)
        return order[np.argsort(place, kind="stable")]

    def _turned_down(self) -> set[int]:
        index, own = self._state.index, self._profile.own_items.items()
        return {index.get(item_id, -1) for item_id, each in own if turned_down(each)}

    def _eligible(self, order: Numbers) -> list[Row]:
        """The best that may be shown: enough for the slate, its pool and its diverse slots."""
        state, found, size = self._state, self._found, self._policy.size
        enough = size + MAX_POOL + KEPT_CANDIDATES
        adjacent, numbers = found.adjacent(), found.numbers
        categories, names = state.kinds[state.diversity].of, state.kinds[state.diversity].names
        rows: list[Row] = []

        def take(index: int) -> bool:
            number = int(numbers[index])
            item = state.items[number]
            if item is None or not self._test(item):
                return False
            category = names[categories[number]]
            down = number in self._down
            rows.append(Row(item.item_id, category, bool(adjacent[index]), index, down))
            return True

        place = 0
        while place < len(order) and len(rows) < enough:
            take(int(order[place]))
            place += 1
        rest = order[place:]
        missing = size - sum(row.adjacent for row in rows)
        pinned = [state.index.get(pin.item_id, -1) for pin in self._rules.pins]
        wanted = np.isin(numbers[rest], pinned) if pinned else np.zeros(len(rest), dtype=bool)
        if missing > 0:
            wanted |= adjacent[rest]
        for index in rest[wanted].tolist():
            if missing > 0 or numbers[index] in pinned:
                missing -= take(index) and bool(adjacent[index])
        return rows

    # -- what is said of it ----------------------------------------------------------------------

    def _items(self, placed: Sequence[Placed]) -> tuple[SlateItem, ...]:
        """The filled positions, each with its score taken apart."""
        places = [each.row.index for each in placed]
        features, lifted = self._features[places], self._lifted
        parts = contributions(features - self._centre, self._weights, lifted.parts(places))
        scores = (self._scores[places] + lifted.lift(places)).tolist()
        return tuple(
            self._item(each, row, score, sources)
            for each, row, score, sources in zip(placed, features, scores, parts, strict=True)
        )

    def _item(
        self, each: Placed, features: Floats, score: float, sources: dict[str, float]
    ) -> SlateItem:
        index = each.row.index
        item = self._state.items[self._found.numbers[index]]
        assert item is not None, "only items of the catalogue are eligible"
        sources |= {name: float(added[index]) for name, added in self._extra.items()}
        return SlateItem(
            item_id=item.item_id,
            position=each.position,
            score=score,
            propensity=each.propensity,
            slot=each.slot,
            sources=sources,
            reasons=reasons(sources, each.slot, item, self._state, self._person, self._ask),
            features=pack(features),
        )

    def _kept(self, rows: Sequence[Row], placed: Sequence[Placed]) -> tuple[Candidate, ...]:
        """The best of those that are not shown."""
        shown = {each.row.index for each in placed}
        rest = [row for row in rows if row.index not in shown][:KEPT_CANDIDATES]
        said = self._found.sources_of([row.index for row in rest])
        return tuple(
            Candidate(row.item_id, float(self._scores[row.index]), sources)
            for row, sources in zip(rest, said, strict=True)
        )
