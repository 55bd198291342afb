"""Configuration errors: all at once, each with key, value and remedy."""

from __future__ import annotations

import csv
import io
from importlib.resources import files

import pytest

from germane.config import audit, load_text
from germane.domain.errors import ConfigInvalid
from germane.domain.item import Item
from germane.testing import a_shop, an_item

RECIPE = files("germane.recipes").joinpath("shop")
SHOP = RECIPE.joinpath("germane.toml").read_text("utf-8")
CATALOGUE = RECIPE.joinpath("catalogue.csv").read_text("utf-8")


def problems(text: str, **environment: str) -> dict[str, str]:
    """Key -> what is wrong and what to do."""
    with pytest.raises(ConfigInvalid) as caught:
        load_text(text, environment)
    return {
        each["key"]: f"{each['problem']} {each['remedy']}"
        for each in caught.value.details["errors"]
    }


def test_the_recipe_is_valid() -> None:
    """What `germane init` writes has no error, and every surface closes its loop."""
    loaded = load_text(SHOP, {})
    assert set(loaded.settings.surfaces) == {"home-grid", "email-picks", "product-together"}
    assert all(each.outcomes for each in loaded.settings.surfaces.values())


def test_what_the_recipe_offers_works() -> None:
    """Its commented rules, uncommented, are valid, and fit its own catalogue without a warning."""
    lines = SHOP.split("\n")
    start = next(n for n, line in enumerate(lines) if line.startswith("# Rules:"))
    stop = next(n for n, line in enumerate(lines) if line == "[surfaces.email-picks]")
    opened = [line.removeprefix("#").lstrip() for line in lines[start + 1 : stop]]
    loaded = load_text("\n".join([*lines[:start], *opened, *lines[stop:]]), {})
    rules = loaded.settings.surfaces["home-grid"].rules
    assert [each.kind for each in rules] == ["exclude", "pin"]
    rows = csv.DictReader(io.StringIO(CATALOGUE))
    items = [
        Item(
            row["item_id"],
            category=row["category"],
            brand=row["brand"],
            price=float(row["price"]),
            in_stock=row["in_stock"] == "true",
            attributes={"department": row["department"]},
        )
        for row in rows
    ]
    found = audit(loaded.settings, items)
    assert len(items) == 64
    assert [each.text for each in found if each.level != "good"] == []
    (content,) = [x for x in found if (x.surface, x.check) == ("home-grid", "content")]
    left = [x for x in items if x.in_stock and x.price <= 250 and x.brand != "Brewer"]  # type: ignore[operator]
    assert content.text == f"{len(left)} items to choose from."
    assert 12 < len(left) < 63


@pytest.mark.parametrize(
    ("old", "new", "key", "says"),
    [
        ("[signals.view]", "[signls.view]", "signls", "Did you mean 'signals'?"),
        ("size = 12", "sise = 12", "surfaces.home-grid.sise", "Did you mean 'size'?"),
        ("size = 12", "size = 0", "surfaces.home-grid.size", "between 1 and 200"),
        ("size = 12", 'size = "12"', "surfaces.home-grid.size", "a whole number"),
        (
            "diversity_quota = 0.15 ",
            "diversity_quota = 15 ",
            "surfaces.home-grid.diversity_quota",
            "between 0 and 0.5",
        ),
        ('window = "7d"', 'window = "7 days"', "surfaces.home-grid.outcomes[1].window", '"30m"'),
        (
            'signal = "click"',
            'signal = "clik"',
            "surfaces.home-grid.outcomes[0].signal",
            "Did you mean 'click'?",
        ),
        ('cancels = "purchase"', 'cancels = "order"', "signals.refund.cancels", "No such signal"),
        ("weight = -4.0", "weight = 0", "signals.dismiss.weight", "says nothing"),
        ("diversity = true ", "diversity = false ", "catalogue.attributes", "Exactly one"),
        (
            'attribute = "department"',
            'attribute = "departmnt"',
            "traits.interest.attribute",
            "Did you mean 'department'?",
        ),
        ('timezone = "Europe/Berlin" ', 'timezone = "Berlin" ', "project.timezone", "tzdata"),
        ('currency = "EUR"', 'currency = "euro"', "project.currency", "Did you mean 'EUR'?"),
        ('currency = "EUR"', 'currency = "eur"', "project.currency", "Did you mean 'EUR'?"),
        ('currency = "EUR"', 'currency = "€"', "project.currency", "Write it like EUR"),
        ('event = "Product Clicked"', 'name = "Product Clicked"', "signals.click.event", "missing"),
        ("half_life_days = 45", "half_life_days = nan", "signals.add.half_life_days", "a number"),
        ("half_life_days = 45", "half_life_days = 0.1", "signals.add.half_life_days", "between 1"),
    ],
)
def test_each_error_has_key_and_remedy(old: str, new: str, key: str, says: str) -> None:
    """A wrong line is named with what to do."""
    assert old in SHOP
    found = problems(SHOP.replace(old, new, 1))
    assert key in found, found
    assert says in found[key]


@pytest.mark.parametrize("code", ["USD", "JPY", "CHF", ""])
def test_currencies(code: str) -> None:
    """A code of ISO 4217, or none."""
    text = SHOP.replace('currency = "EUR"', f'currency = "{code}"')
    assert load_text(text, {}).settings.currency == code


def test_all_errors_at_once() -> None:
    """Three errors in one file are three lines of one message."""
    text = SHOP.replace("size = 12", "size = 0").replace("weight = 5.0", "weight = 1e9")
    found = problems(
        text + '\n[[surfaces.home-grid.rules]]\nkind = "exclude"\nwhen = "item.prize > 1"\n'
    )
    assert set(found) == {
        "surfaces.home-grid.size",
        "signals.purchase.weight",
        "surfaces.home-grid.rules[0].when",
    }
    assert "Did you mean item.price?" in found["surfaces.home-grid.rules[0].when"]


