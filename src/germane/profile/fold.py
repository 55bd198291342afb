"""The personal fold: ``fold(profile, event) -> profile``, a pure function.

Only what an event touches is copied. Evidence goes into calendar months, so folding the same events
in another order gives the same interests (up to rounding), and decay to any later moment is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace

from germane.domain.decay import oldest_ms
from germane.domain.event import Event, Interaction
from germane.domain.hours import known_zone
from germane.domain.item import Item
from germane.domain.months import month_of, month_start_ms
from germane.domain.profile import Profile, Trait
from germane.domain.settings import Settings
from germane.privacy import retention
from germane.privacy.retention import Limits
from germane.profile import (
    bounds,
    earlier,
    interests,
    own,
    pairing,
    repeats,
    rhythm,
    statistics,
    sweep,
)

ItemOf = Callable[[str], Item | None]


def fold(
    profile: Profile,
    event: Event,
    interactions: Sequence[Interaction],
    item_of: ItemOf,
    settings: Settings,
    *,
    seq: int,
    now_ms: int,
) -> Profile:
    """The person after an event.

    Args:
        profile: Before; not changed.
        event: What was accepted. A time after ``now_ms`` is taken for ``now_ms``.
        interactions: What it means for items. Of an order that is sent again, one copy counts.
        item_of: The catalogue.
        settings: The declaration.
        seq: Log offset of the event.
        now_ms: Its arrival: evidence that is too old by then is dropped, wherever it is kept.
    """
    profile = earlier.todays(profile, settings, item_of)
    profile = interests.placed(profile, item_of, settings)
    changes: dict[str, Any] = {"seq": seq}
    at_ms = min(event.at_ms, now_ms)
    _seen(changes, profile, event, at_ms)
    if event.traits or event.context:
        _said(changes, profile, event, at_ms, retention.of(settings, now_ms))
    if interactions:
        changes |= _did(profile, interactions, item_of, settings, now_ms)
    hour = rhythm.newly_active(profile, event, interactions, settings, now_ms)
    if hour is not None:
        changes["rhythm"] = rhythm.joined(rhythm.hours_of(profile), (hour,))
    return current(replace(profile, **changes), settings, now_ms, item_of)


def current(
    profile: Profile, settings: Settings, now_ms: int, item_of: ItemOf | None = None
) -> Profile:
    """The profile with what came into the catalogue in its place, and without what has become too old; that is
    looked at once a month, only where it can be, and when the
    declared retention changes. What is dropped depends on the month alone, so it is the same whoever looks
    first: an event, or the housekeeping.

    ``item_of`` tells what items are that came into the catalogue after their events, and the prices of items
    whose events carry none, for a profile that an earlier version stored.
    """
    if item_of is not None:
        profile = interests.placed(profile, item_of, settings)
    if profile.first_seen_ms >= oldest_ms(now_ms, settings.privacy.shortest_months):
        return profile
    month = month_of(now_ms)
    stamp = sweep.stamp(settings, month)
    if profile.swept_month == stamp:
        return profile
    today = earlier.todays(profile, settings, item_of)
    swept = sweep.forget(today, settings, month_start_ms(month))
    return replace(swept, swept_month=stamp)


def _seen(changes: dict[str, Any], profile: Profile, event: Event, at_ms: int) -> None:
    """Who it is, and when they were there."""
    if at_ms < profile.first_seen_ms or profile.first_seen_ms < 0:
        changes["first_seen_ms"] = at_ms
    if at_ms > profile.last_seen_ms:
        changes["last_seen_ms"] = at_ms
    if event.user_id and not profile.user_id and profile.person.startswith("u:"):
        changes["user_id"] = event.user_id
    if event.anonymous_id and event.anonymous_id not in profile.anonymous_ids:
        known = (*profile.anonymous_ids, event.anonymous_id)
        changes["anonymous_ids"] = known[-bounds.ANONYMOUS_IDS :]
    if event.kind == "group" and event.group_id:
        _newest(changes, profile, "account", event.group_id, at_ms)


def _said(
    changes: dict[str, Any], profile: Profile, event: Event, at_ms: int, limits: Limits
) -> None:
    """What the client and the person tell: place, language, account, traits."""
    context = event.context
    group, declared = context.get("groupId"), _told(event)
    for name, fits in (("locale", _is_locale), ("timezone", _is_zone)):
        said = (
            each.get(name) for each in (context, declared)
        )  # the client knows where they are now
        value = next((each for each in said if fits(each)), None)
        if value is not None:
            _newest(changes, profile, name, value, at_ms)
    if isinstance(group, str) and group and "account" not in changes:
        _newest(changes, profile, "account", group, at_ms)
    young = {name: value for name, value in declared.items() if limits.keeps_trait(name, at_ms)}
    if young:
        _declared(changes, profile, young, at_ms)


def _is_locale(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= bounds.TEXT_CHARS


def _is_zone(value: Any) -> bool:
    return isinstance(value, str) and value != "" and known_zone(value) is not None


def _told(event: Event) -> dict[str, Any]:
    """Traits that it declares of the person: those of its context, and of an ``identify`` its own."""
    declared = event.context.get("traits")
    declared = declared if isinstance(declared, dict) else {}
    return {**declared, **event.traits} if event.kind == "identify" else declared


def _newest(changes: dict[str, Any], profile: Profile, name: str, value: str, at_ms: int) -> None:
    """A late event fills a gap and overwrites nothing that may be newer."""
    known = getattr(profile, name)
    if known != value and (not known or at_ms >= profile.last_seen_ms):
        changes[name] = value


def _declared(
    changes: dict[str, Any], profile: Profile, declared: dict[str, Any], at_ms: int
) -> None:
    """Newer declarations win, whenever they arrive; of the same time, the one that arrives last."""
    known = profile.traits
    newer = {
        name: Trait(value, at_ms)
        for name, value in declared.items()
        if (name not in known or known[name].at_ms <= at_ms) and bounds.small(value)
    }
    if newer:
        changes["traits"] = bounds.traits({**known, **newer})


def _did(
    profile: Profile,
    interactions: Sequence[Interaction],
    item_of: ItemOf,
    settings: Settings,
    now_ms: int,
) -> dict[str, Any]:
    """What the person did with items, as what becomes different."""
    keep = retention.of(settings, now_ms)
    young = [
        each if each.at_ms <= now_ms else replace(each, at_ms=now_ms)
        for each in interactions
        if keep.keeps_signal(each.signal, each.at_ms)
    ]
    profile, new = repeats.settled(profile, young, item_of, settings)
    if not new:
        return {}
    limits = settings.profile
    turned = pairing.changes(profile, new, settings)
    touched = own.touch(profile, new, turned, settings)
    items = bounds.own(touched, limits.own_items)
    apart = own.apart(profile.apart, new, touched, settings)
    return {
        **_summed(profile, new, item_of, settings),
        **interests.fields(
            interests.told(interests.of(profile), new, turned, item_of, settings, now_ms)
        ),
        "own_items": items,
        "had": own.let_go(own.taken_back(profile, new, settings), touched, items, apart),
        "apart": {item: names for item, names in apart.items() if item in items},
        "recent": bounds.recent(_in_order(profile.recent, new), limits.recent, keep.oldest),
        "known_orders": repeats.remembered(profile, new, settings),
    }


def _summed(
    profile: Profile, new: Sequence[Interaction], item_of: ItemOf, settings: Settings
) -> dict[str, Any]:
    """Evidence and prices: by month, and of all months."""
    months, price, evidence = profile.months, profile.price, profile.evidence
    for each in new:
        if statistics.positive(settings.signals[each.signal]):
            evidence += 1
            value = statistics.log_price(each, item_of(each.item_id))
            months = statistics.add(months, each.at_ms, value)
            price = price if value is None else statistics.met(price, value)
    return {"months": months, "price": price, "evidence": evidence}


def _in_order(
    known: tuple[Interaction, ...], new: Sequence[Interaction]
) -> tuple[Interaction, ...]:
    """As things happened, whenever they arrived; what happened at once, as it arrived."""
    joined = (*known, *new)
    if not known or known[-1].at_ms <= new[0].at_ms == new[-1].at_ms:
        return joined
    return tuple(sorted(joined, key=lambda each: each.at_ms))
