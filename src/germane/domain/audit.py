"""The audit log: who did what, in a chain of hashes (``privacy.chain``)."""

from __future__ import annotations

import msgspec


class AuditRecord(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One thing that somebody did, or was refused."""

    at_ms: int
    actor: str
    """``operator ann``, ``key 1f0c...``, ``server key``, ``command line``; empty: nobody who is known."""
    permission: str
    act: str
    """Method and route, without ids: ``DELETE /v1/items/{item_id}``."""
    target: str = ""
    """What it was done to, by its id; of a person a pseudonym (``person 4d0a...``), never their id, and of a
    message or its approval another one (``message 77b2...``): their ids are made from the person's."""
    status: int = 200
    """Of the answer."""
    count: int = 1
    """Of refusals: how many there were since the one before that was recorded."""


class AuditLink(msgspec.Struct, frozen=True, gc=False):
    """A record as one link of the chain."""

    place: int
    """From 1."""
    salt: str
    seal: bytes
    digest: bytes
    """Of the chain up to here, this one included."""
    body: bytes
    """The record as JSON, exactly as it was sealed."""

    def record(self) -> AuditRecord:
        """What it says."""
        return msgspec.json.decode(self.body, type=AuditRecord)


class AuditHead(msgspec.Struct, frozen=True, gc=False):
    """Where the chain ends."""

    count: int
    digest: bytes
