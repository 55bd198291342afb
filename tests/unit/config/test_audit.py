"""The audit looks through the rules: what nobody can be shown does not count."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from msgspec.structs import replace

from germane.config import Finding, audit, audit_server
from germane.config.load import Runtime
from germane.domain.settings import (
    ActionSpec,
    AttributeSpec,
    OutcomeSpec,
    RuleSpec,
    Settings,
    SurfaceSpec,
    TraitSpec,
)
from germane.testing import a_campaign, a_shop, an_item

ITEMS = [an_item(n) for n in range(64)]  # prices 10 to 73, brands b0 to b2


def findings(surface: dict[str, Any], items: list[Any] | None = None) -> dict[str, list[Finding]]:
    """Check -> what is said of the surface ``home``, of five slots."""
    found: dict[str, list[Finding]] = {}
    for each in audit(a_shop(surface={"size": 5, **surface}), ITEMS if items is None else items):
        if each.surface == "home":
            found.setdefault(each.check, []).append(each)
    return found


def rules(*specs: RuleSpec) -> dict[str, Any]:
    """A surface with these."""
    return {"rules": specs}


def test_an_include_rule_that_leaves_none() -> None:
    """Sixty-four items, and none to choose from: where they went is said."""
    (content,) = findings(rules(RuleSpec("include", "item.price < 0.0")))["content"]
    assert content.level == "error"
    assert "0 items (of 64: 64 of type product, 0 left by its rules) for 5 slots" in content.text
    assert "[[surfaces.home.rules]]" in content.remedy


@pytest.mark.parametrize(
    ("specs", "level", "count"),
    [
        ((RuleSpec("include", "item.price < 20.0"),), "warning", "10 items"),
        ((RuleSpec("include", 'item.brand == "b0"'),), "good", "22 items to choose from"),
        ((RuleSpec("include", items=("i1", "i2")),), "error", "2 items"),
        ((RuleSpec("exclude", "item.price > 12.0"),), "error", "3 items"),
        # two include rules: either lets an item in
        (
            (RuleSpec("include", items=("i63",)), RuleSpec("include", "item.price < 20.0")),
            "warning",
            "11 items",
        ),
        # what depends on the request cannot be counted, and keeps nothing out here
        ((RuleSpec("include", 'context.device == "phone"'),), "good", "64 items"),
        ((RuleSpec("exclude", 'context.device == "phone"', ("i1",)),), "good", "63 items"),
        ((RuleSpec("boost", "item.price < 20.0", factor=2.0),), "good", "64 items"),
    ],
)
def test_items_are_counted_after_the_rules(
    specs: tuple[RuleSpec, ...], level: str, count: str
) -> None:
    """As a decision would, for a request without a context."""
    (content,) = findings(rules(*specs))["content"]
    assert (content.level, count in content.text) == (level, True), content


@pytest.mark.parametrize(
    ("name", "heading"),
    [
        ("home", "[[surfaces.home.outcomes]]"),
        ("home page", '[[surfaces."home page".outcomes]]'),
        ("größe", '[[surfaces."größe".outcomes]]'),
    ],
)
def test_a_remedy_can_be_pasted(name: str, heading: str) -> None:
    """Names that TOML does not take bare stand in quotes."""
    shop = a_shop()
    bare = replace(shop.surfaces["home"], name=name, outcomes=())
    found = audit(replace(shop, surfaces={name: bare}), ITEMS)
    (loop,) = (each for each in found if each.check == "loop")
    assert heading in loop.remedy
    pasted = loop.remedy[loop.remedy.index("[[") : loop.remedy.index("]]") + 2]
    assert tomllib.loads(pasted) == {"surfaces": {name: {"outcomes": [{}]}}}


def test_stock_and_dates() -> None:
    """What is out of stock or not yet to be had is no choice."""
    gone = [an_item(n, in_stock=False) for n in range(60)] + ITEMS[60:]
    (content,) = findings({}, gone)["content"]
    assert "4 items (of 64: 64 of type product, 4 to be had now)" in content.text
    assert "in_stock_only = false" in content.remedy
    assert findings({"in_stock_only": False}, gone)["content"][0].level == "good"
    later = [an_item(n, available_from_ms=10) for n in range(64)]
    shop = a_shop(surface={"size": 5})
    levels = {
        at_ms: next(x.level for x in audit(shop, later, at_ms) if x.check == "content")
        for at_ms in (None, 9, 10)
    }
    assert levels == {None: "good", 9: "error", 10: "good"}


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        (RuleSpec("pin", items=("nope",), position=0), "rules[0].items = nope: not in the catalogue"),
        (RuleSpec("exclude", items=("nope", "i1")), "rules[0].items = nope: not in the catalogue"),
        (RuleSpec("pin", items=("i1",), position=7), "rules[0].position = 7: i1 would stand beyond"),
        (RuleSpec("pin", items=("card",), position=0), "rules[0].items = card: kept out by item_types"),
        (RuleSpec("exclude", 'item.brand == "B1"'), "rules[0].when = 'item.brand == \"B1\"': it fits none"),
    ],
)  # fmt: skip
def test_a_rule_about_nothing(spec: RuleSpec, says: str) -> None:
    """A warning that names rule, value and remedy; before the first import there is none."""
    items = [*ITEMS, an_item(99, item_id="card", type="card")]
    (found,) = findings(rules(spec), items)["rules"]
    assert found.level == "warning"
    assert found.text.startswith(f"surfaces.home.{says}")
    assert found.remedy
    assert "rules" not in findings(rules(spec), [])


def test_good_rules_are_not_spoken_of() -> None:
    """Every rule fits something: no finding."""
    good = rules(
        RuleSpec("pin", items=("i1", "i2"), position=3),
        RuleSpec("exclude", 'item.brand == "b0"', ("i4",)),
        RuleSpec("boost", 'context.device == "phone"', factor=2.0),
    )
    assert "rules" not in findings(good)


def test_a_default_that_the_rules_keep_out() -> None:
    """It is not shown to those who opted out either."""
    kept = rules(RuleSpec("exclude", items=("i1",))) | {"default": ("i1", "i2")}
    (found,) = findings(kept)["default"]
    assert (found.level, "1 are kept out by its rules (i1)" in found.text) == ("warning", True)


def test_a_pin_that_is_excluded() -> None:
    """A pin gives a place, not a permission."""
    specs = RuleSpec("exclude", items=("i1",)), RuleSpec("pin", items=("i1",), position=0)
    (found,) = findings(rules(*specs))["rules"]
    assert found.text.startswith("surfaces.home.rules[1].items = i1: kept out")


def campaign(*specs: RuleSpec) -> Settings:
    """Two e-mails or none, under rules."""
    return a_campaign(rules=specs)


def test_rules_over_actions() -> None:
    """Likewise for a choice: what its rules leave must be worth choosing from."""

    def said(*specs: RuleSpec) -> dict[str, Finding]:
        return {x.check: x for x in audit(campaign(*specs), []) if x.surface == "mail"}

    assert said()["content"].text == "3 actions, one of them to do nothing."
    assert "leave 1 of them" in said(RuleSpec("exclude", items=("mens",)))["content"].text
    none = said(RuleSpec("include", 'item.id == "x"'))
    assert none["content"].level == "error"
    assert "leave 0 of 2 actions" in none["content"].text
    assert none["rules"].level == "warning"
    assert "it fits none of 2 actions." in none["rules"].text
    assert "with those of the actions" in none["rules"].remedy
    named = said(RuleSpec("exclude", items=("mans",)))["rules"]
    assert "mans: not among the actions." in named.text
    assert named.remedy == "Correct the ids, or add the actions."


def test_no_keys() -> None:
    """All but the server works without keys: a warning, which names the missing ones."""
    (found,) = audit_server(Runtime())
    assert (found.level, found.surface) == ("warning", "")
    assert "No GERMANE_WRITE_KEY and no GERMANE_SERVER_KEY" in found.text
    assert "germane init" in found.remedy
    (found,) = audit_server(Runtime(write_key="w"))
    assert found.text.startswith("No GERMANE_SERVER_KEY:")
    assert audit_server(Runtime(write_key="w", server_key="s" * 32)) == []


def test_a_key_that_is_too_short_to_sign_with() -> None:
    """A warning: only browsers need it."""
    (found,) = audit_server(Runtime(write_key="w", server_key="s" * 31))
    assert (found.level, found.check) == ("warning", "keys")
    assert "person tokens" in found.text


def test_a_large_catalogue_is_looked_at_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """A start of the server does not wait for it; what was not looked at is not judged."""
    monkeypatch.setattr("germane.config.showable.LOOKED_AT", 30)
    few = a_shop(surface={"size": 5, **rules(RuleSpec("include", "item.price > 60.0"))})

    def content(most: int) -> Finding:
        return next(x for x in audit(few, ITEMS, most=most) if x.check == "content")

    assert content(40).level == "warning"
    assert "leave 0 of the first 40 items; of 64" in content(40).text
    assert "13 items (of 64" in content(64).text
    many = a_shop(surface={"size": 5, **rules(RuleSpec("exclude", "item.price > 60.0"))})
    assert "more than 30 items" in next(x.text for x in audit(many, ITEMS) if x.check == "content")


def test_a_surface_too_small_to_explore() -> None:
    """The first position that may explore is beyond the last one."""
    (found,) = findings({"size": 3, "exploration_share": 0.1})["exploration"]
    assert found.level == "warning"
    assert "explore_from = 2" in found.remedy
    for fine in ({"exploration_share": 0.1}, {"size": 3, "exploration_share": 0.0}):
        assert "exploration" not in findings(fine)


@pytest.mark.parametrize("source", ["bestsellers", "curated"])
def test_a_default_that_is_out_of_stock(source: str) -> None:
    """Nobody can be shown it; where stock does not matter, it is as good as any."""
    items = [an_item(n, in_stock=n > 5) for n in range(64)]
    listed = {"default": tuple(f"i{n}" for n in range(5)), "default_source": source}
    (default,) = findings(listed, items)["default"]
    if source == "curated":
        assert (default.level, "none of the 5 items" in default.text) == ("error", True)
    else:
        assert default.level == "warning"
        assert "5 are out of stock or outside their dates (i0, i1, i2, i3, i4)" in default.text
        assert default.remedy == "List items that are there."
    (default,) = findings({**listed, "in_stock_only": False}, items)["default"]
    assert default.level == "good"


def test_an_interest_in_what_no_item_has() -> None:
    """A misspelt value is 0 for everyone: said, with what is meant."""
    features = ("known", "interest:category=c1", "interest:category=Cofee")
    items = [*ITEMS, an_item(99, category="Coffee")]
    said = [
        each for each in audit(a_campaign(features=features), items) if each.check == "features"
    ]
    assert [(each.surface, each.level) for each in said] == [("mail", "warning")]
    assert "interest:category=Cofee" in said[0].text
    assert "Did you mean 'Coffee'?" in said[0].remedy
    assert not any(each.check == "features" for each in audit(a_campaign(features=features), []))


def test_an_attribute_that_no_item_has() -> None:
    """Most often its column is called otherwise; a trait must point to values that there are."""
    shop = a_shop()
    roast = {**shop.attributes, "roast": AttributeSpec("roast"), "zone": AttributeSpec("zone")}
    likes = {"likes": TraitSpec("likes", attribute="category", values={"warm": ("c1", "c77x")})}
    settings = replace(shop, attributes=roast, traits=likes)
    items = [replace(each, attributes={"Roast": "dark"}) for each in ITEMS]
    said = {each.text: each for each in audit(settings, items) if each.surface == ""}
    assert len(said) == 3
    assert "--map roast=Roast" in said["catalogue.attributes.roast: no item has it."].remedy
    assert "--map zone=COLUMN" in said["catalogue.attributes.zone: no item has it."].remedy
    assert "traits.likes.values: no item has category = 'c77x'." in said
    good = [replace(each, attributes={"roast": "dark", "zone": 1}) for each in items]
    assert [each.check for each in audit(settings, good) if each.surface == ""] == ["values"]
    assert not [each for each in audit(settings, []) if each.surface == ""]


def test_numbers_that_are_texts_are_told() -> None:
    """No condition on them holds."""
    shop = replace(a_shop(), attributes={"level": AttributeSpec("level", "number", diversity=True)})
    items = [replace(an_item(n), attributes={"level": "2" if n < 3 else 2.5}) for n in range(64)]
    (told,) = (each for each in audit(shop, items) if each.check == "attributes")
    assert told.level == "warning"
    assert "it is a number, and 3 of 64 items have something else, as i0 has '2'" in told.text
    whole = [replace(each, attributes={"level": 2}) for each in items]
    assert not [each for each in audit(shop, whole) if each.check == "attributes"]


def test_revenue_without_a_price_is_told() -> None:
    """Each order of what the catalogue has no price of would count as 1."""
    revenue = OutcomeSpec("order", "view", 60, value_from="revenue")
    shop = a_shop(surface={"outcomes": (revenue, OutcomeSpec("seen", "view", 60))})
    choice = SurfaceSpec("offer", kind="choice", actions=(ActionSpec("a"),), outcomes=(revenue,))
    shop = replace(shop, surfaces={**shop.surfaces, "offer": choice})
    free = [replace(each, price=None) for each in ITEMS[:4]]

    def told(shop: Settings, items: list[Any]) -> list[Finding]:
        return [each for each in audit(shop, items) if each.check == "revenue"]

    found = told(shop, [])
    assert [each.surface for each in found] == ["home", "offer"]
    assert "'order' is revenue, and the signal view tells no price" in found[0].text
    assert 'price = "price" under [signals.view]' in found[0].remedy
    assert "4 of 64 items have none" in told(shop, [*free, *ITEMS[4:]])[0].text
    assert not told(shop, ITEMS)
    priced = replace(shop.signals["view"], price="properties.price")
    assert not told(replace(shop, signals={**shop.signals, "view": priced}), [])


@pytest.mark.parametrize(
    ("already", "repeat", "warned"),
    [
        ("allow", False, False),
        ("exclude", True, False),
        ("exclude", False, True),
        ("demote", False, True),
    ],
)
def test_nothing_says_what_people_have(already: str, repeat: bool, warned: bool) -> None:
    """It asks for what was had, and no signal with ``repeat`` tells."""
    shop = a_shop(surface={"size": 5, "already_bought": already})
    signals = {name: replace(each, repeat=repeat) for name, each in shop.signals.items()}
    told = audit(replace(shop, signals=signals), ITEMS)
    found = [each for each in told if each.check == "had"]
    assert [each.level for each in found] == ["warning"] * warned
    assert all(f'already_bought = "{already}" does nothing' in each.text for each in found)
    assert all("repeat = true" in each.remedy for each in found)
