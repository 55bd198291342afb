"""Lessons for lists that are made ahead: who had come back, and all that they took within a day."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from germane.domain.event import Interaction
from germane.domain.forest import AHEAD, AHEAD_NEW, NEW
from germane.domain.had import key_of
from germane.domain.outcome import Example, Observation
from germane.train import ahead
from germane.train.ahead import AHEAD_MS, Ahead
from germane.train.lessons import Collector

HOUR_MS = 3_600_000
ITEMS = ("a", "b", "c", "d")
LIKING = ("view", "buy")


def lesson(*chosen: int, head: str = "", items: tuple[str, ...] = ITEMS) -> Example:
    """A list of items, of which some were taken; each row is its number."""
    rows = np.arange(4, dtype="<f2").reshape(-1, 1).repeat(2, axis=1)
    keys = np.array([key_of(each) for each in items], dtype="<u4").tobytes()
    return Example(head, 4, rows.tobytes(), chosen, keys=keys)


def did(at_h: float, *items: str, signal: str = "view", examples: Any = ()) -> Observation:
    """What somebody did at an hour."""
    at_ms = int(at_h * HOUR_MS)
    taken = tuple(Interaction(each, signal, at_ms) for each in items)
    return Observation(at_ms=at_ms, interactions=taken, examples=tuple(examples))


def test_a_lesson_is_told_when_its_day_is_over() -> None:
    """With all that the same person took by then, what they had come back for included."""
    follower = Ahead(LIKING)
    assert follower.look("ann", did(0, "b", examples=[lesson(1), lesson(0, head=NEW)])) == []
    assert follower.look("ann", did(2, "d", "elsewhere")) == []
    assert follower.look("ann", did(3, "c", signal="dismissed")) == []
    assert follower.look("bob", did(4, "a")) == []
    assert follower.look("ann", did(AHEAD_MS / HOUR_MS, "c")) == []
    first, second = follower.look("bob", did(24.1, "b"))
    assert (first.surface, first.chosen) == (AHEAD, (1, 2, 3))
    assert (second.surface, second.chosen) == (AHEAD_NEW, (1, 2, 3))
    assert follower.look("ann", did(80, "a")) == []


def test_who_was_there_all_along_had_not_come_back() -> None:
    """Such lessons name no items; and what a shown list taught is none."""
    follower = Ahead(LIKING)
    plain = Example("", 2, bytes(8), (0,))
    follower.look("ann", did(0, "a", examples=[plain, lesson(0, head="home")]))
    assert follower.look("ann", did(100, "a")) == []


def test_what_comes_late_is_put_to_its_own_time() -> None:
    """Nothing that was taken before the list, or after its day, is among what was taken of it."""
    follower = Ahead(LIKING)
    follower.look("ann", did(10, "a", examples=[lesson(0)]))
    follower.look("ann", did(9, "b"))
    follower.look("ann", did(20, "c"))
    (over,) = follower.look("ann", did(35, "d"))
    assert over.chosen == (0, 2)


def test_where_there_are_many_a_share_of_all_hours_is_followed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No more than fit at once, of every part of the day, and all again when there are few."""
    monkeypatch.setattr(ahead, "OPEN", 200)
    follower, told, hours = Ahead(LIKING), 0, set[int]()
    for number in range(6_000):
        hour = number / 40
        over = follower.look(f"p{number}", did(hour, "a", examples=[lesson(0)]))
        told += len(over)
        assert len(follower._open) <= 200
        hours |= {int(each.at_ms / HOUR_MS) % 24 for each in follower._open}
    assert told > 300
    assert hours == set(range(24))
    for day in range(20):
        follower.look("ann", did(1_000 + 50 * day, "a", examples=[lesson(0)]))
    assert len(follower.look("ann", did(3_000, "a"))) == 1


def test_what_is_out_of_order_holds_up_nothing() -> None:
    """Of a log whose first record is its newest: what came before it tells of no day that is to come."""
    follower = Ahead(LIKING)
    follower.look("ann", did(1_000, "a", examples=[lesson(0)]))
    for hour in range(100):
        assert follower.look(f"p{hour}", did(hour, "a", examples=[lesson(0)])) == []
    assert len(follower._open) == 1
    follower.look("bob", did(1_010, "a", examples=[lesson(0)]))
    follower.look("cleo", did(1_005, "a", examples=[lesson(0)]))
    assert len(follower.look("dan", did(1_030, "a"))) == 2
    assert len(follower.look("dan", did(1_050, "a"))) == 1


def test_only_what_is_wanted_is_followed() -> None:
    follower = Ahead(LIKING, [AHEAD_NEW])
    follower.look("ann", did(0, "b", examples=[lesson(1), lesson(head=AHEAD_NEW)]))
    follower.look("ann", did(2, "c"))
    (over,) = follower.look("ann", did(50, "a"))
    assert (over.surface, over.chosen) == (AHEAD_NEW, (1, 2))


def test_the_collector_keeps_them_beside_the_others() -> None:
    """Only where such lists are made."""
    for follower, found in ((Ahead(LIKING), 2), (None, 0)):
        collector = Collector(2, 10, 4, follower)
        collector.tell("ann", did(0, "a", examples=[lesson(0)]))
        collector.tell("bob", did(1, "b", examples=[lesson(1, head=AHEAD)]))
        collector.tell("ann", did(5, "c"))
        collector.tell("ann", did(30, "c"))
        assert len(collector.lessons("")) == 1
        kept = collector.lessons(AHEAD)
        assert (len(kept), collector.seen.get(AHEAD, 0)) == (found, found)
        both = [True, False, True, False, False, True, False, False]
        assert kept.taken.tolist() == both[: 4 * found]
