"""Claims, looked at again before a message is sent."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from germane.domain.content import Chosen
from germane.domain.item import Item
from germane.domain.settings import AttributeSpec
from germane.generate.claims import check_claims
from germane.generate.render import render
from germane.testing import a_shop, an_item
from germane.testing.contents import a_content, a_slot, facts
from germane.testing.world import START_MS

TENT = an_item(
    1, title="Tent", price=80.0, currency="EUR", attributes={"list_price": 100, "color": "red"}
)
TEXT = "{{ item.title }}, {{ item.color }}: {{ item.price | money }}, {{ item.discount | percent }} off."


def broken(now: Item | None, text: str = TEXT, **changes: Any) -> list[str]:
    content = a_content(a_slot("a", "text", text))
    found = render(content, Chosen(), facts(item=TENT))
    items = {} if now is None else {now.item_id: now}
    settings = changes.get("settings", a_shop())
    return [each.text for each in check_claims(found.claims, items, settings, START_MS)]


def test_what_holds() -> None:
    assert broken(TENT) == []
    assert broken(replace(TENT, price=80.0004, url="https://elsewhere.example/")) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"price": 85.0}, "price was said to be €80.00, and is 85.0"),
        ({"price": None}, "price was said to be €80.00, and is nothing"),
        ({"title": "Big tent"}, "title was said to be Tent, and is Big tent"),
        ({"in_stock": False}, "not to be had"),
        ({"available_until_ms": START_MS}, "not to be had"),
        ({"attributes": {"list_price": 90, "color": "red"}}, "discount"),
        (
            {"attributes": {"list_price": 100, "color": "blue"}},
            "color was said to be red, and is blue",
        ),
    ],
)
def test_what_does_not(changes: dict[str, Any], words: str) -> None:
    assert any(words in each for each in broken(replace(TENT, **changes)))


def test_an_item_that_is_gone() -> None:
    assert all("not in the catalogue" in each for each in broken(None))


def test_what_was_muted_since() -> None:
    settings = replace(a_shop(), attributes={"color": AttributeSpec("color", speakable=False)})
    assert broken(TENT, settings=settings) == ["i1: color was said to be red, and is nothing."]


def test_a_condition_is_a_claim() -> None:
    """What a text rests on must still be so, even if it is not put out."""
    text = "{% if item.price < 100 %}A bargain{% endif %}"
    assert broken(replace(TENT, price=120.0), text) != []
