"""The guardrails at check time: one way to be wrong each, and content that is right."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
from msgspec.structs import replace

from germane.domain.content import Content, Variant
from germane.domain.settings import AttributeSpec, ContentSpec, Settings, TraitSpec
from germane.generate.check import Remark, check_content
from germane.generate.said import banned_words, literal_claims
from germane.testing import a_shop
from germane.testing.contents import HOSTS, a_content, a_slot

SETTINGS = replace(
    a_shop(),
    traits={
        "likes": TraitSpec("likes", attribute="category"),
        "income": TraitSpec("income", speakable=False),
        "firstName": TraitSpec("firstName"),
    },
    attributes={
        "category": AttributeSpec("category", interest=True, diversity=True),
        "margin": AttributeSpec("margin", speakable=False, interest=True),
        "color": AttributeSpec("color"),
    },
)


def remarks(
    content: Content, spec: ContentSpec = HOSTS, settings: Settings = SETTINGS
) -> list[Remark]:
    return check_content(content, settings, spec)


def of_text(text: str, **fields: Any) -> list[Remark]:
    return remarks(a_content(a_slot("opening", "text", text, **fields)))


@pytest.mark.parametrize(
    "text",
    [
        "Hello.",
        'Hi {{ person.first_name | default: "there" }}',
        "{{ item.title }} at {{ item.price | money }}, in {{ item.color }}",
        "{{ project.name }} on {{ now | date }}",
        "{% for x in item.color %}{{ x }}{% endfor %}",
        "{% assign a = item.title %}{{ a }}",
        "[See](https://shop.example/{{ item.id }})",
        "In 2026 we opened 3 shops.",
    ],
)
def test_good(text: str) -> None:
    assert of_text(text) == []


def test_a_language_that_only_some_texts_have() -> None:
    """Nobody would ever read it."""
    both = a_slot("subject", "subject", "Hi")
    (variant,) = both.variants
    german = replace(variant, texts={**variant.texts, "de": {"text": "Hallo"}})
    subject = replace(both, variants=(german,))
    (found,) = remarks(a_content(subject, a_slot("opening", "text", "Hello.")))
    assert (found.level, found.key) == ("warning", "")
    assert f"de is missing in opening.{variant.id}" in found.text
    draft = replace(variant, id="draft", approved=False)
    translated = replace(subject, name="opening", kind="text", variants=(german, draft))
    assert [each.key for each in remarks(a_content(subject, translated))] == ["opening"]


@pytest.mark.parametrize("text", ["Hi {{ persn.name }}", "Go [there](https://evil.example/)"])
def test_what_is_wrong_is_not_said_to_be_missing_too(text: str) -> None:
    """The remedy of what is not known would mend nothing."""
    assert {each.level for each in of_text(text)} == {"error"}


@pytest.mark.parametrize(
    ("text", "level", "words", "remedy"),
    [
        ("{{ person.income }}", "error", "not speakable", "[traits.income]"),
        ("{% if person.income %}x{% endif %}", "error", "not speakable", "speakable = true"),
        ("{{ item.margin }}", "error", "not speakable", "[catalogue.attributes.margin]"),
        ("{{ interest.margin }}", "error", "not speakable", "[catalogue.attributes.margin]"),
        ("{{ interest.categry }}", "error", "no interests", "Did you mean 'category'?"),
        ("{{ item.titel }}", "error", "Items have no 'titel'", "Did you mean 'title'?"),
        ("{{ persn.name }}", "error", "There is no 'persn'", "Did you mean 'person'?"),
        ("{{ person }}", "error", "alone", "person.NAME"),
        ("{{ person[item.title] }}", "error", "brackets", "Write names out"),
        ("{{ project.key }}", "error", "project.key", "project.name"),
        ("{{ person.shoe_size }}", "warning", "declared", "[traits.shoe_size]"),
        ("{{ item.title }} for only 59 €", "error", "59 €", "item.price | money"),
        ("{{ item.title }}: 20 % off", "error", "20 %", "item.discount"),
        ("Write to www.evil.example", "error", "www.evil.example", "link_hosts"),
        ("Go [there](http://shop.example/)", "error", "http", "link_schemes"),
        ("It is {{ now }}", "error", "can be put out", "now | date"),
        ("{{ item.price | date: 'never' }}", "error", "long", "simpler"),
        ("Hi {{ person.first_name }}", "warning", "person.first_name is not known", "default"),
    ],
)
def test_bad(text: str, level: str, words: str, remedy: str) -> None:
    found = of_text(text)
    hits = [each for each in found if words in each.text]
    assert hits, found
    assert hits[0].level == level
    assert remedy in hits[0].remedy
    assert hits[0].key.startswith("opening.one.en")


def test_typed_prices_beside_lists_of_items_are_a_warning() -> None:
    picks = a_slot("picks", "items", surface="home")
    free = a_slot("line", "text", "Free delivery from 50 €")
    found = remarks(a_content(picks, free))
    assert [(each.level, each.key) for each in found] == [("warning", "line.one.en.text")]
    assert remarks(a_content(free)) == []


def test_a_required_slot_says_that_the_message_is_lost() -> None:
    found = remarks(a_content(a_slot("a", "text", "{{ person.first_name }}", required=True)))
    assert "the whole message is left out" in found[0].text


def test_a_fallback_settles_it() -> None:
    assert of_text("Hi {{ person.first_name }}", fallback="Hello") == []
    found = of_text("Hi {{ person.first_name }}", fallback="Hi {{ person.last_name }}")
    assert "its fallback needs it, too" in found[0].text


def test_unknown_surface() -> None:
    found = remarks(a_content(a_slot("picks", "items", surface="hoem")))
    assert (found[0].level, found[0].remedy) == ("error", "Did you mean 'home'?")


def test_banned_words() -> None:
    spec = replace(HOSTS, banned_words=("Last Chance", "free"))
    found = remarks(
        a_content(a_slot("a", "text", "LAST  chance! Freedom for {{ item.title }}")), spec
    )
    assert [each.text for each in found] == ["'Last Chance' is a banned word."]


def test_drafts_wait() -> None:
    slot = a_slot("a", "text", "Hi")
    draft = Variant("w-1", texts={"en": {"text": "Yo"}}, author="writer", approved=False)
    found = remarks(a_content(replace(slot, variants=(*slot.variants, draft))))
    assert "w-1" in found[0].text


def test_no_postal_address() -> None:
    spec = replace(HOSTS, sender_address="")
    assert "sender_address" in remarks(a_content(a_slot("a", "text", "x")), spec)[0].remedy
    in_app = a_content(a_slot("a", "text", "x"), channel="inapp")
    assert remarks(in_app, spec) == []


def test_addresses_in_fields() -> None:
    found = remarks(a_content(a_slot("a", "button", "Go", url="https://evil.example/")))
    assert found[0].key == "a.one.en.url"
    found = remarks(
        a_content(a_slot("a", "image", image="myapp://x.png", alt="x"), a_slot("b", "text", "x"))
    )
    assert found[0].key == "a.one.en.image"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("only 59 €", ["59 €"]),
        ("€59", ["€59"]),
        ("$1,299.00 now", ["$1,299.00"]),
        ("EUR 59,90", ["EUR 59,90"]),
        ("1.299,00 EUR", ["1.299,00 EUR"]),
        ("CHF 12.–", ["CHF 12.–"]),
        ("59 euros", ["59 euros"]),
        ("-20%", ["-20%"]),
        ("20 Prozent Rabatt", ["20 Prozent"]),
        ("{{ 59 }} €", []),
        ("100 kr", ["100 kr"]),
        ("100 krona fans", []),
        ("since 1999", []),
        ("room 101", []),
    ],
)
def test_literal_claims(text: str, found: list[str]) -> None:
    assert literal_claims(text) == found


def test_banned_words_are_words() -> None:
    assert banned_words("freedom", ["free"]) == []
    assert banned_words("It is FREE!", ["free"]) == ["free"]
    assert banned_words("{{ person.free }}", ["free"]) == []


def test_the_remedy_for_what_is_not_known_can_be_pasted() -> None:
    """Into a text in double quotes, as content files have them."""
    (found,) = of_text("Hi {{ person.first_name }}")
    named = re.search(r"{{ NAME .*?}}", found.remedy)
    assert named is not None
    pasted = tomllib.loads(f'text = "Hi {named[0].replace("NAME", "person.first_name")}"')
    assert of_text(pasted["text"]) == []
