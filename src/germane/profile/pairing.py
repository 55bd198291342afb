"""What new events take back in a profile, in any order of arrival.

Where something is taken back, all that is remembered of the item is paired anew, in order of time
(``domain.pairing``); the profile learns what became different. What finds nothing to take back waits
for what it is about.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, KeysView, Sequence
from typing import NamedTuple

from germane.domain.event import Interaction
from germane.domain.pairing import (
    Mark,
    Pairs,
    Signals,
    Taken,
    cancelled,
    marks,
    paired,
    reversible_in,
)
from germane.domain.profile import OwnItem, Profile
from germane.domain.settings import Settings

NOTHING = OwnItem()


class Change(NamedTuple):
    """What the pairs of one item were, and are."""

    before: Pairs
    after: Pairs

    @property
    def taken(self) -> Taken:
        """What is taken back in addition; below 0: given back."""
        more = Counter(self.after.taken)
        more.subtract(self.before.taken)
        return Counter({key: count for key, count in more.items() if count})


def changes(profile: Profile, new: Sequence[Interaction], settings: Settings) -> dict[str, Change]:
    """By item, where new interactions take something back, or are what others wait for."""
    found = {}
    for item_id in _involved(profile, new, settings.signals):
        orders = orders_of(profile)
        own = profile.own_items.get(item_id, NOTHING)
        known = remembered(own, item_id, profile, settings, orders)
        more = marks(item_id, new, settings.signals)
        found[item_id] = Change(
            paired(known, orders),
            paired([*known, *more], {*orders, *(each.order for each in more if not each.takes)}),
        )
    return found


def without(profile: Profile, gone: Sequence[Interaction], settings: Settings) -> dict[str, Change]:
    """By item, what is different without some interactions that are in the ring."""
    found = {}
    orders = orders_of(profile)
    for item_id in dict.fromkeys(each.item_id for each in gone):
        own = profile.own_items.get(item_id, NOTHING)
        known = remembered(own, item_id, profile, settings, orders)
        left = Counter(known)
        left.subtract(marks(item_id, gone, settings.signals))
        found[item_id] = Change(paired(known, orders), paired(left.elements(), orders))
    return found


def joined(one: Profile, two: Profile, settings: Settings) -> dict[str, Change]:
    """By item that both know, where something was taken back, when the two turn out to be one."""
    found = {}
    both = takers(one, settings.signals) | takers(two, settings.signals)
    for item_id in sorted(both & one.own_items.keys() & two.own_items.keys()):
        sides = [(who, orders_of(who)) for who in (one, two)]
        each = [
            remembered(who.own_items[item_id], item_id, who, settings, orders)
            for who, orders in sides
        ]
        first, second = (
            paired(known, orders) for known, (_, orders) in zip(each, sides, strict=True)
        )
        apart = Pairs(
            [*first.times_s, *second.times_s],
            first.taken + second.taken,
            first.idle + second.idle,
            {},
            {},
        )
        found[item_id] = Change(apart, paired([*each[0], *each[1]], sides[0][1] | sides[1][1]))
    return found


def orders_of(profile: Profile) -> KeysView[int]:
    """Keys of the orders that were counted and are remembered."""
    return profile.known_orders.keys()


def remembered(
    own: OwnItem, item_id: str, profile: Profile, settings: Settings, orders: Collection[int]
) -> list[Mark]:
    """All that is remembered of an item: the ring, and kept times that are older than the ring.

    Where the ring is not the whole life, what takes back there and finds nothing there is settled:
    it took what has left the ring since, and what was taken is not among the kept times. What names
    an order that was never counted still waits for it.
    """
    told = marks(item_id, profile.recent, settings.signals)
    paired_told = paired(told)
    in_ring = Counter(mark.at_s for mark in told if mark.repeat and not mark.takes)
    older = (Counter(own.times_s) - in_ring).elements()
    kept = [Mark(at_s, False, at_s * 1000, "", True) for at_s in older]
    if kept or len(profile.recent) >= settings.profile.recent:
        settled = Counter(
            {
                mark: count
                for mark, count in paired_told.idle.items()
                if not mark.order or mark.order in orders
            }
        )
        told = list((Counter(told) - settled).elements())
    return [*kept, *told]


def _involved(profile: Profile, new: Sequence[Interaction], signals: Signals) -> dict[str, None]:
    """Items to pair anew, in the order of the event. Nothing is looked for where nothing is taken back."""
    taken: set[str] | None = None
    reversible = reversible_in(signals)
    found: dict[str, None] = {}
    for each in new:
        if cancelled(signals[each.signal], signals) is not None:
            found[each.item_id] = None
        elif each.signal in reversible:
            if taken is None:
                taken = takers(profile, signals)
            if each.item_id in taken:
                found[each.item_id] = None
    return found


def takers(profile: Profile, signals: Signals) -> set[str]:
    """Items of which something was taken back, as far as the ring remembers."""
    names = {name for name, spec in signals.items() if cancelled(spec, signals) is not None}
    return {each.item_id for each in profile.recent if each.signal in names}
