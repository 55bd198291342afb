"""What revenue is worth where the event tells no price: the catalogue's, as the price band has it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from germane.app.engine import Engine
from germane.app.opening import open_engine
from germane.app.prices import sold_in
from germane.app.rebuild import rebuild
from germane.domain.decision import Ask
from germane.domain.event import Event
from germane.domain.outcome import Observation
from germane.domain.profile import Profile
from germane.domain.settings import OutcomeSpec, Settings
from germane.testing import FakeWorld, a_campaign, an_event, an_item

REVENUE = OutcomeSpec("revenue", "purchase", 7 * 86_400, 1.0, "revenue")


def paid() -> Settings:
    """A choice and a grid that are rewarded with revenue; refunds tell pieces and prices."""
    shop = a_campaign(outcomes=(REVENUE,))
    back = replace(shop.signals["refund"], quantity="quantity", price="price")
    home = replace(shop.surfaces["home"], outcomes=(REVENUE,), size=20)
    return replace(
        shop, signals=shop.signals | {"refund": back}, surfaces=shop.surfaces | {"home": home}
    )


@pytest.fixture
def engine(tmp_path: Path, world: FakeWorld) -> Iterator[Engine]:
    """With 12 items, of which the first costs 10, and i11 has no price; a choice was made for u1."""
    opened = open_engine(paid(), tmp_path / "data", world=world)
    with opened.importer() as importer:
        importer.add_items([*(an_item(n) for n in range(11)), an_item(11, price=None)])
    opened.decide("u1", "", "", [Ask("mail")])
    yield opened
    opened.store.close()


def told(world: FakeWorld, name: str, *lines: tuple[str, dict[str, Any]], order: str = "") -> Event:
    """An order or a refund of these lines, a minute later."""
    world.advance(seconds=60)
    products = [{"product_id": item, **line} for item, line in lines]
    properties = {"products": products} | ({"order_id": order} if order else {})
    return an_event(name, at_ms=world.now_ms(), properties=properties)


def known(engine: Engine, person: str = "u:u1") -> Profile:
    """The stored profile; a rebuild finds the same."""
    assert rebuild(engine).equal
    found = engine.store.profile("main", person)
    assert found is not None
    return found


def worth(engine: Engine) -> float:
    """What the choice was credited with."""
    (choice,) = known(engine).choices
    return choice.value


def test_the_catalogues_price_counts(engine: Engine, world: FakeWorld) -> None:
    """None told, or one that cannot be used: price of the catalogue times quantity. One unit where
    neither is known; the event's own where it tells one, also 0."""
    lines = (
        ("i1", {"quantity": 3}),
        ("i2", {"price": "a lot"}),
        ("i3", {"price": -1}),
        ("i4", {"price": 0}),
        ("i11", {"quantity": 5}),
        ("unknown", {"quantity": 5}),
    )
    engine.accept_now([told(world, "Order Completed", *lines)])
    profile = known(engine)
    assert worth(engine) == pytest.approx(3 * 11 + 12 + 13 + 0 + 1 + 1)
    assert [each.price for each in profile.recent] == [11, 12, 13, 0, None, None]
    assert profile.price.count == 3


def test_the_price_of_its_time_counts(engine: Engine, world: FakeWorld) -> None:
    """As the catalogue had it when the order was folded; a refund takes just that back."""
    engine.accept_now([told(world, "Order Completed", ("i1", {"quantity": 2}), order="7")])
    with engine.importer() as importer:
        importer.add_items([an_item(1, price=99.0)])
    assert worth(engine) == pytest.approx(22)
    engine.accept_now([told(world, "Order Refunded", ("i1", {"quantity": 1}), order="7")])
    assert worth(engine) == pytest.approx(11)
    engine.accept_now([told(world, "Order Refunded", ("i1", {}), order="7")])
    assert worth(engine) == pytest.approx(0)


def test_a_refund_without_a_price_takes_what_was_paid(engine: Engine, world: FakeWorld) -> None:
    """Not the catalogue's price, which may be another."""
    engine.accept_now([told(world, "Order Completed", ("i1", {"price": 30.0}), order="7")])
    engine.accept_now([told(world, "Order Refunded", ("i1", {}), order="7")])
    assert worth(engine) == pytest.approx(0)


def test_a_refund_that_comes_first(engine: Engine, world: FakeWorld) -> None:
    """It takes what the purchase says that it was worth."""
    bought = told(world, "Order Completed", ("i1", {"price": 30.0}), order="7")
    engine.accept_now([told(world, "Order Refunded", ("i1", {}), order="7")])
    engine.accept_now([bought])
    assert worth(engine) == pytest.approx(0)


@pytest.mark.parametrize("surface", ["mail", "home"])
def test_a_refund_of_what_has_left_the_ring(tmp_path: Path, world: FakeWorld, surface: str) -> None:
    """Price of the catalogue times the pieces that come back."""
    shop = paid()
    shop = replace(shop, profile=replace(shop.profile, recent=1))
    engine = open_engine(shop, tmp_path / "data", world=world)
    with engine.importer() as importer:
        importer.add_items([an_item(n) for n in range(12)])
    (made,), _ = engine.decide("u1", "", "", [Ask(surface)])
    bought = told(world, "Order Completed", ("i1", {"quantity": 3}), order="7")
    bought.properties["decision_id"] = made.decision_id
    view = an_event(item="i2", at_ms=world.now_ms() + 1)
    world.advance(seconds=60)
    back = told(world, "Order Refunded", ("i1", {"quantity": 2}), order="7")
    engine.accept_now([bought, view])
    engine.accept_now([back])
    *_, last = engine.store.read(0)
    observed = msgspec.msgpack.decode(last.derived, type=Observation)
    assert [each.value for each in observed.rewards] == [pytest.approx(-22.0)]
    assert rebuild(engine).equal
    engine.store.close()


def test_whatever_counts_as_revenue_has_a_price() -> None:
    """Purchases, what tells a price, and what an outcome takes revenue of; nothing that takes back."""
    shop = paid()
    assert sold_in(shop) == {"purchase"}
    viewed = OutcomeSpec("seen", "view", 60, 1.0, "revenue")
    home = replace(shop.surfaces["home"], outcomes=(viewed,))
    assert sold_in(replace(shop, surfaces={"home": home})) == {"purchase", "view"}
