"""Conditions are checked before they are used."""

from __future__ import annotations

import pytest

from germane.domain.errors import BadFilter
from germane.domain.item import Item
from germane.predict.filters import Filter


@pytest.mark.parametrize("text", ['item.price < "100"', "item.brand < 5", "item.price + 1 < 5.0"])
def test_a_filter_that_mixes_types(text: str) -> None:
    """It would hold for no item ever: an empty slate without a word."""
    with pytest.raises(BadFilter, match="types do not fit"):
        Filter(text)
    Filter("item.attributes.width < 5 && context.extra.n > 3")  # may be anything


TENT = Item("a", categories=("Outdoor", "Tents"), price=90, attributes={"width": 3, "sizes": []})


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("item.price < 100 && item.width == 3.0", True),
        ("item.categories.exists(c, c.startsWith('Te'))", True),
        ("has(item.attributes.width) && !has(item.attributes.height)", True),
        ("context.device == 'tv' && item.price < 100", True),
        ("item.attributes.height < 5", False),
        ("item.attributes.width < 'wide'", False),
        ("item.categories[7] == 'Tents'", False),
        ("item.attributes.width / size(item.attributes.sizes) > 1", False),
    ],
)
def test_what_holds_of_an_item(text: str, holds: bool) -> None:
    """What an item lacks, or has of another type, makes it false: one item breaks nobody's slate."""
    assert Filter(text, ["width"])(TENT, {"device": "tv"}) is holds


@pytest.mark.parametrize("text", ["item.attributes.width", "item.categories.map(c, c)"])
def test_a_value_is_no_condition(text: str) -> None:
    with pytest.raises(BadFilter, match="true or false"):
        Filter(text)(TENT, {})


@pytest.mark.parametrize(
    ("text", "says", "hint"),
    [
        ("item.prize < 3", "no field 'prize'", "item.price"),
        ("item.price = 3", "At character 12", "=="),
        ("item.title.startWith('a')", "At character 12", "startsWith"),
        ("shop.open", "Unknown name 'shop.open'", "`item` and `context`"),
        ("item.price + 1 < 5.0", r"\+ of a number and a whole number", "3.0"),
        ("size(item.categories) == 2.0", "At character 23", "3.0"),
        (r'item.title == r"\"', "At character 15", r'"\\"'),
        ("item.title.first == 'a'", "no fields", "maps"),
    ],
)
def test_errors_name_the_remedy(text: str, says: str, hint: str) -> None:
    with pytest.raises(BadFilter, match=says) as caught:
        Filter(text)
    assert hint in caught.value.hint


def test_what_reads_the_context_is_asked_again() -> None:
    """Answers are remembered per item, unless more than the item decides."""
    narrow = Filter("context['device'] == 'tv'")
    assert narrow.reads_context
    assert narrow(TENT, {"device": "tv"})
    assert not narrow(TENT, {"device": "phone"})
    assert not Filter("item.price < 100").reads_context
