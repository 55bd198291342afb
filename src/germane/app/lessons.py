"""Which events teach the blender: all of the first ones, then a share that falls."""

from __future__ import annotations

from zlib import crc32

from germane.domain.months import MS_PER_DAY

LESSON_SHARE = 0.2
"""Share of item events that become a next-item lesson for the blender, chosen by message id."""
FIRST_LESSONS = 2_000
"""At first every event is one: a small or young project has too few for a share of them. What is above
the share halves with each so many lessons."""
RUSH_MS, RUSH_LEAST = 100, 0.25
LATE_MS = MS_PER_DAY
FIRST_LATE_LESSONS = 700
OLD_LESSON_SHARE = 0.025
OLD_MS = 90 * MS_PER_DAY
"""Of events that were this old when they came, fewer from the start: they teach less about today."""


def tells_of_a_day(at_ms: int, received_ms: int, latest_ms: int) -> bool:
    """Whether an event, if somebody came back with it, is looked at for lists that are made ahead: each is,
    where events do not come in a rush and this one does not come late (as in ``is_lesson``). They are few, and
    tell of all that is taken that day."""
    return at_ms - latest_ms >= RUSH_MS and received_ms - at_ms <= LATE_MS


def is_lesson(message_id: str, at_ms: int, received_ms: int, lessons: int, latest_ms: int) -> bool:
    """Whether an event becomes a next-item lesson, by a hash of its id: the first ones all do, later
    ones by a share that falls to ``LESSON_SHARE`` as ``lessons`` grow. Where events come in a rush (the one
    before, at ``latest_ms``, is less than ``RUSH_MS`` ago) they are many anyway: of the first the share
    alone, and the closer they follow one another, the less, down to a part of it (``RUSH_LEAST``). Events
    of one moment say nothing of how fast they came: clocks are coarse. What comes long after it happened
    (history that is imported) teaches less: much of it comes at once, and each lesson takes its time."""
    after_ms, late_ms = at_ms - latest_ms, received_ms - at_ms
    if late_ms > OLD_MS:
        share = OLD_LESSON_SHARE
    elif late_ms > LATE_MS:
        share = OLD_LESSON_SHARE + (1.0 - OLD_LESSON_SHARE) * 0.5 ** (lessons / FIRST_LATE_LESSONS)
    elif after_ms >= RUSH_MS:
        share = LESSON_SHARE + (1.0 - LESSON_SHARE) * 0.5 ** (lessons / FIRST_LESSONS)
    else:
        share = LESSON_SHARE * (max(after_ms / RUSH_MS, RUSH_LEAST) if after_ms > 0 else 1.0)
    return crc32(message_id.encode("utf-8", "surrogatepass")) < share * 2**32
