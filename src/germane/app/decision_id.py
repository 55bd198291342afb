"""Decision ids that describe themselves and are signed.

An outcome can be attributed from the id alone, even when the node died before the decision's record
was durable. Layout: base64url of MessagePack ``[surface, arm, at_s, seed, items, version, digest]``
followed by the first 12 bytes of HMAC-SHA256 over it.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

import msgspec

from germane.domain.decision import Arm, Choice, SlateItem

_MAC_BYTES = 12


class Described(msgspec.Struct, frozen=True, array_like=True):
    """What a decision id says."""

    surface: str
    arm: Arm
    at_s: int
    seed: int
    items: tuple[str, ...]
    model_version: str
    propensities: bytes
    """8-byte BLAKE2b of the propensities as they were logged."""


def propensity_digest(items: Sequence[SlateItem], choice: Choice | None = None) -> bytes:
    """8 bytes over the propensities in position order; over the choice's where there is one."""
    propensities = [each.propensity for each in items] if choice is None else [choice.propensity]
    packed = msgspec.msgpack.encode(propensities)
    return blake2b(packed, digest_size=8).digest()


def sign(described: Described, key: bytes) -> str:
    """The id as text, URL-safe."""
    packed = msgspec.msgpack.encode(described)
    return urlsafe_b64encode(packed + _mac(packed, key)).rstrip(b"=").decode()


def verify(decision_id: str, key: bytes) -> Described | None:
    """What the id says, or ``None`` when it is not one of ours."""
    try:
        raw = urlsafe_b64decode(decision_id + "=" * (-len(decision_id) % 4))
        packed, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        if not hmac.compare_digest(mac, _mac(packed, key)):
            return None
        return msgspec.msgpack.decode(packed, type=Described)
    except (Base64Error, ValueError, msgspec.DecodeError):
        return None


def _mac(packed: bytes, key: bytes) -> bytes:
    mac = _keyed(key).copy()
    mac.update(packed)
    return mac.digest()[:_MAC_BYTES]


@lru_cache(maxsize=8)
def _keyed(key: bytes) -> hmac.HMAC:
    """HMAC-SHA256 (RFC 2104) that has taken the key. The one-shot function lets go of the interpreter for
    every id, and gets it back only when the threads that write have had their turn."""
    return hmac.new(key, digestmod="sha256")
