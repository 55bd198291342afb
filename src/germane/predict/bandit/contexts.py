"""A small sample of the contexts of decisions: over whom a gain is averaged.

A weighted sample without replacement: every context has the key ``log(-log(u)) - ln(2) * t / half_life``
with ``u`` in (0, 1) from a hash of it, and those with the lowest keys are kept (Efraimidis & Spirakis
2006, "Weighted random sampling with a reservoir"). Weights halve with age at the same pace for all, so
keys never change, and what is kept depends on the contexts alone, not on their order.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from hashlib import blake2b

import msgspec

Context = tuple[float, tuple[float, ...]]
"""Key and features."""

KEPT = 256
KEPT_OF_BUCKET = 64


def keyed(at_ms: int, features: tuple[float, ...], half_life_ms: float, action: str) -> Context:
    """A context with its key."""
    packed = msgspec.msgpack.encode((at_ms, features, action))
    number = int.from_bytes(blake2b(packed, digest_size=6).digest(), "big")
    u = (number + 0.5) / 2**48
    return math.log(-math.log(u)) - math.log(2) * at_ms / half_life_ms, features


def lowest(contexts: Iterable[Context], limit: int) -> list[Context]:
    """Those with the lowest keys."""
    return sorted(contexts)[:limit]
