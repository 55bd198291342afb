"""One order that was sent more than once: again, by two clients, or under two ids of one person.

It counts once. Which of the copies counts does not depend on which came first: it is the earliest by
its own time, as long as the ring remembers what the other one said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from msgspec.structs import replace

from germane.domain.event import Interaction
from germane.domain.item import Item
from germane.domain.profile import Profile
from germane.domain.settings import Settings
from germane.profile import bounds, interests, own, pairing, statistics

ItemOf = Callable[[str], Item | None]
_DAY_MS = 86_400_000


def fresh(
    profile: Profile, interactions: Sequence[Interaction], settings: Settings
) -> list[Interaction]:
    """Those that are not of an order that was counted before."""
    known = pairing.orders_of(profile)
    return [
        each
        for each in interactions
        if each.order not in known or settings.signals[each.signal].cancels
    ]


def settled(
    profile: Profile, interactions: Sequence[Interaction], item_of: ItemOf, settings: Settings
) -> tuple[Profile, list[Interaction]]:
    """The person without later copies of these orders, and what of the interactions counts."""
    left = fresh(profile, interactions, settings)
    if len(left) == len(interactions):
        return profile, left
    repeated = {each.order for each in interactions} - {each.order for each in left}
    for key in sorted(repeated):
        came = _of(interactions, key, settings)
        known = _of(profile.recent, key, settings)
        if known and came and _standing(came) < _standing(known):
            profile = without(profile, known, item_of, settings)
            left.extend(came)
    return profile, left


def apart(
    one: Profile, two: Profile, item_of: ItemOf, settings: Settings
) -> tuple[Profile, Profile]:
    """Two people who turn out to be one: each order that both have is left in one of them."""
    for key in sorted(pairing.orders_of(one) & pairing.orders_of(two)):
        first, second = _of(one.recent, key, settings), _of(two.recent, key, settings)
        if first and (not second or _standing(second) < _standing(first)):
            one = without(one, first, item_of, settings)
        elif second:
            two = without(two, second, item_of, settings)
    return one, two


def without(
    profile: Profile, gone: Sequence[Interaction], item_of: ItemOf, settings: Settings
) -> Profile:
    """The person as if some interactions of the ring, all of one order, had never been told."""
    keys = {each.order for each in gone}
    changes = pairing.without(profile, gone, settings)
    recent = tuple(
        each
        for each in profile.recent
        if each.order not in keys or settings.signals[each.signal].cancels
    )
    months = profile.months
    for each in gone:
        if statistics.positive(settings.signals[each.signal]):
            value = statistics.log_price(each, item_of(each.item_id))
            months = statistics.take(months, statistics.single(each.at_ms, value))
    return replace(
        profile,
        recent=recent,
        interests=interests.untold(profile.interests, gone, changes, item_of, settings),
        own_items=own.without(profile, changes, recent, settings),
        known_orders={key: day for key, day in profile.known_orders.items() if key not in keys},
        **statistics.totals(months),
    )


def remembered(
    profile: Profile, interactions: Iterable[Interaction], settings: Settings
) -> dict[int, int]:
    """The orders that are known after interactions which are all of new ones."""
    new = {
        each.order: each.at_ms // _DAY_MS
        for each in interactions
        if each.order and not settings.signals[each.signal].cancels
    }
    return bounds.orders(profile.known_orders | new) if new else profile.known_orders


def _of(interactions: Iterable[Interaction], key: int, settings: Settings) -> list[Interaction]:
    """What an order said."""
    return [
        each
        for each in interactions
        if each.order == key
        and each.signal in settings.signals
        and not settings.signals[each.signal].cancels
    ]


def _standing(lines: Sequence[Interaction]) -> Any:
    """The order in which copies stand: the earliest first; of one time, any fixed one."""
    said = sorted((each.item_id, each.signal, each.quantity, each.price or 0.0) for each in lines)
    return min(each.at_ms for each in lines), said
