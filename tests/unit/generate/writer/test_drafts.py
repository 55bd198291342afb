"""Drafts: what is kept, what is refused, and that a lie never gets through unread."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from germane.domain.content import Chosen, Content, Variant
from germane.domain.errors import ContentNotApproved, WriterFailed
from germane.domain.settings import TraitSpec
from germane.generate.render import render
from germane.generate.writer.brief import Brief, Catalogue, messages
from germane.generate.writer.drafts import Drafts, draft
from germane.generate.writer.judging import faults
from germane.testing import a_shop, an_item
from germane.testing.contents import HOSTS, a_content, a_slot, facts

SETTINGS = replace(
    a_shop(),
    project="Harbour Outdoor",
    traits={"likes": TraitSpec("likes"), "income": TraitSpec("income", speakable=False)},
)
ITEMS = [
    an_item(1, title="Storm jacket", brand="Halden", category="Jackets"),
    an_item(2, title="Trail tent", brand="Northway", category="Tents"),
]
TALK = "It is back. Be calm. Delivery takes 2 days, from 49 €."


def content() -> Content:
    return a_content(
        a_slot("subject", "subject", "{{ item.title }} is back"),
        a_slot("opening", "text", "It is there again."),
        a_slot("go", "button", "Look", url="https://shop.example/{{ item.id }}"),
        a_slot("item", "items"),
        default_locale="en",
    )


def brief(slot: str = "subject", **changes: Any) -> Brief:
    whole = changes.get("content", content())
    found = whole.slot(slot)
    assert found is not None
    values: dict[str, Any] = {
        "text": TALK,
        "content": whole,
        "slot": found,
        "locale": "en",
        "count": 2,
        "settings": SETTINGS,
        "spec": replace(HOSTS, banned_words=("hurry",)),
        "catalogue": Catalogue.of(ITEMS),
    }
    return Brief(**(values | changes))


@pytest.mark.parametrize(
    "text",
    [
        "Back on the shelf",
        "{{ item.title }} is here again",
        "Good news: it is back",
        '{{ person.first_name | default: "Good news" }}: it is back',
        "It is back, delivered in 2 days",
        "Delivery from 49 €",
        "Jackets and more from Halden",
        "See you on Friday",
        "I'd take another look, it's back",
        "{% if person.first_name %}{{ person.first_name }}, it{% else %}It{% endif %} is back",
    ],
)
def test_good(text: str) -> None:
    assert faults({"text": text}, brief()) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Only 59 € today", "59 €"),
        ("Now 20% off", "20%"),
        ("Only 3 left", "number 3"),
        ("Loved by 10,000 people", "10,000"),
        ("The Zephyr is back", "Zephyr"),
        ("Meet AcmeBoots today", "AcmeBoots"),
        ("New: GoreShield™ inside", "GoreShield"),
        ("Your Storm jacket is back", "Storm jacket"),
        ("Look <b>here</b>", "mark-up"),
        ("Look <script>alert(1)</script>", "mark-up"),
        ("Fish &amp; chips", "mark-up"),
        ("See https://evil.example/x", "link"),
        ("See www.evil.example", "link"),
        ("See evil.com today", "link"),
        ("[Look](https://shop.example/)", "link"),
        ("Write to me@evil.example", "link"),
        ("Hurry, it is back", "hurry"),
        ("x" * 81, "longer"),
        ("x" * 100_000, "longer"),
        ("One\ntwo", "line"),
        ("Hi\u200bthere", "cannot be seen"),
        ("Hi \u202egnp.exe", "cannot be seen"),
        ("{{ person.first_name }}, it is back", "default"),
        ("{{ person.income }} is a lot", "not speakable"),
        ("{{ person.shoe_size }} in stock", "declared"),
        ("{{ item.secret }} is back", "no 'secret'"),
        ("{{ event.price }} is back", "event"),
        ("{{ item.title", "not closed"),
        ("{% include 'a' %}", "include"),
        ("{% for a in (1..1000000) %}x{% endfor %}", "Ranges"),
        ("{{ item.title | upcse }}", "upcse"),
        ("{{ now }} is the time", "cannot be filled"),
    ],
)
def test_bad(text: str, words: str) -> None:
    found = faults({"text": text}, brief())
    assert any(words in each for each in found), found


def test_a_fallback_is_judged_as_well() -> None:
    named = "{{ person.first_name }}, it is back"
    assert faults({"text": named, "fallback": "It is back"}, brief()) == []
    assert faults({"text": named, "fallback": "Only 59 €"}, brief()) != []
    assert faults({"text": named, "fallback": "{{ person.last_name }}"}, brief()) != []


def test_german_writes_nouns_large() -> None:
    german = brief(locale="de")
    assert faults({"text": "Deine Jacke ist wieder im Laden"}, german) == []
    assert faults({"text": "Die AcmeJacke ist wieder da"}, german) != []


class Model:
    """Says what it is told to say, in turn; keeps what it was asked."""

    def __init__(self, *answers: str) -> None:
        self.answers, self.asked = list(answers), 0

    def __call__(self, messages: list[dict[str, str]]) -> str:
        self.last = messages
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def texts(*rows: str) -> str:
    return json.dumps({"variants": [{"text": each} for each in rows]})


class Kept(dict[str, bytes]):
    def put(self, key: str, value: bytes) -> None:
        self[key] = value


def said(found: Drafts) -> list[str]:
    return [each.texts["en"]["text"] for each in found.kept]


def test_drafts_wait_for_a_person() -> None:
    found = draft(brief(), Model(texts("Back again", "It returned", "Third one")), "m")
    assert said(found) == ["Back again", "It returned"]
    assert all((x.author, x.approved) == ("writer", False) for x in found.kept)
    whole = content()
    slots = tuple(
        replace(x, variants=(*x.variants, *found.kept)) if x.name == "subject" else x
        for x in whole.slots
    )
    item = an_item(1)
    with pytest.raises(ContentNotApproved):
        render(replace(whole, slots=slots), Chosen({"subject": found.kept[0].id}), facts(item=item))
    rendered = render(replace(whole, slots=slots), Chosen(), facts(item=item))
    assert rendered.subject == "Item 1 is back"


def test_a_button_keeps_where_it_leads() -> None:
    found = draft(brief("go"), Model(texts("Take a look", "Go there")), "m")
    assert found.kept[0].texts["en"]["url"] == "https://shop.example/{{ item.id }}"


def test_a_second_round_hears_what_was_wrong() -> None:
    model = Model(texts("Only 59 €", "Back again"), texts("It returned"))
    found = draft(brief(), model, "m")
    assert said(found) == ["Back again", "It returned"]
    assert model.asked == 2
    assert "59 €" in model.last[-1]["content"]
    assert found.refused[0].text == "Only 59 €"


def test_the_same_again_is_no_draft() -> None:
    model = Model(texts("{{ item.title }} is back", "Back again", "Back again"))
    assert said(draft(brief(), model, "m")) == ["Back again"]


@pytest.mark.parametrize(
    "answer",
    [
        "Sure! Here are some ideas: ...",
        "{}",
        "[]",
        '{"variants": "many"}',
        '{"variants": [{"text": 5}]}',
        '{"variants": [{"text": ""}]}',
        '{"variants": [{"fallback": "x"}]}',
        '{"variants": []}',
        "[" * 50_000,
        texts("Only 59 €", "Now 20% off"),
    ],
)
def test_nothing_usable(answer: str) -> None:
    with pytest.raises(WriterFailed) as failed:
        draft(brief(), Model(answer), "m")
    assert failed.value.hint


def test_a_fence_of_code_is_taken_off() -> None:
    fenced = f"```json\n{texts('Back again', 'It returned')}\n```"
    assert len(draft(brief(), Model(fenced), "m").kept) == 2


def test_kept_answers() -> None:
    kept, model = Kept(), Model(texts("Back again", "It returned"))
    first = draft(brief(), model, "m", kept)
    again = draft(brief(), model, "m", kept)
    assert (model.asked, first.cached, again.cached) == (1, False, True)
    assert again.kept == first.kept
    draft(brief(text="Something else"), model, "m", kept)
    draft(brief(catalogue=Catalogue.of([*ITEMS, an_item(3)])), model, "m", kept)
    draft(brief(), model, "another", kept)
    draft(brief(tone="dry"), model, "m", kept)
    assert model.asked == 5


def test_a_failure_is_not_kept() -> None:
    kept = Kept()
    with pytest.raises(WriterFailed):
        draft(brief(), Model("no"), "m", kept)
    assert kept == {}
    kept["x"] = b"broken"
    assert draft(brief(), Model(texts("Back again", "It returned")), "m", kept).kept


def test_items_have_no_text_to_draft() -> None:
    with pytest.raises(WriterFailed) as failed:
        draft(brief("item"), Model("x"), "m")
    assert "subject" in failed.value.hint


def test_what_it_is_told() -> None:
    """Rules, the catalogue's words, what is speakable; nothing that is not, and no price."""
    whole = json.dumps(messages(brief()))
    assert "Halden" in whole
    assert "person.likes" in whole
    assert "income" not in whole
    assert "11.0" not in whole  # the price of an item
    assert "hurry" in whole


def test_the_item_is_offered_only_where_there_is_one() -> None:
    plain = a_content(a_slot("subject", "subject", "Hi"), a_slot("a", "text", "b"))
    slot = plain.slots[0]
    about = brief(content=plain)
    assert "item.title" not in json.dumps(messages(about))
    assert any("about none" in x for x in faults({"text": "{{ item.title }} is back"}, about))
    variant = Variant("x", texts={"en": {"text": "See {{ item.title }}"}})
    slots = (replace(slot, variants=(variant,)),)
    assert brief(content=replace(plain, slots=slots)).about_item
