"""The Nth matching event, within a time or a cycle: who is let in."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from germane.deliver import said
from germane.deliver.compiled import Compiled
from germane.deliver.occasions import cycle_start
from germane.deliver.view import View
from germane.domain.campaign import Campaign, Enter
from germane.domain.enrolment import TIMES_MAX, Enrolment
from germane.domain.plan import Reason


def count(
    made: Compiled, state: Enrolment, view: View, at_ms: int
) -> tuple[Enrolment, Reason | None]:
    """Count one matching event; with the reason where that is enough to be let in.

    Late and out of order is fine: an event counts at its own time, in its own cycle, and not at all if the
    goal was reached after it.
    """
    enter = made.campaign.enter
    if at_ms <= state.cleared_ms:
        return state, None
    if enter.cycle:
        return _in_cycle(enter, state, view, at_ms)
    if not enter.within_s and enter.count > TIMES_MAX:
        state = replace(state, counted=state.counted + 1)
        return state, _enough(enter, "in all") if state.counted >= enter.count else None
    times = tuple(sorted((*state.times, at_ms)))[-min(enter.count, TIMES_MAX) :]
    return replace(state, times=times), reached(enter, times, times[-1])


def reached(enter: Enter, times: tuple[int, ...], at_ms: int) -> Reason | None:
    """Whether the latest events are enough at a moment, and why."""
    if len(times) < enter.count:
        return None
    span_ms = at_ms - times[-enter.count]
    if enter.within_s and span_ms > enter.within_s * 1000:
        return None
    return _enough(enter, f"within {said.span(enter.within_s)}" if enter.within_s else "in all")


def cleared(state: Enrolment, at_ms: int) -> Enrolment:
    """Nothing that happened until then counts any more."""
    until = max(at_ms, state.cleared_ms)
    left = tuple(each for each in state.times if each > until)
    return replace(
        state, times=left, counted=0 if not state.cycle_ms else state.counted, cleared_ms=until
    )


def may_enter(campaign: Campaign, state: Enrolment, at_ms: int) -> Reason | None:
    """Why they may not come in (again); ``None``: they may."""
    if campaign.status not in ("dry", "live"):
        return Reason("not_running", f"The campaign is {campaign.status}: nobody comes in.")
    if state.inside:
        return Reason("inside", "They are in the campaign already.")
    if not state.entry or campaign.reentry == "always":
        return None
    if campaign.reentry == "never":
        return Reason("was_in", "They were in the campaign before, and it takes nobody twice.")
    free = state.entered_ms + campaign.reentry_s * 1000
    if at_ms >= free:
        return None
    text = f"They came in less than {said.span(campaign.reentry_s)} ago."
    return Reason("was_in", text)


def too_late(enter: Enter, at_ms: int, now_ms: int) -> Reason | None:
    """Why what happened then lets nobody in now."""
    late_s = (now_ms - at_ms) // 1000
    if late_s <= enter.fresh_s:
        return None
    text = (
        f"It came in {said.counted(late_s // 3600, 'hour')} after it happened: what is older than "
        f"{said.span(enter.fresh_s)} lets nobody in."
    )
    return Reason("late", text)


def _in_cycle(
    enter: Enter, state: Enrolment, view: View, at_ms: int
) -> tuple[Enrolment, Reason | None]:
    start = cycle_start(enter.cycle, _began(enter, view), at_ms, view.zone)
    if start is None:
        text = f"{enter.cycle} tells no day, so no cycle can be counted."
        return replace(state, reason=Reason("no_cycle", text)), None
    if start < state.cycle_ms:
        return state, None  # of a cycle that is over
    before = state.counted if start == state.cycle_ms else 0
    state = replace(state, cycle_ms=start, counted=before + 1)
    if state.counted < enter.count or state.let_in_ms == start:
        return state, None
    return state, _enough(enter, "in the cycle")


def _began(enter: Enter, view: View) -> Any:
    root, _, name = enter.cycle.partition(".traits.")
    if root == "account":
        return view.account_traits.get(name)
    trait = view.profile.traits.get(name) if view.profile is not None else None
    return trait.value if trait is not None else None


def _enough(enter: Enter, how: str) -> Reason:
    text = f"{enter.event}: {said.counted(enter.count, 'matching event')} {how}."
    return Reason("entered", text)
