"""The people who run Germane: who they are, what they may do, how they are known again."""

from __future__ import annotations

from typing import Literal

import msgspec

Role = Literal["admin", "editor", "approver", "analyst", "privacy officer"]
ROLES: tuple[Role, ...] = ("admin", "editor", "approver", "analyst", "privacy officer")
JUDGES: tuple[Role, ...] = ("admin", "editor", "approver", "privacy officer")
"""Roles that may see what waits for approval: policies may name these."""
TOKEN_PREFIX = "gop_"  # noqa: S105 - what every token begins with is no secret
NAME_MAX = 64


class Operator(msgspec.Struct, frozen=True, omit_defaults=True):
    """One of them."""

    name: str
    """Unique; approvals, the log and policies call them by it."""
    roles: tuple[Role, ...] = ()
    limit: float | None = None
    """What they may approve alone goes no higher than this amount; ``None``: nothing beside their roles
    limits them."""
    token: str = ""
    """SHA-256 of their token, in hexadecimal. The token itself is kept nowhere."""
    disabled: bool = False
    """They can do nothing any more, and what they approved counts no longer."""
    since_ms: int = 0

    @property
    def writes(self) -> bool:
        """Whether they may change the text of a message."""
        return not self.disabled and any(
            each in self.roles for each in ("admin", "editor", "approver")
        )
