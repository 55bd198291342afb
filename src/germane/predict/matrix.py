"""What the ranker sees of each candidate (``features.NAMES``), one row of the table a feature.

Features lie beside one another in the order of their names, so that those which are made in the same way
are made at once, for all candidates.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from germane.domain.months import MS_PER_DAY
from germane.predict.accumulator import Going, Numbers
from germane.predict.features import COLUMN, FRESH, WIDTH
from germane.predict.person import Person, had_before
from germane.predict.state import DEMAND_DAYS, NEW_DAYS, State

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

RARE_A_DAY = 0.05
"""Events a day that are added to both sides of a trend, so that a single one is no trend."""
HALF_EVENT = 0.5
"""Popularity is smoothed by half an event, so that a first one does not outweigh all else."""
MAX_TREND = 3.0


def _rows(first: str, last: str) -> slice:
    """The rows from one feature to another, both included."""
    return slice(COLUMN[first], COLUMN[last] + 1)


_FRESH = _rows(FRESH[0], FRESH[-1])
_FRESH_FROM = [COLUMN[name.removeprefix("fresh_")] for name in FRESH]
_POPULAR = _rows("tried_fast", "popular_slow")
_TREND = _rows("trend", "trend_now")
_PERSON = _rows("person_items", "person_away")
_ASKED = len(range(*_POPULAR.indices(WIDTH)))
"""Counts whose share is a feature: all but the last."""
_OF = {name: place for place, name in enumerate(DEMAND_DAYS)}
_MID, _SLOW = _OF["mid"], _OF["slow"]
_RATES = slice(_OF["fast"], _OF["now"] + 1)
"""Fast, mid, slow and now."""
_INVERSE_ROOTS: Floats = np.arange(1.0, 4097.0) ** -0.5


class Gathered(Protocol):
    """The candidates of one question, and what they were found by."""

    numbers: Numbers
    """Item numbers; the person's own items come first."""
    goes: Going
    """With the latest items."""
    goes_long: Going
    """With what the person has had most."""
    follows: Going
    """What came next, for others, after the latest items."""
    follows_last: Going
    """The same after the very latest, in any order."""
    history: Numbers
    """What the person had, the latest first."""
    related: Floats
    """How strongly each category that was never met is related to what is liked, by its number."""
    curated: dict[int, float]
    """Standing in the surface's curated list, by item number."""
    finest: str
    """The attribute, beside the categories, that tells most apart."""
    readiness: float


