"""The keys of the configuration, and how a request presents a key."""

from __future__ import annotations

import hmac
from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass
from functools import lru_cache

from starlette.requests import Request

from germane.api.heads import header

LAST = 1_000
"""So many Authorization headers need not be taken apart again; whose they are is asked each time."""
LONG = 1_000
"""Characters: a header that has more is not kept."""


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
    return credentials(request)[0]


def credentials(request: Request) -> tuple[str | None, str]:
    """User name and password of the Authorization header; a bearer token is taken as the user name."""
    said = header(request, b"authorization")
    return _read(said) if len(said) <= LONG else _read.__wrapped__(said)


@lru_cache(maxsize=LAST)
def _read(said: str) -> tuple[str | None, str]:
    scheme, _, value = said.partition(" ")
    value = value.strip()
    if scheme.lower() == "bearer":
        return value or None, ""
    if scheme.lower() != "basic":
        return None, ""
    try:
        decoded = b64decode(value + "=" * (-len(value) % 4)).decode("utf-8")
    except (Base64Error, UnicodeDecodeError, ValueError):
        return None, ""
    user, _, password = decoded.partition(":")
    return (user, password) if user else (None, "")


def same(given: str | None, key: str) -> bool:
    """Equal, in constant time; an empty key fits nothing."""
    if not given or not key:
        return False
    return hmac.compare_digest(given.encode(), key.encode())
