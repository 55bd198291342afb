"""The simple lists that personalisation must beat, learned from the same events in the same order."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from germane.domain.months import MS_PER_DAY
from germane.domain.profile import OwnItem

BEST = "best-sellers"
HALF_LIVES_DAYS = (1, 7, 28)
RECENT = {days: f"recent best-sellers ({days} d)" for days in HALF_LIVES_DAYS}
BROADCAST = (BEST, *RECENT.values())
"""One list for everyone."""
AGAIN, AGAIN_LATELY, NEXT = "most often chosen", "often chosen lately", "goes with the last"
RULES = (AGAIN, AGAIN_LATELY, NEXT)
"""A list for each, by one simple rule; filled up with recent best-sellers."""
AGAIN_HALF_LIFE_DAYS = 60
DEPTH = 400
"""So much of each popularity list is looked at."""
_ROW, _ROW_FULL = 60, 120
_LAST = 5
_SHIFT = 600.0
"""Growing counts are scaled down when their exponent of 2 is beyond this."""


class Popular:
    """Counts of items that halve every so many days; without a half-life, all-time counts."""

    def __init__(self, half_life_days: float | None) -> None:
        self._half_life_ms = half_life_days * MS_PER_DAY if half_life_days else None
        self._origin_ms: int | None = None
        self._sums = np.zeros(1024)

    def add(self, numbers: npt.NDArray[np.intp], at_ms: int) -> None:
        """Count these items once each. Times do not go back."""
        size = int(numbers.max()) + 1
        if size > len(self._sums):
            self._sums = np.concatenate((self._sums, np.zeros(size)))
        np.add.at(self._sums, numbers, self._weight(at_ms))

    def top(self, count: int) -> list[int]:
        """The most counted, best first; ties in the order of their first coming."""
        there = np.flatnonzero(self._sums)
        sums = self._sums[there]
        if len(there) > count:
            best = np.argpartition(-sums, count)[:count]
            there, sums = there[best], sums[best]
        order = np.lexsort((there, -sums))
        found: list[int] = there[order].tolist()
        return found

    def _weight(self, at_ms: int) -> float:
        if self._half_life_ms is None:
            return 1.0
        if self._origin_ms is None:
            self._origin_ms = at_ms
        halvings = (at_ms - self._origin_ms) / self._half_life_ms
        if halvings > _SHIFT:
            self._sums *= 2.0**-_SHIFT if halvings < 2 * _SHIFT else 0.0
            self._origin_ms += int(_SHIFT * self._half_life_ms)
            if halvings >= 2 * _SHIFT:
                self._origin_ms = at_ms
            return self._weight(at_ms)
        return float(2.0**halvings)


class Rivals:
    """All of them, for one stream of choices."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self._index: dict[str, int] = {}
        self._counts = {BEST: Popular(None)} | {
            RECENT[days]: Popular(days) for days in HALF_LIVES_DAYS
        }
        self._next: dict[int, dict[int, int]] = {}
        self._tops: dict[str, list[str]] = {}

    def learn(self, before: Sequence[str], items: Sequence[str], at_ms: int) -> None:
        """Count what was chosen together at one time.

        Args:
            before: The person's latest distinct items before it, newest first.
            items: What was chosen, each once.
            at_ms: When.
        """
        numbers = [self._number(each) for each in items]
        for counts in self._counts.values():
            counts.add(np.array(numbers, dtype=np.intp), at_ms)
        for earlier in before[:_LAST]:
            row = self._next.setdefault(self._number(earlier), {})
            for number in numbers:
                row[number] = row.get(number, 0) + 1
            if len(row) > _ROW_FULL:
                kept = sorted(row.items(), key=lambda pair: -pair[1])[:_ROW]
                self._next[self._number(earlier)] = dict(kept)
        self._tops.clear()

    def everyone(self) -> dict[str, list[str]]:
        """The lists for everyone, each up to ``DEPTH`` long."""
        if not self._tops:
            self._tops = {
                name: [self.ids[number] for number in counts.top(DEPTH)]
                for name, counts in self._counts.items()
            }
        return self._tops

    def following(self, before: Sequence[str]) -> list[str]:
        """What others chose next after the very latest item, most often first."""
        number = self._index.get(before[0], -1) if before else -1
        row = self._next.get(number, {})
        return [self.ids[each] for each in sorted(row, key=lambda each: (-row[each], each))]

    def _number(self, item_id: str) -> int:
        found = self._index.get(item_id)
        if found is None:
            found = self._index[item_id] = len(self.ids)
            self.ids.append(item_id)
        return found


def again(own: Mapping[str, OwnItem]) -> list[str]:
    """A person's own items, most often chosen first, then latest first."""
    return sorted(own, key=lambda item: (-own[item].count, -own[item].last_s, item))


def again_lately(own: Mapping[str, OwnItem], at_ms: int) -> list[str]:
    """The same with a half-life of 60 days for each time."""
    half_life_s = AGAIN_HALF_LIFE_DAYS * 86_400

    def weight(item: str) -> float:
        return math.fsum(
            2.0 ** -((at_ms / 1000 - each) / half_life_s) for each in own[item].times_s
        )

    weights = {item: weight(item) for item in own}
    return sorted(own, key=lambda item: (-weights[item], item))


def filled(first: Sequence[str], rest: Sequence[str]) -> list[str]:
    """A list, and behind it what is not in it of another."""
    return list(OrderedDict.fromkeys((*first, *rest)))
