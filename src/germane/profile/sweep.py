"""Dropping what is older than 24 calendar months, or than its category is kept, from every collection of a
profile.

All of them know the time of what they hold, or its month; so what is young stays, whether or not the
ring still has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from zlib import crc32

from msgspec.structs import replace

from germane.domain.decay import Masses, month_at
from germane.domain.months import MS_PER_DAY
from germane.domain.profile import Profile
from germane.domain.settings import Settings
from germane.privacy import retention
from germane.privacy.retention import Limits
from germane.profile import bounds, own, rhythm, statistics
from germane.profile.chosen import kept_of


def forget(profile: Profile, settings: Settings, now_ms: int) -> Profile:
    """The profile without what is too old to count at ``now_ms``."""
    keep, limits = retention.of(settings, now_ms), settings.profile
    profile = _of_short_signals(profile, keep)
    oldest = keep.oldest
    oldest_s, first_month = oldest // 1000, month_at(oldest)
    months = tuple(each for each in profile.months if each.month >= first_month)
    sums = statistics.totals(months) if len(months) < len(profile.months) else {}
    return replace(
        profile,
        interests={name: _fresh(values, keep) for name, values in profile.interests.items()},
        recent=tuple(each for each in profile.recent if each.at_ms >= oldest),
        own_items={
            key: own.since(each, oldest_s)
            for key, each in profile.own_items.items()
            if each.last_s >= oldest_s
        },
        traits={
            name: each
            for name, each in profile.traits.items()
            if keep.keeps_trait(name, each.at_ms)
        },
        exposures=bounds.exposures(
            profile.exposures, limits.exposures, settings.longest_window_s, now_ms
        ),
        choices=tuple(
            each for each in kept_of(profile.choices, settings, now_ms) if each.at_ms >= oldest
        ),
        rhythm=rhythm.fresh(rhythm.hours_of(profile), oldest),
        known_orders={
            key: day for key, day in profile.known_orders.items() if day >= oldest // MS_PER_DAY
        },
        muted=profile.muted.now(now_ms),
        **sums,
    )


def stamp(settings: Settings, month: int) -> int:
    """Of a profile that was swept in a month by the declared retention: the month itself, where none is."""
    retention = settings.privacy.retention
    if not retention:
        return month
    return month << 32 | crc32(repr(sorted(retention.items())).encode())


def _fresh(kept: Mapping[str, Masses], keep: Limits) -> dict[str, Masses]:
    """Without evidence that is too old, and without values that have none left."""
    first = {
        name: month_at(keep.of_signal(name))
        for name in {x.signal for y in kept.values() for x in y}
    }
    out = {
        value: tuple(each for each in masses if each.month >= first[each.signal])
        for value, masses in kept.items()
    }
    return {value: masses for value, masses in out.items() if masses}


def _of_short_signals(profile: Profile, keep: Limits) -> Profile:
    """Without things of which only a signal told that is kept for less long than others."""
    over = [each for each in profile.recent if not keep.keeps_signal(each.signal, each.at_ms)]
    if all(each.at_ms < keep.oldest for each in over):
        return profile
    recent = tuple(x for x in profile.recent if keep.keeps_signal(x.signal, x.at_ms))
    gone = {each.item_id for each in over} - {each.item_id for each in recent}
    own_items = {key: each for key, each in profile.own_items.items() if key not in gone}
    return replace(profile, recent=recent, own_items=own_items)
