"""The machine of a campaign: (campaign, state, what happened, view) -> (state, effects). Pure.

Time comes with the view (``now_ms``); nothing is read or written. Whoever calls it stores the state and
carries out the effects in the same transaction. See ``germane.deliver`` for the order of calls.
"""

from __future__ import annotations

from msgspec.structs import replace

from germane.deliver import consenting, counting
from germane.deliver.compiled import CLOCK, WAITING, Compiled, is_called
from germane.deliver.conditions import ALL
from germane.deliver.occasions import at_of, next_occasion
from germane.deliver.progress import (
    Change,
    due_of,
    edited,
    end,
    enter,
    leaves,
    next_due,
    over,
    settled,
)
from germane.deliver.view import View
from germane.domain.campaign import Leave
from germane.domain.enrolment import Enrolment, message_key
from germane.domain.message import Message
from germane.domain.plan import Reason
from germane.domain.walltime import HOUR_MS, local_ms

__all__ = [
    "Change",
    "begun",
    "expelled",
    "forgettable",
    "on_change",
    "on_clock",
    "on_event",
    "outlived",
    "settled",
    "unwanted",
]

_ZONES_APART_MS = 15 * HOUR_MS
"""A person who changes zones may meet an occasion so much earlier by the clock of the world."""
_TRIES = 4


def begun(made: Compiled, view: View, subject: str, person: str, item: str = "") -> Enrolment:
    """Where somebody stands of whom the campaign knew nothing. Of a schedule or an audience it has to be
    stored: ``due_ms`` says when the clock looks at them. Others can be forgotten until something counts."""
    new = Enrolment(
        made.campaign.name,
        subject,
        person,
        item,
        version=made.version,
        zone=view.zone.key,
        dry=made.campaign.status == "dry",
    )
    return replace(new, due_ms=next_due(made.campaign, new, view))


def on_event(made: Compiled, state: Enrolment, view: View) -> Change:
    """An event of the person (or of the account's member) happened.

    Args:
        made: The campaign.
        state: The subject's; ``begun`` for a new one.
        view: With ``event`` and ``items``; a time after now is taken for now, one
            before 1970 for its beginning.
    """
    event = view.event
    assert event is not None
    state, effects = _up_to_date(made, state, view)
    if state.item and view.items and state.item not in view.items:
        return state, effects
    at_ms = max(0, min(event.at_ms, view.now_ms))
    if made.campaign.status == "paused":  # nobody moves, but what was reached is known afterwards
        reached = _reached(made, state, view, at_ms) is not None
        return counting.cleared(state, at_ms) if reached else state, effects
    state, more = _happened(made, state, view, at_ms)
    return state, (*effects, *more)


def on_change(made: Compiled, state: Enrolment, view: View) -> Change:
    """An item that the enrolment is about changed in the catalogue: ``view.change``."""
    change, enter_spec = view.change, made.campaign.enter
    assert change is not None
    state, effects = _up_to_date(made, state, view)
    if change.kind != enter_spec.item or change.item_id != state.item:
        return state, effects
    why = counting.reached(enter_spec, state.times, change.at_ms)
    if why is None or (change.kind == "price_drop" and change.drop < enter_spec.drop):
        return state, effects
    no = counting.too_late(enter_spec, change.at_ms, view.now_ms)
    no = no or counting.may_enter(made.campaign, state, change.at_ms)
    if no is not None:
        return _noted(state, no), effects
    says = "It is back in stock" if change.kind == "back_in_stock" else f"{change.drop:.0%} off"
    why = Reason("entered", f"{says}. {why.text}")
    state, more = enter(made, state, view, change.at_ms, why)
    return state, (*effects, *more)


def on_clock(made: Compiled, state: Enrolment, view: View) -> Change:
    """The clock looks at somebody whose ``look_ms`` has come. Too early or twice does no harm; too late
    happens once, for all that was missed."""
    state, effects = _up_to_date(made, state, view)
    if made.campaign.status == "paused" or not state.look_ms or view.now_ms < state.look_ms:
        return state, effects
    if state.given_ms:
        state, more = _consented(made, state, view)
    elif state.phase == "waiting":
        state, more = _waited(made, state, view)
    elif made.campaign.enter.kind in ("schedule", "audience"):
        state, more = _occasion(made, state, view)
    else:  # the wait of another enrolment, which merges used to leave behind: no clock lets them in
        state, more = replace(state, due_ms=0), ()
    return state, (*effects, *more)


