"""The keys of the configuration, and how a request presents a key."""

from __future__ import annotations

import hmac
from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass

from starlette.requests import Request


@dataclass(frozen=True, slots=True)
class Keys:
    """The project's keys, as the configuration or the environment has them."""

    write: str
    server: str
    """Signs person tokens, too. It counts as an admin key until one is made."""
    local: bool = False
    """Whoever has the data folder asks: nothing is closed to them."""


def presented(request: Request) -> str | None:
    """The key in the Authorization header: basic user name, or bearer."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    value = value.strip()
    if scheme.lower() == "bearer":
        return value or None
    if scheme.lower() != "basic":
        return None
    try:
        decoded = b64decode(value + "=" * (-len(value) % 4)).decode("utf-8")
    except (Base64Error, UnicodeDecodeError, ValueError):
        return None
    return decoded.partition(":")[0] or None


def same(given: str | None, key: str) -> bool:
    """Equal, in constant time; an empty key fits nothing."""
    if not given or not key:
        return False
    return hmac.compare_digest(given.encode(), key.encode())
