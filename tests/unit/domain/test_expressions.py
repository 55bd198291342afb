"""What an expression's text alone tells: its loops and its names, wherever texts and comments stand."""

from __future__ import annotations

import pytest

from germane.domain import expressions
from germane.domain.expressions import bare, fields_read, loops, names_read, paths

LOOPS = "[1].all(x, [2].all(y, x < y))"


@pytest.mark.parametrize(
    "source",
    [
        LOOPS,
        f'"""a"b""" != "" && {LOOPS} && "c" != ""',
        f"'''a'b''' != '' && {LOOPS} && 'c' != ''",
        rf'r"\" != "" && {LOOPS} && "c" != ""',
        rf"bR'\' != b'' && {LOOPS} && 'c' != ''",
        f'true // "\n && {LOOPS} // "',
        "[1].// all\nall(x, [2].exists_one(y, x < y))",
    ],
)
def test_no_text_hides_a_loop(source: str) -> None:
    assert loops(source) == 2
    assert expressions.too_many_loops(source)
    assert len(bare(source)) == len(source)


@pytest.mark.parametrize(
    "text",
    ['".all(x"', "'.all(x'", r'"\".all(x"', '""".all(\n"x"""', "r'.all(x'", '"" // .all(x'],
)
def test_what_stands_in_a_text_is_none(text: str) -> None:
    assert loops(f"item.title == {text}") == 0
    assert names_read(f"item.title == {text}", {"item.title", "x"}) == ("item.title",)


@pytest.mark.parametrize(
    ("source", "fields"),
    [
        ("item.price < 3 && has(item . brand)", ("price", "brand")),
        ("context.device == 'tv'", ()),
        ("item['price'] < 3 || item.price > 5", None),
        ("context.item == item.id", None),
        ("item // of \n .price < 3", None),
    ],
)
def test_fields_that_are_read(source: str, fields: tuple[str, ...] | None) -> None:
    """In doubt: any."""
    assert fields_read("item", source) == fields


def test_paths() -> None:
    assert paths("item.categories.exists(c, c == context.x)", ("item", "context")) == (
        ("item", "categories", "exists"),
        ("context", "x"),
    )
