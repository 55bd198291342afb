"""Keys that are made while serving: what each opens, and what is kept of it."""

from __future__ import annotations

from hashlib import sha256
from typing import Literal

import msgspec

Scope = Literal["write", "server", "admin"]
SCOPES: tuple[Scope, ...] = ("write", "server", "admin")
PREFIX: dict[Scope, str] = {"write": "gw_", "server": "gs_", "admin": "ga_"}
"""What a key begins with: who finds one in a file or a log knows what it opens."""
SECRET_BYTES = 24
"""Random bytes in a key: 192 bits."""
NAME_MAX = 64
DAY_MS = 86_400_000


class ApiKey(msgspec.Struct, frozen=True, omit_defaults=True):
    """One of them, without the key itself."""

    key_id: str
    """Public: lists, the log and the audit log call it by that."""
    scope: Scope
    digest: str
    """``key_hash`` of it."""
    name: str = ""
    by: str = ""
    """Who made it."""
    made_ms: int = 0
    expires_ms: int = 0
    """It opens nothing from then on; 0: never."""
    revoked_ms: int = 0
    """When it was taken back; 0: it was not."""
    used_day: int = 0
    """The last day on which it opened something, in days since 1970; 0: it never did."""
    successor: str = ""
    """Id of the key that was made in its place: it goes on for an overlap alone."""
    whole_ms: int = 0
    """With a successor: when it would have expired without one; 0: never."""

    def opens(self, now_ms: int) -> bool:
        """Whether it opens anything now."""
        return not self.revoked_ms and not 0 < self.expires_ms <= now_ms


def key_hash(key: str) -> str:
    """SHA-256, in hexadecimal. Keys are random and long: nobody can try them all, so that a slow hash would
    add nothing but time to every request."""
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
