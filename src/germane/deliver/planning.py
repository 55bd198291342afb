"""The one scheduler: when a message goes out, or that it does not, with every reason.

It solves all of it together: the end of the wait, the person's time zone, the window and days of the
campaign, quiet hours, caps over what was sent and what is reserved, urgency, the deadline, the person's
best hour, the spread of a release, and doing nothing. Order of precedence:

1. what was decided before (do nothing, the holdout) stands;
2. transactional messages go at once, whatever the rest says;
3. never after the deadline;
4. never outside the window, never in quiet hours;
5. never over a cap; a less urgent message that waits does not count, and gives way;
6. of the moments that are left, the best hour, if it is asked for; else the first.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from msgspec.structs import replace

from germane.deliver import hours, rooms, said
from germane.domain.hours import SLOTS, known_zone
from germane.domain.ids import share_of
from germane.domain.plan import Ask, Plan, Reason, Release, SendPolicy
from germane.domain.walltime import Piece, Pieces

_UTC = ZoneInfo("UTC")


def plan(policy: SendPolicy, ask: Ask) -> Plan:
    """When the message goes out. Pure: the same question has the same answer.

    The caller reserves the place (a ``Sent`` with ``waiting``) in the transaction that read ``ask.sends``,
    and plans again whatever ``takes`` names.
    """
    zone, unknown = _zone(ask)
    deadline = ask.due_ms + policy.deadline_s * 1000
    if ask.nothing is not None:
        return Plan(None, (ask.nothing,), zone=zone.key, deadline_ms=deadline)
    if policy.transactional:
        text = "Transactional: it goes at once, and is neither capped nor muted."
        return Plan(ask.now_ms, (Reason("transactional", text),), zone=zone.key)
    nothing = Plan(None, (), zone=zone.key, deadline_ms=deadline)
    start = max(ask.now_ms, ask.due_ms)
    if start > deadline:
        return replace(nothing, reasons=(_too_late(policy, deadline, zone),))
    found = rooms.room(policy, ask, start, deadline + 1, zone)
    held = unknown + found.reasons
    if not found.open:
        return replace(nothing, reasons=(*held, _no_room(policy, deadline, zone)))
    return _within(policy, ask, found.open, replace(nothing, reasons=held), start, zone)


def release(policy: SendPolicy, ask: Ask, planned: Plan) -> Release:
    """Whether a message whose time has come may go now. All that can have changed since is looked at
    again: what else was sent, the person's zone, the clock itself.

    Args:
        policy: As it is now: a campaign may have been edited.
        ask: As it is now; ``sends`` may hold the message itself, which does not count.
        planned: The plan that is carried out.
    """
    if policy.transactional:
        return Release("send", (Reason("transactional", "Transactional: it goes at once."),))
    zone, unknown = _zone(ask)
    deadline = ask.due_ms + policy.deadline_s * 1000
    now = ask.now_ms
    if now > deadline:
        return Release("drop", (_too_late(policy, deadline, zone),))
    if planned.at_ms is not None and now < planned.at_ms:
        text = f"It is planned for {said.moment(planned.at_ms, zone)}."
        return Release("later", (Reason("not_yet", text),), planned.at_ms)
    found = rooms.admits(policy, ask, now, zone)
    if found.open:
        text = f"Released at {said.moment(now, zone)}: inside all limits."
        reasons = (*unknown, Reason("released", text))
        return Release("send", reasons, takes=rooms.takes(policy, ask, now, zone))
    again = plan(replace(policy, best_hour=False), ask)
    if again.at_ms is None:
        return Release("drop", again.reasons)
    return Release("later", again.reasons, again.at_ms, again.takes)


def _within(
    policy: SendPolicy, ask: Ask, pieces: Pieces, held: Plan, start: int, zone: ZoneInfo
) -> Plan:
    """One of the moments that are open, or none that is worth it."""
    reasons = list(held.reasons)
    piece, propensity = pieces[0], 1.0
    if policy.best_hour and len(ask.week) == SLOTS:
        taken = hours.choose(policy, ask, pieces, zone)
        piece, propensity = taken.piece, taken.propensity
        reasons += taken.reasons
        if taken.chance < policy.least_chance:
            reasons.append(_not_worth(policy, taken.chance))
            return replace(held, reasons=tuple(reasons), propensity=propensity)
    elif policy.best_hour:
        text = "Nothing is known of anybody's hours yet: the first open moment."
        reasons.append(Reason("hours_unknown", text))
    at, spread = _spread(policy, ask, piece, shared=policy.shared_start or piece[0] > start)
    reasons += spread
    if piece[0] == start and not spread:
        reasons.append(Reason("at_once", f"It may go at once, {said.moment(at, zone)}."))
    elif not policy.best_hour:
        reasons.append(Reason("first_moment", f"The first open moment: {said.moment(at, zone)}."))
    gone = rooms.takes(policy, ask, at, zone)
    if gone:
        text = (
            f"It takes the place of {said.counted(len(gone), 'less urgent message')} that waited."
        )
        reasons.append(Reason("took_place", text))
    return replace(held, at_ms=at, reasons=tuple(reasons), propensity=propensity, takes=gone)


def _spread(
    policy: SendPolicy, ask: Ask, piece: Piece, *, shared: bool
) -> tuple[int, tuple[Reason, ...]]:
    """The message's own place after the beginning of a piece, never beyond it."""
    width = min(policy.spread_s * 1000, piece[1] - 1 - piece[0]) if shared else 0
    if width <= 0:
        return piece[0], ()
    after = int(share_of("", ask.person, f"spread:{ask.key}") * width)
    text = f"{after // 1000:,} s after the others: releases are spread over {width // 1000:,} s."
    return piece[0] + after, (Reason("spread", text),)


def _zone(ask: Ask) -> tuple[ZoneInfo, tuple[Reason, ...]]:
    own = known_zone(ask.zone) if ask.zone else None
    if own is not None:
        return own, ()
    zone = known_zone(ask.default_zone) or _UTC
    what = f"No time zone is called {ask.zone!r}" if ask.zone else "Their time zone is not known"
    return zone, (Reason("zone_unknown", f"{what}: that of the project is used, {zone.key}."),)


def _too_late(policy: SendPolicy, deadline: int, zone: ZoneInfo) -> Reason:
    text = f"It was worth sending for {said.span(policy.deadline_s)}, until {said.moment(deadline, zone)}."
    return Reason("deadline_passed", text)


def _no_room(policy: SendPolicy, deadline: int, zone: ZoneInfo) -> Reason:
    text = f"No moment is open before its deadline, {said.moment(deadline, zone)}."
    return Reason("no_room", text)


def _not_worth(policy: SendPolicy, chance: float) -> Reason:
    text = (
        f"Better nothing: the hour is {chance:.2f} times as good as the average, and "
        f"{policy.least_chance:.2f} is asked for."
    )
    return Reason("not_worth_it", text)