def expelled(made: Compiled, state: Enrolment, view: View, why: Reason) -> Change:
    """They have to leave, for a reason that the machine does not know: consent withdrawn. A yes that comes
    soon enough lets them in again (``consenting``)."""
    if not state.inside:
        return state, ()
    state, effects = end(made, state, view, why)
    return replace(state, lacked=True), effects


def unwanted(made: Compiled, state: Enrolment, view: View) -> Reason | None:
    """Why a message that waits to go out is no longer wanted; ``None``: it is. Asked at its release: what held
    when it was made may hold no more, and no event may have said so.

    Args:
        made: The campaign, as it is now.
        state: The enrolment that asked for the message.
        view: As of now, with ``item`` where the enrolment is about one; ``None``: it left the catalogue.
    """
    against = _ruled_out(made, view)
    step = made.step(state.step)
    if against is not None or step is None:
        return against
    holds, why = made.holds(step.wait.still, view, WAITING)
    return None if holds else Reason("still_false", why.text if why is not None else "")


def outlived(made: Compiled, state: Enrolment, view: View, message: Message) -> Reason | None:
    """Why a message that went out, and waits to be seen, is not to be shown any more; ``None``: it is.

    What had to hold at the end of its wait (``still``) is not asked again: whoever is there to see it may
    have ended that by coming back.

    Args:
        made: The campaign, as it is now.
        state: The enrolment that asked for the message, maybe in it for another time since.
        view: As of now, like that of ``unwanted``.
        message: What waits.
    """
    same = message.key == message_key(state, message.step)
    if state.cleared_ms and state.cleared_ms >= (state.entered_ms if same else message.created_ms):
        return Reason("over", "The goal of its campaign was reached, or its exit.")
    return _ruled_out(made, view)


def forgettable(made: Compiled, state: Enrolment, now_ms: int) -> bool:
    """Whether an enrolment says nothing any more, so that it need not be kept: nobody is in it or ever was,
    and what was counted lies too far back to count."""
    enter_spec = made.campaign.enter
    if state.phase != "outside" or state.entry or state.due_ms:
        return False
    if not enter_spec.within_s:
        return not state.times and not state.counted
    return not state.times or now_ms - state.times[-1] > enter_spec.within_s * 1000


def _ruled_out(made: Compiled, view: View) -> Reason | None:
    """What speaks against any message of a campaign, sent or not."""
    if made.campaign.status not in ("dry", "live"):
        return Reason("not_running", f"The campaign is {made.campaign.status}.")
    if made.campaign.enter.item and (view.item is None or not view.item.available(view.now_ms)):
        return Reason("item_gone", "The item cannot be had any more.")
    return leaves(made, view)


def _happened(made: Compiled, state: Enrolment, view: View, at_ms: int) -> Change:
    campaign, event = made.campaign, view.event
    assert event is not None
    why = _reached(made, state, view, at_ms)
    if why is not None:
        state = counting.cleared(state, at_ms)
        return end(made, state, view, why) if state.inside else (state, ())
    if state.inside:
        state, effects = _inside(made, state, view, at_ms)
        if not campaign.enter.cycle or effects or not state.inside:
            return state, effects
    return _counted(made, state, view, at_ms)


def _reached(made: Compiled, state: Enrolment, view: View, at_ms: int) -> Reason | None:
    """Whether the event is the goal, or the exit, and not from before they came in."""
    campaign = made.campaign
    if state.inside and at_ms < state.entered_ms:
        return None
    if _matches(made, campaign.goal, view):
        return Reason("goal", f"The goal was reached: {campaign.goal.event}.")
    if campaign.leave.event and _matches(made, campaign.leave, view):
        return Reason("left", f"{campaign.leave.event} happened.")
    return None


def _inside(made: Compiled, state: Enrolment, view: View, at_ms: int) -> Change:
    """What an event means for somebody who is in: the one that they wait for, or a reason to leave."""
    left = leaves(made, view)
    if left is not None:
        return end(made, state, view, left)
    step = made.step(state.step)
    if state.phase != "waiting" or step is None or not step.wait.event:
        return state, ()
    wanted = Leave(step.wait.event, step.wait.when)
    if at_ms < state.since_ms or not _matches(made, wanted, view):
        return state, ()
    why = Reason("came", f"{step.wait.event} happened.")
    return over(made, replace(state, due_ms=at_ms, reason=why), view)


