"""What an event means for items, and what a bad property costs."""

from __future__ import annotations

import math
from typing import Any

import pytest
from msgspec.structs import replace

from germane.app.engine import Engine
from germane.domain.event import Interaction
from germane.domain.ids import external_id
from germane.domain.settings import OutcomeSpec, SignalSpec
from germane.ingest.signals import Extractor
from germane.measure.credits import value_of
from germane.testing import a_shop, an_event, an_order

EXTRACTOR = Extractor(a_shop())


def told(**product: Any) -> tuple[list[Interaction], list[str]]:
    """What an order of one product means."""
    products = [{"product_id": "i1", **product}]
    return EXTRACTOR.extract(an_order([], properties={"order_id": "1", "products": products}))


@pytest.mark.parametrize(
    ("product", "quantity", "price", "problems"),
    [
        ({}, 1.0, None, []),
        ({"quantity": "2", "price": "9.5"}, 2.0, 9.5, []),
        ({"quantity": 0.5, "price": 0}, 0.5, 0.0, []),
        ({"quantity": 3, "price": -9.5}, 3.0, None, ["the price of item 'i1' is below 0"]),
        ({"quantity": -3, "price": 9.5}, 1.0, 9.5, ["the quantity of item 'i1' is below 0"]),
        ({"quantity": 3, "price": "nine"}, 3.0, None, ["the price of item 'i1' is no number"]),
        ({"quantity": "x", "price": -1}, 1.0, None, ["is no number", "is below 0"]),
        ({"price": True}, 1.0, None, ["the price of item 'i1' is no number"]),
    ],
)
def test_a_bad_amount_costs_itself(
    product: dict[str, Any], quantity: float, price: float | None, problems: list[str]
) -> None:
    """The product counts; a price or a quantity that cannot be used is as if it were not there."""
    (found,), said = told(**product)
    assert (found.item_id, found.quantity, found.price) == ("i1", quantity, price)
    assert len(said) == len(problems)
    assert all(part in text for part, text in zip(problems, said, strict=True))


def test_a_negative_price_is_no_revenue() -> None:
    """As a response it counts once, like revenue whose price nobody told; it takes nothing away."""
    revenue = OutcomeSpec("revenue", "purchase", 60, value_from="revenue")
    (found,), _ = told(quantity=2, price=-50)
    assert value_of(revenue, found) == 1.0


def test_a_negative_price_is_a_dead_letter(engine: Engine) -> None:
    """The event is kept, and it is said what was not used; the price band has the catalogue's."""
    products = [{"product_id": "i1", "price": -50}]
    receipt = engine.accept_now([an_order([], properties={"products": products})])
    assert (receipt.accepted, receipt.rejected) == (1, 0)
    (letter,) = engine.letters()
    assert (letter.code, "below 0" in letter.message) == ("event.bad_property", True)
    profile = engine.store.profile("main", "u:u1")
    item = engine.item("i1")
    assert profile is not None
    assert item is not None
    assert profile.price.count == 1
    assert profile.price.mean == pytest.approx(math.log(item.price or 0))


@pytest.mark.parametrize(
    ("products", "says"),
    [
        ({"product_id": "i1"}, "there is an object"),
        ("i1", "there is a text"),
        ("", "there is a text"),
        (7, "there is a number"),
        (True, "there is a flag"),
        (["i1", "i2"], "2 of 2 entries are no objects (the first: a text)"),
        (None, "there is nothing"),
        ([], "the list is empty"),
    ],
)
def test_products_that_cannot_be_read_are_a_dead_letter(
    engine: Engine, products: Any, says: str
) -> None:
    """An order whose products are no list of objects: said, with what is expected."""
    told_of = {} if products is None else {"products": products}
    receipt = engine.accept_now([an_order([], properties={"order_id": "1", **told_of})])
    assert (receipt.accepted, receipt.rejected) == (1, 0)
    (letter,) = engine.letters()
    assert letter.code == "event.bad_property"
    assert says in letter.message
    assert "Expected is a list of objects, each with 'product_id'" in letter.message


def test_products_that_can_be_read_count_beside_others() -> None:
    """One entry that is a text does not cost the others."""
    products = ["i9", {"product_id": "i1"}, None]
    found, said = EXTRACTOR.extract(an_order([], properties={"products": products}))
    assert [each.item_id for each in found] == ["i1"]
    assert ["2 of 3 entries are no objects" in text for text in said] == [True]


def test_a_list_without_products_may_be_meant() -> None:
    """A refund of nothing by name is of the whole order; a search without hits is none of an order."""
    refund = an_event("Order Refunded", properties={"products": [], "order_id": "7"})
    assert EXTRACTOR.extract(refund) == ([], [])
    seen = SignalSpec("seen", "Products Searched", "properties.products[].product_id")
    shop = replace(a_shop(), signals={"seen": seen})
    none = an_event("Products Searched", properties={"products": []})
    assert Extractor(shop).extract(none) == ([], [])


@pytest.mark.parametrize("none", [0, 0.0, "0"])
def test_no_pieces_do_not_count(none: Any) -> None:
    """A line of 0 pieces is no purchase, and that is said; the other lines of the order count."""
    products = [{"product_id": "i1", "quantity": none, "price": 5}, {"product_id": "i2"}]
    found, said = EXTRACTOR.extract(an_order([], properties={"products": products}))
    assert [each.item_id for each in found] == ["i2"]
    assert said == ["signal 'purchase': the quantity of item 'i1' is 0: it does not count"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(1234567.0, "1234567"), (1234567.5, "1234567.5"), (12345678.0, "12345678"), (7, "7")],
)
def test_numbers_as_ids_stay_apart(value: float, text: str) -> None:
    """However they are written: people, items and orders are known by all of their digits."""
    event = an_event(item=value)  # type: ignore[arg-type]
    (found,), problems = Extractor(a_shop()).extract(event)
    assert (found.item_id, problems) == (text, [])
    assert external_id(value) == text
