"""Refunds of whole orders: what of the order is remembered, and what was reported of it."""

from __future__ import annotations

from collections.abc import Sequence

from germane.domain.errors import UnknownOrder
from germane.domain.event import Event, Interaction
from germane.domain.profile import Exposure, OpenChoice, Profile
from germane.domain.settings import Settings
from germane.ingest.signals import Extractor
from germane.measure.whole import Whole, was_reported
from germane.profile.orders import cut_off, refund_of


def lines(
    event: Event, before: Profile, extractor: Extractor, settings: Settings, *, logged: bool
) -> list[Interaction]:
    """What is taken back by a refund that names no products, product by product; nothing for other events.

    Raises:
        UnknownOrder: it takes back what nobody told of, or an order that is remembered in part.
    """
    found: list[Interaction] = []
    for each in extractor.whole(event):
        told = refund_of(before, each, settings)
        if told is None and not logged and not _only_reported(event, each, before):
            raise _unknown(each)
        if not logged and cut_off(before, each, settings):
            raise UnknownOrder(
                "It takes back an order of which some products may not be remembered any more.",
                hint="Nothing was taken back. Send it with its products, with another message id.",
            )
        found += told or ()
    return found


def wholes(
    event: Event,
    told: Sequence[Interaction],
    before: Profile,
    after: Profile,
    extractor: Extractor,
    settings: Settings,
) -> list[Whole]:
    """Orders of which nothing is left after a refund, and what it names as a whole otherwise.

    Args:
        event: The refund, or anything else.
        told: What it means.
        before: The person before it.
        after: And after.
        extractor: Finds what it names.
        settings: Say what takes back what.
    """
    named = [_whole(event, each) for each in extractor.whole(event)]
    found = {(each.refund, each.order): each for each in named}
    for each in told:
        place = (each.signal, each.order)
        if each.order and settings.signals[each.signal].cancels and place not in found:
            order = Interaction("", each.signal, each.at_ms, order=each.order)
            if refund_of(after, order, settings) == [] and not cut_off(before, order, settings):
                found[place] = Whole(each.signal, each.at_ms, each.order)
    return list(found.values())


def _whole(event: Event, each: Interaction) -> Whole:
    named = event.properties.get("decision_id")
    decision_id = named if isinstance(named, str) and not each.order else ""
    return Whole(each.signal, each.at_ms, each.order, decision_id)


def _only_reported(event: Event, each: Interaction, before: Profile) -> bool:
    """Whether it is known by reports alone: no event of its own was ever counted."""
    kept: list[Exposure | OpenChoice] = [*before.exposures, *before.choices]
    return each.order not in before.known_orders and was_reported(_whole(event, each), kept)


def _unknown(each: Interaction) -> UnknownOrder:
    if each.order:
        return UnknownOrder()
    return UnknownOrder(
        "It takes something back and names neither products nor an order.",
        hint="Send it again, with another message id, with either.",
    )
