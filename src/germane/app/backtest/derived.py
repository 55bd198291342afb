"""Settings for data that come without any: what a file says about itself, and usual names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from germane.domain.item import Item
from germane.domain.settings import (
    AttributeKind,
    AttributeSpec,
    Settings,
    SignalSpec,
    SurfaceSpec,
    TraitSpec,
)
from germane.ingest.bulk import Inside

SURFACE = "list"
NAMELESS = "Interaction"
"""Name of events in a file that has no column for it."""
MAX_SIGNALS = 30
MAX_INTERESTS = 3
MIN_KNOWN = 0.3
"""Share of items that must have an attribute before interests are kept for it."""

_TAKES_BACK = re.compile(r"remov|refund|return|cancel|dislik|dismiss|unsub|unlike|downvote")
_CHOOSES = re.compile(
    r"purchas|order|buy|bought|transact|paid|payment|checkout|subscri|enrol|complet|book|sale|conver"
)
_WANTS = re.compile(
    r"cart|basket|wish|favou?r|save|like|rat(e|ing)|review|submit|download|play|listen"
)


def settings_of(
    names: Iterable[str],
    *,
    orders: bool,
    prices: bool,
    items: Sequence[Item],
    traits: Iterable[str],
    inside: Mapping[str, Inside] | None = None,
) -> Settings:
    """Settings for files of events, items and people.

    Args:
        names: Of the events in them.
        orders: Whether several rows make one order.
        prices: Whether rows have a price.
        items: The catalogue, as far as there is one.
        traits: Names of what people told about themselves.
        inside: Name of an event -> where its rows hold their items, if not in their columns.
    """
    signals = _signals(names, inside or {}, orders=orders, prices=prices)
    types = tuple(dict.fromkeys(("product", *(item.type for item in items))))
    surface = SurfaceSpec(SURFACE, size=10, item_types=types)
    return Settings(
        project="backtest",
        attributes=_attributes(items),
        signals={each.name: each for each in signals},
        traits={name: TraitSpec(name) for name in traits},
        surfaces={SURFACE: surface},
    )


def targets_of(settings: Settings) -> frozenset[str]:
    """Signals that count as a choice: what people have (``repeat``), else all that is positive."""
    signals = settings.signals.values()
    strong = frozenset(each.name for each in signals if each.repeat and each.weight > 0)
    return strong or frozenset(each.name for each in signals if each.weight > 0)


def _signals(
    names: Iterable[str], inside: Mapping[str, Inside], *, orders: bool, prices: bool
) -> list[SignalSpec]:
    path = "properties.products[].product_id" if orders else "properties.product_id"
    price = ("" if orders else "properties.") + "price" if prices else ""
    columns = Inside(path, price, "properties.order_id" if orders else "")
    found = list(dict.fromkeys(names))[:MAX_SIGNALS]
    bought = any(_strength(each) == 5 for each in found)
    signals: list[SignalSpec] = []
    for name in found:
        weight = _strength(name)
        held = inside.get(name, columns)
        signals.append(
            SignalSpec(
                _slug(name, {each.name for each in signals}),
                name,
                held.item,
                weight=weight,
                repeat=weight == 5 or (weight > 0 and not bought),
                price=held.price,
                order=held.order or columns.order,
            )
        )
    return signals


def _strength(name: str) -> float:
    """Weight of an event by its name: taken back -1, chosen 5, wanted 3, anything else 1."""
    plain = name.lower()
    for pattern, weight in ((_TAKES_BACK, -1.0), (_CHOOSES, 5.0), (_WANTS, 3.0)):
        if pattern.search(plain):
            return weight
    return 1.0


def _slug(name: str, taken: set[str]) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "event"
    while slug in taken:
        slug += "-2"
    return slug


def _attributes(items: Sequence[Item]) -> dict[str, AttributeSpec]:
    """The category (or the path of categories, where there is only that), the brand, and up to three
    others of which many items have one of not too many values."""
    main = "category" if any(item.category for item in items) else "categories"
    if not any(item.categories for item in items):
        main = "category"
    kind: AttributeKind = "list" if main == "categories" else "text"
    found = {main: AttributeSpec(main, kind, interest=True, diversity=True)}
    if any(item.brand for item in items):
        found["brand"] = AttributeSpec("brand", interest=True)
    for name in _telling(items):
        found[name] = AttributeSpec(name, interest=True)
    return found


def _telling(items: Sequence[Item]) -> list[str]:
    known: Counter[str] = Counter()
    values: dict[str, set[str]] = {}
    for item in items:
        for name, value in item.attributes.items():
            if isinstance(value, str | int | bool) and name not in ("category", "brand"):
                known[name] += 1
                values.setdefault(name, set()).add(str(value))
    return [
        name
        for name, count in known.most_common()
        if count >= MIN_KNOWN * len(items) and 2 <= len(values[name]) <= max(20, len(items) // 8)
    ][:MAX_INTERESTS]
