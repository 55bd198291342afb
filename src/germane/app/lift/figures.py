"""What the holdout says of a surface or a campaign, in numbers."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from germane.app.lift import words
from germane.app.lift.log import LiftLog
from germane.app.lift.people import HELD_OUT, PERSONALISED, Kind, Measure, People
from germane.domain.months import MS_PER_DAY
from germane.measure import holdout
from germane.measure.holdout import Lift

Bools = npt.NDArray[np.bool_]


class MeasureLift(msgspec.Struct, frozen=True, rename="camel"):
    """One measure of both arms, a person."""

    measure: Measure
    lift: Lift


class Told(msgspec.Struct, frozen=True, rename="camel"):
    """One surface or campaign."""

    kind: Kind
    name: str
    holdout_share: float
    days: int
    """A person counts for so long after their first decision or message."""
    people: int
    """Whom it was decided for, or who had a message or would have had."""
    earlier: int
    """Of these, who were there before the holdout was what it is."""
    waiting: int
    """Of the others, whose days are not over yet."""
    of_both: int
    """Of the others, who saw both arms: each counts where they began."""
    first_counts_ms: int | None
    """When the first person counts, where nobody does yet."""
    split_is_off: bool
    """Whether the arms have other numbers of people than the share explains."""
    goal_unread: bool
    """Of a campaign: its goal asks for more than an event, and is not counted here."""
    measures: list[MeasureLift]
    answer: str = ""
    notes: list[str] = []


def figures(log: LiftLog, *, now_ms: int) -> list[Told]:
    """Of all that was asked for."""
    return [_told(each, log, now_ms) for each in log.people]


def _told(there: People, log: LiftLog, now_ms: int) -> Told:
    arm, first_ms = np.array(there.arm), np.array(there.first_ms, dtype=np.int64)
    days, window_ms = log.days, log.days * MS_PER_DAY
    since = first_ms > there.since_ms
    over = since & (first_ms + window_ms <= now_ms)
    ours, theirs = (over & (arm == each) for each in (PERSONALISED, HELD_OUT))
    counts = int(ours.sum()), int(theirs.sum())
    waits = first_ms[since & ~over]
    found = Told(
        kind=there.kind,
        name=there.name,
        holdout_share=there.share,
        days=days,
        people=len(arm),
        earlier=int((~since).sum()),
        waiting=len(waits),
        of_both=int((np.array(there.both, dtype=bool) & since).sum()),
        first_counts_ms=int(waits.min()) + window_ms if len(waits) and not any(counts) else None,
        split_is_off=any(counts) and holdout.split_is_off(*counts, there.share),
        goal_unread=there.kind == "campaign" and there.name not in log.goals,
        measures=_measures(there, ours, theirs),
    )
    return msgspec.structs.replace(found, answer=words.answer(found), notes=words.notes(found))


def _measures(there: People, ours: Bools, theirs: Bools) -> list[MeasureLift]:
    """Those of which there was anything at all."""
    sums = {name: np.array(each) for name, each in there.sums.items()}
    return [
        MeasureLift(name, holdout.compare(values[ours], values[theirs]))
        for name, values in sums.items()
        if values[ours | theirs].any()
    ]
