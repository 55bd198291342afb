"""What is the case when a condition is looked at, as far as the condition asks."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from germane.deliver.schema import WINDOWS_DAYS
from germane.domain import decay
from germane.domain.campaign import ItemChange
from germane.domain.event import Event
from germane.domain.hours import zone_of
from germane.domain.item import Item
from germane.domain.months import MS_PER_DAY
from germane.domain.profile import OwnItem, Profile
from germane.domain.settings import Settings
from germane.domain.walltime import DAYS
from germane.privacy.ledger import says


@dataclass(frozen=True, slots=True)
class View:
    """The person, the moment, and what just happened. Times are milliseconds since 1970."""

    settings: Settings
    now_ms: int
    profile: Profile | None = None
    """``None``: nothing is known of them."""
    account: str = ""
    account_traits: Mapping[str, Any] = field(default_factory=dict)
    event: Event | None = None
    items: tuple[str, ...] = ()
    """Ids of the items that the event is about."""
    item: Item | None = None
    """The item that the enrolment is about; else that of the change, or the first of the event's."""
    change: ItemChange | None = None

    @property
    def zone(self) -> ZoneInfo:
        """The person's own, else that of ``[delivery]``, else the project's."""
        own = self.profile.timezone if self.profile is not None else ""
        return zone_of(own, self.settings.delivery.zone, self.settings.timezone)

    def values(self, wanted: tuple[str, ...]) -> dict[str, Any]:
        """Values by name; a name of which nothing is known is left out."""
        found: dict[str, Any] = {}
        for name in wanted:
            value = _reader(name)(self)
            if value is not None:
                found[name] = value
        return found


@lru_cache(maxsize=1024)
def _reader(name: str) -> Callable[[View], Any]:
    known = _READ.get(name)
    if known is not None:
        return known
    attribute = name.partition(".")[2]
    return lambda view: _attribute(view, attribute)


def _now(view: View) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=view.now_ms)


def _local(view: View) -> datetime:
    return _now(view).astimezone(view.zone)


def _event(name: str) -> Callable[[View], Any]:
    return lambda view: getattr(view.event, name) if view.event is not None else None


def _item(name: str) -> Callable[[View], Any]:
    return lambda view: getattr(view.item, name) if view.item is not None else None


def _price(view: View) -> float | None:
    price = view.item.price if view.item is not None else None
    return None if price is None else float(price)


def _attribute(view: View, name: str) -> Any:
    """A declared attribute of the item, of the type that was declared."""
    value = view.item.attributes.get(name) if view.item is not None else None
    kind = view.settings.attributes[name].kind if name in view.settings.attributes else "text"
    if value is None or kind == "flag":
        return value if isinstance(value, bool) else None
    if kind == "number":
        plain = isinstance(value, int | float) and not isinstance(value, bool)
        return float(value) if plain and math.isfinite(value) else None
    if kind == "list":
        return [str(each) for each in value] if isinstance(value, list | tuple) else [str(value)]
    return str(value)


def _days_since(view: View, at_ms: int) -> float:
    return max(0, view.now_ms - at_ms) / MS_PER_DAY


def _of_profile(read: Callable[[Profile, View], Any]) -> Callable[[View], Any]:
    return lambda view: read(view.profile, view) if view.profile is not None else None


def _plain(read: Callable[[Profile], Any]) -> Callable[[View], Any]:
    return lambda view: read(view.profile) if view.profile is not None else None


def _traits(profile: Profile, view: View) -> dict[str, Any]:
    return {name: each.value for name, each in profile.traits.items() if each.value is not None}


def _consent(profile: Profile, view: View) -> dict[str, bool]:
    """Of every purpose that something was said to; a yes that has come to its end is none."""
    return {name: bool(says(profile, name, view.now_ms)) for name in profile.consent}


def _counts(view: View) -> dict[str, dict[str, int]]:
    """Of every declared signal, so that none is missing; the future does not count."""
    found: dict[str, Counter[str]] = {name: Counter() for name in view.settings.signals}
    for each in view.profile.recent if view.profile is not None else ():
        age = (view.now_ms - each.at_ms) / MS_PER_DAY
        if age >= 0 and each.signal in found:
            found[each.signal].update(f"d{days}" for days in WINDOWS_DAYS if age < days)
    return {
        name: {f"d{days}": counts[f"d{days}"] for days in WINDOWS_DAYS}
        for name, counts in found.items()
    }


