"""Rendering: what is said, what is left out, what it rests on, and what no data can do."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from germane.domain.content import (
    Chosen,
    Content,
    Rendered,
    Slot,
    Variant,
    as_choice,
    best_locale,
)
from germane.domain.errors import (
    BadRequest,
    ContentIncomplete,
    ContentNotApproved,
    ContentUntrue,
    TemplateRefused,
)
from germane.domain.event import Event
from germane.domain.profile import Mass, Profile, Trait
from germane.domain.settings import AttributeSpec, ContentSpec, TraitSpec
from germane.generate.facts import Links
from germane.generate.render import render
from germane.predict.bandit.choosing import Chooser
from germane.testing import a_shop, an_item
from germane.testing.contents import HOSTS, a_content, a_slot, facts
from germane.testing.world import START_MS


def said(content: Content, *args: Any, chosen: Chosen | None = None, **changes: Any) -> Rendered:
    return render(content, chosen or Chosen(), facts(*args, **changes))


def with_text(text: str, **fields: Any) -> Content:
    return a_content(a_slot("opening", "text", text, **fields), a_slot("end", "text", "Bye."))


def test_a_name_that_is_not_there_takes_its_block_along() -> None:
    found = said(with_text("Hi {{ person.first_name }},"))
    assert "Hi" not in found.text
    assert "Hi" not in found.html
    assert found.dropped[0].slot == "opening"
    assert found.dropped[0].reason == "person.first_name is not known"


@pytest.mark.parametrize("empty", ["", "  ", None, [], {}, "\u200b"])
def test_empty_is_not_there(empty: Any) -> None:
    found = said(with_text("Hi {{ person.first_name }},"), {"first_name": empty})
    assert "Hi ," not in found.text
    assert "Hi \u200b," not in found.text


def test_fallback_of_the_variant() -> None:
    content = with_text("Hi {{ person.first_name }},", fallback="Hello,")
    assert "Hello," in said(content).text
    assert "Hi Ann," in said(content, {"firstName": "Ann"}).text


def test_a_fallback_that_needs_data_too_is_no_way_out() -> None:
    content = with_text("Hi {{ person.first_name }}", fallback="Hi {{ person.name }}")
    assert [each.slot for each in said(content).dropped] == ["opening"]


def test_required_slots_refuse_the_message() -> None:
    slot = a_slot("opening", "text", "Hi {{ person.first_name }}", required=True)
    with pytest.raises(ContentIncomplete) as refused:
        said(a_content(slot))
    assert "person.first_name" in refused.value.message
    assert refused.value.hint


def test_a_subject_is_always_required() -> None:
    with pytest.raises(ContentIncomplete):
        said(a_content(a_slot("subject", "subject", "{{ person.x }}"), a_slot("a", "text", "b")))


def test_nothing_left_is_refused() -> None:
    with pytest.raises(ContentIncomplete) as refused:
        said(a_content(a_slot("opening", "text", "{{ person.x }}")))
    assert "opening: person.x is not known." in refused.value.message


def test_unspeakable_is_not_there() -> None:
    """A template that names what is not speakable sees nothing, even if nobody checked it."""
    settings = replace(
        a_shop(),
        traits={"income": TraitSpec("income", speakable=False)},
        attributes={
            "category": AttributeSpec("category", interest=True, diversity=True),
            "margin": AttributeSpec("margin", speakable=False),
        },
    )
    item = an_item(1, attributes={"margin": "high"})
    for text in ("{{ person.income }}", "{{ item.margin }}"):
        found = said(with_text(text), {"income": "70000"}, settings=settings, item=item)
        assert "70000" not in found.text + found.html
        assert "high" not in found.text + found.html
        assert found.dropped[0].slot == "opening"


def interested(signal: str) -> Profile:
    month = START_MS // 2_629_800_000
    return Profile("u:ann", interests={"category": {"Tents": (Mass(month, signal, 3, 3.0),)}})


def test_an_interest_is_said_with_its_signals() -> None:
    found = said(with_text("New in {{ interest.category }}."), profile=interested("view"))
    used = next(each for each in found.used if each.slot == "opening")
    assert used.sentence == "New in Tents."
    assert used.names == ("interest.category",)
    assert used.signals == ("view",)


def test_an_interest_from_a_muted_signal_is_not_said() -> None:
    shop = a_shop()
    muted = {**shop.signals, "view": replace(shop.signals["view"], speakable=False)}
    settings = replace(shop, signals=muted)
    found = said(
        with_text("New in {{ interest.category }}."), profile=interested("view"), settings=settings
    )
    assert "Tents" not in found.text


def test_an_event_of_a_muted_signal_is_not_said() -> None:
    shop = a_shop()
    event = Event(
        "m", "track", START_MS, name="Product Viewed", properties={"product_id": "secret"}
    )
    content = with_text("You looked at {{ event.product_id }}.")
    assert "secret" in said(content, event=event).text
    muted = {**shop.signals, "view": replace(shop.signals["view"], speakable=False)}
    settings = replace(shop, signals=muted)
    assert "secret" not in said(content, event=event, settings=settings).text


def test_what_each_sentence_rests_on() -> None:
    text = "Hi {{ person.first_name }}. It costs {{ item.price | money }}. That is all."
    found = said(with_text(text), {"first_name": "Dr. A. Bo"})
    rests = {each.sentence: each.names for each in found.used if each.slot == "opening"}
    assert rests == {
        "Hi Dr. A. Bo.": ("person.first_name",),
        "It costs €129.00.": ("item.price",),
        "That is all.": (),
    }


def test_a_condition_counts_for_all_it_decides() -> None:
    found = said(with_text("{% if person.vip %}One. Two.{% endif %}"), {"vip": True})
    assert [x.names for x in found.used if x.slot == "opening"] == [("person.vip",)] * 2


def test_a_captured_text_brings_what_it_rests_on() -> None:
    text = "{% capture x %}{{ person.first_name }}!{% endcapture %}Hi {{ x }}"
    found = said(with_text(text), {"first_name": "Ann"})
    assert "Hi Ann!" in found.text
    assert found.used[1].names == ("person.first_name",)


def test_claims() -> None:
    found = said(with_text("{{ item.title }}: {{ item.price | money }}"))
    claims = {each.field: (each.value, each.shown) for each in found.claims}
    assert claims == {
        "title": ("Tent", "Tent"),
        "price": (129.0, "€129.00"),
        "in_stock": (True, ""),
    }


def test_claims_of_what_was_left_out_are_not_kept() -> None:
    found = said(with_text("{{ item.title }} {{ person.first_name }}"))
    assert found.claims == ()


def test_out_of_stock_is_refused() -> None:
    item = an_item(1, in_stock=False)
    content = with_text("{{ item.title }} is back")
    with pytest.raises(ContentUntrue):
        said(content, item=item)
    assert said(replace(content, needs_stock=False), item=item).text
    assert said(with_text("Hello"), item=item).text  # it does not speak of the item


def test_items() -> None:
    slot = a_slot("picks", "items", surface="home", size=2, button="Look")
    items = tuple(an_item(n, url=f"https://shop.example/{n}") for n in range(4))
    gone = replace(items[0], in_stock=False)
    found = said(a_content(slot), chosen=Chosen(items={"picks": (gone, *items[1:])}))
    assert "Item 0" not in found.text
    assert found.text.count("* Item") == 2
    assert found.links == ("https://shop.example/1", "https://shop.example/2")


def test_no_items_no_block() -> None:
    content = a_content(a_slot("picks", "items", surface="home"), a_slot("end", "text", "Bye."))
    assert [each.slot for each in said(content).dropped] == ["picks"]


def test_links_that_may_not_be() -> None:
    """What the catalogue says is no more trusted than what a person wrote."""
    for url in (
        "javascript:alert(1)",
        "https://evil.example/x",
        "//shop.example",
        "https://shop.example@evil.example/",
    ):
        item = an_item(1, url=url)
        slot = a_slot("go", "button", "Go", url="{{ item.url }}")
        found = said(a_content(slot, a_slot("end", "text", "Bye.")), item=item)
        assert url not in found.html
        assert found.links == ()
        assert [each.slot for each in found.dropped] == ["go"]


def test_a_value_in_an_address_is_quoted() -> None:
    item = an_item(1, title="a/../b?x=1&y#z %")
    slot = a_slot("go", "button", "Go", url="https://shop.example/p/{{ item.title }}")
    found = said(a_content(slot), item=item)
    assert found.links == ("https://shop.example/p/a%2F..%2Fb%3Fx%3D1%26y%23z%20%25",)


def test_links_are_told() -> None:
    slot = a_slot("go", "button", "Go", url="https://shop.example/p?a=1&b=2")
    found = said(a_content(slot))
    assert 'href="https://shop.example/p?a=1&amp;b=2"' in found.html
    assert found.links == ("https://shop.example/p?a=1&b=2",)


def test_links_of_the_foot() -> None:
    links = Links(
        "https://g.example/u?a=1&b=2", "https://g.example/why", pixel="https://g.example/o"
    )
    found = said(with_text("Hi"), links=links)
    assert "https://g.example/u?a=1&b=2" in found.text
    assert 'href="https://g.example/u?a=1&amp;b=2"' in found.html
    assert 'src="https://g.example/o"' in found.html
    assert "Harbour Street 1" in found.html
    assert "Harbour Street 1\nHamburg" in found.text


class Shape(HTMLParser):
    """Tags and the names of their attributes, in order: what data must not be able to change."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, ...]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, *(name for name, _ in attrs)))


