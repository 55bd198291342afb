"""From entering to the end: waits, steps, messages asked for, and why somebody leaves."""

from __future__ import annotations

from msgspec.structs import replace

from germane.deliver import said
from germane.deliver.compiled import WAITING, Compiled
from germane.deliver.occasions import at_of, next_clock, next_occasion
from germane.deliver.view import View
from germane.domain.campaign import Campaign, Step, Wait
from germane.domain.enrolment import Cancel, Compose, Effect, Enrolment, message_key
from germane.domain.message import NO_CONSENT
from germane.domain.plan import Reason
from germane.domain.walltime import clock_of

Change = tuple[Enrolment, tuple[Effect, ...]]
"""The state afterwards, and what is to be done."""


def enter(made: Compiled, state: Enrolment, view: View, at_ms: int, why: Reason) -> Change:
    """Somebody comes in, at a moment that may be a little past."""
    inside = replace(
        state,
        entry=state.entry + 1,
        entered_ms=at_ms,
        times=(),
        counted=state.counted if made.campaign.enter.cycle else 0,
        sent=(),
        message="",
        ended_ms=0,
        lacked=False,
        given_ms=0,
        dry=made.campaign.status == "dry",
        version=made.version,
        reason=why,
    )
    return to_step(made, inside, 0, at_ms, view)


def to_step(made: Compiled, state: Enrolment, place: int, since_ms: int, view: View) -> Change:
    """Begin to wait for a step; one whose message went out already is passed over."""
    steps = made.campaign.steps
    while place < len(steps) and steps[place].name in state.sent:
        place += 1
    if place >= len(steps):
        return end(made, state, view, Reason("finished", "All steps are done."))
    step = steps[place]
    due = due_of(step.wait, since_ms, view)
    waiting = replace(
        state, phase="waiting", step=step.name, since_ms=since_ms, due_ms=due, zone=view.zone.key
    )
    if step.wait.event or due > view.now_ms:
        return waiting, ()
    return over(made, waiting, view)


def due_of(wait: Wait, since_ms: int, view: View) -> int:
    """When a wait is over; 0: only by its event."""
    if wait.event and not wait.for_s:
        return 0
    due = since_ms + wait.for_s * 1000
    clock = clock_of(wait.until_local)
    return due if clock is None else next_clock(clock, due, view.zone)


def over(made: Compiled, state: Enrolment, view: View) -> Change:
    """The wait is over: what must still hold is looked at again, then the message is asked for."""
    step = made.step(state.step)
    assert step is not None
    left = leaves(made, view)
    if left is not None:
        return end(made, state, view, left)
    holds, why = made.holds(step.wait.still, view, WAITING)
    if not holds:
        text = why.text if why is not None else ""
        return end(made, state, view, Reason("still_false", f"After the wait: {text}"))
    wanted, why = made.holds(step.when, view, WAITING)
    if not wanted:
        text = f"Step {step.name!r} was passed over. {why.text if why is not None else ''}"
        passed = replace(state, reason=Reason("step_passed", text.strip()))
        return _after(made, passed, view.now_ms, view)
    return _compose(made, state, step, view)


def leaves(made: Compiled, view: View) -> Reason | None:
    """Why they leave, by the condition that is looked at again and again; ``None``: they stay."""
    leave = made.campaign.leave
    if leave.event or not leave.when:
        return None
    holds, _ = made.holds(leave.when, view, WAITING)
    return Reason("left", f"exit.when holds: {leave.when}") if holds else None


def end(made: Compiled, state: Enrolment, view: View, why: Reason) -> Change:
    """They are out: a message that waits is taken back; a schedule goes on to its next occasion."""
    taken: tuple[Effect, ...] = (Cancel(state.message, why),) if state.message else ()
    done = replace(
        state,
        phase="done",
        message="",
        step="",
        since_ms=0,
        due_ms=next_due(made.campaign, state, view),
        zone=view.zone.key,
        ended_ms=view.now_ms,
        reason=why,
    )
    return done, taken


def next_due(campaign: Campaign, state: Enrolment, view: View, after_ms: int | None = None) -> int:
    """When the clock lets somebody in next, after a moment (now); 0: never."""
    enter = campaign.enter
    if campaign.status == "ended":
        return 0
    if enter.schedule:
        return next_occasion(
            enter.schedule, view.now_ms if after_ms is None else after_ms, view.zone
        )
    if enter.audience and not state.entry:
        return at_of(enter.at, view.zone)
    return 0


def settled(
    made: Compiled, state: Enrolment, view: View, key: str, *, sent: bool, at_ms: int, why: Reason
) -> Change:
    """A message went out, or never will: on to the next step, whose wait begins at ``at_ms``."""
    if state.message != key or state.phase != "sending":
        return state, ()
    known = (*state.sent, state.step) if sent else state.sent
    lacked = state.lacked or (not sent and why.code == NO_CONSENT)
    free = replace(state, message="", sent=known, lacked=lacked, reason=why)
    return _after(made, free, at_ms, view)


def edited(made: Compiled, state: Enrolment, view: View) -> Change:
    """Whoever is inside when the campaign is edited goes on with its new form, at the step of the same name.
    The wait is reckoned anew, from when it began. Who has already entered does not enter again for it; a
    message that was asked for stays as it is."""
    campaign = made.campaign
    if state.version == made.version:
        return state, ()
    moved = replace(state, version=made.version)
    if not state.inside:
        overdue = 0 < state.due_ms <= view.now_ms  # an edit takes no occasion away
        due = next_due(campaign, state, view, state.due_ms - 1 if overdue else None)
        return replace(moved, due_ms=due, zone=view.zone.key), ()
    step = made.step(state.step)
    if state.phase == "sending":
        return moved, ()
    if step is None:
        why = Reason(
            "step_gone", f"The campaign was edited: it has no step {state.step!r} any more."
        )
        return end(made, moved, view, why)
    return replace(moved, due_ms=due_of(step.wait, state.since_ms, view), zone=view.zone.key), ()


def _after(made: Compiled, state: Enrolment, at_ms: int, view: View) -> Change:
    place = made.campaign.step_at(state.step)
    if place is None:
        why = Reason(
            "step_gone", f"The campaign was edited: it has no step {state.step!r} any more."
        )
        return end(made, state, view, why)
    return to_step(made, state, place + 1, at_ms, view)


def _compose(made: Compiled, state: Enrolment, step: Step, view: View) -> Change:
    key = message_key(state, step.name)
    due = state.due_ms or view.now_ms
    waited = max(0, due - state.since_ms) // 1000
    text = f"Step {step.name!r} is due" + (f", after {said.span(waited)}." if waited else ".")
    why = Reason("due", text)
    campaign = made.campaign
    effect = Compose(
        key,
        campaign.name,
        made.version,
        state.subject,
        state.person,
        step.name,
        step.content,
        campaign.channel_of(step),
        state.item,
        due,
        why,
    )
    return replace(state, phase="sending", message=key, due_ms=0, reason=why), (effect,)
