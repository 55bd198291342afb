"""Rows that list their products themselves, as events of the API do: nothing of them is lost."""

from __future__ import annotations

from typing import Any

import pytest

from germane.domain.event import Event
from germane.domain.settings import Settings, SignalSpec
from germane.ingest.bulk import Row, Shaper, Unusable, grouped, map_columns
from germane.ingest.signals import Extractor

PURCHASE = SignalSpec(
    "purchase",
    "Order Completed",
    "properties.products[].product_id",
    quantity="quantity",
    price="price",
    order="properties.order_id",
)
REFUND = SignalSpec(
    "refund", "Order Refunded", PURCHASE.item, weight=-1.0, quantity="quantity", cancels="purchase"
)
CART = SignalSpec("cart", "Cart Saved", "properties.cart.lines[].sku")
VIEW = SignalSpec("view", "Product Viewed", "properties.product_id")
SETTINGS = Settings(signals={each.name: each for each in (PURCHASE, REFUND, CART, VIEW)})
TENT, MAT, LAMP = ({"product_id": each, "quantity": 2} for each in ("tent", "mat", "lamp"))


def a_row(event: str = "purchase", order: str = "A1", **more: Any) -> dict[str, Any]:
    """Of one person, at one time."""
    return {"user_id": "u", "timestamp": 1_790_000_000, "event": event, "order_id": order, **more}


def shaped(*rows: dict[str, Any]) -> list[Event]:
    """The events that the lines of a file are."""
    names = tuple(dict.fromkeys(name for each in rows for name in each))
    mapping = map_columns("events", names, [], more=True)
    shaper = Shaper("events", mapping, SETTINGS, now_ms=1_800_000_000_000)
    lines = [Row(number, each) for number, each in enumerate(rows, 1)]
    return [shaper.event(each) for each in grouped(lines, shaper)]


def items_of(event: Event) -> list[str]:
    """What it means."""
    found, problems = Extractor(SETTINGS).extract(event)
    assert problems == []
    return [each.item_id for each in found]


def test_a_row_keeps_its_list() -> None:
    """With the quantities that stand in it; those of the columns are of the event."""
    (event,) = shaped(a_row(products=[TENT, MAT], price=99.5, amount=0, coupon="X"))
    assert event.properties == {
        "products": [TENT, MAT],
        "order_id": "A1",
        "price": 99.5,
        "amount": 0,
        "coupon": "X",
    }
    assert items_of(event) == ["tent", "mat"]


def test_lists_of_one_order_are_put_together() -> None:
    """Also with a row that names an item in its columns; what is said beside is kept."""
    event, other = shaped(
        a_row(products=[TENT], coupon="X"),
        a_row(item_id="mat", qty=3),
        a_row(products=[LAMP], coupon="Y", shop="north"),
        a_row(order="A2", products=[MAT]),
    )
    assert items_of(event) == ["tent", "mat", "lamp"]
    assert event.properties["products"][1] == {"product_id": "mat", "quantity": 3}
    assert (event.properties["coupon"], event.properties["shop"]) == ("X", "north")
    assert items_of(other) == ["mat"]


def test_a_list_that_comes_twice_counts_once() -> None:
    """As every line does that repeats another one of its order exactly."""
    (event,) = shaped(a_row(products=[TENT]), a_row(products=[TENT]))
    assert items_of(event) == ["tent"]


def test_a_list_further_inside() -> None:
    """And what stands beside it there; the rows stay as they were read."""
    first, second = (a_row("cart", cart={"lines": [{"sku": x}], "no": 7}) for x in ("a", "b"))
    (event,) = shaped(first, second)
    assert event.properties["cart"] == {"lines": [{"sku": "a"}, {"sku": "b"}], "no": 7}
    assert first["cart"]["lines"] == [{"sku": "a"}]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"products": [TENT], "item_id": "mat"}, "the row names an item, and lists products"),
        ({"products": "tent, mat"}, "products is no list: 'tent, mat'"),
        ({"products": {"product_id": "tent"}}, "products is no list"),
        ({"products": [TENT, "mat"]}, "an entry of products is no object: 'mat'"),
        ({"products": [TENT, None]}, "an entry of products is no object: None"),
    ],
)
def test_what_cannot_be_meant_is_told(more: dict[str, Any], said: str) -> None:
    with pytest.raises(Unusable, match=said):
        shaped(a_row(**more))


def test_no_object_where_the_list_should_be() -> None:
    with pytest.raises(Unusable, match="cart is no object: 'c7'"):
        shaped(a_row("cart", cart="c7", item_id="a"))


@pytest.mark.parametrize("column", ["2", "", None])
def test_a_column_that_is_called_like_the_list(column: str | None) -> None:
    """Of rows that name an item: the lines take its place, as ever."""
    (event,) = shaped(*(a_row(item_id=each, products=column) for each in ("tent", "mat")))
    assert items_of(event) == ["tent", "mat"]


@pytest.mark.parametrize("products", [None, [], "absent"])
def test_a_refund_that_names_no_products_is_of_the_whole_order(products: Any) -> None:
    more = {} if products == "absent" else {"products": products}
    (event,) = shaped(a_row("refund", **more))
    assert len(Extractor(SETTINGS).whole(event)) == 1


def test_events_of_one_item_are_not_put_together() -> None:
    """There is no place for a second one."""
    found = shaped(a_row("view", item_id="tent"), a_row("view", item_id="mat"))
    assert [items_of(each) for each in found] == [["tent"], ["mat"]]
    unknown = shaped(a_row("Seen", item_id="tent"), a_row("Seen", item_id="mat"))
    assert [each.properties["product_id"] for each in unknown] == ["tent", "mat"]


def test_what_was_lost_is_new_when_it_is_imported_again() -> None:
    """The id tells what rows were taken for, and the products that they list; of others it is as it was."""
    (event,) = shaped(a_row(products=[TENT]))
    assert event.message_id != "import-events-6b91b36b4f74b2bd21b2e4f02f7debf5-1"  # with them lost
    (flat,) = shaped(a_row(item_id="tent"))
    assert flat.message_id == "import-events-ab78164f5d3bb5c89695df8689e324e6-1"
