"""What can be shown."""

from __future__ import annotations

from typing import Any

import msgspec


class Item(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, rename="camel"):
    """One catalogue entry. ``price`` is in ``currency`` units; times are milliseconds, UTC."""

    item_id: str
    type: str = "product"
    title: str = ""
    category: str = ""
    """The leaf category; ``categories`` holds the path from broad to narrow where there is one."""
    categories: tuple[str, ...] = ()
    brand: str = ""
    price: float | None = None
    currency: str = ""
    in_stock: bool = True
    url: str = ""
    image_url: str = ""
    available_from_ms: int | None = None
    available_until_ms: int | None = None
    created_ms: int = 0
    """When the catalogue first heard of it (a new item is one that is young by this)."""
    attributes: dict[str, Any] = {}

    def values_of(self, attribute: str) -> tuple[str, ...]:
        """The item's values of a declared attribute, as strings; empty where it has none."""
        if attribute == "category":
            return (self.category,) if self.category else self.categories[-1:]
        if attribute == "categories":
            return self.categories
        if attribute == "brand":
            return (self.brand,) if self.brand else ()
        value = self.attributes.get(attribute)
        if value is None or value == "":
            return ()
        if isinstance(value, list | tuple):
            return tuple(str(each) for each in value)
        return (str(value),)

    def available(self, now_ms: int) -> bool:
        """Whether it may be shown at all: in stock, and inside its dates."""
        if not self.in_stock:
            return False
        if self.available_from_ms is not None and now_ms < self.available_from_ms:
            return False
        return self.available_until_ms is None or now_ms < self.available_until_ms
