"""Whatever content comes in: it is read, or refused with a remedy; what is read can be used."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from germane.cli.drafting import write
from germane.config import load
from germane.config.contents import from_json, load_content, to_json
from germane.config.problems import problems_of
from germane.domain.content import Chosen, Content, Variant
from germane.domain.errors import BadRequest, ContentInvalid, ContentRefused
from germane.generate.check import check_content
from germane.generate.render import render
from germane.testing.contents import facts

SHOP = Path(str(files("germane.recipes").joinpath("shop")))
GOOD = [load_content(path) for path in sorted((SHOP / "content").glob("*.toml"))]
LOADED = load(SHOP / "germane.toml", {})

JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20),
        st.sampled_from(["email", "text", "subject", "{{ person.x }}", "{% if a %}", "en", "de", "items"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.one_of(
                st.text(max_size=8),
                st.sampled_from(
                    ["channel", "slots", "name", "kind", "variants", "id", "texts", "en", "text", "url", "when"]
                ),
            ),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=12,
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a piece of JSON."""
    found = [path]
    if isinstance(value, dict):
        for key, each in value.items():
            found += places(each, (*path, key))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            found += places(each, (*path, number))
    return found


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """The same with something else in one place."""
    value = copy.deepcopy(value)
    if not path:
        return new
    at = value
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = new
    return value


def used(body: Any) -> None:
    """Read it as the API would; what can be read must be of use."""
    content = problems = None
    try:
        content = from_json(body, "news")
    except ContentInvalid as refused:
        problems = problems_of(refused)
    if content is None:
        assert problems
        assert all(each.problem and each.remedy for each in problems)
        return
    assert from_json(json.loads(json.dumps(to_json(content))), "news") == content
    check_content(content, LOADED.settings, LOADED.runtime.content)
    chosen = Chosen({slot.name: slot.open[0].id if slot.open else "" for slot in content.slots})
    with suppress(ContentRefused, BadRequest):
        render(content, chosen, facts({"first_name": "Ann"}))


@given(st.dictionaries(st.text(max_size=10), JSON, max_size=5))
def test_any_json(body: dict[str, Any]) -> None:
    used(body)


@given(st.data())
def test_good_content_with_one_thing_changed(data: st.DataObject) -> None:
    wire = json.loads(json.dumps(to_json(data.draw(st.sampled_from(GOOD)))))
    path = data.draw(st.sampled_from([each for each in places(wire) if each]))
    used(changed(wire, path, data.draw(JSON)))


@given(data=st.data())
def test_drafts_are_written_so_that_they_are_read(
    data: st.DataObject, tmp_path_factory: Any
) -> None:
    """Whatever a text holds, the file holds it too, and nothing else of the file changes."""
    content: Content = data.draw(st.sampled_from(GOOD))
    slot = data.draw(
        st.sampled_from([each for each in content.slots if each.kind in ("text", "heading")])
    )
    text = data.draw(
        st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Co")), min_size=1)
    )
    text = text.replace("{", "").strip()
    if not text:
        return
    draft = Variant("w-1", texts={"en": {"text": text}}, author="writer", approved=False)
    path = tmp_path_factory.mktemp("content") / f"{content.content_id}.toml"
    path.write_text((SHOP / "content" / path.name).read_text("utf-8"), encoding="utf-8")
    write(path, content, slot, (draft,))
    wanted = tuple(
        replace(each, variants=(*each.variants, draft)) if each.name == slot.name else each
        for each in content.slots
    )
    assert load_content(path) == replace(content, slots=wanted)
