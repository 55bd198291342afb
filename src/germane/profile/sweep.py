"""Dropping what is older than 24 calendar months, from every collection of a profile.

Most collections know the time of what they hold. The price band and the count of evidence are
sums, so they are made again from the interactions that are still remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from germane.domain.decay import oldest_ms
from germane.domain.event import Interaction
from germane.domain.item import Item
from germane.domain.profile import PriceBand, Profile
from germane.domain.settings import Settings
from germane.profile import bounds, own, rhythm, statistics
from germane.profile.chosen import kept_of
from germane.profile.interests import Interests


def forget(
    profile: Profile,
    settings: Settings,
    now_ms: int,
    item_of: Callable[[str], Item | None] | None = None,
) -> Profile:
    """The profile without what is too old to count at ``now_ms``.

    ``item_of`` tells the prices of items whose events carry none.
    """
    oldest = oldest_ms(now_ms)
    oldest_s = oldest // 1000
    limits = settings.profile
    recent = tuple(each for each in profile.recent if each.at_ms >= oldest)
    interests = {name: bounds.fresh(values, now_ms) for name, values in profile.interests.items()}
    young = replace(profile, recent=recent)
    whole = len(recent) < len(profile.recent) or len(recent) < limits.recent
    return replace(
        profile,
        interests=interests,
        recent=recent,
        own_items={
            key: own.since(key, each, young, settings, oldest_s)
            for key, each in profile.own_items.items()
            if each.last_s >= oldest_s
        },
        traits={name: each for name, each in profile.traits.items() if each.at_ms >= oldest},
        exposures=bounds.exposures(
            profile.exposures, limits.exposures, settings.longest_window_s, now_ms
        ),
        choices=tuple(
            each for each in kept_of(profile.choices, settings, now_ms) if each.at_ms >= oldest
        ),
        evidence=_evidence(profile, recent, {} if whole else interests, settings),
        price=_price(recent, item_of, settings),
        rhythm=rhythm.fresh(rhythm.hours_of(profile), now_ms),
    )


def _evidence(
    profile: Profile, recent: Sequence[Interaction], interests: Interests, settings: Settings
) -> float:
    """Positive interactions that are left: those remembered; where there were more than can be
    remembered, as many as the interests still count."""
    positive = {spec.name for spec in settings.signals.values() if statistics.positive(spec)}
    left = sum(each.signal in positive for each in recent)
    for values in interests.values():
        counted = sum(
            each.count for masses in values.values() for each in masses if each.signal in positive
        )
        left = max(left, counted)
    return min(profile.evidence, float(left))


def _price(
    recent: Sequence[Interaction],
    item_of: Callable[[str], Item | None] | None,
    settings: Settings,
) -> PriceBand:
    band = PriceBand()
    for each in recent:
        spec = settings.signals.get(each.signal)
        if spec is not None and statistics.positive(spec):
            item = item_of(each.item_id) if item_of is not None else None
            band = statistics.met(band, each, item)
    return band
