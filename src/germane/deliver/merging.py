"""Two people turn out to be one, and both are in a campaign: the most advanced wins, and no message that
went out goes out again."""

from __future__ import annotations

from msgspec.structs import replace

from germane.deliver.compiled import Compiled
from germane.deliver.progress import Change
from germane.domain.campaign import Campaign
from germane.domain.enrolment import TIMES_MAX, Cancel, Effect, Enrolment
from germane.domain.plan import Reason

_MERGED = Reason("merged", "Two people turned out to be one: the other enrolment was further.")


def merged(made: Compiled, survivor: Enrolment, other: Enrolment) -> Change:
    """One enrolment of two, under the survivor's subject.

    * Of two that overlap in time, the one that got further goes on: by messages sent, then by step. What
      either sent counts as sent. One that is through (its goal reached, say) beats one that waits.
    * Of two that follow one another, the later one goes on if the campaign would have taken them again.
    * A message of the one that does not go on is taken back, and its wait is over; an occasion that either
      waits for stays.
    * Counted events are put together; being merged lets nobody in, the next event may.
    """
    first, second = sorted((survivor, other), key=lambda each: _further(made.campaign, each))
    kept, lost = second, first
    if _follows(made.campaign, done=second, later=first):
        kept, lost = first, second
    sent = kept.sent
    if _overlap(kept, lost):
        sent = tuple(dict.fromkeys((*kept.sent, *lost.sent)))
    effects: tuple[Effect, ...] = ()
    if lost.message and lost.message != kept.message:
        effects = (Cancel(lost.message, _MERGED),)
    cleared = max(kept.cleared_ms, lost.cleared_ms)
    cycle = max(kept.cycle_ms, lost.cycle_ms)
    together = {*kept.times, *lost.times} if not kept.inside else set()
    return (
        replace(
            kept,
            subject=survivor.subject,
            person=survivor.person or kept.person,
            item=survivor.item or kept.item,
            entry=max(kept.entry, lost.entry),
            entered_ms=max(kept.entered_ms, lost.entered_ms)
            if not kept.inside
            else kept.entered_ms,
            sent=sent,
            times=tuple(sorted(each for each in together if each > cleared))[-TIMES_MAX:],
            counted=sum(each.counted for each in (kept, lost) if each.cycle_ms == cycle),
            cycle_ms=cycle,
            cleared_ms=cleared,
            let_in_ms=max(kept.let_in_ms, lost.let_in_ms),
            due_ms=kept.due_ms or (0 if kept.inside or lost.inside else lost.due_ms),
            lacked=kept.lacked and not lost.sent,
            given_ms=kept.given_ms,
            dry=kept.dry and (lost.dry or not lost.entry),
        ),
        effects,
    )


def _further(campaign: Campaign, each: Enrolment) -> tuple[int, ...]:
    """Order of how far somebody got."""
    phases = ("outside", "waiting", "sending", "done")
    through = each.phase == "done"
    step = campaign.step_at(each.step)
    return (
        int(through),
        len(each.sent) if each.entry else 0,
        -1 if step is None else step,
        phases.index(each.phase),
        -each.entered_ms,
    )


def _overlap(one: Enrolment, two: Enrolment) -> bool:
    """Whether both were inside at one moment."""
    if not one.entry or not two.entry:
        return False
    ends = [each.ended_ms or max(one.entered_ms, two.entered_ms) + 1 for each in (one, two)]
    return one.entered_ms < ends[1] and two.entered_ms < ends[0]


def _follows(campaign: Campaign, *, done: Enrolment, later: Enrolment) -> bool:
    """Whether one is through, and the other came in afterwards as the campaign allows."""
    if done.phase != "done" or not later.inside or later.entered_ms < done.ended_ms:
        return False
    if campaign.reentry == "always":
        return True
    gap = campaign.reentry_s * 1000
    return campaign.reentry == "after" and later.entered_ms - done.entered_ms >= gap
