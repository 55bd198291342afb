"""Orders and refunds as a shop sends them, over HTTP: what the person's page says of them."""

from __future__ import annotations

from tests.acceptance.conftest import Server
from tests.acceptance.test_loop import track


def pieces(server: Server, user: str) -> dict[str, tuple[int, float]]:
    """Item -> how often it was had, and how many pieces are left."""
    return {
        each["itemId"]: (each["count"], each["pieces"]) for each in server.person(user)["ownItems"]
    }


def test_pieces_orders_and_whole_orders(server: Server) -> None:
    """Buy three, give back one and one; then another order as a whole; one nobody knows is kept."""
    three = [{"product_id": "bike-1", "price": 9.5, "quantity": 3}]
    one = [{"product_id": "bike-1", "price": 9.5, "quantity": 1}]
    track(server, "ann", "Order Completed", order_id="1", products=three)
    track(server, "ann", "Order Completed", order_id="2", products=one)
    for left in (2, 1):
        track(server, "ann", "Order Refunded", order_id="1", products=one)
        assert pieces(server, "ann") == {"bike-1": (2, left + 1)}
    track(server, "ann", "Order Refunded", order_id="2", total=9.5)
    assert pieces(server, "ann") == {"bike-1": (1, 1)}
    track(server, "ann", "Order Refunded", order_id="3", total=9.5)
    assert pieces(server, "ann") == {"bike-1": (1, 1)}
    (letter,) = server.letters()
    assert letter["code"] == "event.unknown_order"
    assert "send it with its products" in letter["message"]


def test_products_that_cannot_be_read(server: Server) -> None:
    """An order is acknowledged, and what is wrong with its products is a dead letter that says so."""
    before = len(server.letters())
    wrong = ({"product_id": "bike-1"}, "bike-1", ["bike-1"])
    for number, products in enumerate(wrong):
        track(server, "eve", "Order Completed", order_id=f"e{number}", products=products)
    track(server, "eve", "Order Completed", order_id="e3")
    none = [{"product_id": "bike-1", "quantity": 0}, {"product_id": "toy-1", "quantity": 2}]
    track(server, "eve", "Order Completed", order_id="e4", products=none)
    assert pieces(server, "eve") == {"toy-1": (1, 2)}
    letters = server.letters()[before:]
    assert {each["code"] for each in letters} == {"event.bad_property"}
    said = [each["message"] for each in letters]
    assert sum("Expected is a list of objects" in each for each in said) == 4
    assert sum("'bike-1' is 0: it does not count" in each for each in said) == 1
