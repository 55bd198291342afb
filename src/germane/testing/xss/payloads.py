"""The payloads by family, each with where it is meant to act."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from germane.testing.xss import addresses, breakouts, parsers, tags

GOOD = "https://shop.example/x"
FAMILIES = {
    "script": "Elements that run by themselves, and ways to call from them (OWASP filter evasion)",
    "handler": "Attributes that run at an event; how elements may be spelled (PortSwigger, html5sec)",
    "svg": "SVG and MathML: other rules for the same words (html5sec, DOMPurify's tests)",
    "frame": "Frames, embedded things, forms, base and refresh (html5sec, PortSwigger)",
    "address": "Addresses that run, in every disguise (OWASP, WHATWG URL)",
    "scheme": "Addresses of other kinds, and those that only look so",
    "attribute": "Out of an attribute, by each quote and without one",
    "element": "Out of an element, a comment, a text",
    "string": "Out of a text, a template or a value in a script or in JSON (U+2028 among it)",
    "template": "What template languages and mark-up would read: Liquid, CEL, MJML, Markdown, Vue, Angular",
    "mutation": "What parsers read otherwise than they wrote (Heiderich, DOMPurify's bypasses)",
    "encoding": "UTF-7, UTF-16, overlong, zero bytes, entities, look-alikes",
    "style": "Style sheets that load, or once ran",
    "clobbering": "Names that take the place of what a script looks for",
    "dangling": "What is left open, to swallow what follows (Zalewski)",
    "polyglot": "For many places at once (0xSobky and others)",
}
"""Name -> what it is, and whose lists its ideas stand in."""


class Payload(NamedTuple):
    """One attempt. If it runs, it calls ``xss``, shows a dialog or asks ``canary.test``, with its number."""

    number: int
    family: str
    text: str
    into: str
    """Where it is meant to act (``controls.PLACES``)."""


def _all() -> Iterable[tuple[str, str, str]]:
    """Family, template, place."""
    for family, texts in (
        ("script", tags.SCRIPTS),
        ("handler", tags.HANDLERS),
        ("svg", tags.SVG),
        ("frame", tags.FRAMES),
    ):
        yield from ((family, each, "html") for each in texts)
    yield from (("address", each, "href") for each in addresses.SCRIPTED)
    yield from (("scheme", each, "href") for each in addresses.OTHERS)
    broken = (each.replace("{a}", GOOD) for each in addresses.BROKEN_OUT)
    yield from (("attribute", each, "href") for each in broken)
    for into, texts in breakouts.OUT_OF_ATTRIBUTES.items():
        yield from (("attribute", each, into) for each in texts)
    yield from (("element", each, into) for each, into in breakouts.out_of_elements())
    for into, texts in breakouts.IN_STRINGS.items():
        yield from (("string", each, into) for each in texts)
    for family, texts, into in (
        ("template", breakouts.TEMPLATES, "html"),
        ("mutation", parsers.MUTATIONS, "html"),
        ("encoding", parsers.ENCODED, "html"),
        ("style", parsers.STYLES, "html"),
        ("style", parsers.IN_STYLES, "style"),
        ("clobbering", parsers.CLOBBERING, "html"),
        ("dangling", parsers.DANGLING, "html"),
        ("polyglot", parsers.POLYGLOTS, "html"),
    ):
        yield from ((family, each, into) for each in texts)


@cache
def payloads() -> tuple[Payload, ...]:
    """All of them; every text is there once."""
    first = {text: (family, into) for family, text, into in reversed([*_all()])}
    ordered = dict.fromkeys(text for _, text, _ in _all())
    return tuple(
        Payload(number, first[text][0], text.replace("§", str(number)), first[text][1])
        for number, text in enumerate(ordered, 1)
    )
