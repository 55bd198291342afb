"""The hours in which a person was there: the latest of them, each once, on their own clock.

They are kept as local hours since 1970, so decay, the end after its time, the merging of two
histories and the order of arrival need no care of their own: it is a set, and the newest stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from germane.domain.event import Event, Interaction
from germane.domain.hours import FARTHEST_EAST_H, HOUR_MS, local_hour, zone_of
from germane.domain.profile import Profile
from germane.domain.settings import Settings
from germane.privacy import retention
from germane.privacy.features import apart
from germane.profile import bounds

Hours = tuple[int, ...]


def hours_of(profile: Profile) -> Hours:
    """Active hours, oldest first. The sums of an earlier version tell no times: they are passed over."""
    return profile.rhythm if isinstance(profile.rhythm, tuple) else ()


def newly_active(
    profile: Profile,
    event: Event,
    interactions: Sequence[Interaction],
    settings: Settings,
    now_ms: int,
) -> int | None:
    """The local hour in which this event shows the person to be there, if that was not known.

    A page or screen that was looked at counts, and what means a signal. Taking something back does
    not: the shop does that when it suits the shop; nor does what needs a consent of its own.
    """
    if event.kind not in {"page", "screen"} and not _did(interactions, settings):
        return None
    said = event.context.get("timezone") if event.context else None
    zone = zone_of(said, profile.timezone, settings.timezone)
    hour = local_hour(min(event.at_ms, now_ms), zone)
    known = hours_of(profile)
    if hour in known or hour < oldest_hour(retention.of(settings, now_ms).oldest):
        return None
    full = len(known) >= bounds.ACTIVE_HOURS
    return None if full and hour < known[0] else hour


def joined(*parts: Iterable[int]) -> Hours:
    """All of them, each once, the newest that may be kept, oldest first."""
    return tuple(sorted({hour for part in parts for hour in part}))[-bounds.ACTIVE_HOURS :]


def fresh(hours: Hours, oldest_ms: int) -> Hours:
    """Those that surely are not before a time."""
    oldest = oldest_hour(oldest_ms)
    return tuple(hour for hour in hours if hour >= oldest)


def oldest_hour(oldest_ms: int) -> int:
    """The first local hour that is surely not before a time, in whatever zone it was."""
    return oldest_ms // HOUR_MS + FARTHEST_EAST_H


def _did(interactions: Sequence[Interaction], settings: Settings) -> bool:
    specs = (settings.signals[each.signal] for each in interactions)
    return any(not each.cancels and not apart(each.category) for each in specs)
