"""Consent that comes a moment too late: who is looked at once more when it is there. Pure.

Consent is asked for when a message is claimed, and of an audience maybe by its condition. Whoever gives it
after that, and within ``enter.fresh`` of what let them in, is let in after all: ``given`` marks them, and the
clock looks. Where a message of that entry went out nothing begins anew, so none goes out twice.
"""

from __future__ import annotations

from msgspec.structs import replace

from germane.deliver import counting, said
from germane.deliver.compiled import Compiled
from germane.deliver.occasions import at_of
from germane.deliver.progress import Change, enter
from germane.deliver.view import View
from germane.domain.enrolment import Enrolment
from germane.domain.plan import Reason


def given(made: Compiled, state: Enrolment, view: View, *, newly: bool) -> Enrolment:
    """Somebody whose consent to the campaign's purpose stands; marked for the clock where it looked too early.

    Args:
        made: The campaign.
        state: The enrolment whose messages they get.
        view: As of now.
        newly: Whether the purpose was not allowed until now: an audience whose condition did not hold is then
            asked again, for it may ask for that.
    """
    if made.campaign.status == "ended" or state.phase == "sending" or state.sent:
        return state
    asked = newly and _asked_in_vain(made, state)
    if not (state.lacked or asked) or _too_late(made, state, view) is not None:
        return state
    return replace(state, given_ms=view.now_ms)


def again(made: Compiled, state: Enrolment, view: View) -> Change:
    """The clock looks at somebody who lacked consent and has it: they come in by what let them in before,
    at its own time, so that waits and deadlines count from there."""
    state = replace(state, given_ms=0)
    no = _against(made, state, view)
    if no is not None:
        known = state if state.inside else replace(state, reason=no)
        return replace(known, lacked=False), ()
    after_s = (view.now_ms - state.entered_ms) // 1000
    text = (
        f"Consent came {said.span(after_s)} after what let them in, and nothing had gone out yet."
    )
    counted, times = state.counted, state.times
    state, effects = enter(made, state, view, state.entered_ms, Reason("entered", text))
    return replace(state, counted=counted, times=times), effects


def _asked_in_vain(made: Compiled, state: Enrolment) -> bool:
    """Whether an audience has looked at them once, and did not let them in."""
    never_in = state.phase == "outside" and not state.entry
    return never_in and not state.due_ms and made.campaign.enter.kind == "audience"


def _against(made: Compiled, state: Enrolment, view: View) -> Reason | None:
    """Why they do not come in after all."""
    if made.campaign.status not in ("dry", "live"):
        return Reason("not_running", f"The campaign is {made.campaign.status}: nobody comes in.")
    if state.phase == "sending" or state.sent:
        return Reason("inside", "They are in the campaign already.")
    if state.cleared_ms >= state.entered_ms:
        return Reason("over", "The goal was reached, or the exit, before consent came.")
    return _too_late(made, state, view)


def _too_late(made: Compiled, state: Enrolment, view: View) -> Reason | None:
    spec = made.campaign.enter
    at_ms = state.entered_ms if state.entry else at_of(spec.at, view.zone)
    return counting.too_late(spec, at_ms, view.now_ms)
