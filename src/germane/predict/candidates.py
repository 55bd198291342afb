"""Candidates: the union of what each source proposes, with the sources' own values for the ranker."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from heapq import nlargest

import numpy as np
import numpy.typing as npt

from germane.domain.months import MS_PER_DAY
from germane.predict.counters import Clock, DecayedCounts
from germane.predict.features import COLUMN, FRESH, PROPOSING, SOURCES, WIDTH
from germane.predict.person import Person
from germane.predict.state import NEW_DAYS, STEPS_BACK, State

Floats = npt.NDArray[np.float64]

TOGETHER = 60
FOLLOWED = 60
FOLLOWED_SHARE = 0.6
"""How much less each step further back asks for what follows."""
CATEGORIES, PER_CATEGORY = 12, 5
VALUES, PER_VALUE = 4, 5
POPULAR = 150
NEW = 12
ADJACENT, PER_ADJACENT = 8, 3
RARE_A_DAY = 0.05
"""Events a day that are added to both sides of a trend, so that a single one is no trend."""
HALF_EVENT = 0.5
"""Popularity is smoothed by half an event, so that a first one does not outweigh all else."""
Numbers = npt.NDArray[np.intp]
Going = tuple[Numbers, Floats]
"""Item numbers in order, and how strongly each goes with something."""
NOWHERE: Going = (np.zeros(0, dtype=np.intp), np.zeros(0))
_FRESH = [COLUMN[name] for name in FRESH]
_PERSON = [COLUMN[f"person_{name}"] for name in ("items", "visits", "days", "away")]
_BITS = 1 << np.arange(len(SOURCES), dtype=np.int64)
_FRESH_FROM = [COLUMN[name.removeprefix("fresh_")] for name in FRESH]


class Candidates:
    """Item numbers, each once, and a feature row for each."""

    def __init__(self, state: State, person: Person, readiness: float) -> None:
        self._state = state
        self._person = person
        self._place: dict[int, None] = {}
        """Item numbers as an ordered set."""
        kinds = state.kinds[state.diversity]
        self._liked = kinds.vector(person.interests[state.diversity])
        self._goes = self._going_together(person.latest)
        self._follows, self._follows_last = self._following(person.latest)
        self._goes_long = self._going_together(person.usual)
        self._adjacent = self._adjacent_categories()
        self._readiness = readiness
        self._curated: dict[int, float] = {}
        self._gather()
        self.numbers: npt.NDArray[np.intp] = np.zeros(0, dtype=np.intp)
        self.features: Floats = np.zeros((0, WIDTH))

    def __len__(self) -> int:
        """Items of the catalogue gathered so far (people have to do with others, too)."""
        items = self._state.items
        return sum(items[number] is not None for number in self._place)

    def include(self, item_ids: Iterable[str]) -> None:
        """Items that must be there whatever the sources say. Before ``matrix``."""
        for item_id in item_ids:
            number = self._state.index.get(item_id)
            if number is not None:
                self._place[number] = None

    def curate(self, item_ids: Sequence[str]) -> None:
        """The surface's curated list, best first: where to begin with someone nobody knows."""
        for place, item_id in enumerate(item_ids):
            number = self._state.index.get(item_id)
            if number is not None:
                self._place[number] = None
                self._curated[number] = 1.0 - 0.5 * place / len(item_ids)

    def include_numbers(self, numbers: Iterable[int]) -> None:
        """The same, by item number."""
        self._place.update(dict.fromkeys(numbers))

    def matrix(self) -> Floats:
        """The feature rows, shape (n, WIDTH), in the order of ``numbers``."""
        self.numbers = np.fromiter(self._place, dtype=np.intp, count=len(self._place))
        self.features = np.zeros((len(self._place), WIDTH))
        if self._place:
            self._own()
            self._together()
            self._taste()
            self._popularity(self._readiness)
            self._content(self._readiness)
            self._fresh()
            self._history()
        return self.features

    def adjacent(self) -> npt.NDArray[np.bool_]:
        """Which candidates are of a related category that the person has not met, shape (n,)."""
        found: npt.NDArray[np.bool_] = self.features[:, COLUMN["adjacent"]] > 0
        return found

    def own(self) -> npt.NDArray[np.bool_]:
        """Which candidates the person had before."""
        had: npt.NDArray[np.bool_] = self.features[:, COLUMN["own"]] > 0
        return had

    def sources_of(self, rows: Sequence[int]) -> list[tuple[str, ...]]:
        """For each of some candidates, the sources that have something to say about it."""
        said = (self.features[list(rows)] != 0.0).astype(float) @ PROPOSING > 0
        return [_named(each) for each in (said @ _BITS).tolist()]

    # -- who is asked for candidates -------------------------------------------------------------

    def _gather(self) -> None:
        place, state = self._place, self._state
        place.update(dict.fromkeys(self._person.own.numbers))
        place.update(dict.fromkeys(_strongest(self._goes, TOGETHER)))
        place.update(dict.fromkeys(_strongest(self._goes_long, TOGETHER)))
        place.update(dict.fromkeys(_strongest(self._follows, FOLLOWED)))
        broad = (state.diversity, state.finest)
        for name, shares in self._person.interests.items():
            main = name in broad
            width, depth = (CATEGORIES, PER_CATEGORY) if main else (VALUES, PER_VALUE)
            for value, _ in nlargest(width, shares.items(), key=_value):
                self._add_tops(name, state.kinds[name].numbers.get(value, 0), depth)
        for name, values in self._person.declared.items():
            for value in values:
                if name in state.kinds:
                    self._add_tops(name, state.kinds[name].numbers.get(value, 0), 2 * PER_VALUE)
        nearest = np.argsort(-self._adjacent, kind="stable")[:ADJACENT]
        for kind in nearest[self._adjacent[nearest] > 0].tolist():
            self._add_tops(state.diversity, kind, PER_ADJACENT)
        for popular in (state.rising, state.trending, state.bestsellers, state.tried):
            place.update(dict.fromkeys(popular[:POPULAR]))
        place.update(dict.fromkeys(self._new_items()))

    def _add_tops(self, name: str, kind: int, count: int) -> None:
        for number, _ in self._state.tops[name].ordered(kind)[:count]:
            self._place[number] = None

    def _new_items(self) -> list[int]:
        """The youngest items, those of the person's own categories first."""
        young = self._state.newest[: 10 * NEW]
        if not young:
            return []
        liked = self._liked[self._state.kinds[self._state.diversity].of[young]]
        return [young[place] for place in np.argsort(-liked, kind="stable")[:NEW].tolist()]

    def _going_together(self, history: list[tuple[int, float]]) -> Going:
        """Sum over a history of how strongly each neighbour goes with it."""
        together, slow = self._state.together, self._state.slow.sums
        entries, weights = [], []
        for number, weight in history:
            row = together.arrays(number)
            if row is not None:
                entries.append(row[0])
                weights.append(row[1] * (weight / (float(slow[number]) + 1e-300) ** 0.5))
        if not entries:
            return NOWHERE
        numbers, places = np.unique(np.concatenate(entries), return_inverse=True)
        sums: Floats = np.bincount(places, np.concatenate(weights)).astype(float, copy=False)
        return numbers, sums

    def _following(self, latest: list[tuple[int, float]]) -> tuple[Going, Going]:
        """What came next for others: after the latest items, and after the very latest alone.

        Of each item, shares of what followed it; so one that is met often does not outweigh the rest.
        """
        entries, shares = [], []
        for step, (number, _) in enumerate(latest[:STEPS_BACK]):
            row = self._state.followed.arrays(number)
            if row is not None:
                entries.append(row[0])
                shares.append(row[1] * (FOLLOWED_SHARE**step / float(row[1].sum())))
            elif step == 0:
                entries.append(NOWHERE[0])
                shares.append(NOWHERE[1])
        if not entries:
            return NOWHERE, NOWHERE
        order = np.argsort(entries[0], kind="stable")
        last = (entries[0][order], shares[0][order]) if len(order) else NOWHERE
        numbers, places = np.unique(np.concatenate(entries), return_inverse=True)
        if not len(numbers):
            return NOWHERE, last
        sums: Floats = np.bincount(places, np.concatenate(shares)).astype(float, copy=False)
        return (numbers, sums), last

    def _adjacent_categories(self) -> Floats:
        """How strongly each category that was never met is related to those that are liked, by number."""
        found = np.zeros(len(self._liked))
        for kind in np.argsort(-self._liked, kind="stable")[:CATEGORIES].tolist():
            share = float(self._liked[kind])
            if share <= 0:
                break
            row = self._state.related.arrays(kind)
            if row is not None:
                found[row[0]] += row[1] * (share / row[1].sum())
        found[self._person.met] = 0.0
        return found

    # -- features --------------------------------------------------------------------------------

    def _set(self, name: str, rows: npt.NDArray[np.intp] | slice, values: Floats | float) -> None:
        self.features[rows, COLUMN[name]] = values

    def _own(self) -> None:
        own = self._person.own
        if not own.numbers:
            return
        rows = slice(0, len(own.numbers))  # own items are gathered first
        state, numbers = self._state, self.numbers[rows]
        bought = state.bought[numbers]
        ratio = own.gap_days / np.maximum(own.interval_days, 0.5)
        due = np.exp(-2.0 * np.log(np.maximum(ratio, 1e-3)) ** 2)
        self._set("own", rows, 1.0)
        self._set("own_count", rows, np.log1p(own.count))
        self._set("own_recent", rows, np.log1p(own.recent))
        self._set("own_lasting", rows, np.log1p(own.lasting))
        self._set("own_rate", rows, np.minimum(own.count / self._person.visits, 2.0))
        for name, share in own.visit_share.items():
            self._set(f"own_visits_{name}", rows, np.log1p(100.0 * share) / 4.0)
        self._set("own_recent_log", rows, np.log1p(10.0 * own.recent) / 4.0)
        self._set("own_lasting_log", rows, np.log1p(5.0 * own.lasting) / 4.0)
        self._set("own_gap_short", rows, 2.0 ** -(own.gap_days / 4.0))
        self._set("own_gap_month", rows, 2.0 ** -(own.gap_days / 30.0))
        self._set("own_gap_hours", rows, 2.0 ** -(own.gap_days * 8.0))
        self._set("own_latest", rows, _ranked(1.0 / (1.0 + own.gap_days)))
        self._set("own_due", rows, np.where(own.regular, due, 0.0))
        self._set("own_early", rows, (own.regular & (ratio < 0.5)).astype(float))
        self._set("own_repeatable", rows, (state.bought_again[numbers] + 0.5) / (bought + 2.0))

    def _together(self) -> None:
        if len(self._goes[0]):
            value = self._strengths(self._goes)
            self._set("together", slice(None), np.sqrt(np.minimum(value, 4.0)))
            self._set("together_rank", slice(None), _ranked(value))
        if len(self._follows[0]):
            value = _looked_up(self._follows, self.numbers)
            self._set("followed", slice(None), np.sqrt(value))
            self._set("followed_rank", slice(None), _ranked(value))
        if len(self._follows_last[0]):
            value = _looked_up(self._follows_last, self.numbers)
            self._set("followed_last", slice(None), np.sqrt(value))
        if len(self._goes_long[0]):
            value = self._strengths(self._goes_long)
            self._set("together_long", slice(None), np.sqrt(np.minimum(value, 4.0)))

    def _strengths(self, goes: Going) -> Floats:
        """Co-visitation as a cosine: divided by the candidate's own popularity."""
        slow = self._state.slow
        raw = _looked_up(goes, self.numbers)
        floor = 0.01 * slow.clock.weight(self._now())
        value: Floats = raw / np.sqrt(slow.sums[self.numbers] + floor)
        return value

    def _taste(self) -> None:
        state, person = self._state, self._person
        kinds = state.kinds[state.diversity].of[self.numbers]
        interest = self._liked[kinds]
        self._set("category_interest", slice(None), np.sqrt(interest))
        standing = self._standing(state.diversity, kinds)
        self._set("category_pull", slice(None), np.sqrt(interest * standing))
        finest = state.finest
        if finest:
            fine = state.kinds[finest]
            kinds_fine = fine.of[self.numbers]
            liked = fine.vector(person.interests[finest])[kinds_fine]
            self._set("fine_interest", slice(None), np.sqrt(liked))
            standing = self._standing(finest, kinds_fine)
            self._set("fine_pull", slice(None), np.sqrt(liked * standing))
        ages = person.category_age_days[kinds]
        self._set("category_just", slice(None), 2.0 ** -(ages / 7.0))
        self._set("brand_interest", slice(None), self._other_interests())
        self._set("adjacent", slice(None), (self._adjacent[kinds] > 0).astype(float))
        if person.price_mean is not None:
            z = (state.log_price[self.numbers] - person.price_mean) / person.price_spread
            z[np.isnan(z)] = 0.0  # no price
            self._set("price_fit", slice(None), -np.minimum(z**2, 4.0))

    def _standing(self, name: str, kinds: npt.NDArray[np.int32]) -> Floats:
        """An item's popularity relative to the best of its value of an attribute, in [0, 1]."""
        sums = self._state.mid.sums
        standing: Floats = sums[self.numbers] / self._state.kinds[name].best(kinds, sums)
        return np.minimum(standing, 1.0)

    def _other_interests(self) -> Floats:
        """Mean share of interest over the other tracked attributes."""
        total, names = np.zeros(len(self.numbers)), 0
        for name, shares in self._person.interests.items():
            if name != self._state.diversity and shares:
                kinds = self._state.kinds[name]
                total += np.sqrt(kinds.vector(shares)[kinds.of[self.numbers]])
                names += 1
        return total / max(names, 1)

    def _fresh(self) -> None:
        fresh = 1.0 - self.features[:, COLUMN["own"]]
        self.features[:, _FRESH] = self.features[:, _FRESH_FROM] * fresh[:, None]

    def _history(self) -> None:
        person = self._person
        history = (len(person.own.numbers), person.visits, person.known_days, person.away_days)
        self.features[:, _PERSON] = np.log1p(history)

    def _popularity(self, readiness: float) -> None:
        state, now = self._state, self._now()
        shares = {
            "popular_hours": state.hours,
            "popular_fast": state.fast,
            "popular_mid": state.mid,
            "popular_slow": state.slow,
            "tried_fast": state.tried_fast,
            "tried_mid": state.tried_mid,
        }
        odds = np.empty((len(shares), len(self.numbers)))
        for place, counts in enumerate(shares.values()):
            half = HALF_EVENT * counts.clock.weight(now)
            average = counts.total / max(len(state.ids), 1)
            np.add(counts.sums[self.numbers], half, out=odds[place])
            odds[place] /= average + half
        self.features[:, [COLUMN[name] for name in shares]] = (np.log(odds) / 4.0).T
        self._set("trend", slice(None), self._trend(state.fast, state.slow))
        self._set("trend_now", slice(None), self._trend(state.now, state.mid))
        popular = self.features[:, COLUMN["popular_mid"]]
        self._set("cold_popular", slice(None), popular * (1.0 - readiness))

    def _now(self) -> int:
        """When popularity is asked for: not before the newest event that is counted in it. (An event that
        comes late is ranked as of its own time, and what sold since cannot be taken out of the counts.)"""
        return max(self._person.at_ms, self._state.latest_ms)

    def _trend(self, shorter: DecayedCounts, longer: DecayedCounts) -> Floats:
        """How the events a day of a short while stand to those of a longer one, as a logarithm."""
        now = self._now()
        one = _rate(shorter.sums[self.numbers], shorter.clock, now)
        two = _rate(longer.sums[self.numbers], longer.clock, now)
        found: Floats = np.clip(np.log((one + RARE_A_DAY) / (two + RARE_A_DAY)), -3, 3)
        return found

    def _content(self, readiness: float) -> None:
        state = self._state
        if self._curated:
            standing = [self._curated.get(number, 0.0) for number in self.numbers.tolist()]
            self._set("cold_curated", slice(None), np.array(standing) * (1.0 - readiness))
        age = self._person.at_ms - state.created_ms[self.numbers]
        self._set("new", slice(None), (age < NEW_DAYS * MS_PER_DAY).astype(float))
        if not self._person.declared:
            return
        declared = np.zeros(len(self.numbers))
        for name, weights in self._person.declared.items():
            for place, number in enumerate(self.numbers):
                item = state.items[number]
                if item is not None:
                    for value in item.values_of(name):
                        declared[place] = max(declared[place], weights.get(value, 0.0))
        self._set("declared", slice(None), declared)
        self._set("cold_declared", slice(None), declared * (1.0 - readiness))


