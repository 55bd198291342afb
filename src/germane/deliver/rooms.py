"""When a message may go out at all: window, days, quiet hours, caps and deadline, taken together."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from germane.deliver import caps, said
from germane.domain.plan import Ask, Reason, SendPolicy, Sent
from germane.domain.settings import CapSpec
from germane.domain.walltime import (
    DAYS,
    Pieces,
    both,
    inside,
    joined,
    local_day,
    weekday,
    without,
    written_span,
)


@dataclass(frozen=True, slots=True)
class Room:
    """The moments that are left, and what took the others."""

    open: Pieces
    reasons: tuple[Reason, ...]


def room(policy: SendPolicy, ask: Ask, from_ms: int, until_ms: int, zone: ZoneInfo) -> Room:
    """What is left between two moments for one message.

    Args:
        policy: The rules; not a transactional one.
        ask: The message, and what else was sent or has a place.
        from_ms: The first moment.
        until_ms: The first moment that is too late.
        zone: Whose clock windows, days and quiet hours are read on.
    """
    shown = inside(from_ms, until_ms, zone, policy.window, policy.days)
    left, reasons = shown, []
    if not _has(shown, from_ms):
        reasons.append(_outside(policy, from_ms, zone))
    if policy.quiet is not None:
        quiet = inside(from_ms, until_ms, zone, policy.quiet)
        left = without(shown, quiet)
        if _has(quiet, from_ms):
            text = (
                f"It is {said.moment(from_ms, zone)}: quiet hours are {written_span(policy.quiet)}."
            )
            reasons.append(Reason("quiet_hours", text))
    if not left:
        return Room((), tuple(reasons))
    left, capped = _under_caps(policy, ask, left, zone)
    return Room(left, (*reasons, *capped))


def admits(policy: SendPolicy, ask: Ask, at_ms: int, zone: ZoneInfo) -> Room:
    """Whether one moment is open; ``reasons`` say why not."""
    return room(policy, ask, at_ms, at_ms + 1, zone)


def takes(policy: SendPolicy, ask: Ask, at_ms: int, zone: ZoneInfo) -> tuple[str, ...]:
    """Less urgent ones that wait and must give way for a message at ``at_ms``: the least urgent first, of
    those the latest, and no more than needed."""
    rank = caps.least_urgent(policy.priority)
    below = [
        each
        for each in ask.sends
        if each.waiting and each.key != ask.key and caps.least_urgent(each.priority) > rank
    ]
    if not below:
        return ()
    held = caps.standing(policy, ask.key, ask.sends)
    below.sort(key=lambda each: (caps.least_urgent(each.priority), each.at_ms, each.key))
    gone: list[str] = []
    for cap in policy.caps:
        if not caps.concerns(cap, policy.channel):
            continue
        while caps.forbidden(cap, [*held, *below], at_ms, at_ms + 1, zone):
            place = _last_concerned(below, cap, at_ms, zone)
            gone.append(below.pop(place).key)
    return tuple(gone)


def _last_concerned(below: list[Sent], cap: CapSpec, at_ms: int, zone: ZoneInfo) -> int:
    """Place of the last one whose absence makes a difference near a moment."""
    for place in range(len(below) - 1, -1, -1):
        if caps.concerns(cap, below[place].channel) and _near(below[place], cap, at_ms, zone):
            return place
    raise AssertionError("without the less urgent ones the moment was open")


def _near(each: Sent, cap: CapSpec, at_ms: int, zone: ZoneInfo) -> bool:
    if cap.calendar:
        apart = abs(local_day(each.at_ms, zone) - local_day(at_ms, zone))
        return apart < max(1, cap.per_s // 86_400)
    return abs(each.at_ms - at_ms) < cap.per_s * 1000


def _under_caps(
    policy: SendPolicy, ask: Ask, left: Pieces, zone: ZoneInfo
) -> tuple[Pieces, list[Reason]]:
    mine = [each for each in policy.caps if caps.concerns(each, policy.channel)]
    if not mine or not ask.sends:
        return left, []
    held = caps.standing(policy, ask.key, ask.sends)
    first, last = left[0][0], left[-1][1]
    taken: list[tuple[int, int]] = []
    reasons = []
    for cap in mine:
        closed = caps.forbidden(cap, held, first, last, zone)
        if closed and both(closed, ((first, first + 1),)):
            reasons.append(_capped(cap, held, closed[0][1], last, zone))
        taken += closed
    return without(left, joined(taken)), reasons


def _capped(cap: CapSpec, held: list[Sent], free_ms: int, last_ms: int, zone: ZoneInfo) -> Reason:
    count = sum(caps.concerns(cap, each.channel) for each in held)
    then = f"free again {said.moment(free_ms, zone)}" if free_ms < last_ms else "not free in time"
    text = f"The cap is {said.cap(cap)}; {count:,} sent or reserved near it: {then}."
    return Reason("capped", text)


def _outside(policy: SendPolicy, at_ms: int, zone: ZoneInfo) -> Reason:
    now = said.moment(at_ms, zone)
    if policy.days and weekday(local_day(at_ms, zone)) not in policy.days:
        names = ", ".join(DAYS[each] for each in policy.days)
        return Reason("day", f"It is {now}: messages go out on {names} only.")
    window = policy.window or (0, 24 * 60)
    return Reason("window", f"It is {now}: the window is {written_span(window)}.")


def _has(pieces: Pieces, at_ms: int) -> bool:
    return bool(pieces) and any(low <= at_ms < high for low, high in pieces)