def test_the_environment_overrides() -> None:
    """Section, key and type come from the table of settings; wrong ones are errors too."""
    loaded = load_text(
        SHOP,
        {
            "GERMANE_SERVER__PORT": "9000",
            "GERMANE_SURFACES__HOME_GRID__SIZE": "6",
            "GERMANE_WRITE_KEY": "w",
            "GERMANE_SERVER_KEY": "s",
        },
    )
    assert loaded.runtime.port == 9000
    assert loaded.settings.surfaces["home-grid"].size == 6
    assert (loaded.runtime.write_key, loaded.runtime.server_key) == ("w", "s")
    assert "server.port" in problems(SHOP, GERMANE_SERVER__PORT="http")
    assert "GERMANE_SERVR__PORT" in problems(SHOP, GERMANE_SERVR__PORT="1")


IMPORTS = """
[imports.orders]
kind = "events"
event = "Order Completed"
[imports.orders.columns]
timestamp = "when"
"""


def test_named_imports() -> None:
    """What `--as NAME` uses."""
    orders = load_text(SHOP + IMPORTS, {}).imports["orders"]
    assert (orders.kind, orders.event) == ("events", "Order Completed")
    assert orders.columns == {"timestamp": "when"}
    assert load_text(SHOP, {}).imports == {}
    crm = '[imports.crm]\nkind = "people"\n[imports.crm.columns]\ntimezone = "tz"\n'
    assert load_text(SHOP + crm, {}).imports["crm"].columns == {"timezone": "tz"}


@pytest.mark.parametrize(
    ("old", "new", "key", "says"),
    [
        ('kind = "events"', 'kind = "orders"', "imports.orders.kind", "one of events"),
        ('kind = "events"\n', "", "imports.orders.kind", "missing"),
        ('kind = "events"', 'kind = "people"', "imports.orders.event", "no event"),
        ("timestamp =", "timestmp =", "imports.orders.columns.timestmp", "'timestamp'?"),
        ('"when"', "7", "imports.orders.columns.timestamp", "name of a column"),
        ("event =", "evnt =", "imports.orders.evnt", "Did you mean 'event'?"),
        ("[imports.orders.columns]\ntimestamp", "columns", "imports.orders.columns", "a table"),
    ],
)
def test_errors_of_named_imports(old: str, new: str, key: str, says: str) -> None:
    """They are found before a file is read."""
    assert old in IMPORTS
    found = problems(SHOP + IMPORTS.replace(old, new, 1))
    assert says in found[key]


def test_not_toml() -> None:
    """A syntax error names its place."""
    with pytest.raises(ConfigInvalid, match="line 1"):
        load_text("a = = 1", {})


def test_audit_says_running_blind() -> None:
    """A surface without an outcome is told loudly; one with too few items cannot vary."""
    blind = a_shop(surface={"outcomes": (), "size": 5})
    found = {
        (each.surface, each.check): each for each in audit(blind, [an_item(n) for n in range(60)])
    }
    assert found["home", "loop"].level == "error"
    assert "RUNNING BLIND" in found["home", "loop"].text
    assert found["home", "content"].level == "good"
    few = {(x.surface, x.check): x for x in audit(a_shop(), [an_item(1)])}
    assert "cannot vary" in few["home", "content"].text
    assert few["home", "loop"].level == "good"


CURATED = {"default_source": "curated"}


@pytest.mark.parametrize(
    ("surface", "level", "says", "remedy"),
    [
        (CURATED, "error", "NO DEFAULT: its default list is empty", "[surfaces.home] set default"),
        (CURATED | {"default": ("x", "y")}, "error", "none of the 2 items", '"bestsellers"'),
        (CURATED | {"default": ("card",)}, "error", "none of the 1 items", '"bestsellers"'),
        (CURATED | {"default": ("i1", "i2", "x")}, "warning", "2 items for 5 slots", "Add items"),
        (CURATED | {"default": ("i1", "i2", "i3", "i4", "i5")}, "good", "5 curated items", ""),
        ({"default": ("i1", "x")}, "warning", "1 are not in the catalogue (x)", "Correct the ids"),
        ({"default": ("i1", "card")}, "warning", "1 are of another type (card)", "item_types"),
        ({"default": ("i1",)}, "good", "1 curated items", ""),
        ({}, "warning", "people who opted out see bestsellers", "default = "),
        ({"default_source": "trending"}, "warning", "opted out see trending", "default = "),
    ],
)
def test_audit_of_the_default(
    surface: dict[str, object], level: str, says: str, remedy: str
) -> None:
    """What those see for whom nothing may be personal: said, with what to do."""
    items = [*(an_item(n) for n in range(60)), an_item(99, item_id="card", type="card")]
    audited = audit(a_shop(surface=surface), items)
    (found,) = [each for each in audited if (each.surface, each.check) == ("home", "default")]
    assert found.level == level
    assert says in found.text
    assert remedy in found.remedy
    assert (found.remedy == "") == (level == "good")


def test_audit_of_a_default_without_a_catalogue() -> None:
    """Before the first import the ids cannot be wrong; an empty list is an error all the same."""
    listed = a_shop(surface=CURATED | {"default": ("a", "b", "c", "d", "e")})
    levels = {x.surface: x.level for x in audit(listed, []) if x.check == "default"}
    assert levels["home"] == "good"
    empty = {x.surface: x.level for x in audit(a_shop(surface=CURATED), []) if x.check == "default"}
    assert empty["home"] == "error"
