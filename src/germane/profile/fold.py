"""The personal fold: ``fold(profile, event) -> profile``, a pure function.

Only what an event touches is copied. Evidence goes into calendar months, so folding the same events
in another order gives the same interests (up to rounding), and decay to any later moment is exact.
"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from germane.domain import decay
from germane.domain.event import Event, Interaction
from germane.domain.item import Item
from germane.domain.months import month_of
from germane.domain.profile import OwnItem, PriceBand, Profile, Trait
from germane.domain.settings import Settings, SignalSpec
from germane.profile import bounds

ItemOf = Callable[[str], Item | None]

MAX_TRAITS = 100
MAX_ANONYMOUS_IDS = 20


def fold(
    profile: Profile,
    event: Event,
    interactions: Sequence[Interaction],
    item_of: ItemOf,
    settings: Settings,
    *,
    seq: int,
    now_ms: int,
    orders: Sequence[str] = (),
) -> Profile:
    """The person after an event.

    Args:
        profile: Before; not changed.
        event: What was accepted.
        interactions: What it means for items; an order that was counted before is not in here.
        item_of: The catalogue.
        settings: The declaration.
        seq: Log offset of the event.
        now_ms: Its arrival: evidence that is too old by then is dropped, wherever it is kept.
        orders: Keys of the orders that ``interactions`` come from.
    """
    changes: dict[str, Any] = {"seq": seq}
    changes |= _identity(profile, event, now_ms)
    changes |= _traits(profile, event)
    if interactions:
        changes |= _history(profile, interactions, item_of, settings, now_ms)
        changes["rhythm"] = _rhythm(profile, event, settings)
    if orders:
        changes["orders"] = (*profile.orders, *orders)[-bounds.ORDERS :]
    after = replace(profile, **changes)
    return current(after, settings, now_ms)


def current(profile: Profile, settings: Settings, now_ms: int) -> Profile:
    """The profile without what has become too old; looked at once a month, and only where it can be."""
    month = month_of(now_ms)
    if profile.swept_month == month or profile.first_seen_ms >= bounds.oldest_ms(now_ms):
        return profile
    return replace(forget(profile, settings, now_ms), swept_month=month)


def forget(profile: Profile, settings: Settings, now_ms: int) -> Profile:
    """Drop whatever is older than 24 calendar months, from every collection."""
    oldest = bounds.oldest_ms(now_ms)
    oldest_s = oldest // 1000
    own = {
        key: replace(item, times_s=tuple(t for t in item.times_s if t >= oldest_s))
        for key, item in profile.own_items.items()
        if item.last_s >= oldest_s
    }
    return replace(
        profile,
        interests={
            name: bounds.fresh(values, now_ms) for name, values in profile.interests.items()
        },
        recent=tuple(each for each in profile.recent if each.at_ms >= oldest),
        own_items=own,
        traits={name: each for name, each in profile.traits.items() if each.at_ms >= oldest},
        exposures=bounds.exposures(
            profile.exposures, settings.profile.exposures, settings.longest_window_s, now_ms
        ),
    )


def _identity(profile: Profile, event: Event, now_ms: int) -> dict[str, Any]:
    context = event.context
    at_ms = min(event.at_ms, now_ms)
    changes: dict[str, Any] = {
        "first_seen_ms": min(profile.first_seen_ms or at_ms, at_ms),
        "last_seen_ms": max(profile.last_seen_ms, at_ms),
    }
    if event.user_id and event.user_id != profile.user_id and profile.person.startswith("u:"):
        changes["user_id"] = profile.user_id or event.user_id
    if event.anonymous_id and event.anonymous_id not in profile.anonymous_ids:
        known = (*profile.anonymous_ids, event.anonymous_id)
        changes["anonymous_ids"] = known[-MAX_ANONYMOUS_IDS:]
    if event.kind == "group" and event.group_id:
        changes["account"] = event.group_id
    elif isinstance(context.get("groupId"), str) and context["groupId"]:
        changes["account"] = context["groupId"]
    if at_ms >= profile.last_seen_ms:
        for name in ("timezone", "locale"):
            value = context.get(name)
            if isinstance(value, str) and value and len(value) <= 64:
                changes[name] = value
    return changes


def _traits(profile: Profile, event: Event) -> dict[str, Any]:
    """Newer declarations win, whenever they arrive."""
    declared = dict(event.traits) if event.kind == "identify" else {}
    said = event.context.get("traits")
    if isinstance(said, dict):
        declared = {**said, **declared}
    newer = {
        name: Trait(value, event.at_ms)
        for name, value in declared.items()
        if name not in profile.traits or profile.traits[name].at_ms <= event.at_ms
    }
    if not newer:
        return {}
    traits = {**profile.traits, **newer}
    if len(traits) > MAX_TRAITS:
        latest = sorted(traits, key=lambda name: (traits[name].at_ms, name))[-MAX_TRAITS:]
        traits = {name: traits[name] for name in latest}
    return {"traits": traits}


def _history(
    profile: Profile,
    interactions: Sequence[Interaction],
    item_of: ItemOf,
    settings: Settings,
    now_ms: int,
) -> dict[str, Any]:
    own_items = dict(profile.own_items)
    price, evidence = profile.price, profile.evidence
    oldest = bounds.oldest_ms(now_ms)
    kept = [each for each in interactions if each.at_ms >= oldest]
    for each in kept:
        spec = settings.signals[each.signal]
        own_items[each.item_id] = _own(own_items.get(each.item_id, _NOTHING), each, spec, settings)
        if spec.weight > 0 and not spec.cancels:
            evidence += 1
            price = _price(price, each, item_of(each.item_id))
    return {
        "interests": _interests(profile, kept, item_of, settings),
        "own_items": bounds.own(own_items, settings.profile.own_items),
        "price": price,
        "evidence": evidence,
        "recent": _recent(profile.recent, kept, settings, now_ms),
    }


def _interests(
    profile: Profile, kept: Sequence[Interaction], item_of: ItemOf, settings: Settings
) -> dict[str, dict[str, decay.Masses]]:
    """Interests after these interactions; what one event says of one value is added in one go."""
    tracked = [each.name for each in settings.attributes.values() if each.interest]
    said: dict[tuple[str, str, str, int], int] = {}
    for each in kept:
        item = item_of(each.item_id)
        if item is None:
            continue
        amount, told = _direction(settings.signals[each.signal], settings)
        for name in tracked:
            for value in item.values_of(name):
                key = (name, value, told.name, each.at_ms)
                said[key] = said.get(key, 0) + amount
    interests = dict(profile.interests)
    copied: set[str] = set()
    growth: dict[tuple[str, int], tuple[int, float]] = {}
    for (name, value, signal, at_ms), amount in said.items():
        if name not in copied:
            interests[name] = dict(interests.get(name, {}))
            copied.add(name)
        known = growth.get((signal, at_ms))
        if known is None:
            half_life_days = settings.signals[signal].half_life_days
            known = growth[signal, at_ms] = decay.grown(at_ms, half_life_days)
        month, unit = known
        masses = interests[name].get(value, ())
        interests[name][value] = decay.add(masses, signal, month, amount * unit, amount)
    for name in copied:
        interests[name] = bounds.values(interests[name], settings.profile.values_per_attribute)
    return interests


_NOTHING = OwnItem()


def _direction(spec: SignalSpec, settings: Settings) -> tuple[int, SignalSpec]:
    """A signal that takes another one back counts against that one's evidence."""
    if spec.cancels and spec.cancels in settings.signals:
        return -1, settings.signals[spec.cancels]
    return 1, spec


