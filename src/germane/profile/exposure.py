"""What was decided for a person, and what they saw of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from germane.domain.decision import Decision
from germane.domain.profile import Credit, Exposure, Profile, QuotaCount
from germane.domain.settings import Settings
from germane.profile import bounds


def fold_decision(profile: Profile, decision: Decision, settings: Settings, *, seq: int) -> Profile:
    """Count the slots served, for the diversity guarantee over time. Only the policy's own slates count."""
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
    """Positions of a decision were seen. Reported again, they count once.

    Args:
        profile: Before; not changed.
        decision: What was shown.
        positions: Those that were rendered, from 0; unknown ones are passed over.
        at_ms: When; a time after ``now_ms`` is taken for ``now_ms``.
        settings: The declaration.
        seq: Log offset of the impression.
        now_ms: Its arrival.
    """
    at_ms = min(at_ms, now_ms)
    wanted = set(positions)
    items = tuple(each.item_id for each in decision.items if each.position in wanted)
    last_seen_ms = max(profile.last_seen_ms, at_ms)
    if not items:
        return replace(profile, seq=seq, last_seen_ms=last_seen_ms)
    shown = Exposure(decision.decision_id, decision.surface, at_ms, items)
    kept = bounds.exposures(
        united((*profile.exposures, shown)),
        settings.profile.exposures,
        settings.longest_window_s,
        now_ms,
    )
    return replace(profile, seq=seq, exposures=kept, last_seen_ms=last_seen_ms)


def united(exposures: Iterable[Exposure]) -> tuple[Exposure, ...]:
    """One of each decision, oldest first: seen since the first report, with all that any report says."""
    by_id: dict[str, Exposure] = {}
    for each in exposures:
        known = by_id.get(each.decision_id)
        by_id[each.decision_id] = each if known is None else _both(known, each)
    return tuple(sorted(by_id.values(), key=lambda each: (each.at_ms, each.decision_id)))


def _both(one: Exposure, two: Exposure) -> Exposure:
    return Exposure(
        one.decision_id,
        one.surface,
        min(one.at_ms, two.at_ms),
        tuple(dict.fromkeys((*one.items, *two.items))),
        tuple(dict.fromkeys((*one.credited, *two.credited))),
        _accounts(one.credits, two.credits),
    )


def _accounts(one: tuple[Credit, ...], two: tuple[Credit, ...]) -> tuple[Credit, ...]:
    """Of what both have, what less is left of."""
    found = {(each.item_id, each.outcome): each for each in two}
    for each in one:
        other = found.get((each.item_id, each.outcome), each)
        found[each.item_id, each.outcome] = min(each, other, key=lambda x: abs(x.left))
    return tuple(found.values())
