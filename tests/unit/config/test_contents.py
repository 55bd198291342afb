"""Content files: every error with file, key, value and remedy; and JSON there and back."""

from __future__ import annotations

import json
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest
from msgspec.structs import replace

from germane.config.contents import (
    content_of,
    find_content,
    from_json,
    load_content,
    load_folder,
    to_json,
)
from germane.config.problems import problems_of
from germane.domain.content import Content
from germane.domain.errors import ContentInvalid, UnknownContent

SHOP = Path(str(files("germane.recipes").joinpath("shop/content")))
GOOD = """
title = "News"
channel = "email"

[[slots]]
name = "subject"
kind = "subject"

[[slots.variants]]
id = "one"
[slots.variants.texts.en]
text = "Hello"

[[slots]]
name = "body"
kind = "text"

[[slots.variants]]
id = "one"
when = "profile.readiness > 0.5"
attributes = { tone = "calm" }
[slots.variants.texts.en]
text = "Hi {{ person.first_name }}"
fallback = "Hello"
"""


def read(text: str) -> Content:
    return content_of(tomllib.loads(text), "news", "news.toml")


def test_good() -> None:
    content = read(GOOD)
    assert [each.kind for each in content.slots] == ["subject", "text"]
    variant = content.slots[1].variants[0]
    assert (variant.author, variant.approved, variant.attributes) == (
        "person",
        True,
        {"tone": "calm"},
    )


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ('title = "News"', 'titel = "News"', "titel", "Did you mean 'title'?"),
        ('channel = "email"', 'channel = "mail"', "channel", "Did you mean 'email'?"),
        ('channel = "email"', "", "channel", "missing"),
        ('channel = "email"', 'channel = "inapp"', "slots", "Only an e-mail has a subject"),
        ('channel = "email"', 'channel = "email"\nform = "modal"', "form", "Only in-app"),
        ('channel = "email"', 'channel = "email"\nlayout = "fancy"', "layout", "plain"),
        ('title = "News"', 'default_locale = "de"', "BODY.texts", "language, de, is missing"),
        ('kind = "text"', 'kind = "txt"', "slots[body].kind", "Did you mean 'text'?"),
        ('kind = "text"', 'kind = "text"\nsize = 3', "slots[body].size", "Only slots of kind items"),
        ('kind = "text"', 'kind = "button"', "BODY.texts.en.url", "missing"),
        ('kind = "text"', 'kind = "subject"', "slots", "several of kind subject"),
        ('name = "body"', 'name = "subject"', "slots[subject].name", "Two slots"),
        ('name = "body"', 'name = "The body"', "slots[The body].name", "no name"),
        ('when = "profile.readiness > 0.5"', 'when = "profil.x"', "BODY.when", "profil"),
        ('fallback = "Hello"', 'falback = "Hello"', "BODY.texts.en.falback", "Did you mean 'fallback'?"),
        ('fallback = "Hello"', 'fallback = ""', "BODY.texts.en.fallback", "empty"),
        ('fallback = "Hello"', "fallback = 3", "BODY.texts.en.fallback", "must be text"),
        ("{{ person.first_name }}", "{{ person.first_name ", "BODY.texts.en.text", "not closed"),
        ("{{ person.first_name }}", "{{ a | upcse }}", "BODY.texts.en.text", "Did you mean 'upcase'?"),
        ("{{ person.first_name }}", "{% include 'a' %}", "BODY.texts.en.text", "include"),
        ('attributes = { tone = "calm" }', "attributes = { tone = [1] }", "BODY.attributes", "flags"),
        ('attributes = { tone = "calm" }', "approved = 1", "BODY.approved", "true or false"),
        ('texts.en]\ntext = "Hi', 'texts.klingon]\ntext = "Hi', "BODY.texts.klingon", "no language"),
    ],
)  # fmt: skip
def test_bad(old: str, new: str, key: str, words: str) -> None:
    assert old in GOOD
    with pytest.raises(ContentInvalid) as refused:
        read(GOOD.replace(old, new))
    found = problems_of(refused.value)
    whole = key.replace("BODY", "slots[body].variants[one]")
    hits = [each for each in found if each.key == f"news.toml: {whole}"]
    assert hits, found
    assert any(words in f"{each.problem} {each.remedy}" for each in hits)
    assert all(each.remedy for each in found)


def test_an_email_needs_a_subject_and_something_to_say() -> None:
    with pytest.raises(ContentInvalid) as refused:
        content_of({"channel": "email"}, "news")
    assert len(problems_of(refused.value)) == 2


def test_several_errors_at_once() -> None:
    with pytest.raises(ContentInvalid) as refused:
        read(GOOD.replace("title", "titel").replace('kind = "text"', 'kind = "txt"'))
    assert len(problems_of(refused.value)) == 2


def test_broken_toml_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text("channel = email\n")
    with pytest.raises(ContentInvalid) as refused:
        load_content(path)
    assert "line 1" in refused.value.message


@pytest.mark.parametrize("name", ["back-in-stock", "weekly-picks", "cart-banner"])
def test_json_there_and_back(name: str) -> None:
    content = load_content(SHOP / f"{name}.toml")
    wire = json.loads(json.dumps(to_json(content)))
    assert wire["contentId"] == name
    assert wire["version"] == content.version
    assert from_json(wire, name) == content


def test_json_has_the_same_errors() -> None:
    with pytest.raises(ContentInvalid) as refused:
        from_json({"channel": "email", "defaultLocal": "en", "slots": "x"}, "news")
    assert "news: slots" in refused.value.message


def test_version() -> None:
    """It tells any change of what is said, and nothing else does."""
    content = read(GOOD)
    assert content.version == read(GOOD + "\n# a comment\n").version
    assert content.version != read(GOOD.replace("Hello", "Hullo")).version
    assert content.version != replace(content, needs_stock=False).version


def test_a_folder(tmp_path: Path) -> None:
    (tmp_path / "good.toml").write_text(GOOD)
    (tmp_path / "bad.toml").write_text(GOOD.replace("email", "mail"))
    contents, problems = load_folder(tmp_path)
    assert [each.content_id for each in contents] == ["good"]
    assert problems[0].key.endswith("bad.toml: channel")


def test_finding(tmp_path: Path) -> None:
    (tmp_path / "good.toml").write_text(GOOD)
    assert find_content(tmp_path, "good").name == "good.toml"
    assert find_content(tmp_path, str(tmp_path / "good.toml")).name == "good.toml"
    with pytest.raises(UnknownContent) as refused:
        find_content(tmp_path, "goood")
    assert refused.value.hint == "Did you mean 'good'?"
    with pytest.raises(UnknownContent):
        load_folder(tmp_path / "nothing")
