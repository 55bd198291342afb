"""Campaigns that can never send, whoever comes in: their time is over, or no moment of theirs is open."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from germane.deliver import said
from germane.deliver.occasions import at_of, next_clock, next_occasion
from germane.deliver.policy import policy_of
from germane.domain.campaign import Campaign, Step
from germane.domain.plan import SendPolicy
from germane.domain.settings import DeliverySpec
from germane.domain.walltime import (
    DAY_MIN,
    DAY_MS,
    HOUR_MS,
    Pieces,
    clock_of,
    inside,
    without,
    written_span,
)

_UTC = ZoneInfo("UTC")
"""Stands for everybody's own clock."""
_BEHIND_MS = 12 * HOUR_MS
"""How far the last clock of the world is behind UTC."""
_DAYS = 15
_OCCASIONS = 60
"""Times of a schedule that are looked at."""


class Never(msgspec.Struct, frozen=True):
    """Why nothing can go out, and what to do."""

    text: str
    remedy: str


def over(campaign: Campaign, now_ms: int) -> Never | None:
    """Whether the moment of its audience is too long ago for everybody: then nobody comes in any more."""
    enter = campaign.enter
    if enter.kind != "audience" or not enter.at:
        return None
    last_ms = at_of(enter.at, _UTC) + (0 if _one_moment(enter.at) else _BEHIND_MS)
    if (now_ms - last_ms) // 1000 <= enter.fresh_s:
        return None
    return Never(
        f"the time of its audience, {enter.at}, is over: nobody comes in any more.",
        "Set enter.at to a time that is to come, and push it.",
    )


def closed(campaign: Campaign, delivery: DeliverySpec) -> dict[str, Never]:
    """The steps whose messages can never go out, by name: no hour of theirs is open, or each comes after
    their deadline."""
    found = {}
    for place, step in enumerate(campaign.steps):
        policy = policy_of(campaign, step, delivery)
        why = None if policy.transactional else _shut(policy)
        if why is None and not policy.transactional and place == 0:
            why = _too_short(campaign, step, policy)
        if why is not None:
            found[step.name] = why
    return found


def all_closed(campaign: Campaign, delivery: DeliverySpec) -> tuple[Never, ...]:
    """Why no step of it can ever send; none: one can."""
    found = closed(campaign, delivery)
    return tuple(dict.fromkeys(found.values())) if len(found) == len(campaign.steps) else ()


def _open(policy: SendPolicy, from_ms: int, until_ms: int) -> Pieces:
    shown = inside(from_ms, until_ms, _UTC, policy.window, policy.days)
    if policy.quiet is None:
        return shown
    return without(shown, inside(from_ms, until_ms, _UTC, policy.quiet))


def _shut(policy: SendPolicy) -> Never | None:
    """Whether there is no open moment at all."""
    if policy.quiet is None or _open(policy, 0, _DAYS * DAY_MS):
        return None
    window, quiet = written_span(policy.window or (0, DAY_MIN)), written_span(policy.quiet)
    return Never(
        f"its window {window} lies in the quiet hours {quiet}: it can never send.",
        "Change send.window, or quiet_hours under [delivery].",
    )


def _too_short(campaign: Campaign, step: Step, policy: SendPolicy) -> Never | None:
    """Whether the deadline is over before anything opens, each time that its message can be due."""
    dues = list(_dues(campaign, step))
    length = policy.deadline_s * 1000 + 1
    if not dues or any(_open(policy, due, due + length) for due in dues):
        return None
    return Never(
        f"its message is worth sending for {said.span(policy.deadline_s)}, and no moment is open so soon "
        "after it is due: it can never send.",
        "Make send.deadline longer, or change send.window, or the time at which people come in.",
    )


def _dues(campaign: Campaign, step: Step) -> Iterator[int]:
    """When its message is due, on everybody's clock; none where that can be at any time."""
    wait, enter = step.wait, campaign.enter
    clock = clock_of(wait.until_local)
    if wait.event:
        return
    for came_ms in _comings(campaign) if enter.kind in ("audience", "schedule") else ():
        due = came_ms + wait.for_s * 1000
        yield due if clock is None else next_clock(clock, due, _UTC)
    if enter.kind in ("event", "item") and clock is not None:
        yield from (next_clock(clock, day * DAY_MS, _UTC) for day in range(_DAYS))


def _comings(campaign: Campaign) -> Iterator[int]:
    """When people come in; none where each clock shows something else."""
    enter = campaign.enter
    if enter.kind == "audience":
        if enter.at and not _one_moment(enter.at):
            yield at_of(enter.at, _UTC)
        return
    after_ms = 0
    for _ in range(_OCCASIONS):
        after_ms = next_occasion(enter.schedule, after_ms, _UTC)
        yield after_ms


def _one_moment(at: str) -> bool:
    return datetime.fromisoformat(at).tzinfo is not None
