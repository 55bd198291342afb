"""What was decided for a person, and what they saw of it."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from germane.domain.decision import Decision
from germane.domain.profile import Exposure, Profile, QuotaCount
from germane.domain.settings import Settings
from germane.profile import bounds


def fold_decision(profile: Profile, decision: Decision, settings: Settings, *, seq: int) -> Profile:
    """Count the slots served, for the diversity guarantee over time."""
    if decision.arm != "personalised":
        return profile
    served = profile.quotas.get(decision.surface, QuotaCount())
    diverse = sum(each.slot == "diverse" for each in decision.items)
    count = QuotaCount(
        served.slots + len(decision.items),
        served.diverse + diverse,
        served.short + decision.quota_short,
    )
    return replace(profile, seq=seq, quotas={**profile.quotas, decision.surface: count})


def fold_impression(
    profile: Profile,
    decision: Decision,
    positions: Sequence[int],
    at_ms: int,
    settings: Settings,
    *,
    seq: int,
    now_ms: int,
) -> Profile:
    """Positions of a decision were seen. Reported again, they count once."""
    wanted = set(positions)
    items = tuple(each.item_id for each in decision.items if each.position in wanted)
    kept = []
    for each in profile.exposures:
        if each.decision_id == decision.decision_id:
            items = (*each.items, *(item for item in items if item not in each.items))
            kept.append(replace(each, items=items))
            break
        kept.append(each)
    else:
        kept.append(Exposure(decision.decision_id, decision.surface, at_ms, items))
    kept += profile.exposures[len(kept) :]
    kept.sort(key=lambda each: each.at_ms)
    exposures = bounds.exposures(
        tuple(kept), settings.profile.exposures, settings.longest_window_s, now_ms
    )
    return replace(
        profile, seq=seq, exposures=exposures, last_seen_ms=max(profile.last_seen_ms, at_ms)
    )
