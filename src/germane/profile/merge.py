"""Two histories turn out to be one person's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from germane.domain import had
from germane.domain.decay import joined, oldest_ms
from germane.domain.had import Had
from germane.domain.profile import OwnItem, Profile, QuotaCount, Trait
from germane.domain.settings import Settings
from germane.privacy.ledger import strictest
from germane.profile import (
    bounds,
    chosen,
    earlier,
    exposure,
    interests,
    muted,
    own,
    pairing,
    repeats,
    rhythm,
    statistics,
)


def merge(
    survivor: Profile,
    other: Profile,
    settings: Settings,
    item_of: interests.ItemOf,
    *,
    seq: int,
    now_ms: int,
) -> Profile:
    """The survivor with all that was known of the other. Nothing counts twice.

    The newer declaration of a trait wins (of the same time: the survivor's). Place, language and
    account are those of whoever was seen last. Consent: a purpose that either side refused stays
    refused; one that only one side stated stays as that side said it. A refund that one side knows
    takes back the purchase that the other one knows; ``item_of`` tells what that item was about. An
    order that both sides have counts once, as long as one of them remembers what it said.

    What is too old in either is dropped by ``fold.current``, which comes next.
    """
    limits = settings.profile
    survivor, other = (earlier.todays(each, settings, item_of) for each in (survivor, other))
    survivor, other = repeats.apart(survivor, other, item_of, settings)
    changes = pairing.joined(survivor, other, settings)
    both = _own(survivor, other, changes)
    items = bounds.own(both, limits.own_items)
    apart = {
        item: tuple(sorted({*survivor.apart.get(item, ()), *other.apart.get(item, ())}))
        for item in sorted({*survivor.apart, *other.apart})
    }
    return replace(
        survivor,
        seq=seq,
        swept_month=survivor.swept_month if survivor.swept_month == other.swept_month else 0,
        **_identity(survivor, other),
        traits=_newest(survivor.traits, other.traits),
        **interests.fields(_interests(survivor, other, changes, item_of, settings, now_ms)),
        recent=bounds.recent(_recent(survivor, other), limits.recent, oldest_ms(now_ms)),
        own_items=items,
        apart={item: names for item, names in apart.items() if item in items},
        had=own.let_go(_had(survivor, other, both, settings), both, items, apart),
        rhythm=rhythm.joined(rhythm.hours_of(survivor), rhythm.hours_of(other)),
        **statistics.totals(_months(survivor, other)),
        exposures=bounds.exposures(
            exposure.united((*survivor.exposures, *other.exposures)),
            limits.exposures,
            settings.longest_window_s,
            now_ms,
        ),
        quotas={
            name: _quota(survivor.quotas.get(name), other.quotas.get(name))
            for name in sorted({*survivor.quotas, *other.quotas})
        },
        known_orders=bounds.orders(_orders(survivor.known_orders, other.known_orders)),
        **dict(zip(("consent", "stands"), strictest(survivor, other), strict=True)),
        choices=chosen.joined(survivor.choices, other.choices, settings, now_ms),
        muted=muted.joined(survivor.muted, other.muted, now_ms),
    )


def _identity(survivor: Profile, other: Profile) -> dict[str, Any]:
    latest, before = survivor, other
    if other.last_seen_ms > survivor.last_seen_ms:
        latest, before = other, survivor
    seen = [each.first_seen_ms for each in (survivor, other) if each.first_seen_ms >= 0]
    anonymous = _union(other.anonymous_ids, survivor.anonymous_ids)
    kind, _, key = other.person.partition(":")
    if kind == "a" and key not in anonymous:
        anonymous = (key, *anonymous)
    return {
        "first_seen_ms": min(seen, default=-1),
        "last_seen_ms": latest.last_seen_ms,
        "user_id": survivor.user_id or _own_key(survivor) or other.user_id,
        "anonymous_ids": anonymous[-bounds.ANONYMOUS_IDS :],
        "account": latest.account or before.account,
        "timezone": latest.timezone or before.timezone,
        "locale": latest.locale or before.locale,
    }


def _own_key(profile: Profile) -> str:
    """The user id that the person's key is made of: so nobody new is called by an old name."""
    kind, _, key = profile.person.partition(":")
    return key if kind == "u" else ""


def _union(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return (*(each for each in first if each not in second), *second)


def _newest(survivor: dict[str, Trait], other: dict[str, Trait]) -> dict[str, Trait]:
    traits = dict(other)
    for name, trait in survivor.items():
        if name not in traits or traits[name].at_ms <= trait.at_ms:
            traits[name] = trait
    return bounds.traits(dict(sorted(traits.items())))


def _interests(
    one: Profile,
    two: Profile,
    changes: Mapping[str, pairing.Change],
    item_of: interests.ItemOf,
    settings: Settings,
    now_ms: int,
) -> interests.Interests:
    merged: interests.Interests = {}
    first, second = interests.of(one), interests.of(two)
    for name in sorted({*first, *second}):
        values = dict(first.get(name, {}))
        for value, masses in second.get(name, {}).items():
            values[value] = joined(values.get(value, ()), masses)
        merged[name] = dict(sorted(values.items()))
    merged = interests.taken_back(merged, changes, item_of, settings)
    return {
        name: interests.bounded(name, values, settings, now_ms) for name, values in merged.items()
    }


def _recent(one: Profile, two: Profile) -> tuple[Any, ...]:
    joined = (*one.recent, *two.recent)
    return tuple(sorted(joined, key=lambda each: each.at_ms))


def _own(one: Profile, two: Profile, changes: Mapping[str, pairing.Change]) -> dict[str, OwnItem]:
    merged = {**two.own_items, **one.own_items}
    for item_id in one.own_items.keys() & two.own_items.keys():
        merged[item_id] = own.joined(item_id, one, two, changes.get(item_id))
    return dict(sorted(merged.items()))


def _had(one: Profile, two: Profile, own_items: Mapping[str, OwnItem], settings: Settings) -> Had:
    """What either had longer ago, without what one of them has taken back since."""
    found = had.joined(one.had, two.had)
    if not found:
        return found
    back = pairing.takers(one, settings.signals) | pairing.takers(two, settings.signals)
    return had.less(found, [x for x in sorted(back) if not own_items.get(x, pairing.NOTHING).count])


def _months(one: Profile, two: Profile) -> statistics.Months:
    months = one.months
    for each in two.months:
        months = statistics.put(months, each)
    return months


def _orders(one: dict[int, int], two: dict[int, int]) -> dict[int, int]:
    """Each as of its first day."""
    return {**one, **two, **{key: min(one[key], two[key]) for key in one.keys() & two.keys()}}


def _quota(one: QuotaCount | None, two: QuotaCount | None) -> QuotaCount:
    one, two = one or QuotaCount(), two or QuotaCount()
    return QuotaCount(one.slots + two.slots, one.diverse + two.diverse, one.short + two.short)