def shape(html: str) -> list[tuple[str, ...]]:
    parser = Shape()
    parser.feed(html)
    return parser.tags


NASTY = st.text(
    alphabet=st.one_of(
        st.sampled_from(list("<>\"'&*[]()-\n\r{}%|x0 ") + ["\ue000", "\ue001", "\ue002", "\u202e"]),
        st.characters(codec="utf-8"),
    ),
    min_size=1,
    max_size=40,
)


@given(NASTY)
def test_data_is_only_ever_text(value: str) -> None:
    """No value becomes mark-up, a link, a tag, a template, or a second line of a subject."""
    content = a_content(
        a_slot("subject", "subject", "S {{ person.x }}", fallback="S"),
        a_slot("text", "text", "[here](https://shop.example/a) T {{ person.x }}", fallback="T"),
    )
    found = said(content, {"x": value})
    assert "\n" not in found.subject
    assert "\r" not in found.subject
    calm = said(content, {"x": "plain"} if found.used[-1].names else {})
    assert shape(found.html) == shape(calm.html)
    assert not any("\ue000" <= sign <= "\ue0ff" for sign in found.html + found.text + found.subject)


@pytest.mark.parametrize(
    "value",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "[click](https://evil.example)",
        "**bold**",
        "{{ person.secret }}",
        "x0x-germane",
        "- point",
        "a\n\nb",
    ],
)
def test_injections(value: str) -> None:
    found = said(with_text("Hi {{ person.x }}!"), {"x": value, "secret": "s3cret"})
    assert "<script" not in found.html
    assert "<img src=x" not in found.html
    assert "<strong>bold" not in found.html
    assert 'href="https://evil' not in found.html
    assert "s3cret" not in found.html
    assert f"Hi {' '.join(value.split(chr(10)))}!".replace("  ", " ") in found.text.replace(
        "  ", " "
    )


