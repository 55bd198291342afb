"""Erasure, as far as it is pure: who is meant without saying who, what names somebody, the receipt.

A person is known by a *mark* after they were erased: HMAC-SHA256 of their key with a secret of the data folder.
Whoever has the key of a person and the secret can tell that they were erased; a mark alone says nothing.
"""

from __future__ import annotations

import hmac
import html
import json
import quopri
import re
from collections.abc import Collection, Iterator
from hashlib import sha256
from typing import Any
from urllib.parse import unquote

import msgspec

from germane.domain.event import DeadLetter
from germane.domain.ids import external_id

_IDS = ("userid", "anonymousid", "previousid")
_EMAIL = "email"
"""Names of the fields that say whose a letter is, without capitals and underscores."""
_ROUNDS = 3
"""So many times an address may have been encoded."""
_ESCAPED = re.compile(r"\\u00([0-7][0-9a-fA-F])")
_SOFT = re.compile(r"=(?:\\r)?\\n")
"""End of a quoted-printable line inside of JSON."""
_LONG = 6
"""Shorter names are looked for only where a person is named: they may be any number or word."""


class Line(msgspec.Struct, frozen=True, rename="camel"):
    """One erasure, as the list beside the database keeps it."""

    receipt: str
    at_ms: int
    people: dict[str, int]
    """Mark -> what was recorded under that key up to this time went, in ms since 1970."""


def mark(key: bytes, tenant: str, person: str) -> str:
    """Stands for a person key."""
    named = f"person\x00{tenant}\x00{person}".encode("utf-8", "surrogatepass")
    return _hmac(key, named)


def signed(key: bytes, receipt: dict[str, Any]) -> dict[str, Any]:
    """A receipt with its signature."""
    return receipt | {"signature": _hmac(key, _canonical(receipt))}


def genuine(key: bytes, receipt: dict[str, Any]) -> bool:
    """Whether a receipt was signed with this key, and not changed since."""
    said = receipt.get("signature")
    whole = {name: value for name, value in receipt.items() if name != "signature"}
    return isinstance(said, str) and hmac.compare_digest(
        said.encode("utf-8", "replace"), _hmac(key, _canonical(whole)).encode()
    )


def _hmac(key: bytes, data: bytes) -> str:
    return hmac.new(hmac.digest(key, b"germane erasure", sha256), data, sha256).hexdigest()


def _canonical(receipt: dict[str, Any]) -> bytes:
    named = json.dumps(receipt, sort_keys=True, separators=(",", ":"))
    return b"receipt\x00" + named.encode()


def mentions(text: str, names: Collection[str]) -> bool:
    """Whether one of the names stands in a text as a whole word."""
    return any(
        re.search(rf"(?<![\w-]){re.escape(each)}(?![\w-])", text) for each in names if each in text
    )


def is_of(letter: DeadLetter, ids: Collection[str], emails: Collection[str]) -> bool:
    """Whether a dead letter is a person's: by its ids, or because it holds one of their addresses, whomever it
    names; else, where it names nobody, because it mentions them.

    Args:
        letter: Of anybody.
        ids: The person's user ids, anonymous ids and person keys.
        emails: Their addresses.
    """
    body = letter.body.decode("utf-8", "replace")
    try:
        whole = json.loads(body)
        said, plain = [*_named(whole)], json.dumps(whole, ensure_ascii=False)
    except (ValueError, RecursionError):
        said, plain = [], ""
    named = {value for name, value in said if name in _IDS}
    told = {value.casefold() for name, value in said if name == _EMAIL}
    text = "\n".join(_read_as(f"{body} {plain} {letter.message}"))
    if not named.isdisjoint(ids) or _holds(text, told, emails):
        return True
    if named or told:
        return not named and not told.isdisjoint(each.casefold() for each in emails)
    return mentions(text, [each for each in (*ids, *emails) if len(each) >= _LONG])


def _read_as(text: str) -> Iterator[str]:
    """A text, and how it reads to whoever undoes how addresses travel: percent-encoded in a link, perhaps
    twice (``anna%2540x.example``), as entities of HTML, quoted-printable in a mail, escaped in broken JSON."""
    known = {text}
    yield text
    for _ in range(_ROUNDS):
        escaped = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
        text = html.unescape(unquote(escaped))
        for each in (text, _unquoted(text)):
            if each not in known:
                known.add(each)
                yield each


def _unquoted(text: str) -> str:
    """As a quoted-printable mail (RFC 2045) reads."""
    data = _SOFT.sub("", text).encode("utf-8", "replace")
    return quopri.decodestring(data).decode("utf-8", "replace")


def _holds(text: str, told: set[str], emails: Collection[str]) -> bool:
    """Whether one of the addresses is told, or stands anywhere in a text. What has no ``@`` is any word."""
    addresses = {each.casefold() for each in emails if "@" in each}
    folded = text.casefold()
    return not told.isdisjoint(addresses) or any(
        re.search(rf"(?<![\w.+-]){re.escape(each)}(?![\w-]|\.\w)", folded)
        for each in addresses
        if each in folded
    )


def _named(value: object) -> Iterator[tuple[str, str]]:
    """What a letter names people by, and how."""
    if isinstance(value, dict):
        for name, each in value.items():
            simple = str(name).lower().replace("_", "")
            if simple in (*_IDS, _EMAIL) and isinstance(each, str | int | float):
                if said := external_id(each):
                    yield simple, said
            else:
                yield from _named(each)
    elif isinstance(value, list):
        for each in value:
            yield from _named(each)
