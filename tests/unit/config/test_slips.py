"""What people get wrong in germane.toml: each is one error, with its key, its value and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from germane.config import load, load_text
from germane.domain.errors import ConfigInvalid
from tests.unit.config.test_choices import GOOD as CHOICE
from tests.unit.config.test_load import SHOP


def errors(text: str, **environment: str) -> list[dict[str, Any]]:
    """All errors of a text, in order."""
    with pytest.raises(ConfigInvalid) as caught:
        load_text(text, environment)
    found: list[dict[str, Any]] = caught.value.details["errors"]
    assert all(each["problem"] and each["remedy"] for each in found)
    return found


def only(text: str, key: str, **environment: str) -> dict[str, Any]:
    """The one error, which is at the key."""
    found = errors(text, **environment)
    assert [each["key"] for each in found] == [key], found
    return found[0]


RULE = '\n[[surfaces.home-grid.rules]]\nkind = "{}"\n{}\n'
PIN = RULE.format("pin", 'items = ["{}"]\nposition = {}')


@pytest.mark.parametrize(
    ("old", "new", "key", "value", "says"),
    [
        # signals
        ('event = "Product Viewed"', 'event = ""', "signals.view.event", "", "It is empty"),
        ('event = "Product Viewed"', 'event = " "', "signals.view.event", " ", "space"),
        ('"Product Viewed"', '"Product Viewed "', "signals.view.event", "Product Viewed ", "space"),
        ('"Product Viewed"', '"page:"', "signals.view.event", "page:", "page:NAME"),
        ('cancels = "purchase"', 'cancels = "refund"', "signals.refund.cancels", "refund", "itself"),
        ('cancels = "purchase"', 'cancels = "nothing"', "signals.refund.cancels", "nothing", "Known"),
        ("repeat = true", 'cancels = "refund"', "signals.refund.cancels", "purchase", "takes back"),
        ('"properties.price"', '"price"', "signals.view.price", "price", "properties.price"),
        ('price = "price"', 'price = "properties.price"', "signals.purchase.price", "properties.price", 'the field: "price"'),  # noqa: E501
        ('products[].product_id"\nquantity = "quantity"           # inside', 'products[]"\nquantity = "quantity" # inside', "signals.purchase.item", "properties.products[]", "products[].product_id"),  # noqa: E501
        ('"properties.order_id"', '"order_id"', "signals.purchase.order", "order_id", "properties.order_id"),
        ("half_life_days = 45", "half_life_days = 0", "signals.add.half_life_days", 0, "between 1"),
        ("half_life_days = 45", "half_life_days = -9", "signals.add.half_life_days", -9, "between 1"),
        ("half_life_days = 45", "half_life_days = 36500", "signals.add.half_life_days", 36500, "3650"),
        ("[signals.view]", '[signals.""]', "signals.", None, "name is empty"),
        # catalogue and traits
        ("[traits.favorite_category]", '[catalogue.attributes.price]\nkind = "text"\n[traits.favorite_category]', "catalogue.attributes.price", None, "a number"),  # noqa: E501
        ("[catalogue.attributes.brand]", '[catalogue.attributes.brand]\nkind = "number"', "catalogue.attributes.brand.kind", "number", "Leave kind out"),  # noqa: E501
        ("[catalogue.attributes.brand]", "[catalogue.attributes.brand]\ndiversity = true", "catalogue.attributes.brand.diversity", True, "category has it already"),  # noqa: E501
        ("[catalogue.attributes.brand]", "[catalogue.atributes.brand]", "catalogue.atributes", None, "mean 'attributes'"),  # noqa: E501
        ('attribute = "category"', 'attribute = "category"\nvalues = { a = ["x", "x"] }', "traits.favorite_category.values.a", None, "twice"),  # noqa: E501
        # surfaces
        ('"boots-1", "lamp-1", "novel-1"', '"boots-1", "lamp-1", "boots-1"', "surfaces.email-picks.default", None, "'boots-1' stands in it twice"),  # noqa: E501
        ('window = "14d"', 'window = "0d"', "surfaces.email-picks.outcomes[0].window", "0d", "between 1s and 730d"),  # noqa: E501
        ('window = "14d"', 'window = "-14d"', "surfaces.email-picks.outcomes[0].window", "-14d", "730d"),
        ('window = "14d"', 'window = "365000d"', "surfaces.email-picks.outcomes[0].window", "365000d", "730d"),
        ('window = "14d"', f'window = "{"9" * 5000}d"', "surfaces.email-picks.outcomes[0].window", None, "730d"),  # noqa: E501
        ('window = "14d"', "window = 14", "surfaces.email-picks.outcomes[0].window", 14, "with a unit"),
        ("value = 0.3", "value = -0.3", "surfaces.product-together.outcomes[0].value", -0.3, "between 0"),
        ("value = 0.3", 'value = "0,3"', "surfaces.product-together.outcomes[0].value", "0,3", "value = 0.3."),
        ('signal = "add"', 'signal = "ad"', "surfaces.product-together.outcomes[0].signal", "ad", "'add'"),
        ("size = 12", 'size = "12"', "surfaces.home-grid.size", "12", "without quotes: size = 12"),
        ("size = 12", 'kind = "gird"', "surfaces.home-grid.kind", "gird", "mean 'grid'"),
        ("size = 12", 'in_stock_only = "true"', "surfaces.home-grid.in_stock_only", "true", "without quotes"),
        ("size = 12", 'item_types = "product"', "surfaces.home-grid.item_types", "product", '["product"]'),
        ("size = 12", 'item_types = ["product", ""]', "surfaces.home-grid.item_types", None, "empty"),
        ("size = 12", 'window = "7d"', "surfaces.home-grid.window", "7d", "[[surfaces.NAME.outcomes]]"),
        ("size = 12", 'expires = "0m"', "surfaces.home-grid.expires", "0m", "between 1s and 30d"),
        # rules
        ("[server]", PIN.format("tent-1", 0) + PIN.format("lamp-1", 0) + "[server]", "surfaces.home-grid.rules[1].position", 0, "place 0"),  # noqa: E501
        ("[server]", PIN.format("tent-1", 0) + PIN.format("tent-1", 1) + "[server]", "surfaces.home-grid.rules[1].items", "tent-1", "pinned already"),  # noqa: E501
        ("[server]", RULE.format("boost", 'when = "item.price < 9"') + "[server]", "surfaces.home-grid.rules[0].factor", None, "changes nothing"),  # noqa: E501
        ("[server]", RULE.format("exclude", 'items = ["x"]\nfactor = 2.0') + "[server]", "surfaces.home-grid.rules[0].factor", 2.0, "Leave it out"),  # noqa: E501
        ("[server]", RULE.format("exclude", 'itms = ["x"]\nwhen = "item.price < 9"') + "[server]", "surfaces.home-grid.rules[0].itms", None, "mean 'items'"),  # noqa: E501
        # server
        ('host = "127.0.0.1"', 'host = "not a host!"', "server.host", "not a host!", "no host"),
        ('host = "127.0.0.1"', 'host = "127.0.0.1:8400"', "server.host", "127.0.0.1:8400", "without port"),
        ('host = "127.0.0.1"', 'host = ""', "server.host", "", "no host"),
        ('host = "127.0.0.1"', 'host = "300.1.2.3"', "server.host", "300.1.2.3", "no host"),
        ("port = 8400", "port = 84000", "server.port", 84000, "between 0 and 65535"),
        ("port = 8400", "port = -1", "server.port", -1, "between 0 and 65535"),
        ("port = 8400", 'port = "8400"', "server.port", "8400", "port = 8400"),
        ("port = 8400", 'allowed_origins = ["shop.example/"]', "server.allowed_origins", "shop.example/", "https://"),
        ('data = "germane-data"', 'data = ""', "server.data", "", "no folder"),
        ('data = "germane-data"', 'data = "~/x"', "server.data", "~/x", "whole path"),
        # the wrong place
        ("[project]", "port = 1\n[project]", "port", 1, "under [server]"),
        ("[project]", "imports = 5\n[project]", "imports", 5, "[imports.NAME]"),
        ("port = 8400", 'timezone = "UTC"', "server.timezone", "UTC", "under [project]"),
        ("[project]", "[project]\nHalf-Life = 1", "project.Half-Life", 1, "Known: currency"),
        ('timezone = "Europe/Berlin"', 'timezone = "berlin"', "project.timezone", "berlin", "'Europe/Berlin'"),
    ],
)  # fmt: skip
def test_one_slip_is_one_error(old: str, new: str, key: str, value: Any, says: str) -> None:
    """The key, what stands there, and the way out; nothing else is said."""
    assert old in SHOP
    text = SHOP
    if key.startswith("signals.") and new == '[signals.""]':
        text = SHOP.replace(
            "[signals.click]",
            "[signals.view]\nitem = 'properties.id'\nevent = 'a'\n[signals.click]",
        )
    text = text.replace(old, new, 1)
    found = only(text, key)
    assert value is None or found["value"] == value
    assert says in f"{found['problem']} {found['remedy']}"


@pytest.mark.parametrize(
    ("old", "new", "key", "says"),
    [
        ('"readiness"', '"readiness", "readiness"', "surfaces.mail.features", "twice"),
        ('id = "sale"', 'id = "nothing"', "surfaces.mail.actions[0].id", "nothing = true"),
        ('id = "sale"', 'id = ""', "surfaces.mail.actions[0].id", "empty"),
        ('default = ["sale"]', 'default = ["nothing"]', "surfaces.mail.default", "Leave default"),
        ('kind = "choice"', 'kind = "choise"', "surfaces.mail.kind", "mean 'choice'"),
        ("cost = 0.1", "cost = inf", "surfaces.mail.actions[0].cost", "a number"),
        ("discount = 20", "discount = nan", "surfaces.mail.actions[0].attributes", "numbers"),
        ("half_life_days = 60", "half_life_days = -1", "surfaces.mail.half_life_days", "between 1"),
    ],
)
def test_one_slip_in_a_choice(old: str, new: str, key: str, says: str) -> None:
    """Likewise, and what depends on it is not said as well."""
    assert old in CHOICE
    found = only(CHOICE.replace(old, new, 1), key)
    assert says in f"{found['problem']} {found['remedy']}"


def test_two_actions_of_one_id() -> None:
    """The default that named the other one is no error of its own."""
    text = CHOICE.replace("nothing = true", "").replace('"sale"]', '"news"]')
    text += '[[surfaces.mail.actions]]\nid = "sale"\n'
    assert only(text, "surfaces.mail.actions[1].id")["value"] == "sale"


def test_errors_of_one_signal_do_not_hide_others() -> None:
    """A signal with two errors: both are said, and what names the signal is right."""
    text = SHOP.replace('cancels = "purchase"', 'cancels = "nothing"').replace("-3.0", '"-3"')
    text = text.replace('event = "Order Completed"\n', "").replace('signal = "add"', 'signal = "x"')
    assert {(each["key"], each["value"]) for each in errors(text)} == {
        ("signals.refund.cancels", "nothing"),
        ("signals.refund.weight", "-3"),
        ("signals.purchase.event", None),
        ("surfaces.product-together.outcomes[0].signal", "x"),
    }


@pytest.mark.parametrize(
    ("name", "value", "key", "says"),
    [
        ("SURFACES__NOPE__SIZE", "3", "", "There are: email-picks, home-grid, product-together."),
        ("SIGNALS__NOPE__WEIGHT", "3", "", "There is no signal 'nope'"),
        ("CATALOGUE__ATTRIBUTES__NOPE__INTEREST", "true", "", "There are: brand, category"),
        ("SURFACES__HOME_GRID", "3", "", "is a table"),
        ("SURFACES__HOME_GRID__OUTCOMES__0__VALUE", "3", "", "list of tables"),
        ("SERVER__PORT__X", "3", "", "a setting, not a table"),
        ("SERVER__PROT", "3", "server.prot", "GERMANE_SERVER__PROT"),
        ("SERVER__PORT", "99999", "server.port", "GERMANE_SERVER__PORT"),
        ("SURFACES__HOME_GRID__SIZE", "0", "surfaces.home-grid.size", "HOME_GRID__SIZE"),
        ("SERVER__HOST", "a b", "server.host", "GERMANE_SERVER__HOST"),
        ("SERVER__VALUES__X", "1", "server.values", "GERMANE_SERVER__VALUES__X"),
    ],
)
def test_the_environment_is_checked(name: str, value: str, key: str, says: str) -> None:
    """What it sets wrongly names the variable; it declares nothing new."""
    name = f"GERMANE_{name}"
    found = only(SHOP, key or name, **{name: value})
    assert says in f"{found['problem']} {found['remedy']}"


def test_keys() -> None:
    """The public key is not the secret one, and neither is ever shown."""
    found = only(SHOP, "keys.server", GERMANE_WRITE_KEY="secret", GERMANE_SERVER_KEY="secret")
    assert "public" in found["problem"]
    only(SHOP + '[keys]\nwrite = "k"\nserver = "k"\n', "keys.server")
    for wrong in ("a b4711", "a:4711", "\u00e94711"):
        only(SHOP + f'[keys]\nwrite = "{wrong}"\n', "keys.write")
    for wrong in ("server = 4711", 'servr = "4711"', 'server = ["4711"]'):
        with pytest.raises(ConfigInvalid) as caught:
            load_text(f"{SHOP}\n[keys]\n{wrong}\n", {})
        assert "4711" not in str(caught.value.details) + caught.value.message


def test_the_data_folder_is_a_file(tmp_path: Path) -> None:
    """Said before anything is opened, wherever on the way the file stands."""
    path = tmp_path / "germane.toml"
    (tmp_path / "file").write_text("")
    for data in ("file", "file/below"):
        path.write_text(SHOP.replace('data = "germane-data"', f'data = "{data}"'))
        with pytest.raises(ConfigInvalid) as caught:
            load(path, {})
        (found,) = caught.value.details["errors"]
        assert (found["key"], found["value"]) == ("server.data", data)
        assert "is a file" in found["problem"]


def test_forgotten_brackets_are_one_error() -> None:
    """At the item, where they are missing, and not at what is read beside it."""
    text = SHOP.replace("properties.products[].product_id", "properties.products.product_id")
    found = errors(text)
    assert [each["key"] for each in found] == ["signals.purchase.item", "signals.refund.item"]
    assert "quantity and price are read inside each product" in found[0]["problem"]
    assert "properties.products[].product_id" in found[0]["remedy"]