def test_typed_html_is_text() -> None:
    found = said(with_text("<b>Hi</b>"))
    assert "&lt;b&gt;Hi&lt;/b&gt;" in found.html


def german_and_english() -> Content:
    texts = {"en": {"text": "Hello"}, "de": {"text": "Hallo"}}
    only = {"en": {"text": "Only"}}
    return a_content(
        Slot("subject", "subject", (Variant("a", texts=texts),)),
        Slot("a", "text", (Variant("a", texts=texts), Variant("b", texts=only))),
    )


@pytest.mark.parametrize(
    ("wanted", "variant", "locale"),
    [
        (("de-AT",), "a", "de"),
        (("de_AT",), "a", "de"),
        (("fr", "de"), "a", "de"),
        (("fr",), "a", "en"),
        (("de",), "b", "en"),  # one message never mixes languages
        ((), "a", "en"),
    ],
)
def test_locale(wanted: tuple[str, ...], variant: str, locale: str) -> None:
    found = said(german_and_english(), chosen=Chosen({"a": variant}), locales=wanted)
    assert found.locale == locale
    assert f'lang="{locale}"' in found.html


def test_slots_without_texts_speak_every_language() -> None:
    items = Variant("plain", texts={"en": {}})
    assert best_locale(("de",), [items, Variant("a", texts={"de": {"text": "x"}})], "en") == "de"


