"""An empty or short slate says why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from germane.app.opening import open_engine
from germane.domain.decision import Ask, Context
from germane.domain.item import Item
from germane.domain.settings import RuleSpec
from germane.testing import FakeWorld, a_campaign, a_shop, an_item, an_order
from tests.unit.api.test_edge import SERVER, send

MANY = [an_item(n) for n in range(20)]
ONLY = (RuleSpec("include", 'item.brand == "b0"'),)


@pytest.mark.parametrize(
    ("items", "surface", "ask", "says"),
    [
        ([], {}, {}, "Nothing to show: the catalogue is empty"),
        ([an_item(1, type="article")], {}, {}, "the catalogue has no items of type product"),
        (MANY[:2], {}, {}, "2 of 5 places are filled: the catalogue has no more items of type"),
        (
            [an_item(n, in_stock=n == 0) for n in range(20)],
            {},
            {},
            "1 of 5 places are filled: no m",
        ),
        (
            MANY[:12],
            {"rules": ONLY},
            {},
            "4 of 5 places are filled: the rules of the surface leave",
        ),
        (MANY, {}, {"filter": "item.price > 900"}, "Nothing to show: what the request asks for"),
        (MANY[:5], {}, {"exclude": ("i1",)}, "4 of 5 places are filled: what the request asks"),
        (
            MANY[:5],
            {"already_bought": "exclude"},
            {},
            "3 of 5 places are filled: no more items are",
        ),
        (MANY, {}, {}, ""),
    ],
)
def test_it_says_why(
    tmp_path: Path,
    world: FakeWorld,
    items: list[Item],
    surface: dict[str, Any],
    ask: dict[str, Any],
    says: str,
) -> None:
    """The first condition that leaves too few."""
    engine = open_engine(a_shop(surface=surface), tmp_path / "data", world=world)
    with engine.importer() as importer:
        importer.add_items(items)
    engine.accept_now([an_order(["i1", "i2"], at_ms=world.now_ms())])
    (decision,), _ = engine.decide("u1", "", "", [Ask("home", **ask)])
    said = engine.shortfall(decision)
    assert said.startswith(says) if says.startswith("N") else says in said
    assert bool(said) == bool(says)
    body = {"person": {"userId": "u1"}, "surfaces": [{"surface": "home", **ask}]}
    (answer,) = send(engine, ("POST", "/v1/decide", {"json": body, "auth": SERVER}))
    assert answer.json()["decisions"][0].get("note", "") == said
    engine.store.close()


def test_doing_nothing_is_no_shortfall(tmp_path: Path, world: FakeWorld) -> None:
    """A choice has no places."""
    engine = open_engine(a_campaign(), tmp_path / "data", world=world)
    made = [engine.decide(f"u{n}", "", "", [Ask("mail")])[0][0] for n in range(9)]
    assert {engine.shortfall(each) for each in made} == {""}
    engine.store.close()


@pytest.mark.parametrize(
    ("surface", "ask", "says"),
    [
        (
            {},
            {"exclude": ("mens", "womens")},
            "what the request asks for (filter, exclude) leaves no",
        ),
        (
            {"rules": (RuleSpec("exclude", items=("mens", "womens")),)},
            {},
            "the rules of the surface",
        ),
        ({}, {"exclude": ("mens",)}, ""),
        ({"nothing": True}, {"exclude": ("mens", "womens")}, ""),
        ({}, {"exclude": ("mans",)}, "mail has no action 'mans': excluding it changes nothing."),
    ],
)
def test_a_choice_without_an_action(
    tmp_path: Path, world: FakeWorld, surface: dict[str, Any], ask: dict[str, Any], says: str
) -> None:
    """Where nothing is no action of its own, that is told, as is what is excluded and not there."""
    settings = a_campaign(**{"nothing": False, **surface})
    engine = open_engine(settings, tmp_path / "data", world=world)
    (decision,), _ = engine.decide("u1", "", "", [Ask("mail", **ask)])
    said = engine.shortfall(decision)
    assert (says in said, bool(said)) == (True, bool(says))
    body = {"person": {"userId": "u1"}, "surfaces": [{"surface": "mail", **ask}]}
    (answer,) = send(engine, ("POST", "/v1/decide", {"json": body, "auth": SERVER}))
    assert answer.json()["decisions"][0].get("note", "") == said
    engine.store.close()


@pytest.mark.parametrize(
    ("items", "item", "says"),
    [
        (MANY, "nix-1", "Item 'nix-1', which it is about, is not in the catalogue."),
        (MANY, "i3", ""),
        (MANY, "", ""),
        (MANY[:2], "nix-1", "has no more items of type product. Item 'nix-1', which it is about,"),
    ],
)
def test_an_item_that_is_not_known(
    tmp_path: Path, world: FakeWorld, items: list[Item], item: str, says: str
) -> None:
    """What a slate is about, and the catalogue does not have."""
    engine = open_engine(a_shop(), tmp_path / "data", world=world)
    with engine.importer() as importer:
        importer.add_items(items)
    (decision,), _ = engine.decide("u1", "", "", [Ask("home", context=Context(item=item))])
    said = engine.shortfall(decision)
    assert (says in said, bool(said)) == (True, bool(says))
    surface = {"surface": "home", "context": {"item": item}}
    body = {"person": {"userId": "u1"}, "surfaces": [surface]}
    (answer,) = send(engine, ("POST", "/v1/decide", {"json": body, "auth": SERVER}))
    assert answer.json()["decisions"][0].get("note", "") == said
    engine.store.close()
