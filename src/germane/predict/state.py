"""Shared state: what all people together taught about items. Updated by every observation in O(window)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from germane.domain.event import Interaction
from germane.domain.had import key_of
from germane.domain.item import Item
from germane.domain.outcome import Observation
from germane.domain.settings import Settings
from germane.predict.accumulator import Accumulator
from germane.predict.bandit.choosing import Choosers
from germane.predict.blender import Blender
from germane.predict.counters import DAY_MS, Bank, DecayedCounts
from germane.predict.features import PRIOR
from germane.predict.linear import Linear
from germane.predict.moment import Moment
from germane.predict.rows import Rows
from germane.predict.toplists import TopLists

Floats = npt.NDArray[np.float64]

MID_DAYS, SLOW_DAYS = 21.0, 120.0
DEMAND_DAYS = {
    "tried_fast": 7.0,
    "tried_mid": 30.0,
    "hours": 0.25,
    "fast": 4.0,
    "mid": MID_DAYS,
    "slow": SLOW_DAYS,
    "now": 1.5,
}
"""Half-lives of the counts, in the order of the features that read them."""
ROW_WIDTH = 32
WITHIN = 6
"""Partners of each item inside one event (an order): the lines just before it."""
SEQUENCE = 4
"""Partners from the person's earlier events."""
FOLLOWED_WIDTH = 48
STEPS_BACK = 5
STEP_SHARE = 0.6
"""What came before is followed by what comes now: the item just before in full, the one before it less."""
TOPS = 200
REFRESH = 256
"""Observations between two refreshes of the top lists."""
NEW_DAYS = 30.0
NEWEST = 400
_LEAST = 1e-300


class Kinds:
    """The values of one catalogue attribute as small numbers; 0 is *none*."""

    def __init__(self) -> None:
        self.names: list[str] = [""]
        self.numbers: dict[str, int] = {"": 0}
        self.of: npt.NDArray[np.int32] = np.zeros(0, dtype=np.int32)
        """Value number by item number."""
        self.leader: npt.NDArray[np.int32] = np.full(1024, -1, dtype=np.int32)
        """Item number with the highest count, by value number; -1: none has any."""

    def put(self, item: int, value: str) -> None:
        """An item's value."""
        number = self.numbers.get(value)
        if number is None:
            number = self.numbers[value] = len(self.names)
            self.names.append(value)
            if number >= len(self.leader):
                self.leader = np.concatenate((self.leader, np.full_like(self.leader, -1)))
        self.of[item] = number

    def lead(self, items: Iterable[int], sums: Floats) -> None:
        """These were counted: each may be the first of its value now."""
        for item in items:
            value = self.of.item(item)
            leader = self.leader.item(value)
            if leader < 0 or sums.item(item) > sums.item(leader):
                self.leader[value] = item

    def standing(self, values: npt.NDArray[np.int32], counts: Floats, sums: Floats) -> Floats:
        """Counts of some items against the best of their value, in [0, 1]; 0 where no item of it has any.

        Args:
            values: The items' value numbers.
            counts: Their counts.
            sums: All counts, by item number.
        """
        best = sums.take(
            self.leader.take(values)
        )  # no leader: of any item, for the count is 0 then
        found: Floats = counts / np.maximum(best, _LEAST)
        return np.minimum(found, 1.0, out=found)

    def grow(self, size: int) -> None:
        """Make room for item numbers below ``size``."""
        if size > len(self.of):
            room = np.zeros(max(size, 2 * len(self.of), 1024), dtype=np.int32)
            room[: len(self.of)] = self.of
            self.of = room

    def vector(self, weights: dict[str, float], default: float = 0.0) -> Floats:
        """Weights by value number, shape (values,)."""
        out = np.full(len(self.names), default)
        numbers = [self.numbers.get(value, 0) for value in weights]
        out[numbers] = list(weights.values())
        out[0] = default  # of what has no number
        return out


