"""What the writer is told: the brief, the slot, the limits, what the catalogue is about. Nobody's data."""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import blake2b

import msgspec

from germane.domain.content import Content, Kind, Slot
from germane.domain.item import Item
from germane.domain.settings import ContentSpec, Settings

LIMITS: dict[Kind, int] = {
    "subject": 80,
    "preheader": 120,
    "heading": 90,
    "text": 900,
    "button": 30,
    "value": 120,
}
"""Characters of a draft, by kind of slot: what is not in it cannot be drafted."""
PURPOSE: dict[Kind, str] = {
    "subject": "the subject line of the e-mail",
    "preheader": "the line that inboxes show after the subject",
    "heading": "a heading",
    "text": "a paragraph or two of the message",
    "button": "the label of the button: what the person will do",
    "value": "a short text that the product shows",
}
TITLES_MAX, NAMES_MAX = 30, 40


class Catalogue(msgspec.Struct, frozen=True):
    """What the writer may know of the catalogue, and what drafts are held against."""

    digest: str
    titles: tuple[str, ...]
    categories: tuple[str, ...]
    brands: tuple[str, ...]

    @classmethod
    def of(cls, items: Iterable[Item]) -> Catalogue:
        """From the items; the digest tells one catalogue from another."""
        found = sorted(items, key=lambda each: each.item_id)
        lines = [[x.item_id, x.title, x.category, x.brand, x.price, x.in_stock] for x in found]
        digest = blake2b(json.dumps(lines).encode(), digest_size=8).hexdigest()
        return cls(
            digest,
            tuple(dict.fromkeys(x.title for x in found if x.title)),
            tuple(sorted({x.category for x in found if x.category})),
            tuple(sorted({x.brand for x in found if x.brand})),
        )


class Brief(msgspec.Struct, frozen=True):
    """One request for drafts."""

    text: str
    """What a person asked for."""
    content: Content
    slot: Slot
    locale: str
    count: int
    settings: Settings
    spec: ContentSpec
    catalogue: Catalogue
    tone: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """What drafts may look up: declared and speakable."""
        traits = [f"person.{x.name}" for x in self.settings.traits.values() if x.speakable]
        return (
            "person.first_name",
            *traits,
            *(
                f"interest.{x.name}"
                for x in self.settings.attributes.values()
                if x.interest and x.speakable
            ),
            *(("item.title", "item.price | money", "item.brand") if self.about_item else ()),
        )

    @property
    def about_item(self) -> bool:
        """Whether the content is about one item: a slot of kind items without a surface, or a text."""
        texts = (
            text
            for slot in self.content.slots
            for each in slot.variants
            for fields in each.texts.values()
            for text in fields.values()
        )
        return any(x.kind == "items" and not x.surface for x in self.content.slots) or any(
            "item." in text for text in texts
        )


def messages(brief: Brief, faults: Iterable[str] = ()) -> list[dict[str, str]]:
    """The conversation: rules, then the request; ``faults`` of an earlier answer come along."""
    said = [
        {"role": "system", "content": rules(brief)},
        {"role": "user", "content": _request(brief)},
    ]
    told = list(dict.fromkeys(faults))
    if told:
        again = "Your last drafts could not be used. " + " ".join(told[:12]) + " Write new ones."
        said.append({"role": "user", "content": again})
    return said


def rules(brief: Brief) -> str:
    """What holds for every draft of this slot."""
    limit = LIMITS[brief.slot.kind]
    banned = f" Never use: {', '.join(brief.spec.banned_words)}." if brief.spec.banned_words else ""
    tone = f" Tone: {brief.tone}." if brief.tone else ""
    return (
        f"You write {PURPOSE[brief.slot.kind]}, in the language {brief.locale}, for "
        f"{brief.spec.sender_name or brief.settings.project}.{tone} At most {limit} characters. "
        "Sentence case. No HTML, no links, no addresses. State no fact that is not in the brief: no "
        "price, no discount, no number, no product name, no promise. Values are filled in later: "
        f"you may write {', '.join('{{ ' + x + ' }}' for x in brief.names)}. A value that may be "
        'unknown needs a default, like {{ person.first_name | default: "there" }}, or a second text '
        "without values as fallback. Never say that somebody was watched or tracked."
        f'{banned} Answer with JSON only: {{"variants": [{{"text": "...", "fallback": "..."}}]}}; '
        "leave fallback out where it is not needed."
    )


def _request(brief: Brief) -> str:
    known = brief.catalogue
    about = {
        "brief": brief.text,
        "how_many": brief.count,
        "content": brief.content.title or brief.content.content_id,
        "texts_that_exist": [
            each.texts[brief.locale]["text"]
            for each in brief.slot.variants
            if each.texts.get(brief.locale, {}).get("text")
        ],
        "catalogue": {
            "categories": known.categories[:NAMES_MAX],
            "brands": known.brands[:NAMES_MAX],
            "examples_of_items": known.titles[:TITLES_MAX],
        },
    }
    return json.dumps(about, ensure_ascii=False)
