"""Content in which a person's words stand in some slots, for one message. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from germane.domain.content import FALLBACK, Content, Slot, Variant

EDITED = "edited"
"""What the variant that holds a person's words is called while a message is filled."""
Words = Mapping[str, Mapping[str, str]]
"""Slot -> field -> template."""


def fields_now(slot: Slot, variant: str | None, locale: str, default: str) -> dict[str, str]:
    """The templates of the variant that stands in a slot; none where it is left out.

    Args:
        slot: Of the content.
        variant: Id of the one that was chosen; ``None``: it has only one.
        locale: Language of the message.
        default: The content's own language.
    """
    only = slot.open[0] if slot.open else None
    found = only if variant is None else slot.variant(variant)
    if found is None:
        return {}
    return dict(found.texts.get(locale) or found.texts.get(default, {}))


def changed_fields(now: Mapping[str, str], said: Mapping[str, str]) -> dict[str, str]:
    """Templates after a change. Another text has no fallback but one that comes with it: what the person
    wrote is said, or nothing."""
    kept = {name: each for name, each in now.items() if name != FALLBACK or "text" not in said}
    return kept | dict(said)


def with_words(content: Content, words: Words, locale: str) -> Content:
    """The content, its slots holding a person's words where there are any, in the language of a message."""
    slots = tuple(
        replace(each, variants=(_variant(words[each.name], locale, content.default_locale),))
        if each.name in words
        else each
        for each in content.slots
    )
    return replace(content, slots=slots)


def _variant(fields: Mapping[str, str], locale: str, default: str) -> Variant:
    return Variant(EDITED, texts={default: dict(fields), locale: dict(fields)})