class State:
    """Item numbers and everything that is counted per item."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.diversity = settings.diversity_attribute
        self.tracked = tuple(
            dict.fromkeys(
                [self.diversity, *(a.name for a in settings.attributes.values() if a.interest)]
            )
        )
        self.liking = frozenset(name for name, each in settings.signals.items() if each.weight > 0)
        """Signals that speak for their item."""
        self.index: dict[str, int] = {}
        self.ids: list[str] = []
        self.items: list[Item | None] = []
        self.item_keys: npt.NDArray[np.uint32] = np.zeros(0, dtype=np.uint32)
        """``domain.had.key_of`` by item number, as far as it was asked for."""
        self.changes = 0
        """Of the catalogue, so far: what is kept of its items holds until the next."""
        self.kinds = {name: Kinds() for name in self.tracked}
        """Attribute -> its values as numbers, by item number."""
        self.log_price: Floats = np.zeros(0)
        self.created_ms: Floats = np.zeros(0)
        self.demand = Bank(DEMAND_DAYS)
        """What is wanted, over hours to months, and what is tried for the first time."""
        of = self.demand.of
        self.hours, self.now = of["hours"], of["now"]
        self.fast, self.mid, self.slow = of["fast"], of["mid"], of["slow"]
        self.tried_fast, self.tried_mid = of["tried_fast"], of["tried_mid"]
        self.bought: Floats = np.zeros(0)
        self.bought_again: Floats = np.zeros(0)
        self.together: Rows[int, int] = Rows(SLOW_DAYS, ROW_WIDTH)
        self.linear = Linear(SLOW_DAYS)
        self.followed: Rows[int, int] = Rows(SLOW_DAYS, FOLLOWED_WIDTH)
        """Item -> what came next, in the events after it."""
        self.tops: dict[str, Rows[int, int]] = {name: Rows(MID_DAYS, 40) for name in self.tracked}
        self.related: Rows[int, int] = Rows(SLOW_DAYS, 24)
        """Category -> categories that the same people turn to next."""
        self.newest: list[int] = []
        self.lists = TopLists()
        self.sums = Accumulator()
        """For the time of one question."""
        self.shown = 0
        self.folds = 0
        self.latest_ms = 0
        """Time of the newest interaction that was counted."""
        self.blender = Blender(PRIOR.copy())
        self.moment = Moment(settings.profile.beyond_year_factor)
        self.choosers = Choosers(settings)

    def listed(self) -> tuple[DecayedCounts, ...]:
        """The counts that the top lists are made of, in their order."""
        return self.hours, self.fast, self.slow, self.tried_fast

    def counters(self) -> dict[str, DecayedCounts]:
        """Every decayed count by its name."""
        return {
            name: self.demand.of[name]
            for name in ("hours", "now", "fast", "mid", "slow", "tried_fast", "tried_mid")
        }

    @property
    def finest(self) -> str:
        """The tracked attribute, beside the categories, that tells most apart; empty if there is none."""
        others = [name for name in self.tracked if name != self.diversity]
        return max(others, key=lambda name: len(self.kinds[name].names), default="")

    # -- the catalogue ---------------------------------------------------------------------------

    def number(self, item_id: str) -> int:
        """The item's number; one that was never heard of gets the next."""
        found = self.index.get(item_id)
        if found is None:
            found = self.index[item_id] = len(self.ids)
            self.ids.append(item_id)
            self.items.append(None)
            self.changes += 1
            self.grow(found + 1)
        return found

    def keys(self, numbers: npt.NDArray[np.intp]) -> npt.NDArray[np.uint32]:
        """What stands for some items (``domain.had.key_of``), shape (n,)."""
        if len(self.item_keys) < len(self.ids):
            rest = np.array(
                [key_of(each) for each in self.ids[len(self.item_keys) :]], dtype=np.uint32
            )
            self.item_keys = np.concatenate((self.item_keys, rest))
        return self.item_keys[numbers]

    def put(self, item: Item) -> None:
        """Add or change a catalogue entry."""
        number = self.number(item.item_id)
        if self.items[number] is None:
            self.newest.insert(0, number)
            del self.newest[NEWEST:]
        self.items[number] = item
        self.changes += 1
        self.log_price[number] = np.log(item.price) if item.price and item.price > 0 else np.nan
        self.created_ms[number] = item.created_ms
        for name, kinds in self.kinds.items():
            found = item.values_of(name)
            kinds.put(number, found[0] if found else "")

    def remove(self, item_id: str) -> None:
        """It is not in the catalogue any more; its counts stay, in case it comes back."""
        number = self.index.get(item_id)
        if number is not None:
            self.items[number] = None
            self.changes += 1

    # -- learning --------------------------------------------------------------------------------

    def learn(self, observation: Observation) -> None:
        """Fold one observation."""
        positive = [each for each in observation.interactions if each.signal in self.liking]
        if positive:
            self._count(positive, observation)
            numbers = self._pair(positive, observation)
            self.linear.learn(numbers, self.together, observation.at_ms, self.latest_ms)
            self._follow(positive, observation)
        for example in observation.examples:
            self.blender.learn(example)
        if observation.activity is not None:
            self.moment.learn(observation.activity, observation.at_ms)
        for trial in observation.trials:
            self.choosers.learn(trial)
        self.shown += len(observation.shown)
        self.folds += 1
        if self.folds % REFRESH == 1:
            self._refresh(observation.at_ms)

    def _count(self, positive: Sequence[Interaction], observation: Observation) -> None:
        owned = dict(zip(observation.interactions, observation.owned, strict=False))
        at_ms = observation.at_ms
        self.latest_ms = max(self.latest_ms, at_ms)
        specs = [self.settings.signals[each.signal] for each in positive]
        numbers = [self.number(each.item_id) for each in positive]
        amounts = [each.weight for each in specs]
        had = [owned.get(each, 0) for each in positive]
        self._demanded(numbers, amounts, had, at_ms)
        for spec, number, before in zip(specs, numbers, had, strict=True):
            if spec.repeat:
                self.bought[number] += 1
                self.bought_again[number] += before
        for name, rows in self.tops.items():
            kinds, weight = self.kinds[name], rows.weight(at_ms)
            kinds.lead(numbers, self.mid.sums)
            for number, amount in zip(numbers, amounts, strict=True):
                kind = kinds.of.item(number)
                if kind:
                    rows.add(kind, number, weight * amount)

    def _demanded(
        self, numbers: list[int], amounts: list[float], had: list[int], at_ms: int
    ) -> None:
        """Count what is wanted, and of it what was never had before."""
        wanted = (self.hours, self.now, self.fast, self.mid, self.slow)
        tried = (self.tried_fast, self.tried_mid)
        if len(numbers) == 1:
            for counts in wanted if had[0] else wanted + tried:
                counts.add_one(numbers[0], at_ms, amounts[0])
            return
        of, values, first = np.array(numbers), np.array(amounts), np.array(had) == 0
        for counts in wanted:
            counts.add_all(of, at_ms, values)
        for counts in tried if first.any() else ():
            counts.add_all(of[first], at_ms, values[first])

    def _pair(self, positive: Sequence[Interaction], observation: Observation) -> list[int]:
        """Items of one event with one another, and with what the person did just before; their numbers, each
        once."""
        weight = self.together.weight(observation.at_ms)
        turn = self.related.weight(observation.at_ms)
        numbers = list(dict.fromkeys(self.index[each.item_id] for each in positive))
        new = set(numbers)
        before = [self.number(each.item_id) for each in observation.before[-SEQUENCE:]]
        before = [number for number in dict.fromkeys(before) if number not in new]
        categories = self.kinds[self.diversity].of
        for place, number in enumerate(numbers):
            partners = numbers[max(0, place - WITHIN) : place]
            self.together.add_all(number, partners, weight)
            self.together.add_to_all(partners, number, weight)
            self.together.add_to_all(before, number, 0.5 * weight)
            here = int(categories[number])
            for partner in partners[-1:] + before[-1:]:
                there = int(categories[partner])
                if here and there and here != there:
                    self.related.add(here, there, turn)
                    self.related.add(there, here, turn)
        return numbers

    def _follow(self, positive: Sequence[Interaction], observation: Observation) -> None:
        """What the person did in the events before is followed by what they do now."""
        weight = self.followed.weight(observation.at_ms)
        numbers = list(dict.fromkeys(self.index[each.item_id] for each in positive))
        before: dict[int, None] = {}
        for each in reversed(observation.before):
            before.setdefault(self.number(each.item_id))
            if len(before) == STEPS_BACK:
                break
        for step, earlier in enumerate(before):
            self.followed.add_all(earlier, numbers[:WITHIN], weight * STEP_SHARE**step)

    def _refresh(self, at_ms: int) -> None:
        there = np.array([item is not None for item in self.items], dtype=bool)
        tops = (each.top(TOPS, there) for each in self.listed())
        self.lists = TopLists(*(tuple(each.tolist()) for each in tops))
        limit = at_ms - NEW_DAYS * DAY_MS
        self.newest = [n for n in self.newest if self.created_ms[n] >= limit]

    def grow(self, size: int) -> None:
        """Make room for item numbers below ``size``."""
        if size > len(self.bought):
            room = max(size, 2 * len(self.bought), 1024)
            self.demand.grow(room)
            self.sums.grow(room)
            self.linear.grow(room)
            for kinds in self.kinds.values():
                kinds.grow(room)
            self.bought = _enlarged(self.bought, room)
            self.bought_again = _enlarged(self.bought_again, room)
            self.log_price = _enlarged(self.log_price, room, np.nan)
            self.created_ms = _enlarged(self.created_ms, room)


def _enlarged(values: Floats, size: int, fill: float = 0.0) -> Floats:
    room = np.full(size, fill)
    room[: len(values)] = values
    return room
