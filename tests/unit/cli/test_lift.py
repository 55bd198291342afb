"""``germane lift`` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest

from germane.app.opening import open_engine
from germane.config import load
from germane.domain.decision import Ask
from germane.domain.errors import GermaneError
from germane.testing import FakeWorld, an_item, an_order
from tests.unit.cli.test_rights import place, typed

__all__ = ["place"]
DAY_MS = 86_400_000


@pytest.fixture
def shop(place: Path) -> Path:
    """A month in the life of a shop with a holdout: those who are personalised buy more."""
    config = place / "germane.toml"
    text = config.read_text("utf-8")
    assert "[surfaces.home-grid]\n" in text
    text = text.replace("[surfaces.home-grid]\n", "[surfaces.home-grid]\nholdout_share = 0.4\n")
    config.write_text(text, "utf-8")
    world, chance = FakeWorld(), Random(1)
    world._now_ms -= 400 * DAY_MS
    engine = open_engine(load(config, {}).settings, place / "data", world=world)
    with engine.importer() as importer:
        importer.add_items([an_item(n) for n in range(30)])
    for number in range(600):
        user = f"p{number}"
        (decision,), _ = engine.decide(user, "", "", [Ask("home-grid")])
        world.advance(seconds=1)
        if chance.random() < (0.2 if decision.arm == "broadcast" else 0.6):
            order = an_order(["i1"], user=user, at_ms=world.now_ms())
            engine.accept_now([order])
    engine.store.close()
    return place


def test_whether_it_pays(shop: Path) -> None:
    """A table, the answer, what to know of it; and all of it for programs."""
    said = typed(shop, "lift", "home-grid")
    assert (
        "home-grid  surface, holdout 40%, 14 days of each person; 600 people, 0 of them still under way"
        in said
    )
    assert "bought anything" in said
    assert "revenue, all in all" in said
    assert "Personalisation of home-grid brings more (bought anything: " in said
    assert "No outcome of home-grid has come back" in said
    (found,) = json.loads(typed(shop, "lift", "--json", "--days", "7"))
    assert (found["name"], found["holdoutShare"], found["days"]) == ("home-grid", 0.4, 7)
    bought = {each["measure"]: each["lift"] for each in found["measures"]}["bought"]
    assert bought["verdict"] == "more"
    assert bought["personalised"]["people"] + bought["holdout"]["people"] == 600
    assert bought["ratio"]["low"] > 1


def test_what_is_missing_is_named(place: Path) -> None:
    """A surface that is not there, and one that has no holdout."""
    for arguments, wanted in (
        (
            ["lift", "home"],
            "There is no surface and no campaign named 'home'. There are: home-grid, ",
        ),
        (["lift", "home-grid"], "home-grid has no holdout. Give it one: holdout_share = 0.1"),
        (["lift"], "Nothing has a holdout. Give it one: holdout_share = 0.1"),
    ):
        with pytest.raises(GermaneError) as found:
            typed(place, *arguments)
        assert f"{found.value} {found.value.hint}".startswith(wanted)
