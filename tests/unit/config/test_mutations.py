"""For a valid configuration and any one slip: it is still valid, or every error speaks of the slip alone."""

from __future__ import annotations

import copy
import json
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from germane.config import audit, audit_server, load_text
from germane.domain.errors import ConfigInvalid
from germane.testing import an_item
from tests.unit.config.test_choices import GOOD as CHOICE
from tests.unit.config.test_load import IMPORTS, SHOP

MORE = """
[[surfaces.home-grid.rules]]
kind = "include"
when = "item.price < 500.0"
[[surfaces.home-grid.rules]]
kind = "boost"
when = 'item.brand == "x"'
factor = 1.5
[[surfaces.home-grid.rules]]
kind = "pin"
items = ["a", "b"]
position = 2
[traits.role]
attribute = "brand"
values = { buyer = ["Tools", "Safety"] }
[profile]
recent = 100
[training]
every = "3d"
[keys]
write = "w"
server = "s"
[[surfaces.mail.rules]]
kind = "exclude"
items = ["sale"]
[[surfaces.mail.actions]]
id = "news"
"""
_whole = tomllib.loads(SHOP + IMPORTS + CHOICE[CHOICE.index("[traits.tier]") :] + MORE)
_whole["traits"]["tier"] = {}
ITEMS = [an_item(n) for n in range(64)]
TEXTS: tuple[Any, ...] = ("nope", "", " ")
NUMBERS: tuple[Any, ...] = (7, -7, 0.5, float("nan"), 10**400, True)
OTHERS = (*TEXTS, *NUMBERS, [], ["x"], [7], {}, {"x": 1})
Path = tuple[str | int, ...]


def toml(value: Any) -> str:
    """A value as TOML, all in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return "nan" if value != value else json.dumps(value)  # noqa: PLR0124 - only nan is not itself


def document(whole: dict[str, Any]) -> str:
    """A text with one line a top table."""
    return "".join(f"{json.dumps(name)} = {toml(value)}\n" for name, value in whole.items())


def places(node: Any, path: Path = ()) -> Iterator[Path]:
    """Every place in a document, by its path."""
    steps = node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    for step in steps:
        yield (*path, step)
        yield from places(node[step], (*path, step))


PLACES = [path for path in places(_whole) if len(path) > 1]


def key_of(path: Path) -> str:
    """``surfaces.home-grid.outcomes[0].window``; an entry of a list of texts is not named."""
    text = ""
    for place, step in enumerate(path):
        if isinstance(step, str):
            text += f".{step}" if text else step
        elif place + 1 < len(path):
            text += f"[{step}]"
    return text


def at(whole: dict[str, Any], path: Path) -> Any:
    """What stands there."""
    node: Any = whole
    for step in path:
        node = node[step]
    return node


def slip(how: str, path: Path, value: Any) -> tuple[dict[str, Any], str]:
    """The document with one thing wrong, and the key at which it is."""
    whole = copy.deepcopy(_whole)
    parent, last = at(whole, path[:-1]), path[-1]
    there = parent[last]
    key = key_of(path)
    match how:
        case "delete":
            del parent[last]
        case "negative" if isinstance(there, int | float):
            parent[last] = -there
        case "double" if isinstance(last, int):
            parent.append(copy.deepcopy(there))
            if isinstance(there, dict):
                key = f"{key_of(path[:-1])}[{len(parent) - 1}]"
        case "unknown" if isinstance(last, str):
            parent[f"{last}x"] = parent.pop(last)
            key = f"{key}x"
        case _:
            parent[last] = value
    return whole, key


def speaks_of(error: dict[str, Any], key: str, path: Path) -> bool:
    """Whether an error is at the slip, above or below it; or at what names the thing that is gone."""
    found = error["key"]
    related = (
        found == key
        or key.startswith((f"{found}.", f"{found}["))
        or found.startswith((f"{key}.", f"{key}["))
    )
    said, was = str(error["value"]), at(_whole, path)
    gone = [step for step in path[1:] if isinstance(step, str)]
    if isinstance(was, str):
        gone.append(was)
    elif isinstance(was, dict):
        gone += [x for x in (*was, *was.values()) if isinstance(x, str)]
    return related or any(name in said for name in gone)


def test_the_whole_is_valid() -> None:
    """What is changed below is right as it stands."""
    loaded = load_text(document(_whole), {})
    assert set(loaded.settings.surfaces) == {"home-grid", "email-picks", "product-together", "mail"}


@settings(max_examples=400, deadline=None)
@given(
    how=st.sampled_from(["delete", "type", "type", "negative", "double", "unknown"]),
    path=st.sampled_from(PLACES),
    value=st.sampled_from(OTHERS),
)
@example(how="type", path=("signals", "add", "half_life_days"), value=10**400)
@example(how="type", path=("catalogue", "attributes"), value=5)
@example(how="type", path=("surfaces", "home-grid", "rules", 2), value=5)
@example(how="delete", path=("surfaces", "mail", "kind"), value=0)
@example(how="double", path=("surfaces", "home-grid", "rules", 2), value=0)
def test_one_slip(how: str, path: Path, value: Any) -> None:
    """Valid, and then it can be audited; or all errors speak of it, none twice. Never a trace."""
    whole, key = slip(how, path, value)
    try:
        loaded = load_text(document(whole), {})
    except ConfigInvalid as invalid:
        found = invalid.details["errors"]
        assert found
        json.dumps(found)
        assert all(each["key"] and each["problem"] and each["remedy"] for each in found)
        said = [(each["key"], each["problem"]) for each in found]
        assert len(set(said)) == len(said)
        strange = [each for each in found if not speaks_of(each, key, path)]
        assert not strange, (how, path, value, strange)
    else:
        for items in (ITEMS, []):
            assert all(x.text for x in audit(loaded.settings, items, 0))
        audit_server(loaded.runtime)


@pytest.mark.parametrize("path", [each for each in PLACES if isinstance(each[-1], str)])
def test_an_unknown_name_is_named(path: Path) -> None:
    """A misspelt setting is always an error, at itself, with the name that was meant."""
    whole, key = slip("unknown", path, None)
    free = (len(path) == 2 and path[0] in ("signals", "traits", "surfaces", "imports")) or path[
        -2
    ] in ("attributes", "values")
    if free:  # a name that the operator chooses
        return
    with pytest.raises(ConfigInvalid) as caught:
        load_text(document(whole), {})
    found = {each["key"]: each for each in caught.value.details["errors"]}
    assert key in found
    assert f"Did you mean {path[-1]!r}?" in found[key]["remedy"]
    assert len(found) == 1
