"""Whom a surface or a campaign was for, and what became of them: a row each."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import Literal

PERSONALISED, HELD_OUT = 1, 0
Kind = Literal["surface", "campaign"]
Measure = Literal["answered", "value", "goal", "bought", "revenue"]
OF_ITS_OWN: tuple[Measure, ...] = ("answered", "value", "goal")
"""What is put to the surface or campaign itself."""
MEASURES: tuple[Measure, ...] = (*OF_ITS_OWN, "bought", "revenue")


@dataclass(slots=True)
class People:
    """All of one surface or campaign."""

    kind: Kind
    name: str
    share: float
    """Of the holdout."""
    row: dict[int, int] = field(default_factory=dict)
    """By the key of a person."""
    arm: array[int] = field(default_factory=lambda: array("b"))
    first_ms: array[int] = field(default_factory=lambda: array("q"))
    both: array[int] = field(default_factory=lambda: array("b"))
    since_ms: int = -1
    """Whoever was first met at this time or before does not count."""
    sums: dict[Measure, array[float]] = field(
        default_factory=lambda: {each: array("d") for each in MEASURES}
    )

    def met(self, key: int, arm: int, at_ms: int) -> None:
        """It was decided what somebody gets. They are of the arm in which they were met first."""
        found = self.row.setdefault(key, len(self.row))
        if found == len(self.arm):
            self.arm.append(arm)
            self.first_ms.append(at_ms)
            self.both.append(0)
            for each in self.sums.values():
                each.append(0.0)
            return
        if self.arm[found] != arm:
            self.both[found] = 1
        if at_ms < self.first_ms[found]:
            self.arm[found], self.first_ms[found] = arm, at_ms

    def within(self, key: int, at_ms: int, window_ms: int) -> int | None:
        """Row of a person, if what they did at a time counts."""
        found = self.row.get(key)
        if found is None or not 0 <= at_ms - self.first_ms[found] < window_ms:
            return None
        return found

    def add(self, row: int, measure: Measure, value: float) -> None:
        """To a sum of a person."""
        self.sums[measure][row] += value

    def mark(self, row: int, measure: Measure) -> None:
        """A person did something: once is enough."""
        self.sums[measure][row] = 1.0
