"""Frequency caps: at which moments one more message would be one too many.

A cap of *n* in a time *w* forbids a moment *t* where n messages that count, and t, all lie within less than
w of one another: before t, after it (a reserved place), or around it. That is exact whatever the order in
which messages were planned, and whatever the clock did.
"""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from germane.domain.plan import PRIORITIES, Priority, SendPolicy, Sent
from germane.domain.settings import CapSpec
from germane.domain.walltime import DAY_MIN, DAY_MS, Pieces, inside, joined, local_day, weekday

REACHING_OUT = ("email", "webhook")
"""Channels that come to a person; the others wait to be looked at."""

_RANK = {name: place for place, name in enumerate(PRIORITIES)}


def concerns(cap: CapSpec, channel: str) -> bool:
    """Whether messages of a channel count for a cap, and have to keep it."""
    return channel == cap.channel if cap.channel else channel in REACHING_OUT


def standing(policy: SendPolicy, key: str, sends: Sequence[Sent]) -> list[Sent]:
    """What counts against a message: all that was sent, and what waits and is as urgent or more so.
    Transactional ones never count, and neither does the message itself."""
    return [
        each
        for each in sends
        if each.key != key
        and each.priority != "transactional"
        and not (each.waiting and _RANK[each.priority] > _RANK[policy.priority])
    ]


def forbidden(
    cap: CapSpec, sends: Sequence[Sent], from_ms: int, until_ms: int, zone: ZoneInfo
) -> Pieces:
    """When, between two moments, one more would break the cap.

    Args:
        cap: The cap.
        sends: What counts (``standing``), in any order; of other channels, too.
        from_ms: Where to begin.
        until_ms: Where to end (outside).
        zone: The person's; read for caps by the calendar only.
    """
    times = sorted(each.at_ms for each in sends if concerns(cap, each.channel))
    if len(times) < cap.count:
        return ()
    if cap.calendar:
        return _days(cap, times, from_ms, until_ms, zone)
    width = cap.per_s * 1000
    found = _runs(times, cap.count, width)
    return joined([(max(low, from_ms), min(high, until_ms)) for low, high in found])


def _runs(times: Sequence[int], count: int, width: int) -> list[tuple[int, int]]:
    """Where one more would be within less than ``width`` of ``count`` others at once."""
    runs = zip(times, times[count - 1 :], strict=False)
    return [
        (last - width + 1, first + width)
        for first, last in runs
        if last - first < width and last - width + 1 < first + width
    ]


def _days(
    cap: CapSpec, times: Sequence[int], from_ms: int, until_ms: int, zone: ZoneInfo
) -> Pieces:
    length = max(1, cap.per_s * 1000 // DAY_MS)
    days = [local_day(each, zone) for each in times]
    first, last = local_day(from_ms, zone), local_day(until_ms - 1, zone)
    closed = {
        day
        for low, high in _runs(days, cap.count, length)
        for day in range(max(low, first), min(high, last + 1))
    }
    return joined([piece for day in closed for piece in _of_day(day, from_ms, until_ms, zone)])


def _of_day(day: int, from_ms: int, until_ms: int, zone: ZoneInfo) -> Pieces:
    """When the wall clock shows a date, between two moments."""
    low, high = max(day * DAY_MS - DAY_MS, from_ms), min(day * DAY_MS + 2 * DAY_MS, until_ms)
    shown = inside(low, high, zone, (0, DAY_MIN), (weekday(day),))
    return tuple(each for each in shown if local_day(each[0], zone) == day)


def least_urgent(priority: Priority) -> int:
    """Rank of a priority: 0 is the most urgent."""
    return _RANK[priority]
