"""Refunds that came under another id than the purchase, before the two were one person."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from germane.app.engine import Engine
from germane.app.opening import open_engine
from germane.app.rebuild import rebuild
from germane.domain.decision import Ask, Decision
from germane.domain.event import Event
from germane.domain.ids import DEFAULT_TENANT
from germane.domain.outcome import Observation
from germane.testing import FakeWorld, an_event, an_item
from tests.unit.app.test_prices import paid


@pytest.fixture
def engine(tmp_path: Path, world: FakeWorld) -> Iterator[Engine]:
    """Surfaces that are rewarded with revenue, and 12 items."""
    opened = open_engine(paid(), tmp_path / "data", world=world)
    with opened.importer() as importer:
        importer.add_items([an_item(n) for n in range(12)])
    yield opened
    opened.store.close()


def said(world: FakeWorld, name: str, who: str, *lines: tuple[str, int]) -> Event:
    """An order or a refund of order 7 at 19.0 a piece, a minute later; of a visitor (``z1``) or a user."""
    world.advance(seconds=60)
    products = [{"product_id": item, "quantity": many, "price": 19.0} for item, many in lines]
    properties: dict[str, Any] = {"order_id": "7", "products": products}
    ids = {"user": "", "anonymous_id": who} if who == "z1" else {"user": who}
    return an_event(name, at_ms=world.now_ms(), properties=properties, **ids)


def linked(world: FakeWorld) -> Event:
    """The visitor is that user."""
    world.advance(seconds=60)
    return Event("link", "identify", world.now_ms(), user_id="user", anonymous_id="z1")


def choice_of(engine: Engine, person: str = "u:user") -> tuple[float, tuple[str, ...]]:
    """What the one choice was credited with. A rebuild finds the same."""
    assert rebuild(engine).equal
    found = engine.store.profile("main", person)
    assert found is not None
    (choice,) = found.choices
    return choice.value, choice.credited


def decided(engine: Engine, surface: str, who: str = "z1") -> Decision:
    """One decision."""
    user, anonymous = ("", who) if who == "z1" else (who, "")
    (made,), _ = engine.decide(user, anonymous, "", [Ask(surface)])
    return made


def test_a_refund_as_user_of_an_order_as_visitor(engine: Engine, world: FakeWorld) -> None:
    """The choice was made for the visitor; nothing is left of it when the two are one."""
    decided(engine, "mail")
    engine.accept_now([said(world, "Order Completed", "z1", ("i1", 1), ("i2", 1))])
    engine.accept_now([said(world, "Order Refunded", "user", ("i1", 1), ("i2", 1))])
    assert choice_of(engine, "a:z1")[0] == 38.0
    engine.accept_now([linked(world)])
    keys = ("i1|revenue", "i2|revenue", "i1|revenue|returned", "i2|revenue|returned")
    assert choice_of(engine) == (0.0, keys)
    *_, last = engine.store.read(0)
    observed = msgspec.msgpack.decode(last.derived, type=Observation)
    taken = [(each.reward, each.before, each.made) for each in observed.trials]
    assert taken == [(-19.0, 38.0, False), (-19.0, 19.0, False)]


def test_one_piece_before_and_one_after(engine: Engine, world: FakeWorld) -> None:
    """Of three pieces, two come back: 19 are left."""
    decided(engine, "mail")
    engine.accept_now([said(world, "Order Completed", "z1", ("i1", 3))])
    engine.accept_now([said(world, "Order Refunded", "user", ("i1", 1))])
    engine.accept_now([linked(world)])
    assert choice_of(engine)[0] == 38.0
    engine.accept_now([said(world, "Order Refunded", "user", ("i1", 1))])
    assert choice_of(engine)[0] == 19.0
    engine.accept_now([said(world, "Order Refunded", "user", ("i1", 1))])
    assert choice_of(engine) == (0.0, ("i1|revenue", "i1|revenue|returned"))


def test_an_order_as_user_and_a_refund_as_visitor(engine: Engine, world: FakeWorld) -> None:
    """The other way round."""
    decided(engine, "mail", "user")
    engine.accept_now([said(world, "Order Completed", "user", ("i1", 2))])
    engine.accept_now([said(world, "Order Refunded", "z1", ("i1", 2))])
    engine.accept_now([linked(world)])
    assert choice_of(engine)[0] == 0.0


def test_both_were_told_of_the_order(engine: Engine, world: FakeWorld) -> None:
    """It was credited under one id and refunded under the other, which had it, too."""
    decided(engine, "mail")
    engine.accept_now([said(world, "Order Completed", "z1", ("i1", 2))])
    engine.accept_now([said(world, "Order Completed", "user", ("i1", 2))])
    engine.accept_now([said(world, "Order Refunded", "user", ("i1", 1))])
    engine.accept_now([linked(world)])
    assert choice_of(engine)[0] == 19.0


def test_the_copy_that_does_not_count_was_credited(engine: Engine, world: FakeWorld) -> None:
    """The visitor's order came first and was refunded; the user's copy was credited."""
    first = said(world, "Order Completed", "z1", ("i1", 2))
    decided(engine, "mail", "user")
    engine.accept_now([first, said(world, "Order Completed", "user", ("i1", 2))])
    engine.accept_now([said(world, "Order Refunded", "z1", ("i1", 1))])
    assert choice_of(engine)[0] == 38.0
    engine.accept_now([linked(world)])
    assert choice_of(engine)[0] == 19.0


def test_a_slate_gives_back_too(engine: Engine, world: FakeWorld) -> None:
    """What it was credited is marked as returned, and the record of the merge says what it taught."""
    slate = decided(engine, "home")
    shown = slate.items[0].item_id
    order = said(world, "Order Completed", "z1", (shown, 1))
    order.properties["decision_id"] = slate.decision_id
    engine.accept_now([order, said(world, "Order Refunded", "user", (shown, 1))])
    receipt = engine.accept_now([linked(world)])
    assert receipt is not None
    profile = engine.store.profile(DEFAULT_TENANT, "u:user")
    assert profile is not None
    (exposure,) = profile.exposures
    assert exposure.credited == (f"{shown}|revenue", f"{shown}|revenue|returned")
    assert rebuild(engine).equal


def test_a_merge_without_refunds_takes_nothing(engine: Engine, world: FakeWorld) -> None:
    """Nor do refunds that are not about what the other one bought."""
    decided(engine, "mail")
    engine.accept_now([said(world, "Order Completed", "z1", ("i1", 1))])
    engine.accept_now([said(world, "Order Refunded", "user", ("i2", 1))])
    engine.accept_now([linked(world)])
    assert choice_of(engine)[0] == 19.0
