"""Orders and decisions under two ids, before the two are one person: what is credited, and what is not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from germane.app.engine import Engine
from germane.app.opening import open_engine
from germane.domain.decision import Decision
from germane.domain.ids import DEFAULT_TENANT
from germane.domain.outcome import Outcome
from germane.domain.profile import Profile
from germane.testing import FakeWorld, an_item
from tests.unit.app.test_merged_refunds import decided, linked, said
from tests.unit.app.test_prices import known, paid


@pytest.fixture
def engine(tmp_path: Path, world: FakeWorld) -> Iterator[Engine]:
    """Surfaces that are rewarded with revenue, and 12 items."""
    opened = open_engine(paid(), tmp_path / "data", world=world)
    with opened.importer() as importer:
        importer.add_items([an_item(n) for n in range(12)])
    yield opened
    opened.store.close()


def values(engine: Engine) -> list[float]:
    """What each choice of the user is credited with, oldest first. A rebuild finds the same."""
    return [each.value for each in known(engine, "u:user").choices]


def shown_to(engine: Engine, world: FakeWorld, who: str) -> Decision:
    """A slate that was seen."""
    made = decided(engine, "home", who)
    order = said(world, "Order Completed", who, (made.items[0].item_id, 1))
    order.properties["decision_id"] = made.decision_id
    engine.accept_now([order])
    return made


def left(profile: Profile) -> list[float]:
    """What is left of each credit of the slates."""
    return [credit.left for shown in profile.exposures for credit in shown.credits]


def test_a_purchase_as_user_does_not_credit_what_the_visitor_was_shown(
    engine: Engine, world: FakeWorld
) -> None:
    """Neither at once nor when the two turn out to be one; what comes after the merge does."""
    decided(engine, "mail")
    engine.accept_now([said(world, "Order Completed", "user", ("i1", 1))])
    assert known(engine, "a:z1").choices[0].value == 0.0
    engine.accept_now([linked(world)])
    assert values(engine) == [0.0]
    later = said(world, "Order Completed", "user", ("i2", 1))
    later.properties["order_id"] = "8"
    engine.accept_now([later])
    assert values(engine) == [19.0]


def test_an_order_under_both_ids_is_credited_once_to_choices(
    engine: Engine, world: FakeWorld
) -> None:
    """The copy that came first keeps its credit; the other one's is taken back, and unlearned."""
    decided(engine, "mail")
    decided(engine, "mail", "user")
    engine.accept_now([said(world, "Order Completed", "z1", ("i1", 1), ("i2", 1))])
    engine.accept_now([said(world, "Order Completed", "user", ("i2", 1), ("i1", 1))])
    assert known(engine, "a:z1").choices[0].value == values(engine)[0] == 38.0
    engine.accept_now([linked(world)])
    assert sorted(values(engine)) == [0.0, 38.0]


def test_what_only_one_copy_has_stays(engine: Engine, world: FakeWorld) -> None:
    """Each item once; an order under one id alone is nobody's copy."""
    decided(engine, "mail")
    decided(engine, "mail", "user")
    engine.accept_now([said(world, "Order Completed", "z1", ("i1", 1), ("i3", 1))])
    engine.accept_now([said(world, "Order Completed", "user", ("i1", 1), ("i2", 1))])
    engine.accept_now([linked(world)])
    assert sorted(values(engine)) == [19.0, 38.0]


def test_a_refund_of_both_copies_leaves_nothing(engine: Engine, world: FakeWorld) -> None:
    """A piece was given back before the merge, the other one comes after."""
    decided(engine, "mail")
    decided(engine, "mail", "user")
    engine.accept_now([said(world, "Order Completed", "z1", ("i1", 2))])
    engine.accept_now([said(world, "Order Completed", "user", ("i1", 2))])
    engine.accept_now([said(world, "Order Refunded", "user", ("i1", 1))])
    engine.accept_now([linked(world)])
    assert sorted(values(engine)) == [0.0, 19.0]
    engine.accept_now([said(world, "Order Refunded", "user", ("i1", 1))])
    assert values(engine) == [0.0, 0.0]


def test_an_order_under_both_ids_is_credited_once_to_slates(
    engine: Engine, world: FakeWorld
) -> None:
    """Whichever surface and slate each of them was credited to."""
    first, second = (shown_to(engine, world, who) for who in ("z1", "user"))
    assert first.items[0].item_id == second.items[0].item_id
    assert left(known(engine, "a:z1")) == left(known(engine, "u:user")) == [19.0]
    engine.accept_now([linked(world)])
    both = known(engine, "u:user")
    assert sorted(left(both)) == [0.0, 19.0]
    (stays,) = (each for each in both.exposures if each.credits[0].left)
    assert stays.decision_id == first.decision_id


def test_what_was_reported_stays_and_the_event_gives_way(engine: Engine, world: FakeWorld) -> None:
    """An order that was reported for the visitor's choice, and came as an event of the user."""
    mail = decided(engine, "mail")
    decided(engine, "mail", "user")
    event = said(world, "Order Completed", "user", ("i1", 2))

    async def act() -> None:
        await engine.start()
        report = Outcome("r", mail.decision_id, "", "revenue", 42.0, world.now_ms(), "7")
        await engine.outcomes([report])
        await engine.accept([event])
        await engine.accept([linked(world)])
        await engine.stop()

    asyncio.run(act())
    assert values(engine) == [42.0, 0.0]
    assert engine.store.profile(DEFAULT_TENANT, "a:z1") is None