def _interests(profile: Profile, view: View) -> dict[str, dict[str, float]]:
    """Shares of what they like, by attribute; what they turned away from is left out."""
    found = {}
    for name in profile.interests:
        weights = decay.interests(profile, name, view.settings, view.now_ms)
        liked = {value: weight for value, weight in weights.items() if weight > 0}
        total = sum(liked.values())
        found[name] = {value: weight / total for value, weight in liked.items()}
    return found


def _typical(profile: Profile, view: View) -> float | None:
    return math.exp(profile.price.mean) if profile.price.count else None


def _first_days(profile: Profile, view: View) -> float | None:
    return _days_since(view, profile.first_seen_ms) if profile.first_seen_ms >= 0 else None


def _last_days(profile: Profile, view: View) -> float | None:
    return _days_since(view, profile.last_seen_ms) if profile.last_seen_ms else None


def _readiness(profile: Profile, view: View) -> float:
    return float(decay.readiness(profile.evidence, view.settings.profile.readiness_half))


def _own(read: Callable[[OwnItem], Any], empty: Any = None) -> Callable[[View], Any]:
    def value(view: View) -> Any:
        if view.item is None:
            return None
        own = view.profile.own_items.get(view.item.item_id) if view.profile is not None else None
        return empty if own is None else read(own)

    return value


def _own_days(view: View) -> float | None:
    last_s = _own(lambda own: own.last_s)(view)
    return None if last_s is None else _days_since(view, last_s * 1000)


def _change(read: Callable[[ItemChange], Any]) -> Callable[[View], Any]:
    return lambda view: read(view.change) if view.change is not None else None


_READ: dict[str, Callable[[View], Any]] = {
    "now": _now,
    "local.hour": lambda view: _local(view).hour,
    "local.minute": lambda view: _local(view).minute,
    "local.weekday": lambda view: DAYS[_local(view).weekday()],
    "local.day": lambda view: _local(view).day,
    "local.date": lambda view: f"{_local(view):%Y-%m-%d}",
    "event.name": _event("name"),
    "event.kind": _event("kind"),
    "event.properties": _event("properties"),
    "event.traits": _event("traits"),
    "event.context": _event("context"),
    "event.items": lambda view: list(view.items) if view.event is not None else None,
    "profile.known": lambda view: view.profile is not None,
    "profile.evidence": _plain(lambda profile: float(profile.evidence)),
    "profile.readiness": _of_profile(_readiness),
    "profile.firstSeenDays": _of_profile(_first_days),
    "profile.lastSeenDays": _of_profile(_last_days),
    "profile.account": _plain(lambda profile: profile.account),
    "profile.timezone": _plain(lambda profile: profile.timezone),
    "profile.locale": _plain(lambda profile: profile.locale),
    "profile.typicalPrice": _of_profile(_typical),
    "profile.traits": _of_profile(_traits),
    "profile.consent": _of_profile(_consent),
    "profile.interests": _of_profile(_interests),
    "profile.counts": _counts,
    "account.id": lambda view: view.account or None,
    "account.traits": lambda view: dict(view.account_traits),
    "item.id": _item("item_id"),
    "item.type": _item("type"),
    "item.title": _item("title"),
    "item.category": _item("category"),
    "item.categories": lambda view: list(view.item.categories) if view.item is not None else None,
    "item.brand": _item("brand"),
    "item.price": _price,
    "item.currency": _item("currency"),
    "item.inStock": _item("in_stock"),
    "item.url": _item("url"),
    "item.imageUrl": _item("image_url"),
    "item.attributes": _item("attributes"),
    "own.count": _own(lambda own: own.count, 0),
    "own.lastDays": _own_days,
    "own.rejected": _own(lambda own: own.rejected_s > 0, empty=False),
    "change.kind": _change(lambda change: change.kind),
    "change.oldPrice": _change(lambda change: change.old_price),
    "change.newPrice": _change(lambda change: change.new_price),
    "change.drop": _change(lambda change: change.drop),
}
"""How each name is read; ``None``: not known."""
