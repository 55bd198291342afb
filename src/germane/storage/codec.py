"""State as bytes: the same on every binding, so that hashes can be compared."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from hashlib import blake2b, sha256
from typing import Any

import msgspec

from germane.domain.decision import Decision
from germane.domain.item import Item
from germane.domain.profile import Profile

encode = msgspec.msgpack.Encoder().encode
_decode_profile = msgspec.msgpack.Decoder(Profile).decode
decode_item = msgspec.msgpack.Decoder(Item).decode
decode_decision = msgspec.msgpack.Decoder(Decision).decode

_PACKED = zlib.compress(b"", 1)[:1]
"""What packed bytes begin with; a profile's own begin as an array does."""


def pack(data: bytes) -> bytes:
    """A profile's bytes in half the room: most of them are the same few names and months again."""
    return zlib.compress(data, 1)


def unpack(data: bytes) -> bytes:
    """The bytes of ``pack``, or those that were never packed (up to schema 6).

    Raises:
        msgspec.DecodeError: they are damaged.
    """
    if data[:1] != _PACKED:
        return data
    try:
        return zlib.decompress(data)
    except zlib.error as error:
        raise msgspec.DecodeError(str(error)) from None


def decode_profile(data: bytes) -> Profile:
    """Of bytes that are packed, or not."""
    return _decode_profile(unpack(data))


def dedupe_key(tenant: str, message_id: str) -> bytes:
    """16 bytes that stand for a message id of a tenant."""
    named = f"{tenant}\x00{message_id}".encode("utf-8", "surrogatepass")
    return blake2b(named, digest_size=16).digest()


def state_digest(
    profiles: Iterable[tuple[str, str, bytes]],
    identities: Iterable[tuple[str, str, str]],
    items: Iterable[tuple[str, str, bytes]],
    entries: Iterable[tuple[Any, ...]],
    offsets: Iterable[tuple[int, int]],
) -> str:
    """SHA-256 over state in canonical order: each argument sorted by its leading columns."""
    digest = sha256()
    for part in (profiles, identities, items, entries, offsets):
        for row in part:
            digest.update(encode(row))
        digest.update(b"|")
    return digest.hexdigest()


def digest_of(names: list[str]) -> str:
    """SHA-256 of some names in their order."""
    return sha256(encode(names)).hexdigest()


def canonical_profile(data: bytes) -> bytes:
    """``canonical`` of a profile, packed or not: neither does that show."""
    return canonical(unpack(data))


def canonical(data: bytes) -> bytes:
    """Bytes of state with every map in key order: how it came about does not show."""
    return encode(_ordered(msgspec.msgpack.decode(data)))


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _ordered(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_ordered(each) for each in value]
    return value
