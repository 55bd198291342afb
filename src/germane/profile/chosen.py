"""The choices that were made for a person and may still be rewarded."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from germane.domain.decision import Decision
from germane.domain.profile import OpenChoice, Profile
from germane.domain.settings import Settings

OPEN = 4
"""Choices of a surface kept that were not rewarded yet: the latest. What happens later counts for the
latest before it, so earlier ones are needed only where something arrives late; an outcome that names
its decision counts whether it is kept or not."""
CREDITED = 16
"""Of those that were rewarded: so that nothing counts twice."""


def fold_choice(
    profile: Profile, decision: Decision, settings: Settings, *, seq: int, now_ms: int
) -> Profile:
    """A choice was made. One that nothing may be learned from (``default``) leaves no trace."""
    if decision.choice is None or decision.choice.how == "default":
        return profile
    made = OpenChoice(decision.decision_id, decision.surface, decision.at_ms)
    kept = kept_of((*profile.choices, made), settings, now_ms)
    return replace(profile, seq=seq, choices=kept)


def kept_of(
    choices: Iterable[OpenChoice], settings: Settings, now_ms: int
) -> tuple[OpenChoice, ...]:
    """The latest of each surface, oldest first: without a reward only while their window is open."""
    kept: list[OpenChoice] = []
    seen: dict[tuple[str, bool], int] = {}
    for each in sorted(choices, key=lambda x: (x.at_ms, x.decision_id), reverse=True):
        surface = settings.surfaces.get(each.surface)
        credited = bool(each.credited)
        over = surface is None or each.at_ms + surface.window_s * 1000 < now_ms
        place = seen[each.surface, credited] = seen.get((each.surface, credited), 0) + 1
        if place <= (CREDITED if credited else OPEN) and (credited or not over):
            kept.append(each)
    return tuple(reversed(kept))


def joined(
    one: Iterable[OpenChoice], two: Iterable[OpenChoice], settings: Settings, now_ms: int
) -> tuple[OpenChoice, ...]:
    """Of two histories that are one person's. No decision is in both: each was made for one of them."""
    by_id = {each.decision_id: each for each in (*two, *one)}
    return kept_of(by_id.values(), settings, now_ms)
