"""Two histories turn out to be one person's."""

from __future__ import annotations

from msgspec.structs import replace

from germane.domain.decay import Masses
from germane.domain.event import Interaction
from germane.domain.profile import (
    Exposure,
    Mass,
    OwnItem,
    PriceBand,
    Profile,
    QuotaCount,
    Trait,
)
from germane.domain.settings import Settings
from germane.profile import bounds
from germane.profile.fold import MAX_ANONYMOUS_IDS


def merge(
    survivor: Profile, other: Profile, settings: Settings, *, seq: int, now_ms: int
) -> Profile:
    """The survivor with all that was known of the other. Nothing counts twice.

    Newer declarations win. Consent: a purpose that either side refused stays refused; one that only
    one side granted stays as that side said it.
    """
    limits = settings.profile
    return replace(
        survivor,
        seq=seq,
        first_seen_ms=min(
            survivor.first_seen_ms or other.first_seen_ms,
            other.first_seen_ms or survivor.first_seen_ms,
        ),
        last_seen_ms=max(survivor.last_seen_ms, other.last_seen_ms),
        anonymous_ids=_union(other.anonymous_ids, survivor.anonymous_ids)[-MAX_ANONYMOUS_IDS:],
        account=survivor.account or other.account,
        timezone=survivor.timezone or other.timezone,
        locale=survivor.locale or other.locale,
        traits=_newest(survivor, other),
        interests=_interests(survivor, other, limits.values_per_attribute),
        recent=bounds.recent(
            tuple(sorted((*survivor.recent, *other.recent), key=_order)), limits.recent, now_ms
        ),
        own_items=bounds.own(_own(survivor, other), limits.own_items),
        price=_price(survivor.price, other.price),
        rhythm={
            hour: survivor.rhythm.get(hour, 0.0) + other.rhythm.get(hour, 0.0)
            for hour in sorted({*survivor.rhythm, *other.rhythm})
        },
        evidence=survivor.evidence + other.evidence,
        exposures=bounds.exposures(
            _exposures(survivor, other), limits.exposures, settings.longest_window_s, now_ms
        ),
        quotas={
            name: _quota(survivor.quotas.get(name), other.quotas.get(name))
            for name in sorted({*survivor.quotas, *other.quotas})
        },
        orders=_union(other.orders, survivor.orders)[-bounds.ORDERS :],
        consent=_strictest(survivor.consent, other.consent),
    )


def _union(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return (*(each for each in first if each not in second), *second)


def _newest(one: Profile, two: Profile) -> dict[str, Trait]:
    traits = dict(two.traits)
    for name, trait in one.traits.items():
        if name not in traits or traits[name].at_ms <= trait.at_ms:
            traits[name] = trait
    return dict(sorted(traits.items()))


def _interests(one: Profile, two: Profile, limit: int) -> dict[str, dict[str, Masses]]:
    out = {}
    for name in sorted({*one.interests, *two.interests}):
        first, second = one.interests.get(name, {}), two.interests.get(name, {})
        joined = {
            value: _masses(first.get(value, ()), second.get(value, ()))
            for value in sorted({*first, *second})
        }
        out[name] = bounds.values(joined, limit)
    return out


def _masses(one: Masses, two: Masses) -> Masses:
    sums = {(each.month, each.signal): each for each in one}
    for each in two:
        key = (each.month, each.signal)
        had = sums.get(key)
        sums[key] = (
            each
            if had is None
            else Mass(each.month, each.signal, had.count + each.count, had.mass + each.mass)
        )
    return tuple(sums[key] for key in sorted(sums))


def _own(one: Profile, two: Profile) -> dict[str, OwnItem]:
    out = dict(two.own_items)
    for key, item in one.own_items.items():
        had = out.get(key)
        out[key] = (
            item
            if had is None
            else OwnItem(
                had.count + item.count,
                tuple(sorted((*had.times_s, *item.times_s)))[-bounds.TIMES :],
                max(had.last_s, item.last_s),
                max(had.rejected_s, item.rejected_s),
            )
        )
    return dict(sorted(out.items()))


def _price(one: PriceBand, two: PriceBand) -> PriceBand:
    """Two running statistics as one (Chan, Golub & LeVeque 1979)."""
    count = one.count + two.count
    if count == 0:
        return one
    delta = two.mean - one.mean
    mean = one.mean + delta * two.count / count
    return PriceBand(count, mean, one.m2 + two.m2 + delta * delta * one.count * two.count / count)


def _exposures(one: Profile, two: Profile) -> tuple[Exposure, ...]:
    known = {each.decision_id: each for each in (*two.exposures, *one.exposures)}
    return tuple(sorted(known.values(), key=lambda each: (each.at_ms, each.decision_id)))


def _quota(one: QuotaCount | None, two: QuotaCount | None) -> QuotaCount:
    one, two = one or QuotaCount(), two or QuotaCount()
    return QuotaCount(one.slots + two.slots, one.diverse + two.diverse, one.short + two.short)


def _strictest(one: dict[str, bool], two: dict[str, bool]) -> dict[str, bool]:
    return {
        purpose: one.get(purpose, True) and two.get(purpose, True)
        for purpose in sorted({*one, *two})
    }


def _order(interaction: Interaction) -> int:
    return interaction.at_ms
