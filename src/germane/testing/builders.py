"""Small things with sensible defaults, so that a test names only what it is about."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

from msgspec.structs import replace

from germane.domain.event import Event
from germane.domain.item import Item
from germane.domain.settings import (
    ActionSpec,
    AttributeSpec,
    OutcomeSpec,
    ProfileSpec,
    Settings,
    SignalSpec,
    SurfaceSpec,
    TraitSpec,
)
from germane.testing.world import START_MS

_numbers = count(1)


def a_shop(
    *, surface: dict[str, Any] | None = None, profile: ProfileSpec | None = None
) -> Settings:
    """Settings of a small shop: views, orders, refunds and one grid."""
    grid: dict[str, Any] = {
        "size": 5,
        "outcomes": (OutcomeSpec("purchase", "purchase", 7 * 86_400),),
        **(surface or {}),
    }
    return Settings(
        project="test",
        attributes={
            "category": AttributeSpec("category", interest=True, diversity=True),
            "brand": AttributeSpec("brand", interest=True),
        },
        signals={
            "view": SignalSpec(
                "view", "Product Viewed", "properties.product_id", weight=1.0, half_life_days=30
            ),
            "dismiss": SignalSpec(
                "dismiss",
                "Product Dismissed",
                "properties.product_id",
                weight=-2.0,
                half_life_days=60,
            ),
            "purchase": SignalSpec(
                "purchase",
                "Order Completed",
                "properties.products[].product_id",
                weight=5.0,
                half_life_days=120,
                repeat=True,
                price="price",
                quantity="quantity",
                order="properties.order_id",
            ),
            "refund": SignalSpec(
                "refund",
                "Order Refunded",
                "properties.products[].product_id",
                weight=-5.0,
                half_life_days=120,
                cancels="purchase",
            ),
        },
        traits={"likes": TraitSpec("likes", attribute="category")},
        surfaces={
            "home": SurfaceSpec("home", **grid),
            "together": SurfaceSpec(
                "together", kind="together", size=3, diversity_quota=0.0, exploration_share=0.0
            ),
        },
        profile=profile or ProfileSpec(),
    )


def a_campaign(**surface: Any) -> Settings:
    """The same shop with one choice surface, ``mail``: two e-mails or none, rewarded by a purchase."""
    shop = a_shop()
    values: dict[str, Any] = {
        "kind": "choice",
        "actions": (
            ActionSpec("mens", "Men's e-mail", attributes={"theme": "clothes"}),
            ActionSpec("womens", "Women's e-mail", attributes={"theme": "clothes"}),
        ),
        "nothing": True,
        "features": ("known", "trait:likes=c1", "context:device=phone"),
        "outcomes": (OutcomeSpec("purchase", "purchase", 2 * 86_400),),
        **surface,
    }
    return replace(shop, surfaces=shop.surfaces | {"mail": SurfaceSpec("mail", **values)})


def an_item(number: int, **changes: Any) -> Item:
    """Item ``i<number>`` of one of seven categories and three brands."""
    values: dict[str, Any] = {
        "item_id": f"i{number}",
        "title": f"Item {number}",
        "category": f"c{number % 7}",
        "brand": f"b{number % 3}",
        "price": 10.0 + number,
    }
    return Item(**(values | changes))


def an_event(
    name: str = "Product Viewed",
    *,
    user: str = "u1",
    item: str = "i1",
    at_ms: int = START_MS,
    message_id: str = "",
    **changes: Any,
) -> Event:
    """A track event about one item."""
    values: dict[str, Any] = {
        "message_id": message_id or f"m{next(_numbers)}",
        "kind": "track",
        "at_ms": at_ms,
        "name": name,
        "user_id": user,
        "properties": {"product_id": item},
    }
    return Event(**(values | changes))


def an_order(
    items: Sequence[str],
    *,
    user: str = "u1",
    at_ms: int = START_MS,
    order_id: str = "",
    message_id: str = "",
    **changes: Any,
) -> Event:
    """A completed order."""
    number = next(_numbers)
    products = [{"product_id": each, "price": 9.5, "quantity": 1} for each in items]
    properties = {"order_id": order_id or f"o{number}", "products": products}
    properties = changes.pop("properties", properties)
    return an_event(
        "Order Completed",
        user=user,
        at_ms=at_ms,
        message_id=message_id or f"m{number}",
        properties=properties,
        **changes,
    )
