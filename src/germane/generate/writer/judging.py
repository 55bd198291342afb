"""A draft, held against all that could be wrong with it. What cannot be told by rules is left to a person."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from msgspec.structs import replace

from germane.domain.content import FALLBACK, Variant
from germane.domain.errors import TemplateRefused
from germane.generate.liquid import compiled
from germane.generate.locales import known
from germane.generate.said import banned_words, literal, literal_claims
from germane.generate.seeing import names_in, wrong_name
from germane.generate.trial import needs
from germane.generate.writer.brief import LIMITS, Brief

_MARKUP = re.compile(r"<\s*[a-zA-Z/!?]|&[a-zA-Z]+;|&#")
_ADDRESS = re.compile(
    r"://|\bwww\.|\]\s*\(|\bmailto:|\bjavascript:|[\w.+-]+@[\w-]+\.\w|"
    r"\b[\w-]+\.(?:com|net|org|io|dev|shop|app|example|de|at|ch|fr|uk|eu|it|es|nl)\b",
    re.IGNORECASE,
)
_HIDDEN = re.compile(
    "[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ue000-\uf8ff\x00-\x08\x0b-\x1f\x7f]"
)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*[®™©]?")
_BEGINS = re.compile(r"(?:^|[.!?…:–—\n\"“„»«(-]|\ufffc)\s*[\"“„»«']?$")
NOUNS_ARE_LARGE = ("de", "lb")
"""Languages in which a capital letter says nothing about names."""


def faults(fields: dict[str, str], brief: Brief) -> list[str]:
    """What is wrong with a draft's fields, each in a sentence; empty: it may be shown to a person."""
    found: list[str] = []
    for name in ("text", FALLBACK):
        if name in fields:
            found += [f"{each} ({fields[name][:60]!r})" for each in _text(fields[name], brief)]
    if not found:
        found += _always_there(fields, brief)
    return found


def _text(text: str, brief: Brief) -> Iterator[str]:
    limit = LIMITS[brief.slot.kind]
    if len(text) > 5 * limit:
        yield f"It is longer than {limit} characters."
        return
    shown = literal(text)
    if len(shown) > limit:
        yield f"It is longer than {limit} characters."
    if "\n" in text.strip() and brief.slot.kind != "text":
        yield "It has more than one line."
    if _HIDDEN.search(text):
        yield "It has signs that cannot be seen."
    if _MARKUP.search(shown):
        yield "It has mark-up."
    if _ADDRESS.search(shown):
        yield "It has a link or an address."
    for word in banned_words(text, brief.spec.banned_words):
        yield f"It uses {word!r}, which is banned."
    yield from _claims(text, brief)
    yield from _names(text, brief)
    yield from _liquid(text, brief)


def _liquid(text: str, brief: Brief) -> Iterator[str]:
    try:
        template = compiled(text)
    except TemplateRefused as error:
        yield f"Its Liquid is wrong: {error.message}"
        return
    for path in names_in(template):
        wrong = wrong_name(path, brief.settings, brief.settings.attributes)
        if wrong is not None:
            yield wrong.text
        elif path[0] == "item" and not brief.about_item:
            yield "It speaks of an item, and the content is about none."
        elif path[0] in ("event", "context", "account"):
            yield f"It looks up {path[0]}, which it was not offered."


def _claims(text: str, brief: Brief) -> Iterator[str]:
    """Numbers that nobody gave: prices, discounts, stocks, customers."""
    said = brief.text.casefold()
    told = literal_claims(text)
    for each in told:
        if each.casefold() not in said:
            yield f"It states {each!r}, which neither brief nor catalogue says."
    given = set(_NUMBER.findall(brief.text))
    for number in _NUMBER.findall(literal(text)):
        if number not in given and not any(number in each for each in told):
            yield f"It states the number {number}, which the brief does not."


def _names(text: str, brief: Brief) -> Iterator[str]:
    """Names of products: those of the catalogue are filled in, others were made up."""
    shown, said = literal(text), brief.text.casefold()
    for title in brief.catalogue.titles:
        if len(title) > 3 and title.casefold() in shown.casefold() and title.casefold() not in said:
            yield f"It names {title!r}: names of items are filled in from the catalogue."
    words = _vocabulary(brief)
    large = known(brief.locale).language in NOUNS_ARE_LARGE
    for found in _WORD.finditer(shown):
        word = found[0]
        plain = word.rstrip("®™©").casefold()
        if plain in words or plain.partition("'")[0].partition("’")[0] in words:
            continue
        inner = any(x.isupper() for x in word[1:]) and not word.isupper()
        marked = word[-1] in "®™©"
        amid = word[0].isupper() and not large and not _BEGINS.search(shown[: found.start()])
        if inner or marked or (amid and len(word) > 1):
            yield f"{word!r} looks like a name, and neither brief nor catalogue has it."


def _vocabulary(brief: Brief) -> frozenset[str]:
    """Words that may be written large: of the brief, of kinds and brands, the sender, the calendar."""
    told = " ".join(
        (
            brief.text,
            brief.content.title,
            brief.settings.project,
            brief.spec.sender_name,
            *brief.catalogue.categories,
            *brief.catalogue.brands,
        )
    )
    return frozenset(x.casefold() for x in _WORD.findall(told)) | _calendar(brief.locale)


@lru_cache(maxsize=64)
def _calendar(tag: str) -> frozenset[str]:
    """Days and months."""
    locale = known(tag)
    names = [*locale.days["format"]["wide"].values(), *locale.months["format"]["wide"].values()]
    return frozenset(str(each).casefold() for each in names)


def _always_there(fields: dict[str, str], brief: Brief) -> list[str]:
    """It must be filled for somebody of whom nothing is known, too."""
    whole = {**_rest(brief), **fields}
    variant = Variant("draft", texts={brief.locale: whole})
    slot = replace(brief.slot, variants=(variant,))
    try:
        missing = needs(brief.content, slot, variant, brief.locale, brief.settings, brief.spec)
    except TemplateRefused as error:
        return [f"It cannot be filled: {error.message}"]
    return (
        [f"It cannot be filled where {missing}: it needs a default or a fallback."]
        if missing
        else []
    )


def _rest(brief: Brief) -> dict[str, str]:
    """The fields that a writer does not write (where a button leads), from the variant that has them."""
    return rest_of(brief.slot.variants, brief.locale)


def rest_of(variants: tuple[Variant, ...], locale: str) -> dict[str, str]:
    """Fields beside the text, of the first variant in that language."""
    for each in variants:
        fields = each.texts.get(locale)
        if fields:
            return {k: v for k, v in fields.items() if k not in ("text", FALLBACK)}
    return {}
