"""What conditions may speak of: every name with its type, from what the project declares."""

from __future__ import annotations

from typing import Literal, get_args

from germane.domain.campaign import Change
from germane.domain.cel import Type
from germane.domain.event import EventKind
from germane.domain.settings import AttributeKind, Settings
from germane.domain.toml import toml_key
from germane.domain.walltime import DAYS
from germane.privacy.categories import OWN_OF_ACCOUNTS

Root = Literal["now", "local", "event", "profile", "account", "item", "own", "change"]
WINDOWS_DAYS = (1, 7, 30, 90)
"""Signals are counted in the last so many days, from the latest interactions that a profile keeps."""
WINDOWS = tuple(f"d{days}" for days in WINDOWS_DAYS)
"""Their names: ``profile.counts.purchase.d30``."""
ANY = ".*"
"""After the name of a map of maps: the entries of each of its entries."""
WORDS: dict[str, tuple[str, ...]] = {
    "local.weekday": DAYS,
    "event.kind": get_args(EventKind),
    "change.kind": get_args(Change),
}
"""Texts that can only be one of a few words."""
_OF_KIND: dict[AttributeKind, Type] = {
    "text": "text",
    "number": "number",
    "flag": "flag",
    "list": "list",
}
_FIXED: dict[str, Type] = {
    "now": "time",
    "local.hour": "whole",
    "local.minute": "whole",
    "local.weekday": "text",
    "local.day": "whole",
    "local.date": "text",
    "event.name": "text",
    "event.kind": "text",
    "event.properties": "map",
    "event.traits": "map",
    "event.context": "map",
    "event.items": "list",
    "profile.known": "flag",
    "profile.evidence": "number",
    "profile.readiness": "number",
    "profile.firstSeenDays": "number",
    "profile.lastSeenDays": "number",
    "profile.account": "text",
    "profile.timezone": "text",
    "profile.locale": "text",
    "profile.typicalPrice": "number",
    "profile.traits": "map",
    "profile.consent": "map",
    "profile.interests": "map of map of number",
    "profile.counts": "map of map of whole",
    "account.id": "text",
    "account.traits": "map",
    "item.id": "text",
    "item.type": "text",
    "item.title": "text",
    "item.category": "text",
    "item.categories": "list",
    "item.brand": "text",
    "item.price": "number",
    "item.currency": "text",
    "item.inStock": "flag",
    "item.url": "text",
    "item.imageUrl": "text",
    "item.attributes": "map",
    "own.count": "whole",
    "own.lastDays": "number",
    "own.rejected": "flag",
    "change.kind": "text",
    "change.oldPrice": "number",
    "change.newPrice": "number",
    "change.drop": "number",
}
MEANING: dict[str, str] = {
    "now": "the moment",
    "local.*": "on the person's clock: hour, minute, weekday (`mon`), day of the month, date (`2026-12-01`)",
    "event.*": "what just happened: name, kind, properties, traits, context, and the ids of its items",
    "profile.traits": "what was declared of the person; the trait must be declared in `[traits]`",
    "profile.counts": "interactions by signal in the last 1, 7, 30 and 90 days: `profile.counts.purchase.d30`",
    "profile.interests": 'shares, by attribute and value: `profile.interests.category["Tents"] > 0.3`',
    "profile.evidence": "positive interactions so far; `profile.readiness` is what that makes, from 0 to 1",
    "profile.lastSeenDays": "days since they were last there; `firstSeenDays` since they were first",
    "profile.known": "whether anything is known of them at all",
    "profile.typicalPrice": "of what they looked at and bought",
    "profile.consent": "by purpose, where it was stated: `false` after a no, and from the end of a yes on",
    "account.*": "`account.id`, and `account.traits` as group calls told them; a trait must be declared",
    "item.*": "the item of the event or of the change, its fields and declared attributes",
    "own.*": "the person and that item: how often they had it, lastDays since they met it, rejected",
    "change.*": "of a catalogue change: kind, old and new price, the share taken off",
}  # fmt: skip
"""For the documentation."""


def names(settings: Settings) -> dict[str, Type]:
    """Every name that a condition may use somewhere, with its type."""
    found = dict(_FIXED)
    for each in settings.attributes.values():
        if each.name.isidentifier():
            found.setdefault(f"item.{each.name}", _OF_KIND[each.kind])
    return found


def entries(settings: Settings) -> dict[str, frozenset[str]]:
    """Maps whose entries are declared, or fixed: what may follow their name."""
    kept = frozenset(each.name for each in settings.attributes.values() if each.interest)
    found = {
        "profile.traits": frozenset(settings.traits),
        "profile.counts": frozenset(settings.signals),
        f"profile.counts{ANY}": frozenset(WINDOWS),
        "profile.interests": kept,
    }
    if settings.privacy.undeclared == "refuse":
        found["account.traits"] = OWN_OF_ACCOUNTS.union(settings.traits)
    return found


def declare(map_name: str, entry: str) -> str:
    """What to do where an entry of a map is not there."""
    return {
        f"profile.counts{ANY}": f"There are {', '.join(WINDOWS)}.",
        "profile.traits": f"Declare it: [traits.{toml_key(entry)}].",
        "account.traits": f"Declare it: [traits.{toml_key(entry)}].",
        "profile.counts": f"Declare it: [signals.{toml_key(entry)}].",
        "profile.interests": f"Set interest = true under [catalogue.attributes.{toml_key(entry)}].",
    }[map_name]
