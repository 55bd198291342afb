"""A hash chain: entries in order, each bound to all before it, so that no edit goes unnoticed.

    seal_n = SHA-256(salt_n || body_n)          digest_n = SHA-256(digest_(n-1) || seal_n)

(Haber & Stornetta 1991, "How to time-stamp a digital document".) A body can be erased without breaking the
chain: its seal stays, and without its salt nobody can find out what it was of by trying.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

START = bytes(32)
"""The digest before the first entry."""


class Joint(NamedTuple):
    """One entry of a chain, as it was stored."""

    seal: bytes
    digest: bytes
    salt: str = ""
    body: bytes | None = None
    """``None``: erased, only its seal is left."""


def seal(salt: str, body: bytes) -> bytes:
    """What an entry is bound by, 32 bytes."""
    name = salt.encode()
    return sha256(len(name).to_bytes(4, "big") + name + body).digest()


def joined(before: bytes, sealed: bytes) -> bytes:
    """The digest of a chain after one more entry, 32 bytes."""
    return sha256(before + sealed).digest()


def broken(entries: Iterable[Joint], head: bytes, start: bytes = START) -> int | None:
    """Place, from 0, of the first entry that is not what it was; ``None``: all of them are.

    Args:
        entries: The whole chain in its order, or a part of it.
        head: The digest after the last entry, as it is kept beside the chain; where it does not fit, entries
            are missing at the end: their place is told.
        start: The digest before the first of them.
    """
    digest, count = start, 0
    for place, each in enumerate(entries):
        digest = joined(digest, each.seal)
        if digest != each.digest:
            return place
        if each.body is not None and seal(each.salt, each.body) != each.seal:
            return place
        count = place + 1
    return None if digest == head else count
