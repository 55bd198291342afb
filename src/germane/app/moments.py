"""A person's week in words: the best hours to reach them, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from germane.domain.hours import HOUR_MS, HOURS, SLOTS, local_hour, slot_of_week, upcoming, zone_of
from germane.domain.moment import Week
from germane.domain.profile import Profile
from germane.domain.settings import Settings
from germane.profile import words
from germane.profile.rhythm import hours_of
from germane.profile.words import rfc3339

WINDOW_H = 3
"""Length of the best window: consecutive hours."""
BEST = 3
_DAYS = ("working days", "weekends")
_FRIDAY = 4


def rhythm(week: Week) -> dict[str, Any]:
    """What the page of a person says of their week beside the hours themselves."""
    if not week.known:
        return {"meaning": meaning(week), "trust": 0.0, "best": []}
    slots = np.argsort(-np.array(week.shares), kind="stable")[:BEST].tolist()
    best = [{"hour": words.hour(slot), **_size(week.shares[slot], SLOTS)} for slot in slots]
    return {"meaning": meaning(week), "trust": round(week.trust, 4), "best": best}


def meaning(week: Week) -> str:
    """How far the hours are the person's own."""
    if not week.known and week.evidence:  # a command that only reads has no shared model
        return "Only this person's own hours are at hand; a server weighs them against everyone's."
    if not week.known:
        return "No hours are known yet, of anybody."
    if not week.evidence:
        return "Nothing is known of this person's hours: these are everyone's hours."
    if week.trust < 0.5:
        return "Not enough is known yet: these are mostly everyone's hours."
    return "Known well enough: these are mostly this person's own hours."


def moment(
    profile: Profile, week: Week, settings: Settings, now_ms: int, hours: int, top: int
) -> dict[str, Any]:
    """The best of the next hours.

    Args:
        profile: The person.
        week: Their week.
        settings: The declaration; its time zone is that of people who do not tell theirs.
        now_ms: The moment as of which it is asked.
        hours: How many whole hours are looked at, from the next one that begins; at least 1.
        top: How many are wanted.
    """
    zone = zone_of(profile.timezone, settings.timezone)
    starts = upcoming(now_ms, zone, hours)
    slots = [slot_of_week(local_hour(each, zone)) for each in starts]
    chances = np.array([week.shares[slot] for slot in slots])
    chances = chances / chances.sum()
    best = np.argsort(-chances, kind="stable")[:top].tolist()
    kept = hours_of(profile)
    return {
        "personId": profile.person,
        "timezone": zone.key,
        "from": rfc3339(starts[0]),
        "to": rfc3339(starts[-1] + HOUR_MS),
        "meaning": meaning(week),
        "evidence": _evidence(week, kept),
        "best": [
            {
                "at": rfc3339(starts[n]),
                "hour": words.hour(slots[n]),
                **_size(float(chances[n]), hours),
                "reasons": _reasons(slots[n], week, kept),
            }
            for n in best
        ],
        "bestWindow": _window(starts, slots, chances.tolist()),
    }


def _size(share: float, among: int) -> dict[str, float]:
    """A share, and how many times the average hour that is."""
    return {"share": round(share, 4), "timesAverage": round(share * among, 2)}


def _evidence(week: Week, kept: Sequence[int]) -> dict[str, Any]:
    return {
        "activeHours": len(kept),
        "weight": round(week.evidence, 2),
        "trust": round(week.trust, 4),
        "strength": week.strength,
        "widthHours": week.width_h,
        "everyonesHours": round(week.known, 1),
    }


def _reasons(slot: int, week: Week, kept: Sequence[int]) -> list[dict[str, Any]]:
    """From the person's own hours and from everyone's, the greater part first; parts sum to 1."""
    own = week.own[slot]
    near = sum(_near(slot_of_week(hour), slot) for hour in kept)
    days, clock = _DAYS[_weekend(slot)], f"{slot % HOURS:02d}:00"
    found = [
        {
            "code": "everyones_hours",
            "text": f"Everyone together: {week.everyone[slot] * SLOTS:.1f} times the average hour.",
            "contribution": round(1.0 - own, 4),
        }
    ]
    if near:
        of = f"the latest {len(kept)} active hours" if len(kept) > 1 else "1 active hour"
        text = f"There around {clock} on {days} in {near} of {of}."
        found.append({"code": "own_hours", "text": text, "contribution": round(own, 4)})
    return sorted(found, key=lambda each: -float(each["contribution"]))


def _near(one: int, two: int) -> bool:
    """At most an hour apart, on days of the same kind."""
    apart = abs(one % HOURS - two % HOURS)
    return _weekend(one) == _weekend(two) and min(apart, HOURS - apart) <= 1


def _weekend(slot: int) -> bool:
    return slot // HOURS > _FRIDAY


def _window(
    starts: Sequence[int], slots: Sequence[int], chances: Sequence[float]
) -> dict[str, Any]:
    """The best few hours in a row; all of them where fewer are asked about."""
    length = min(WINDOW_H, len(starts))
    sums = [sum(chances[n : n + length]) for n in range(len(starts) - length + 1)]
    first = max(range(len(sums)), key=sums.__getitem__)
    return {
        "from": rfc3339(starts[first]),
        "to": rfc3339(starts[first] + length * HOUR_MS),
        "text": f"{words.hour(slots[first])}, for {words.counted(length, 'hour')}",
        "share": round(sums[first], 4),
    }
