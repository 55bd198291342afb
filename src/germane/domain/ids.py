"""Identifiers, and the partition a person lives in."""

from __future__ import annotations

from hashlib import blake2b
from typing import NewType

TenantId = NewType("TenantId", str)
PersonId = NewType("PersonId", str)
"""A person's key inside a tenant: ``u:<userId>`` when known, else ``a:<anonymousId>``."""
ItemId = NewType("ItemId", str)
SurfaceId = NewType("SurfaceId", str)
DecisionId = NewType("DecisionId", str)
MessageId = NewType("MessageId", str)

SLOTS = 4096
"""Number of partitions, fixed for ever (law 9)."""

DEFAULT_TENANT = TenantId("main")
FOLDER_SECRET = "decision_key"  # noqa: S105 - its name, not the secret
"""The named value of a store that holds the secret of its data folder."""


def external_id(value: str | float) -> str:
    """An id as clients send it, as the text that it is known by: numbers are written out, spaces around
    it do not count. Events and questions must agree on it."""
    if isinstance(value, str):
        return value.strip()
    whole = isinstance(value, int) or value.is_integer()
    return str(int(value)) if whole else repr(value)


def known_person(user_id: str) -> PersonId:
    """Key of a person who told us who they are."""
    return PersonId(f"u:{user_id}")


def anonymous_person(anonymous_id: str) -> PersonId:
    """Key of a visitor known only by a device or browser id."""
    return PersonId(f"a:{anonymous_id}")


def slot_of(tenant: TenantId, person: PersonId) -> int:
    """Partition of a person, in [0, 4096): the first 12 bits of BLAKE2b over tenant and person."""
    digest = blake2b(f"{tenant}\x00{person}".encode(), digest_size=2).digest()
    return int.from_bytes(digest, "big") % SLOTS


def share_of(tenant: str, person: str, salt: str) -> float:
    """A person's fixed place in [0, 1) for a sticky assignment named ``salt``."""
    digest = blake2b(f"{tenant}\x00{salt}\x00{person}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def order_key(signal: str, order_id: str) -> int:
    """64 bits, never 0, that stand for an order id of a signal."""
    named = f"{signal}:{order_id}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(named, digest_size=8).digest(), "big") or 1