def _own(own: OwnItem, each: Interaction, spec: SignalSpec, settings: Settings) -> OwnItem:
    at_s = each.at_ms // 1000
    last_s = max(own.last_s, at_s)
    cancelled = settings.signals.get(spec.cancels)
    if cancelled is not None and cancelled.repeat:
        return replace(
            own,
            count=max(own.count - 1, 0),
            times_s=own.times_s[:-1],
            last_s=last_s,
            rejected_s=at_s,
        )
    if spec.weight < 0:
        return replace(own, last_s=last_s, rejected_s=max(own.rejected_s, at_s))
    if not spec.repeat:
        return replace(own, last_s=last_s)
    times = own.times_s
    if not times or at_s >= times[-1]:
        times = (*times, at_s)
    else:
        ordered = list(times)
        insort(ordered, at_s)
        times = tuple(ordered)
    return replace(own, count=own.count + 1, times_s=times[-bounds.TIMES :], last_s=last_s)


def _price(band: PriceBand, each: Interaction, item: Item | None) -> PriceBand:
    """Welford's running mean and squared deviation of the logarithm of the price."""
    price = each.price if each.price is not None else item.price if item is not None else None
    if price is None or price <= 0:
        return band
    value = math.log(price)
    count = band.count + 1
    mean = band.mean + (value - band.mean) / count
    return PriceBand(count, mean, band.m2 + (value - band.mean) * (value - mean))


def _recent(
    known: tuple[Interaction, ...], new: Sequence[Interaction], settings: Settings, now_ms: int
) -> tuple[Interaction, ...]:
    """In the order in which things happened, whenever they arrived."""
    if not known or not new or new[0].at_ms >= known[-1].at_ms:
        joined = (*known, *new)
    else:
        joined = tuple(sorted((*known, *new), key=lambda each: each.at_ms))
    return bounds.recent(joined, settings.profile.recent, now_ms)


def _rhythm(profile: Profile, event: Event, settings: Settings) -> dict[int, float]:
    """One more event in its hour of the week, in the person's own time."""
    zone = event.context.get("timezone") or profile.timezone or settings.timezone
    local = datetime.fromtimestamp(event.at_ms / 1000, UTC).astimezone(_zone(str(zone)))
    hour = local.weekday() * 24 + local.hour
    rhythm = dict(profile.rhythm)
    rhythm[hour] = rhythm.get(hour, 0.0) + 1.0
    return rhythm


@lru_cache(maxsize=512)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")
