"""The content that recipes bring: every variant, in every language, for people known and unknown."""

from __future__ import annotations

import re
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Any

import msgspec
import pytest

from germane.config import load
from germane.config.contents import content_files, load_content
from germane.domain.content import Chosen, Content, Rendered
from germane.domain.item import Item
from germane.domain.profile import Profile, Trait
from germane.generate.check import check_content
from germane.generate.claims import check_claims
from germane.generate.facts import Facts, Links
from germane.generate.render import render
from germane.testing.world import START_MS

RECIPES = Path(str(files("germane.recipes").joinpath(".")))
FILES = [path for folder in sorted(RECIPES.glob("*/content")) for path in content_files(folder)]
PEOPLE: dict[str, dict[str, Any]] = {"known": {"first_name": "Ann"}, "unknown": {}}
ITEMS = tuple(
    Item(f"i{n}", title=f"Item {n}", brand="Northway", category="Tents", price=10.0 + n)
    for n in range(4)
)
GAPS = re.compile(r"\s[,.!?](?:\s|$)|\{\{|\{%|\}\}|[\ue000-\ue0ff]|\bNone\b|\(\)")
"""What a text looks like from which something is missing."""


def loaded(path: Path) -> Any:
    return load(path.parent.parent / "germane.toml", {})


def every_choice(content: Content) -> list[dict[str, str]]:
    names = [slot.name for slot in content.slots]
    return [
        dict(zip(names, ids, strict=True))
        for ids in product(*([each.id for each in slot.open] for slot in content.slots))
    ]


def rendered(
    path: Path, content: Content, variants: dict[str, str], locale: str, person: str
) -> Rendered:
    config = loaded(path)
    traits = {name: Trait(value, START_MS) for name, value in PEOPLE[person].items()}
    facts = Facts(
        config.settings,
        Profile("u:ann", traits=traits),
        START_MS,
        config.runtime.content,
        item=ITEMS[0],
        locales=(locale,),
        links=Links("https://shop.example/u", "https://shop.example/w"),
    )
    listed = {slot.name: ITEMS for slot in content.slots if slot.surface}
    return render(content, Chosen(variants, listed), facts)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_is_good(path: Path) -> None:
    config = loaded(path)
    found = check_content(load_content(path), config.settings, config.runtime.content, ITEMS)
    assert found == []


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("locale", ["en", "de-AT"])
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_variant_can_be_said(path: Path, locale: str, person: str) -> None:
    content, config = load_content(path), loaded(path)
    choices = every_choice(content)
    for variants in choices:
        found = rendered(path, content, variants, locale, person)
        assert found.locale == locale[:2]
        assert found.dropped == ()
        body = found.text or str(found.payload)
        for text in (found.subject, found.preheader, body):
            assert not GAPS.search(text), text
        items = {each.item_id: each for each in ITEMS}
        assert check_claims(found.claims, items, config.settings, START_MS) == ()
        assert msgspec.json.decode(msgspec.json.encode(found), type=Rendered) == found
    assert len(choices) == len({str(x) for x in choices})
