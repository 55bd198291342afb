"""Candidates: the union of what each source proposes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from heapq import nlargest
from itertools import islice
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from germane.predict.accumulator import NOWHERE, Going
from germane.predict.features import COLUMN, NAMES, PROPOSING, SOURCE_OF, SOURCES
from germane.predict.matrix import Matrix
from germane.predict.person import Person
from germane.predict.state import STEPS_BACK, State
from germane.predict.toplists import POPULAR

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.intp]

TOGETHER = 60
FOLLOWED = 60
LINEAR, LINEAR_OF = 60, 150
"""So many of the best by the linear model, among so many of what goes with the latest and with the usual."""
FOLLOWED_SHARE = 0.6
"""How much less each step further back asks for what follows."""
CATEGORIES, PER_CATEGORY = 12, 5
VALUES, PER_VALUE = 4, 5
NEW = 12
ADJACENT, PER_ADJACENT = 8, 3
_BITS = (PROPOSING @ (1 << np.arange(len(SOURCES)))).astype(np.int64)
"""Of each feature, the bit of the source that it speaks for."""
_DEMAND = {"trending", "bestsellers"}
Said = TypeVar("Said", list[tuple[int, float]], list[int], dict[str, dict[str, float]])


class Candidates:
    """Item numbers, each once, and a feature row for each. Is ``matrix.Gathered``, which tells the rest."""

    def __init__(self, state: State, person: Person, readiness: float) -> None:
        self._state = state
        self._person = person
        self._place: dict[int, None] = {}
        """Item numbers as an ordered set; own items are gathered first."""
        self._muted = person.muted.sources
        """Sources that may not speak to this person."""
        self.finest = state.finest
        self.liked = person.vectors[state.diversity]
        """Share of interest by category number."""
        self.goes = self._going_together(self._heard("covisitation", person.latest))
        self.follows, self.follows_last = self._following(self._heard("sequence", person.latest))
        self.goes_long = self._going_together(self._heard("covisitation", person.usual))
        self.history = person.history if "linear" not in self._muted else person.history[:0]
        self.related = self._adjacent_categories()
        self.readiness = readiness
        self.curated: dict[int, float] = {}
        self._gather()
        self.numbers: Numbers = np.zeros(0, dtype=np.intp)

    def has(self, count: int) -> bool:
        """Whether so many items of the catalogue are gathered (people have to do with others, too)."""
        items = self._state.items
        there = (number for number in self._place if items[number] is not None)
        return next(islice(there, count - 1, None), None) is not None

    def include(self, item_ids: Iterable[str]) -> None:
        """Items that must be there whatever the sources say. Before ``matrix``."""
        for item_id in item_ids:
            number = self._state.index.get(item_id)
            if number is not None:
                self._place[number] = None

    def curate(self, item_ids: Sequence[str]) -> None:
        """The surface's curated list, best first: where to begin with someone nobody knows."""
        if "curated" in self._muted:
            return
        for place, item_id in enumerate(item_ids):
            number = self._state.index.get(item_id)
            if number is not None:
                self._place[number] = None
                self.curated[number] = 1.0 - 0.5 * place / len(item_ids)

    def include_numbers(self, numbers: Iterable[int]) -> None:
        """The same, by item number."""
        self._place.update(dict.fromkeys(numbers))

    def matrix(self) -> Floats:
        """The feature rows, shape (n, features), in the order of ``numbers``."""
        self.numbers = np.fromiter(self._place, dtype=np.intp, count=len(self._place))
        self.features: Floats = Matrix(self._state, self._person, self).features.T
        if self._muted:
            self.features[:, silent(self._muted)] = 0.0
        return self.features

    def adjacent(self) -> npt.NDArray[np.bool_]:
        """Which candidates are of a related category that the person has not met, shape (n,)."""
        found: npt.NDArray[np.bool_] = self.features[:, COLUMN["adjacent"]] > 0
        return found

    def related_kinds(self) -> list[int]:
        """The related categories that the person has not met, by number, the most related first."""
        return _best(self.related, len(self.related))

    def own(self) -> npt.NDArray[np.bool_]:
        """Which candidates the person had before."""
        had: npt.NDArray[np.bool_] = self.features[:, COLUMN["own"]] > 0
        return had

    def sources_of(self, rows: Sequence[int]) -> list[tuple[str, ...]]:
        """For each of some candidates, the sources that have something to say about it."""
        if not rows:
            return []
        said = np.where(self.features[rows] != 0.0, _BITS, 0)
        return [_named(each) for each in np.bitwise_or.reduce(said, axis=1).tolist()]

    # -- who is asked for candidates -------------------------------------------------------------

    def _gather(self) -> None:
        place, state = self._place, self._state
        place.update(dict.fromkeys(self._person.own.numbers))
        place.update(dict.fromkeys(_strongest(self.goes, TOGETHER)))
        place.update(dict.fromkeys(_strongest(self.goes_long, TOGETHER)))
        place.update(dict.fromkeys(_strongest(self.follows, FOLLOWED)))
        place.update(dict.fromkeys(self._foretold()))
        broad = (state.diversity, self.finest)
        for name, shares in self._heard("interests", self._person.interests).items():
            main = name in broad
            width, depth = (CATEGORIES, PER_CATEGORY) if main else (VALUES, PER_VALUE)
            for value, _ in nlargest(width, shares.items(), key=_value):
                self._add_tops(name, state.kinds[name].numbers.get(value, 0), depth)
        for name, values in self._heard("declared", self._person.declared).items():
            for value in values:
                if name in state.kinds:
                    self._add_tops(name, state.kinds[name].numbers.get(value, 0), 2 * PER_VALUE)
        for kind in _best(self.related, ADJACENT):
            self._add_tops(state.diversity, kind, PER_ADJACENT)
        if not self._muted.keys() & _DEMAND:
            place.update(state.lists.popular)
        else:
            place.update(dict.fromkeys(self._in_demand()))
        place.update(dict.fromkeys(self._heard("new", self._new_items())))

    def _heard(self, source: str, said: Said) -> Said:
        """What a source goes by; nothing, where the person muted it."""
        return said if source not in self._muted else type(said)()

    def _in_demand(self) -> list[int]:
        """What is popular, where the person muted a part of that."""
        lists, muted = self._state.lists, self._muted
        rising = () if "trending" in muted else (lists.rising, lists.trending, lists.tried)
        lasting = () if "bestsellers" in muted else (lists.bestsellers,)
        return [number for each in (*rising, *lasting) for number in each[:POPULAR]]

    def _add_tops(self, name: str, kind: int, count: int) -> None:
        self._place.update(dict.fromkeys(self._state.tops[name].ordered(kind)[:count]))

    def _new_items(self) -> list[int]:
        """The youngest items, those of the person's own categories first."""
        young = self._state.newest[: 10 * NEW]
        liked = self._heard("interests", self._person.interests)
        if not young or not liked.get(self._state.diversity):
            return young[:NEW]
        shares = self.liked[self._state.kinds[self._state.diversity].of[young]]
        return [young[place] for place in np.argsort(-shares, kind="stable")[:NEW].tolist()]

    def _going_together(self, history: list[tuple[int, float]]) -> Going:
        """Sum over a history of how strongly each neighbour goes with it."""
        together, slow = self._state.together, self._state.slow.sums
        entries, weights = [], []
        for number, weight in history:
            row = together.arrays(number)
            if row is not None:
                entries.append(row[0])
                weights.append(row[1] * (weight / (float(slow[number]) + 1e-300) ** 0.5))
        return self._state.sums.summed(entries, weights)

    def _foretold(self) -> list[int]:
        """The best by the linear model, where not all that goes with the items had is a candidate anyway."""
        if not len(self.history) or max(len(self.goes[0]), len(self.goes_long[0])) <= TOGETHER:
            return []
        asked = {*_strongest(self.goes, LINEAR_OF), *_strongest(self.goes_long, LINEAR_OF)}
        numbers = np.array(sorted(asked), dtype=np.intp)
        (scores,) = self._state.linear.scores(
            numbers, self.history, [np.ones(len(self.history))], self._state.sums
        )
        best = np.argsort(-scores, kind="stable")[:LINEAR]
        found: list[int] = numbers[best[scores[best] > 0]].tolist()
        return found

    def _following(self, latest: list[tuple[int, float]]) -> tuple[Going, Going]:
        """What came next for others: after the latest items, and after the very latest alone.

        Of each item, shares of what followed it; so one that is met often does not outweigh the rest.
        """
        entries, shares = [], []
        for step, (number, _) in enumerate(latest[:STEPS_BACK]):
            row = self._state.followed.arrays(number)
            if row is not None:
                entries.append(row[0])
                shares.append(row[1] * (FOLLOWED_SHARE**step / row[2]))
            elif step == 0:
                entries.append(NOWHERE[0])
                shares.append(NOWHERE[1])
        last = (entries[0], shares[0]) if entries else NOWHERE
        return self._state.sums.summed(entries, shares), last

    def _adjacent_categories(self) -> Floats:
        """How strongly each category that was never met is related to those that are liked, by number."""
        found = np.zeros(len(self.liked))
        if "adjacent" in self._muted:
            return found
        for kind in _best(self.liked, CATEGORIES):
            row = self._state.related.arrays(kind)
            if row is not None:
                found[row[0]] += row[1] * (float(self.liked[kind]) / row[2])
        found[self._person.met] = 0.0
        return found


def silent(sources: Collection[str]) -> list[int]:
    """Columns of the features that speak for any of these sources."""
    return [COLUMN[name] for name in NAMES if SOURCE_OF[name] in sources]


@lru_cache(maxsize=4_096)
def _named(bits: int) -> tuple[str, ...]:
    """The sources whose bits are set."""
    return tuple(name for place, name in enumerate(SOURCES) if bits >> place & 1)


def _best(values: Floats, count: int) -> list[int]:
    """Places of the highest values above 0, highest first; of equals the first."""
    above = np.flatnonzero(values > 0)
    if len(above) > 1:
        above = above[np.argsort(-values[above], kind="stable")]
    found: list[int] = above[:count].tolist()
    return found


def _strongest(going: Going, count: int) -> list[int]:
    """Numbers with the highest sums, in no particular order."""
    numbers, sums = going
    if len(numbers) > count:
        numbers = numbers[np.argpartition(-sums, count)[:count]]
    found: list[int] = numbers.tolist()
    return found


def _value(pair: tuple[object, float]) -> float:
    return pair[1]