@lru_cache(maxsize=4_096)
def _named(bits: int) -> tuple[str, ...]:
    """The sources whose bits are set."""
    return tuple(name for place, name in enumerate(SOURCES) if bits >> place & 1)


def _rate(sums: Floats, clock: Clock, now_ms: int) -> Floats:
    """Decayed counts as events a day."""
    days = clock.half_life_ms / MS_PER_DAY / np.log(2.0)
    rate: Floats = sums * clock.scale_at(now_ms) / days
    return rate


def _looked_up(going: Going, numbers: Numbers) -> Floats:
    """What goes with something, for some items; 0 for those that do not."""
    known, sums = going
    places = np.minimum(np.searchsorted(known, numbers), len(known) - 1)
    found: Floats = np.where(known[places] == numbers, sums[places], 0.0)
    return found


def _ranked(values: Floats) -> Floats:
    """1 / sqrt(rank), the highest first; 0 where the value is 0."""
    ranks = np.empty(len(values))
    ranks[np.argsort(-values, kind="stable")] = np.arange(1, len(values) + 1)
    return np.where(values > 0, ranks**-0.5, 0.0)


def _strongest(going: Going, count: int) -> list[int]:
    """Numbers with the highest sums, in no particular order."""
    numbers, sums = going
    if len(numbers) > count:
        numbers = numbers[np.argpartition(-sums, count)[:count]]
    found: list[int] = numbers.tolist()
    return found


def _value(pair: tuple[object, float]) -> float:
    return pair[1]
