"""Dropping what is older than 24 calendar months, or than its category is kept, from every collection of a
profile.

All of them know the time of what they hold, or its month; so what is young stays, whether or not the
ring still has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from zlib import crc32

from msgspec.structs import replace

from germane.domain import had
from germane.domain.decay import Masses, month_at
from germane.domain.months import MS_PER_DAY
from germane.domain.profile import OwnItem, Profile
from germane.domain.settings import Settings
from germane.privacy import retention
from germane.privacy.features import apart
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
    items = {
        key: own.since(each, oldest_s)
        for key, each in profile.own_items.items()
        if each.last_s >= oldest_s
    }
    return replace(
        profile,
        interests={name: _fresh(values, keep) for name, values in profile.interests.items()},
        unplaced=_fresh(profile.unplaced, keep),
        recent=tuple(each for each in profile.recent if each.at_ms >= oldest),
        own_items=items,
        apart={item: names for item, names in profile.apart.items() if item in items},
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
        had=had.since(profile.had, month_at(_plain(keep, settings))),
        **sums,
    )


def _plain(keep: Limits, settings: Settings) -> int:
    """Since when what was had counts, whichever plain signal told it: the month does not say which."""
    told = (x.name for x in settings.signals.values() if x.repeat and not apart(x.category))
    return max(map(keep.of_signal, told), default=keep.oldest)


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
    """Without what only a signal told that is kept for less long than others; such signals are in no sum
    (``statistics.positive``)."""
    recent = tuple(x for x in profile.recent if keep.keeps_signal(x.signal, x.at_ms))
    still = {each.item_id for each in recent}
    gone = {each.item_id for each in profile.recent if each.at_ms >= keep.oldest} - still
    gone |= {
        item
        for item, names in profile.apart.items()
        if item not in still and _over(profile.own_items.get(item), names, keep)
    }
    if not gone and len(recent) == len(profile.recent):
        return profile
    own_items = {key: each for key, each in profile.own_items.items() if key not in gone}
    return replace(profile, recent=recent, own_items=own_items)


def _over(item: OwnItem | None, names: Iterable[str], keep: Limits) -> bool:
    """Whether all that these signals told of an item is too old."""
    return item is not None and all(item.last_s * 1000 < keep.of_signal(each) for each in names)
