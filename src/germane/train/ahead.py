"""Lessons for lists that are made ahead: an e-mail, a digest, whatever is looked at later than it was made.

A list on a page is right when it holds the next step of whoever looks at it: what was done an hour ago says
most. One that was made before they came is right when it holds what they take once they are there, in whatever
order. The features are the same, what they are worth is not. So these lessons are the lists of those who had
just come back, and right is all that they took from then on, for a day (``AHEAD_MS``).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from zlib import crc32

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from germane.domain.forest import MADE_AHEAD
from germane.domain.had import key_of
from germane.domain.outcome import Example, Observation

AHEAD_MS = 86_400_000
OPEN = 8_000
"""Lessons that wait for what will be taken, some 15 kB each. Where there would be more, a share of them is
followed: by a hash, so that it is of all hours of the day."""
_HEADS = MADE_AHEAD | {head: head for head in MADE_AHEAD.values()}


@dataclass(slots=True, order=True)
class _Open:
    """A lesson whose day is not over; in the order in which they end."""

    at_ms: int
    number: int
    draw: float = field(compare=False)
    """In [0, 1): followed as long as it is below the share."""
    who: str = field(compare=False)
    example: Example = field(compare=False)
    keys: npt.NDArray[np.uint32] = field(compare=False)
    taken: set[int] = field(compare=False, default_factory=set)
    """Row numbers."""


class Ahead:
    """Follows the log; tells each lesson when its day is over.

    Args:
        liking: Signals that speak for their item.
        heads: Those of ``domain.forest.MADE_AHEAD`` that are wanted.
    """

    def __init__(
        self, liking: Collection[str], heads: Collection[str] = tuple(MADE_AHEAD.values())
    ) -> None:
        self._liking, self._heads = frozenset(liking), frozenset(heads)
        self._open: list[_Open] = []
        self._of: dict[str, list[_Open]] = {}
        self._begun = 0
        self._share = 1.0
        self._latest_ms = 0

    def look(self, who: str, observation: Observation) -> list[Example]:
        """The next of the log: what became of lessons whose day was over by then, the oldest first.

        Args:
            who: Names the person.
            observation: What they did.
        """
        self._latest_ms = max(self._latest_ms, observation.at_ms)
        over = self._over()
        for each in observation.examples:
            head = _HEADS.get(each.surface)
            if each.keys and head in self._heads:
                self._begin(who, observation.at_ms, replace(each, surface=head))
        self._take(who, observation)
        return over

    def _begin(self, who: str, at_ms: int, example: Example) -> None:
        """One more that waits; not of what comes so late that its day is over."""
        draw = crc32(f"{who} {at_ms}".encode("utf-8", "surrogatepass")) / 2**32
        if draw >= self._share or at_ms + AHEAD_MS < self._latest_ms:
            return
        self._begun += 1
        keys = np.frombuffer(example.keys, dtype="<u4")
        begun = _Open(at_ms, self._begun, draw, who, example, keys)
        heappush(self._open, begun)
        self._of.setdefault(who, []).append(begun)
        if len(self._open) > OPEN:
            self._share /= 2
            for each in [x for x in self._open if x.draw >= self._share]:
                self._forget(each)
            self._open = [x for x in self._open if x.draw < self._share]
            heapify(self._open)

    def _over(self) -> list[Example]:
        found = []
        while self._open and self._open[0].at_ms + AHEAD_MS < self._latest_ms:
            each = heappop(self._open)
            self._forget(each)
            found.append(replace(each.example, chosen=tuple(sorted(each.taken))))
        if found and len(self._open) < OPEN // 4:
            self._share = min(1.0, 2 * self._share)
        return found

    def _forget(self, gone: _Open) -> None:
        mine = [each for each in self._of[gone.who] if each is not gone]
        if mine:
            self._of[gone.who] = mine
        else:
            del self._of[gone.who]

    def _take(self, who: str, observation: Observation) -> None:
        mine = [x for x in self._of.get(who, ()) if 0 <= observation.at_ms - x.at_ms <= AHEAD_MS]
        if not mine:
            return
        keys = {key_of(x.item_id) for x in observation.interactions if x.signal in self._liking}
        for each in mine:
            each.taken.update(np.flatnonzero(np.isin(each.keys, list(keys))).tolist())
