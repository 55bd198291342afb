"""Links of our own in messages: sealed tokens that say all there is to know, to us alone.

A token is ``version, synthetic IV, ciphertext`` in base64url. The IV is the first 16 bytes of an HMAC-SHA256
over the content, so it is also the signature; the key stream is SHAKE-256 over another key and the IV (the SIV
construction: equal contents give equal tokens, nothing else is told). Nobody but us can make a token or
read who it is for, and a link leads nowhere but to the address that is sealed in it.
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from hashlib import blake2b, shake_256
from typing import Literal

import msgspec

LinkKind = Literal["c", "o", "u", "w"]
"""click, open, unsubscribe, why: the first part of the path, too."""
_VERSION = b"\x01"
_IV = 16
_TEXT = re.compile(r"[A-Za-z0-9_-]{24,8000}")
_encode = msgspec.msgpack.Encoder().encode


class Link(msgspec.Struct, frozen=True, array_like=True):
    """What a token says."""

    kind: LinkKind
    message_id: str
    person: str
    at_s: int
    """When the message was made, s since 1970 UTC."""
    campaign_id: str = ""
    decision_id: str = ""
    purpose: str = ""
    url: str = ""
    """Of a click: where it leads."""
    number: int = 0
    """Of a click: which link of the message, from 0."""
    of: int = 0
    """Of a click: how many links the message has."""


class LinkKeys:
    """Makes and opens tokens. The first secret makes them; all of them open, so that old mails keep working."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        """Raises ValueError without a secret."""
        if not secrets or not all(secrets):
            msg = "Links need a secret that is not empty."
            raise ValueError(msg)
        self._pairs = [(_derived(each, b"sign"), _derived(each, b"seal")) for each in secrets]

    def seal(self, link: Link) -> str:
        """The token, safe in a URL."""
        packed = _encode(link)
        sign, cipher = self._pairs[0]
        iv = hmac.digest(sign, _VERSION + packed, "sha256")[:_IV]
        return urlsafe_b64encode(_VERSION + iv + _mixed(packed, cipher, iv)).rstrip(b"=").decode()

    def open(self, token: str, kind: LinkKind) -> Link | None:
        """What the token says, or None when it is not one of ours, or of another kind."""
        if not _TEXT.fullmatch(token):
            return None
        try:
            raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except (Base64Error, ValueError):
            return None
        if raw[:1] != _VERSION:
            return None
        iv, sealed = raw[1 : 1 + _IV], raw[1 + _IV :]
        for sign, cipher in self._pairs:
            packed = _mixed(sealed, cipher, iv)
            if hmac.compare_digest(iv, hmac.digest(sign, _VERSION + packed, "sha256")[:_IV]):
                link = msgspec.msgpack.decode(packed, type=Link)
                return link if link.kind == kind else None
        return None


def _derived(secret: bytes, use: bytes) -> bytes:
    return blake2b(secret[:64], person=b"germane-link-v1", salt=use, digest_size=32).digest()


def _mixed(data: bytes, key: bytes, iv: bytes) -> bytes:
    stream = shake_256(key + iv).digest(len(data))
    return (int.from_bytes(data, "big") ^ int.from_bytes(stream, "big")).to_bytes(len(data), "big")