def _counted(made: Compiled, state: Enrolment, view: View, at_ms: int) -> Change:
    campaign, event = made.campaign, view.event
    assert event is not None
    if not campaign.enter.event or not is_called(event, campaign.enter.event):
        return state, ()
    holds, why = made.holds(campaign.enter.when, view, ALL)
    if not holds:
        return _noted(state, why), ()
    state, enough = counting.count(made, state, view, at_ms)
    if enough is None or campaign.enter.item:
        return state, ()
    no = counting.too_late(campaign.enter, at_ms, view.now_ms)
    no = no or counting.may_enter(campaign, state, at_ms)
    if no is not None:
        return _noted(state, no), ()
    person = view.profile.person if view.profile is not None else state.person
    state = replace(state, let_in_ms=state.cycle_ms or state.let_in_ms, person=person)
    return enter(made, state, view, at_ms, enough)


def _waited(made: Compiled, state: Enrolment, view: View) -> Change:
    step = made.step(state.step)
    assert step is not None
    if (
        step.wait.until_local and state.zone != view.zone.key
    ):  # they moved to another zone meanwhile
        due = due_of(step.wait, state.since_ms, view)
        state = replace(state, due_ms=due, zone=view.zone.key)
        if due > view.now_ms:
            return state, ()
    if step.wait.event and step.wait.otherwise == "leave":
        why = Reason("did_not_come", f"{step.wait.event} did not come in time.")
        return end(made, state, view, why)
    return over(made, state, view)


def _occasion(made: Compiled, state: Enrolment, view: View) -> Change:
    """A schedule or an audience is due for somebody."""
    spec = made.campaign.enter
    due, label = _their_occasion(made, state, view)
    state = replace(state, due_ms=due, zone=view.zone.key)
    if due > view.now_ms:
        return state, ()
    state = replace(state, let_in_ms=label)
    no = counting.may_enter(made.campaign, state, due)
    no = no or counting.too_late(spec, due, view.now_ms)
    if no is None:
        holds, no = made.holds(spec.audience or spec.when, view, CLOCK)
        no = None if holds else no
    if no is not None:
        after = next_due(made.campaign, state, view) if spec.schedule else 0
        return replace(state, due_ms=after, reason=no), ()
    why = Reason("entered", f"It is {spec.schedule or spec.at} on their clock.")
    return enter(made, state, view, due, why)


def _consented(made: Compiled, state: Enrolment, view: View) -> Change:
    """Consent came after the campaign had looked for it."""
    if state.entry:
        return consenting.again(made, state, view)
    return _occasion(made, replace(state, given_ms=0), view)


def _their_occasion(made: Compiled, state: Enrolment, view: View) -> tuple[int, int]:
    """The occasion that is due, on the clock that they have now, and what that clock shows then. The same
    time on the clock is met once, however they travel."""
    spec, zone = made.campaign.enter, view.zone
    if not spec.schedule:
        due = at_of(spec.at, zone)
        return due, local_ms(due, zone)
    due = state.due_ms
    if state.zone != zone.key:
        due = next_occasion(spec.schedule, due - _ZONES_APART_MS, zone)
    for _ in range(_TRIES):
        if local_ms(due, zone) > state.let_in_ms:
            break
        due = next_occasion(spec.schedule, due, zone)
    return due, local_ms(due, zone)


def _up_to_date(made: Compiled, state: Enrolment, view: View) -> Change:
    """What an edit of the campaign means for somebody."""
    if made.campaign.status == "ended" and state.inside:
        return end(made, state, view, Reason("ended", "The campaign has ended."))
    if state.dry and made.campaign.status == "live":
        state, effects = (
            end(
                made,
                state,
                view,
                Reason("was_dry", "What happened while it was dry does not count."),
            )
            if state.inside
            else (state, ())
        )
        fresh = replace(
            state,
            phase="outside",
            entry=0,
            dry=False,
            let_in_ms=0,
            entered_ms=0,
            lacked=False,
            given_ms=0,
        )
        due = state.due_ms or next_due(made.campaign, fresh, view)
        state, more = edited(made, replace(fresh, due_ms=due), view)
        return state, (*effects, *more)
    return edited(made, state, view)


def _matches(made: Compiled, wanted: Leave, view: View) -> bool:
    assert view.event is not None
    if not wanted.event and not wanted.when:
        return False
    if wanted.event and not is_called(view.event, wanted.event):
        return False
    return made.holds(wanted.when, view, ALL)[0]


def _noted(state: Enrolment, why: Reason | None) -> Enrolment:
    """The reason is kept while they are outside; inside it would hide why they wait."""
    return state if state.inside or why is None else replace(state, reason=why)
