"""A filter finds what it asks for, also where it was never sold, in a catalogue of 20,000 items."""

from __future__ import annotations

import dataclasses

import pytest
from msgspec.structs import replace

from germane.domain.decision import Ask, Context
from germane.domain.event import Interaction
from germane.domain.outcome import Observation
from germane.domain.profile import Profile
from germane.domain.settings import Settings
from germane.predict import looking
from germane.predict.filters import Filter
from germane.predict.model import SharedModel
from germane.testing import a_shop, an_item
from germane.testing.world import START_MS

ITEMS, NEVER_SOLD = 20_000, 12_000
"""Items; and from this number on none was ever sold."""


def taught(settings: Settings, items: int = ITEMS, sold: int = NEVER_SOLD) -> SharedModel:
    """All but the last ones sold, each a little less often than the one before."""
    model = SharedModel(settings)
    for n in range(items):
        model.put_item(n, an_item(n, attributes={"rare": n >= items - 7}))
    counts = model.state.mid
    for n in range(sold):
        counts.sums[n] = 1.0 + (sold - n) / sold
    acts = tuple(Interaction(f"i{n}", "purchase", START_MS) for n in range(300))
    model.fold(1, Observation(at_ms=START_MS, interactions=acts, owned=(0,) * 300))
    return model


@pytest.fixture(scope="module")
def model() -> SharedModel:
    return taught(a_shop(surface={"diversity_quota": 0.0, "exploration_share": 0.0}))


def shown(model: SharedModel, ask: Ask, profile: Profile | None = None) -> set[str]:
    surface = model.settings.surfaces["home"]
    ranked = model.rank(
        profile or Profile("u:1"), surface, ask, at_ms=START_MS, seed=1, readiness=0.0
    )
    assert all(0 < each.propensity <= 1 for each in ranked.items)
    return {each.item_id for each in ranked.items}


@pytest.mark.parametrize(
    "source", ["item.attributes.rare", 'item["attributes"].rare && context.device == "phone"']
)
def test_only_items_that_were_never_sold_match(model: SharedModel, source: str) -> None:
    """All seven are found, for the person and for nobody: no short slate, no fallback."""
    ask = Ask("home", size=7, filter=source, context=Context(device="phone"))
    wanted = {f"i{n}" for n in range(ITEMS - 7, ITEMS)}
    assert shown(model, ask) == wanted
    nobody = model.default(model.settings.surfaces["home"], ask, at_ms=START_MS)
    assert {each.item_id for each in nobody.items} == wanted


def test_the_best_sold_come_first(model: SharedModel) -> None:
    """Where many match beyond the best-sellers, those that were sold most; then the newest."""
    ask = Ask("home", size=5, filter="item.price > 9010.0")  # from i9001 on
    assert shown(model, ask) == {f"i{n}" for n in range(9_001, 9_006)}
    ask = Ask("home", size=5, filter=f"item.price > {NEVER_SOLD + 510}.0")
    assert shown(model, ask) == {f"i{n}" for n in range(ITEMS - 5, ITEMS)}


def test_what_is_known_is_not_looked_for_again(model: SharedModel) -> None:
    """What the sources propose and what is found further fill the slate together."""
    ask = Ask("home", size=9, filter="item.attributes.rare || item.id == 'i0'")
    assert shown(model, ask) == {"i0"} | {f"i{n}" for n in range(ITEMS - 7, ITEMS)}


def test_the_usual_question_looks_at_nothing_more(
    model: SharedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a filter, and with one that best-sellers fulfil, the catalogue is not gone through."""

    def forbidden(*_: object) -> list[int]:
        raise AssertionError("the catalogue is gone through")

    monkeypatch.setattr(looking, "by_sales", forbidden)
    assert len(shown(model, Ask("home"))) == 5
    assert len(shown(model, Ask("home", filter="item.price < 3000.0"))) == 5


def test_it_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound only what the sources propose is found."""
    monkeypatch.setattr(looking, "LOOKED_THROUGH", 50)
    monkeypatch.setattr(looking, "LOOKED_FURTHER", 100)
    small = taught(a_shop(), items=1_000, sold=600)
    assert len(looking.by_sales(small.state)) == 100
    assert looking.further(small.state, lambda item: item.item_id == "i450", 5) == []
    assert looking.further(small.state, lambda item: item.item_id == "i99", 5) == [99]
    assert looking.further(small.state, lambda item: item.item_id == "i99", 5, {99}) == []


def test_other_types_are_found_too() -> None:
    """A surface whose items are of a type that never sells is filled all the same."""
    shop = a_shop(surface={"item_types": ("guide",), "diversity_quota": 0.0})
    model = taught(shop, items=2_000, sold=1_900)
    model.put_item(9, an_item(1_950, type="guide"))
    assert shown(model, Ask("home")) == {"i1950"}


@pytest.mark.parametrize(
    ("source", "fields"),
    [
        ('item.price < 5.0 && item.brand == "b"', ("price", "brand")),
        ("has(item.price) && item.price < 5.0 || item.price > 9.0", ("price",)),
        ('item["price"] < 5.0 && item.brand == "b"', None),
        ('item.brand == "item"', None),
        (r'item.brand == r"""\" """ || item["price"] < 5.0 && item.title == ""', None),
        ('context.device == "x"', ()),
    ],
)
def test_only_what_is_read_is_handed_over(source: str, fields: tuple[str, ...] | None) -> None:
    """The answer is the same as with the whole item, and several times faster."""
    one, whole = Filter(source), Filter(source)
    assert one._program.fields["item"] == fields
    whole._program = dataclasses.replace(whole._program, fields={})
    for n in range(3):
        for item in (an_item(n, brand="b", price=4.0 + n), an_item(n, price=None, brand="")):
            assert one(item, {"device": "x"}) == whole(item, {"device": "x"})
            assert one(replace(item), {}) == whole(replace(item), {})
