"""The guardrails, before anything is sent: what a content item may not say, and what will be missing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Literal

import msgspec

from germane.domain.content import FALLBACK, LINKS, Content, Slot, Variant
from germane.domain.errors import TemplateRefused
from germane.domain.item import Item
from germane.domain.near import did_you_mean
from germane.domain.settings import ContentSpec, Settings
from germane.generate.liquid import compiled
from germane.generate.naming import wrong_names
from germane.generate.said import banned_words, check_address, literal_claims, typed_addresses
from germane.generate.seeing import names_in, wrong_name
from germane.generate.trial import needs

Level = Literal["error", "warning"]


class Remark(msgspec.Struct, frozen=True):
    """What is wrong with a content item, where, and what to do."""

    level: Level
    content_id: str
    key: str
    """Slot, variant, language and field."""
    text: str
    remedy: str = ""


def check_content(
    content: Content,
    settings: Settings,
    spec: ContentSpec,
    items: Collection[Item] = (),
) -> list[Remark]:
    """Everything that can be known without a person.

    Args:
        content: A content item that was read without errors.
        settings: What is declared, and what of it is speakable.
        spec: Hosts, schemes, words.
        items: The catalogue, where it is at hand: for attributes that nobody declared.
    """
    return list(_Check(content, settings, spec, items).all())


class _Check:
    def __init__(
        self, content: Content, settings: Settings, spec: ContentSpec, items: Iterable[Item]
    ) -> None:
        self._content, self._settings, self._spec = content, settings, spec
        self._attributes = {*settings.attributes}
        for each in items:
            self._attributes.update(each.attributes)
        self._about_items = any(each.kind == "items" for each in content.slots)

    def all(self) -> Iterator[Remark]:
        """The remarks, in the order of the content."""
        if self._content.channel == "email" and not self._spec.sender_address.strip():
            yield self._remark(
                "warning",
                "",
                "No postal address stands in the foot: the law of most countries asks for one.",
                'Set it in germane.toml: [content] sender_address = "...".',
            )
        yield from self._untranslated()
        for slot in self._content.slots:
            yield from self._slot(slot)

    def _untranslated(self) -> Iterator[Remark]:
        """Languages in which only some variants speak: one message never mixes two."""
        texts = {
            f"{slot.name}.{each.id}": {tag.lower().replace("_", "-") for tag in each.texts}
            for slot in self._content.slots
            for each in slot.open
            if any(each.texts.values())
        }
        for tag in sorted({tag for each in texts.values() for tag in each}):
            without = [place for place, tags in texts.items() if tag not in tags]
            if without:
                yield self._remark(
                    "warning",
                    "",
                    f"{tag} is missing in {', '.join(without)}: a message with that is not in {tag} at all.",
                    f"Add [slots.variants.texts.{tag}] there.",
                )

    def _slot(self, slot: Slot) -> Iterator[Remark]:
        if slot.surface:
            yield from self._surface(slot)
        waiting = [each.id for each in slot.variants if not each.approved]
        if waiting:
            yield self._remark(
                "warning",
                slot.name,
                f"Not chosen before a person approves: {', '.join(waiting)}.",
                "Read it, and set approved = true, or take it out.",
            )
        for variant in slot.variants:
            for name in wrong_names(self._content, slot, variant, self._settings):
                key = f"{slot.name}.{variant.id}.when"
                yield self._remark(name.level, key, name.text, name.remedy)
            for tag, fields in variant.texts.items():
                key = f"{slot.name}.{variant.id}.{tag}"
                wrong = [x for n, text in fields.items() for x in self._text(f"{key}.{n}", n, text)]
                yield from wrong
                if not any(each.level == "error" for each in wrong):
                    yield from self._needs(slot, variant, tag)

    def _surface(self, slot: Slot) -> Iterator[Remark]:
        known = {k: v for k, v in self._settings.surfaces.items() if v.kind != "choice"}
        if slot.surface not in known:
            yield self._remark(
                "error",
                slot.name,
                f"There is no surface {slot.surface!r} that gives a list of items.",
                did_you_mean(slot.surface, known),
            )

    def _text(self, key: str, name: str, source: str) -> Iterator[Remark]:
        try:
            template = compiled(source)
        except TemplateRefused as error:
            yield self._remark("error", key, error.message, error.hint)
            return
        names = names_in(template)
        for each in names:
            wrong = wrong_name(each, self._settings, self._attributes)
            if wrong is not None:
                yield self._remark(wrong.level, key, wrong.text, wrong.remedy)
        if name in LINKS:
            found = check_address(source, self._spec, image=name == "image")
            if found is not None:
                yield self._remark("error", key, *found)
            return
        for url, told in typed_addresses(source, self._spec):
            yield self._remark("error", key, f"{url}: {told[0]}", told[1])
        for word in banned_words(source, self._spec.banned_words):
            yield self._remark("error", key, f"{word!r} is a banned word.", "Say it otherwise.")
        yield from self._literals(key, source, near_item=any(x[0] == "item" for x in names))

    def _literals(self, key: str, source: str, *, near_item: bool) -> Iterator[Remark]:
        """Prices and discounts that were typed: the catalogue goes on, and they stay."""
        if not (near_item or self._about_items):
            return
        for literal in literal_claims(source):
            yield self._remark(
                "error" if near_item else "warning",
                key,
                f"{literal!r} is typed: it stays when the catalogue changes, and nothing checks it.",
                "Let the catalogue fill it in: {{ item.price | money }}, {{ item.discount | percent }}.",
            )

    def _needs(self, slot: Slot, variant: Variant, tag: str) -> Iterator[Remark]:
        """Who will not get it: found by filling it for somebody of whom nothing is known."""
        key = f"{slot.name}.{variant.id}.{tag}"
        try:
            missing = needs(self._content, slot, variant, tag, self._settings, self._spec)
        except TemplateRefused as error:
            yield self._remark("error", key, error.message, error.hint)
            return
        if missing is None:
            return
        what = "the whole message" if slot.required or slot.kind == "subject" else "this slot"
        has = FALLBACK in variant.texts.get(tag, {})
        yield self._remark(
            "warning",
            key,
            f"Where {missing}, {what} is left out{' (its fallback needs it, too)' if has else ''}.",
            "Write what is said then: {{ NAME | default: 'there' }}, or a fallback.",
        )

    def _remark(self, level: Level, key: str, text: str, remedy: str) -> Remark:
        return Remark(level, self._content.content_id, key, text, remedy)
