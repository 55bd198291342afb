"""What an author typed, apart from what values will say: prices, banned words, addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from germane.domain.settings import ContentSpec
from germane.generate.links import wrong_with

_LIQUID = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_TAGS = re.compile(r"\{%.*?%\}", re.DOTALL)
_VALUES = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_NUMBER = r"\d{1,3}(?:[.,' \u00a0\u202f]?\d{3})*(?:[.,]\d{1,2})?(?:[.,]?[-–—]{1,2})?"
_SIGN = (
    r"(?:[€$£¥₹₽₺₩]|\b(?:EUR|USD|GBP|CHF|JPY|SEK|NOK|DKK|PLN|CZK|HUF|CAD|AUD|[Ee]uros?|[Dd]ollars?|"
    r"kr|zł|Fr\.)(?!\w))"
)
_PRICE = re.compile(rf"{_SIGN}[ \u00a0\u202f]?{_NUMBER}|{_NUMBER}[ \u00a0\u202f]?{_SIGN}")
_SHARE = re.compile(
    r"[-–−]?\d{1,3}(?:[.,]\d+)?[ \u00a0\u202f]?(?:%|percent\b|Prozent\b|pour cent\b|por ciento\b)"
)
_LINK = re.compile(r"\]\(([^()\n]+)\)")
_TYPED = re.compile(
    r"(?<!\]\()(?<![\w/@.])(?:[a-z][a-z0-9+.-]*://|www\.)[^\s<>()\[\]]+", re.IGNORECASE
)


def literal(source: str) -> str:
    """What stands outside of Liquid; each piece of Liquid is one sign that is no letter."""
    return _LIQUID.sub("\ufffc", source)


def literal_claims(source: str) -> list[str]:
    """Prices and shares that were typed: ``59 €``, ``$1,200.00``, ``20 %``."""
    text = literal(source)
    return [found[0].strip() for pattern in (_PRICE, _SHARE) for found in pattern.finditer(text)]


def banned_words(source: str, banned: Iterable[str]) -> list[str]:
    """The banned words (or phrases) that a text has, whatever their case."""
    text = " ".join(literal(source).casefold().split())
    return [
        each
        for each in banned
        if re.search(rf"(?<!\w){re.escape(' '.join(each.casefold().split()))}(?!\w)", text)
    ]


def check_address(source: str, spec: ContentSpec, *, image: bool = False) -> tuple[str, str] | None:
    """What is wrong with the address in a field, as far as it is written out; None: nothing.

    An address that is a value (``{{ item.url }}``) is looked at when it is filled.
    """
    source = _TAGS.sub("", source).strip()
    if source.startswith("{{"):
        return None
    beginning = re.split(r"(?<![:/])/|\?|#", source.partition("://")[2], maxsplit=1)[0]
    if "{{" in beginning or "{{" in source.partition(":")[0]:
        return (
            "A value stands in its host or scheme: it could lead anywhere.",
            "Write scheme and host out, and let values stand behind them.",
        )
    return wrong_with(_VALUES.sub("x", source), spec, image=image)


def typed_addresses(source: str, spec: ContentSpec) -> Iterator[tuple[str, tuple[str, str]]]:
    """Addresses in a text that may not stand there: linked, or only typed (mail programs link them)."""
    for found in _LINK.finditer(source):
        wrong = check_address(found[1], spec)
        if wrong is not None:
            yield found[1], wrong
    for found in _TYPED.finditer(literal(source)):
        url = found[0].rstrip(".,;:!?")
        whole = url if "://" in url else f"https://{url}"
        wrong = wrong_with(whole.replace("\ufffc", "x"), spec)
        if wrong is not None:
            yield url, wrong
