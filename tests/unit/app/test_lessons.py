"""Which events teach."""

from __future__ import annotations

from random import Random

import pytest

from germane.app.lessons import (
    FIRST_LATE_LESSONS,
    FIRST_LESSONS,
    LATE_MS,
    LESSON_SHARE,
    OLD_LESSON_SHARE,
    OLD_MS,
    RUSH_LEAST,
    RUSH_MS,
    is_lesson,
)
from germane.domain.event import Event

CHANCE = Random(1)
EVENTS = [Event(f"{CHANCE.getrandbits(128):032x}", "track", 0) for _ in range(4_000)]


def taught(received_ms: int, lessons: int, latest_ms: int = -RUSH_MS) -> float:
    """Share of the events that become a lesson."""
    return sum(
        is_lesson(x.message_id, x.at_ms, received_ms, lessons, latest_ms) for x in EVENTS
    ) / len(EVENTS)


def test_the_first_events_all_teach() -> None:
    """A young project has too few for a share of them."""
    assert taught(0, 0) == 1.0


@pytest.mark.parametrize("halvings", [1, 2, 20, 1_000])
def test_later_ones_by_a_share_that_falls(halvings: int) -> None:
    """What is above the lasting share halves with each so many lessons."""
    wanted = LESSON_SHARE + (1 - LESSON_SHARE) * 0.5**halvings
    assert taught(0, halvings * FIRST_LESSONS) == pytest.approx(wanted, abs=0.02)


def test_in_a_rush_the_share_alone() -> None:
    """Two hundred events a second need not all teach."""
    assert taught(0, 0, latest_ms=-RUSH_MS + 1) == pytest.approx(LESSON_SHARE, abs=0.02)
    assert taught(0, 0, latest_ms=-RUSH_MS // 2) == pytest.approx(LESSON_SHARE / 2, abs=0.02)
    assert taught(0, 0, latest_ms=-1) == pytest.approx(LESSON_SHARE * RUSH_LEAST, abs=0.02)


@pytest.mark.parametrize("latest_ms", [0, 5_000])
def test_one_moment_is_no_rush(latest_ms: int) -> None:
    """A coarse clock, and events that come late, say nothing of how fast they came."""
    assert taught(0, 0, latest_ms=latest_ms) == pytest.approx(LESSON_SHARE, abs=0.02)


@pytest.mark.parametrize("halvings", [0, 1, 20])
def test_of_what_comes_late_the_first_teach(halvings: int) -> None:
    """History that is imported: a new project learns from all of its beginning, and a large one in time."""
    wanted = OLD_LESSON_SHARE + (1 - OLD_LESSON_SHARE) * 0.5**halvings
    found = taught(LATE_MS + 1, halvings * FIRST_LATE_LESSONS)
    assert found == pytest.approx(wanted, abs=0.02)


def test_old_events_teach_less_from_the_start() -> None:
    """An import of years is not learned line by line."""
    assert taught(OLD_MS + 1, 0) == pytest.approx(OLD_LESSON_SHARE, abs=0.01)
