"""Choice surfaces in germane.toml: every error with key, value and remedy."""

from __future__ import annotations

import pytest

from germane.config import audit, load_text
from germane.domain.settings import ActionSpec
from tests.unit.config.test_load import problems

GOOD = """
[catalogue.attributes.category]
interest = true
diversity = true
[signals.purchase]
event = "Order Completed"
item = "properties.products[].product_id"
[traits.tier]
[surfaces.mail]
kind = "choice"
nothing = true
default = ["sale"]
features = ["readiness", "trait:tier=gold", "interest:category=shoes", "context:device=phone"]
half_life_days = 60
[[surfaces.mail.actions]]
id = "sale"
title = "The sale"
cost = 0.1
attributes = { discount = 20, theme = "sale" }
[[surfaces.mail.outcomes]]
name = "order"
signal = "purchase"
window = "3d"
"""


def test_a_choice_is_read() -> None:
    """Actions, features, and what the audit says of it."""
    settings = load_text(GOOD, {}).settings
    surface = settings.surfaces["mail"]
    assert surface.actions == (
        ActionSpec("sale", "The sale", 0.1, {"discount": 20, "theme": "sale"}),
    )
    assert (surface.nothing, surface.half_life_days, surface.window_s) == (True, 60.0, 3 * 86_400)
    found = audit(settings, [])
    assert {x.check: x.level for x in found} == {
        "loop": "good",
        "content": "good",
        "default": "good",
    }
    assert any("2 actions, one of them to do nothing" in x.text for x in found)


@pytest.mark.parametrize(
    ("old", "new", "key", "says"),
    [
        ("nothing = true\n", "", "surfaces.mail.actions", "nothing to choose between"),
        ('default = ["sale"]', 'default = ["sail"]', "surfaces.mail.default", "mean 'sale'"),
        ('"readiness"', '"readyness"', "surfaces.mail.features", "no feature"),
        ("trait:tier=gold", "trait:tear=gold", "surfaces.mail.features", "mean 'tier'"),
        ("interest:category=", "interest:brand=", "surfaces.mail.features", "interest = true"),
        ('kind = "choice"', "", "surfaces.mail.kind", 'kind = "choice"'),
        ('kind = "choice"', 'kind = "choice"\nsize = 3', "surfaces.mail.size", "leave it out"),
        ("cost = 0.1", "cost = -1", "surfaces.mail.actions[0].cost", "between 0"),
        ('id = "sale"', "", "surfaces.mail.actions[0].id", "missing"),
        ("{ discount = 20,", "{ discount = [20],", "surfaces.mail.actions[0].attributes", "table"),
        (
            "[[surfaces.mail.outcomes]]",
            '[[surfaces.mail.rules]]\nkind = "pin"\nitems = ["sale"]\n[[surfaces.mail.outcomes]]',
            "surfaces.mail.rules[0].kind",
            "include or exclude",
        ),
        (
            "[[surfaces.mail.outcomes]]",
            '[[surfaces.mail.actions]]\nid = "sale"\n[[surfaces.mail.outcomes]]',
            "surfaces.mail.actions[1].id",
            "Rename",
        ),
    ],
)
def test_errors_say_where_and_what_to_do(old: str, new: str, key: str, says: str) -> None:
    """One line of a good file is broken."""
    assert GOOD.count(old) >= 1
    assert says in problems(GOOD.replace(old, new, 1))[key]


def test_too_many() -> None:
    """Actions, features, and both together are bounded."""
    actions = "".join(f'[[surfaces.mail.actions]]\nid = "a{n}"\n' for n in range(20))
    assert "Use a grid" in problems(GOOD.replace("[[surfaces.mail.outcomes]]", actions + "[[surfaces.mail.outcomes]]"))["surfaces.mail.actions"]  # fmt: skip # noqa: E501
    many = ", ".join(f'"context:n{n}"' for n in range(25))
    text = GOOD.replace('"readiness"', many)
    assert "At most 24" in problems(text)["surfaces.mail.features"]


def test_no_default_is_a_warning() -> None:
    """Without doing nothing and without a default, the first action is what everyone gets."""
    text = GOOD.replace("nothing = true", "").replace('default = ["sale"]', "")
    text += '[[surfaces.mail.actions]]\nid = "news"\n'
    text = text.replace("half_life_days = 60", "half_life_days = 60\nexploration_share = 0.0")
    found = {x.check: x.level for x in audit(load_text(text, {}).settings, [])}
    assert found["default"] == found["exploration"] == "warning"
