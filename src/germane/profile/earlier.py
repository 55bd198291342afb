"""Profiles as earlier versions stored them, in today's shape.

They open as they are. What they kept without a time is given one before anything is added to it: what
is remembered tells it, and the rest is taken to be no older than it must be. ``germane rebuild`` makes
it exact, from the log.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from germane.domain.ids import order_key
from germane.domain.item import Item
from germane.domain.profile import Profile
from germane.domain.settings import Settings
from germane.profile import bounds, statistics

_MS_PER_DAY = 86_400_000


def todays(
    profile: Profile, settings: Settings, item_of: Callable[[str], Item | None] | None
) -> Profile:
    """The same profile in today's shape; itself where it has it already."""
    if profile.orders:
        profile = _orders(profile)
    if profile.months or not profile.evidence:
        return profile
    months = statistics.of_ring(profile.recent, item_of, settings)
    undated = profile.evidence - sum(each.evidence for each in months)
    return statistics.dated(profile, undated, months)


def _orders(profile: Profile) -> Profile:
    """Orders that were kept by name: of the day on which the person was last seen."""
    day = max(profile.last_seen_ms, 0) // _MS_PER_DAY
    keys = (order_key(*name.split(":", 1)) for name in profile.orders if ":" in name)
    known = profile.known_orders | dict.fromkeys(keys, day)
    return replace(profile, orders=(), known_orders=bounds.orders(known))