def test_right_to_left() -> None:
    content = a_content(
        Slot("subject", "subject", (Variant("a", texts={"ar": {"text": "مرحبا"}}),)),
        Slot("a", "text", (Variant("a", texts={"ar": {"text": "أهلا"}}),)),
        default_locale="ar",
    )
    found = said(content)
    assert 'dir="rtl"' in found.html
    assert "إلغاء" not in found.html  # no link was given
    links = Links(unsubscribe="https://g.example/u")
    assert "إلغاء الاشتراك" in said(content, links=links).html


def test_choices() -> None:
    content = german_and_english()
    with pytest.raises(BadRequest):
        said(content)
    with pytest.raises(BadRequest) as refused:
        said(content, chosen=Chosen({"a": "c"}))
    assert refused.value.hint == "Known: a, b."
    with pytest.raises(ContentIncomplete):
        said(content, chosen=Chosen({"a": ""}))


def test_nobody_gets_what_nobody_approved() -> None:
    slot = a_slot("a", "text", "Hi")
    draft = replace(slot.variants[0], approved=False, author="writer")
    with pytest.raises(ContentNotApproved):
        said(a_content(replace(slot, variants=(draft,))), chosen=Chosen({"a": "one"}))
    with pytest.raises(ContentIncomplete):
        said(a_content(replace(slot, variants=(draft,))))


def test_a_slot_is_a_choice() -> None:
    """What the bandit is asked: the approved variants, under a name that tells content and slot."""
    content = german_and_english()
    slot = content.slots[1]
    draft = replace(slot.variants[0], id="w", approved=False)
    spec = as_choice("news", replace(slot, variants=(*slot.variants, draft)))
    assert (spec.name, spec.kind) == ("content:news:a", "choice")
    assert [each.id for each in spec.actions] == ["a", "b"]
    engine = Chooser(spec, a_shop())
    assert [each.id for each in engine.actions] == ["a", "b"]


def test_in_app() -> None:
    content = a_content(
        a_slot("line", "text", "**{{ item.title }}** waits"),
        a_slot("go", "button", "Go", url="https://shop.example/cart"),
        a_slot("color", "value", "red"),
        channel="inapp",
        form="tooltip",
        anchor="#cart",
    )
    payload = said(content).payload
    assert payload["form"] == "tooltip"
    assert payload["anchor"] == "#cart"
    assert payload["values"] == {"color": "red"}
    assert payload["blocks"] == [
        {
            "slot": "line",
            "kind": "text",
            "text": "Tent waits",
            "html": "<p><strong>Tent</strong> waits</p>",
        },
        {"slot": "go", "kind": "button", "text": "Go", "url": "https://shop.example/cart"},
    ]


def test_webhook() -> None:
    content = a_content(a_slot("a", "value", "{{ item.price | money }}"), channel="webhook")
    found = said(content)
    assert found.payload["values"] == {"a": "€129.00"}
    assert found.html == found.text == ""


def test_the_same_gives_the_same() -> None:
    content = with_text("Hi {{ person.first_name }}, {{ item.price | money }}")
    assert said(content, {"first_name": "Ann"}) == said(content, {"first_name": "Ann"})


def test_a_bomb_in_one_slot_refuses_the_message() -> None:
    loop = "{% for a in person.list %}" * 4 + "{{ a }}" + "{% endfor %}" * 4
    with pytest.raises(TemplateRefused):
        said(with_text(loop), {"list": list(range(20))})


def test_account() -> None:
    account = Profile("acme", traits={"plan": Trait("Starter", START_MS)})
    assert "Starter" in said(with_text("On {{ account.plan }}"), account=account).text


def test_subjects_stay_short() -> None:
    content = a_content(
        a_slot("subject", "subject", "{{ person.x }}", fallback="Short"), a_slot("a", "text", "b")
    )
    assert said(content, {"x": "long " * 90}).subject == "Short"


def test_discount() -> None:
    item = an_item(1, price=80.0, currency="EUR", attributes={"list_price": "100"})
    content = with_text("{{ item.discount | percent }} off {{ item.list_price | money }}")
    assert "20% off €100.00" in said(content, item=item).text
    assert "off" not in said(content, item=replace(item, price=100.0)).text


def test_no_address_is_needed_for_no_host() -> None:
    """Without allowed hosts nothing is linked: a project says where its links lead."""
    slot = a_slot("go", "button", "Go", url="https://shop.example/")
    content = a_content(slot, a_slot("a", "text", "b"))
    assert said(content, spec=ContentSpec()).links == ()
    assert said(content, spec=HOSTS).links == ("https://shop.example/",)
