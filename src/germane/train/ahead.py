"""Lessons for lists that are made ahead: an e-mail, a digest, whatever is looked at later than it was made.

A list on a page is right when it holds the next step of whoever looks at it: what was done an hour ago says
most. One that was made before they came is right when it holds what they take once they are there, in whatever
order. The features are the same, what they are worth is not. So these lessons are the lists of those who had
just come back, and right is all that they took from then on, for a day (``AHEAD_MS``).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from germane.domain.forest import MADE_AHEAD
from germane.domain.had import key_of
from germane.domain.outcome import Example, Observation

AHEAD_MS = 86_400_000
_HEADS = MADE_AHEAD | {head: head for head in MADE_AHEAD.values()}
OPEN = 12_000
"""Lessons that wait for what will be taken: as long as there are so many, no more are begun."""


@dataclass(slots=True)
class _Open:
    """A lesson whose day is not over."""

    who: str
    at_ms: int
    example: Example
    keys: npt.NDArray[np.uint32]
    taken: set[int] = field(default_factory=set)
    """Row numbers."""


class Ahead:
    """Follows the log; tells each lesson when its day is over.

    Args:
        liking: Signals that speak for their item.
    """

    def __init__(self, liking: Collection[str]) -> None:
        self._liking = frozenset(liking)
        self._open: deque[_Open] = deque()
        self._of: dict[str, list[_Open]] = {}

    def look(self, who: str, observation: Observation) -> list[Example]:
        """The next of the log: what became of lessons whose day was over by then, in their order.

        Args:
            who: Names the person.
            observation: What they did.
        """
        over = self._over(observation.at_ms)
        for each in observation.examples:
            head = _HEADS.get(each.surface)
            if each.keys and head is not None and len(self._open) < OPEN:
                begun = _Open(who, observation.at_ms, replace(each, surface=head), _keys(each))
                self._open.append(begun)
                self._of.setdefault(who, []).append(begun)
        self._take(who, observation)
        return over

    def _over(self, at_ms: int) -> list[Example]:
        found = []
        while self._open and self._open[0].at_ms + AHEAD_MS < at_ms:
            each = self._open.popleft()
            mine = self._of[each.who]
            mine.remove(each)
            if not mine:
                del self._of[each.who]
            found.append(replace(each.example, chosen=tuple(sorted(each.taken))))
        return found

    def _take(self, who: str, observation: Observation) -> None:
        mine = [x for x in self._of.get(who, ()) if 0 <= observation.at_ms - x.at_ms <= AHEAD_MS]
        if not mine:
            return
        keys = {key_of(x.item_id) for x in observation.interactions if x.signal in self._liking}
        for each in mine:
            each.taken.update(np.flatnonzero(np.isin(each.keys, list(keys))).tolist())


def _keys(example: Example) -> npt.NDArray[np.uint32]:
    return np.frombuffer(example.keys, dtype="<u4")
