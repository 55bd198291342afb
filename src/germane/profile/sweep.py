"""Dropping what is older than 24 calendar months, from every collection of a profile.

All of them know the time of what they hold, or its month; so what is young stays, whether or not the
ring still has it.
"""

from __future__ import annotations

from msgspec.structs import replace

from germane.domain.decay import month_at, oldest_ms
from germane.domain.months import MS_PER_DAY
from germane.domain.profile import Profile
from germane.domain.settings import Settings
from germane.profile import bounds, own, rhythm, statistics
from germane.profile.chosen import kept_of


def forget(profile: Profile, settings: Settings, now_ms: int) -> Profile:
    """The profile without what is too old to count at ``now_ms``."""
    oldest = oldest_ms(now_ms)
    oldest_s, first_month = oldest // 1000, month_at(oldest)
    limits = settings.profile
    months = tuple(each for each in profile.months if each.month >= first_month)
    sums = statistics.totals(months) if len(months) < len(profile.months) else {}
    items = {
        key: own.since(each, oldest_s)
        for key, each in profile.own_items.items()
        if each.last_s >= oldest_s
    }
    return replace(
        profile,
        interests={
            name: bounds.fresh(values, now_ms) for name, values in profile.interests.items()
        },
        recent=tuple(each for each in profile.recent if each.at_ms >= oldest),
        own_items=items,
        apart={item: names for item, names in profile.apart.items() if item in items},
        traits={name: each for name, each in profile.traits.items() if each.at_ms >= oldest},
        exposures=bounds.exposures(
            profile.exposures, limits.exposures, settings.longest_window_s, now_ms
        ),
        choices=tuple(
            each for each in kept_of(profile.choices, settings, now_ms) if each.at_ms >= oldest
        ),
        rhythm=rhythm.fresh(rhythm.hours_of(profile), now_ms),
        known_orders={
            key: day for key, day in profile.known_orders.items() if day >= oldest // MS_PER_DAY
        },
        muted=profile.muted.now(now_ms),
        **sums,
    )