class Matrix:
    """The table of one question; ``features`` has the shape (features, candidates)."""

    def __init__(self, state: State, person: Person, found: Gathered) -> None:
        self._state, self._person, self._found = state, person, found
        self._numbers = found.numbers
        self.features: Floats = np.zeros((WIDTH, len(self._numbers)))
        if not len(self._numbers):
            return
        self._now_ms = max(person.at_ms, state.latest_ms)
        """When popularity is asked for: not before the newest event that is counted in it. (An event that
        comes late is ranked as of its own time, and what sold since cannot be taken out of the counts.)"""
        self._sums: Floats = state.demand.table.take(self._numbers, axis=1)
        self._own()
        self._together()
        self._linear()
        self._taste()
        self._popularity()
        self._content()
        self._fresh()
        self._history()

    def _set(self, name: str, values: Floats | Bools | float) -> None:
        self.features[COLUMN[name]] = values

    def _own(self) -> None:
        own = self._person.own
        if self._person.had:
            self._set("own", had_before(self._state.keys(self._numbers), self._person.had))
        if not own.numbers:
            return
        count = len(own.numbers)  # own items are gathered first
        rows, state, numbers = self.features[:, :count], self._state, self._numbers[:count]
        ratio = own.gap_days / np.maximum(own.interval_days, 0.5)
        due = np.exp(-2.0 * np.log(np.maximum(ratio, 1e-3)) ** 2)
        repeatable = (state.bought_again[numbers] + 0.5) / (state.bought[numbers] + 2.0)
        values: dict[str, Floats | Bools | float] = {
            "own": 1.0,
            "own_count": np.log1p(own.count),
            "own_recent": np.log1p(own.recent),
            "own_lasting": np.log1p(own.lasting),
            "own_rate": np.minimum(own.count / self._person.visits, 2.0),
            "own_recent_log": np.log1p(10.0 * own.recent) / 4.0,
            "own_lasting_log": np.log1p(5.0 * own.lasting) / 4.0,
            "own_gap_short": np.exp2(-(own.gap_days / 4.0)),
            "own_gap_month": np.exp2(-(own.gap_days / 30.0)),
            "own_gap_hours": np.exp2(-(own.gap_days * 8.0)),
            "own_latest": _ranked(1.0 / (1.0 + own.gap_days)),
            "own_due": np.where(own.regular, due, 0.0),
            "own_early": own.regular & (ratio < 0.5),
            "own_repeatable": repeatable,
        }
        for name, value in values.items():
            rows[COLUMN[name]] = value
        for name, share in own.visit_share.items():
            rows[COLUMN[f"own_visits_{name}"]] = np.log1p(100.0 * share) / 4.0

    def _together(self) -> None:
        found, look = self._found, self._state.sums.looked_up
        if len(found.goes[0]):
            value = self._strengths(look(found.goes, self._numbers))
            self._set("together", np.sqrt(np.minimum(value, 4.0)))
            self._set("together_rank", _ranked(value))
        if len(found.follows[0]):
            value = look(found.follows, self._numbers)
            self._set("followed", np.sqrt(value))
            self._set("followed_rank", _ranked(value))
        if len(found.follows_last[0]):
            self._set("followed_last", np.sqrt(look(found.follows_last, self._numbers)))
        if len(found.goes_long[0]):
            value = self._strengths(look(found.goes_long, self._numbers))
            self._set("together_long", np.sqrt(np.minimum(value, 4.0)))

    def _linear(self) -> None:
        history, state = self._found.history, self._state
        if not len(history):
            return
        latest = _inverse_roots(len(history)) ** 2
        every, late = state.linear.scores(
            self._numbers, history, [np.ones(len(history)), latest], state.sums
        )
        self._set("linear", np.sqrt(np.clip(every, 0.0, 4.0)))
        self._set("linear_rank", _ranked(every))
        self._set("linear_latest", np.sqrt(np.clip(late, 0.0, 4.0)))

    def _strengths(self, raw: Floats) -> Floats:
        """Co-visitation as a cosine: divided by the candidate's own popularity."""
        floor = 0.01 * self._state.slow.clock.weight(self._now_ms)
        value: Floats = raw / np.sqrt(self._sums[_SLOW] + floor)
        return value

    def _taste(self) -> None:
        state, person = self._state, self._person
        main, finest = state.diversity, self._found.finest
        others, names = np.zeros(len(self._numbers)), 0
        for name, shares in person.interests.items():
            if not shares:
                continue
            kinds = state.kinds[name].of[self._numbers]
            root = np.sqrt(person.vectors[name][kinds])
            if name == main:
                self._set("category_interest", root)
                self._set("category_pull", root * self._standing(name, kinds))
                continue
            others += root
            names += 1
            if name == finest:
                self._set("fine_interest", root)
                self._set("fine_pull", root * self._standing(name, kinds))
        if names:
            self._set("brand_interest", others / names)
        kinds = state.kinds[main].of[self._numbers]
        self._set("category_just", np.exp2(person.category_age_days[kinds] / -7.0))
        self._set("adjacent", self._found.related[kinds] > 0)
        if person.price_mean is not None:
            z = (state.log_price[self._numbers] - person.price_mean) / person.price_spread
            z[np.isnan(z)] = 0.0  # no price
            self._set("price_fit", -np.minimum(z**2, 4.0))

    def _standing(self, name: str, kinds: npt.NDArray[np.int32]) -> Floats:
        """Root of an item's popularity against the best of its value of an attribute, in [0, 1]."""
        counts, sums = self._sums[_MID], self._state.mid.sums
        standing = self._state.kinds[name].standing(kinds, counts, sums)
        return np.sqrt(standing, out=standing)

    def _popularity(self) -> None:
        demand, sums = self._state.demand, self._sums
        weights = demand.weights(self._now_ms)
        half = HALF_EVENT * weights
        average = demand.totals() / max(len(self._state.ids), 1)
        odds = self.features[_POPULAR]
        np.add(sums[:_ASKED], half[:_ASKED, None], out=odds)
        odds /= (average + half)[:_ASKED, None]
        np.log(odds, out=odds)
        odds /= 4.0
        rates = sums[_RATES] / (weights * demand.days)[_RATES, None]
        rates += RARE_A_DAY
        trends = self.features[_TREND]
        np.divide(rates[0::3], rates[2:0:-1], out=trends)  # fast to slow, now to mid
        np.log(trends, out=trends)
        np.minimum(trends, MAX_TREND, out=trends)
        np.maximum(trends, -MAX_TREND, out=trends)
        popular = self.features[COLUMN["popular_mid"]]
        self._set("cold_popular", popular * (1.0 - self._found.readiness))

    def _content(self) -> None:
        state, cold = self._state, 1.0 - self._found.readiness
        if self._found.curated:
            listed = np.array([*self._found.curated]), np.array([*self._found.curated.values()])
            self._set("cold_curated", state.sums.looked_up(listed, self._numbers) * cold)
        age = self._person.at_ms - state.created_ms[self._numbers]
        self._set("new", age < NEW_DAYS * MS_PER_DAY)
        if self._person.declared:
            declared = self._declared()
            self._set("declared", declared)
            self._set("cold_declared", declared * cold)

    def _declared(self) -> Floats:
        """Weight of the declared trait that speaks most for each."""
        found = np.zeros(len(self._numbers))
        items = [self._state.items[number] for number in self._numbers.tolist()]
        for name, weights in self._person.declared.items():
            for place, item in enumerate(items):
                if item is not None:
                    for value in item.values_of(name):
                        found[place] = max(found[place], weights.get(value, 0.0))
        return found

    def _fresh(self) -> None:
        never = 1.0 - self.features[COLUMN["own"]]
        np.multiply(self.features[_FRESH_FROM], never, out=self.features[_FRESH])

    def _history(self) -> None:
        person = self._person
        history = (len(person.own.numbers), person.visits, person.known_days, person.away_days)
        self.features[_PERSON] = np.log1p(history)[:, None]


def _ranked(values: Floats) -> Floats:
    """1 / sqrt(rank), the highest first; 0 where the value is 0."""
    count = int(np.count_nonzero(values > 0))
    found = np.zeros(len(values))
    found[np.argsort(-values, kind="stable")[:count]] = _inverse_roots(count)
    return found


def _inverse_roots(count: int) -> Floats:
    """1 / sqrt(1), 1 / sqrt(2) and so on."""
    if count <= len(_INVERSE_ROOTS):
        return _INVERSE_ROOTS[:count]
    roots: Floats = np.arange(1.0, count + 1.0) ** -0.5
    return roots
