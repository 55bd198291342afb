"""Expressions are compiled once, and looking at one never raises and never takes long."""

from __future__ import annotations

from typing import Any

import pytest

from germane.domain.cel import LOOP_LIST_MAX, compiled
from germane.domain.slips import Failure, Slip

NAMES = (("item", "map"), ("context", "map"))
ITEM: dict[str, Any] = {
    "price": 1.0,
    "n": 5,
    "none": None,
    "tags": ("a", "b"),
    "big": 2**70,
    "deep": {"x": [1, {"y": (1, -(2**80))}]},
}


def look(source: str, **item: Any) -> bool | Failure:
    return compiled(source, NAMES).look({"item": {**ITEM, **item}, "context": {}})


@pytest.mark.parametrize(
    "source",
    [
        "item.price == 1 && item.price < 2 && item.n > 4.5",
        'item.tags == ["a", "b"] && "a" in item.tags',
        "item.big > 9.9e20",
        "item.deep.x[1].y[0] == 1",
        "item.none == null",
        'item.n != "5"',
        "has(item.price) && !has(item.nothing)",
        "item.nothing == 5 || item.n == 5",
        'item["n"] == 5',
        'item.tags.exists(t, t == "a")',
    ],
)
def test_what_holds(source: str) -> None:
    """Numbers compare with numbers, whatever JSON and Python make of them."""
    assert look(source) is True


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("item.nothing == 5", "missing"),
        ('item.tags[7] == "a"', "missing"),
        ('item.n < "5"', "types"),
        ("item.price + item.n > 2.0", "types"),
        ("item.n.deeper == 1", "types"),
        ("item.n", "value"),
        ("item.n / 0 == 1", "other"),
        ('int("n/a") == item.n', "other"),
    ],
)
def test_what_cannot_be_told(source: str, kind: str) -> None:
    answer = look(source)
    assert isinstance(answer, Failure)
    assert answer.kind == kind
    assert answer.text


def test_a_value_that_is_nothing_in_cel() -> None:
    assert isinstance(look("item.odd == 1", odd=object()), Failure)
    assert look("item.n == 5", odd=object()) is True, "what is not read is not handed over"


def test_a_loop_is_bounded() -> None:
    fair, many = list(range(LOOP_LIST_MAX)), list(range(LOOP_LIST_MAX + 1))
    assert look("item.many.all(x, x >= 0)", many=fair) is True
    answer = look("item.many.all(x, x >= 0)", many=many)
    assert isinstance(answer, Failure)
    assert answer.kind == "large"
    assert look("item.n == 5 && [1].all(x, x > 0)", many=many) is True, "it is not looked at"


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("(" * 400 + "true" + ")" * 400, "in one another"),
        ("+".join(['"a"'] * 200) + ' == ""', "in one another"),
        ("true && " * 200 + "true", "longer"),
        ("[1].exists(x, [2].exists(y, x == y))", "more than one loop"),
    ],
)
def test_bombs_are_not_compiled(source: str, says: str) -> None:
    with pytest.raises(Slip, match=says) as caught:
        compiled(source, NAMES)
    assert caught.value.hint
