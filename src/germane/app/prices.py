"""Prices that an event does not tell: the catalogue's, as it is when the event is folded.

Filled in once, before anything reads them, so that the ring, revenue and the price band agree; a rebuild
folds the catalogue in log order and finds the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from msgspec.structs import replace

from germane.domain.event import Interaction
from germane.domain.item import Item
from germane.domain.profile import Profile
from germane.domain.settings import Settings

ItemOf = Callable[[str], Item | None]


def sold_in(settings: Settings) -> frozenset[str]:
    """Names of the signals that are of something with a price: purchases, and whatever tells a price or
    counts as revenue."""
    paid = {
        outcome.signal
        for surface in settings.surfaces.values()
        for outcome in surface.outcomes
        if outcome.value_from == "revenue"
    }
    return frozenset(
        spec.name
        for spec in settings.signals.values()
        if not spec.cancels and (spec.repeat or spec.price or spec.name in paid)
    )


def filled(
    interactions: Sequence[Interaction], sold: Collection[str], item_of: ItemOf
) -> list[Interaction]:
    """What was ``sold``, with its price where the event or the catalogue knows one."""
    return [
        priced(each, item_of) if each.price is None and each.signal in sold else each
        for each in interactions
    ]


def of_forgotten(
    person: Profile, interactions: Sequence[Interaction], settings: Settings, item_of: ItemOf
) -> list[Interaction]:
    """The same, with prices of refunds that tell none and whose purchase is not remembered. Where it is,
    the refund takes what was paid."""
    if not any(settings.signals[each.signal].cancels for each in interactions):
        return list(interactions)
    bought = {(each.item_id, each.signal) for each in person.recent}
    out = []
    for each in interactions:
        meant = settings.signals[each.signal].cancels
        lost = meant and each.price is None and (each.item_id, meant) not in bought
        out.append(priced(each, item_of) if lost else each)
    return out


def priced(each: Interaction, item_of: ItemOf) -> Interaction:
    """The interaction at the catalogue's price, where there is one."""
    item = item_of(each.item_id)
    return each if item is None or item.price is None else replace(each, price=item.price)
