"""State as bytes: the same on every binding, so that hashes can be compared."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b, sha256
from typing import Any

import msgspec

from germane.domain.decision import Decision
from germane.domain.item import Item
from germane.domain.profile import Profile

encode = msgspec.msgpack.Encoder().encode
decode_profile = msgspec.msgpack.Decoder(Profile).decode
decode_item = msgspec.msgpack.Decoder(Item).decode
decode_decision = msgspec.msgpack.Decoder(Decision).decode


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


def canonical(data: bytes) -> bytes:
    """A profile's bytes with every map in key order: how it came about does not show."""
    return encode(_ordered(msgspec.msgpack.decode(data)))


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _ordered(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_ordered(each) for each in value]
    return value
