"""Orders that were reported by decision id: how often they count, and what a refund takes back of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from germane.app.engine import Engine
from germane.app.opening import open_engine
from germane.domain.decision import Ask, Decision
from germane.domain.event import Event
from germane.domain.outcome import Outcome, Verdict
from germane.testing import FakeWorld, an_event, an_item
from tests.unit.app.test_prices import known, paid, told, worth


@pytest.fixture
def engine(tmp_path: Path, world: FakeWorld) -> Iterator[Engine]:
    """Surfaces that are rewarded with revenue, and 12 items."""
    opened = open_engine(paid(), tmp_path / "data", world=world)
    with opened.importer() as importer:
        importer.add_items([an_item(n) for n in range(12)])
    yield opened
    opened.store.close()


def decided(engine: Engine, surface: str = "mail") -> Decision:
    """One decision for u1."""
    (made,), _ = engine.decide("u1", "", "", [Ask(surface)])
    return made


def lived(engine: Engine, *steps: Outcome | Event) -> list[Verdict]:
    """Reports and events, in their order; what became of the reports."""
    verdicts: list[Verdict] = []

    async def act() -> None:
        await engine.start()
        for step in steps:
            if isinstance(step, Outcome):
                verdicts.extend((await engine.outcomes([step])).verdicts)
            else:
                await engine.accept([step])
        await engine.stop()

    asyncio.run(act())
    return verdicts


def reported(
    world: FakeWorld, made: Decision, value: float, order: str = "", item: str = ""
) -> Outcome:
    """Revenue, a minute later."""
    world.advance(seconds=60)
    at_ms = world.now_ms()
    return Outcome(f"r{at_ms}", made.decision_id, item, "revenue", value, at_ms, order)


def undone(world: FakeWorld, **properties: Any) -> Event:
    """A refund that names no products."""
    world.advance(seconds=60)
    return an_event("Order Refunded", at_ms=world.now_ms(), properties=properties)


def bought(world: FakeWorld, order: str, item: str = "i1", many: int = 1) -> Event:
    """An order at 10 a piece."""
    line = {"price": 10.0, "quantity": many}
    return told(world, "Order Completed", (item, line), order=order)


def test_three_orders_of_one_item_count_thrice_for_a_choice(
    engine: Engine, world: FakeWorld
) -> None:
    """By events as by reports, of the whole order or of its item; and each of them once."""
    decided(engine)
    orders = [bought(world, each) for each in ("1", "2", "3")]
    lived(engine, *orders, bought(world, "3"))
    assert worth(engine) == 30.0
    engine.accept_now([told(world, "Order Refunded", ("i1", {"quantity": 1}), order="2")])
    assert worth(engine) == 20.0


@pytest.mark.parametrize("item", ["", "i1"])
def test_three_orders_of_one_item_are_reported(engine: Engine, world: FakeWorld, item: str) -> None:
    """With the item or without."""
    made = decided(engine)
    said = [reported(world, made, 10.0, each, item) for each in ("1", "2", "3", "3")]
    assert lived(engine, *said) == ["counted", "counted", "counted", "duplicate"]
    assert worth(engine) == 30.0


def test_what_names_no_order_counts_once_for_each_item(engine: Engine, world: FakeWorld) -> None:
    """Nothing tells two orders apart."""
    made = decided(engine)
    assert lived(
        engine,
        bought(world, ""),
        bought(world, ""),
        bought(world, "1"),
        reported(world, made, 10.0, item="i1"),
    ) == ["duplicate"]
    assert worth(engine) == 10.0


def test_a_slate_is_credited_once_for_each_item(engine: Engine, world: FakeWorld) -> None:
    """By events as by reports, whatever the orders."""
    first, second = decided(engine, "home"), decided(engine, "home")
    item = first.items[0].item_id
    orders = [bought(world, each, item) for each in ("1", "2", "3")]
    for each in orders:
        each.properties["decision_id"] = first.decision_id
    said = [reported(world, second, 10.0, each, item) for each in ("4", "5", "6")]
    assert lived(engine, *orders, *said) == ["counted", "duplicate", "duplicate"]
    assert [
        [each.value for each in shown.credits] for shown in known(engine).exposures if shown.credits
    ] == [[10.0], [10.0]]


def test_a_refund_of_an_order_that_was_only_reported(engine: Engine, world: FakeWorld) -> None:
    """Without an event of its own, and without products: what the report credited is taken back."""
    made = decided(engine)
    lived(engine, reported(world, made, 42.0, "7"), reported(world, made, 5.0, "8"))
    engine.accept_now([undone(world, order_id="7")])
    assert (worth(engine), engine.letters()) == (5.0, [])
    engine.accept_now([undone(world, order_id="7")])
    assert (worth(engine), engine.letters()) == (5.0, []), "again: nothing more"
    engine.accept_now([undone(world, order_id="9")])
    assert [each.code for each in engine.letters()] == ["event.unknown_order"]


def test_a_slate_gives_back_what_was_only_reported(engine: Engine, world: FakeWorld) -> None:
    """All items that were reported with the order."""
    made = decided(engine, "home")
    items = [each.item_id for each in made.items[:2]]
    lived(engine, *(reported(world, made, 20.0, "7", item) for item in items))
    engine.accept_now([undone(world, order_id="7")])
    (shown,) = known(engine).exposures
    assert [each.left for each in shown.credits] == [0.0, 0.0]
    assert engine.letters() == []


@pytest.mark.parametrize("products", [True, False])
def test_shipping_goes_back_with_the_whole_order(
    engine: Engine, world: FakeWorld, products: bool
) -> None:
    """Nothing of an order's value stays when all of it was given back, named or not."""
    made = decided(engine)
    lived(engine, reported(world, made, 25.0, "7"), bought(world, "7", many=2))
    engine.accept_now([told(world, "Order Refunded", ("i1", {"quantity": 1}), order="7")])
    assert worth(engine) == 15.0, "a part leaves what was shipped"
    rest = told(world, "Order Refunded", ("i1", {"quantity": 1}), order="7")
    engine.accept_now([rest if products else undone(world, order_id="7")])
    assert worth(engine) == 0.0


def test_shipping_goes_back_from_a_slate_too(engine: Engine, world: FakeWorld) -> None:
    """Of an item that was reported with its order at more than its price."""
    made = decided(engine, "home")
    item = made.items[0].item_id
    lived(engine, reported(world, made, 25.0, "7", item), bought(world, "7", item))
    engine.accept_now([undone(world, order_id="7")])
    (shown,) = [each for each in known(engine).exposures if each.credits]
    assert [each.left for each in shown.credits] == [0.0]


def test_a_refund_that_names_the_decision_takes_back_a_report_of_all(
    engine: Engine, world: FakeWorld
) -> None:
    """What was reported with neither item nor order; not what was reported for another decision."""
    made, other = decided(engine), decided(engine)
    lived(engine, reported(world, made, 42.0), reported(world, other, 5.0))
    engine.accept_now([undone(world, decision_id=made.decision_id)])
    assert [each.value for each in known(engine).choices] == [0.0, 5.0]
    assert engine.letters() == []
    engine.accept_now([undone(world)])
    assert "names neither products nor an order" in engine.letters()[0].message
