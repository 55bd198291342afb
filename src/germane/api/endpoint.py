"""One method at one address: what the router and the OpenAPI description are made of."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import Response

from germane.api.permissions import PERSONAL, TRAFFIC, Permission

Handler = Callable[[Request], Awaitable[Response]]
Security = Literal["none", "write", "browser", "server", "operator"]
"""Which key opens it; ``browser``: the write key with a person token, or the server key; ``operator``: an
operator's token, or the server key."""
_OF_TRAFFIC: dict[str, Security] = {
    "open": "none",
    "track": "write",
    "decide": "browser",
    "decide.many": "server",
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method at one address."""

    method: str
    path: str
    handler: Handler
    summary: str
    tag: str
    permission: Permission
    """What who calls it must be allowed to do: ``guard.py`` asks for it before the handler is called."""
    body: type | None = None
    answer: dict[str, Any] = field(default_factory=lambda: {"type": "object"})
    media: str = "application/json"
    query: tuple[tuple[str, int, int], ...] = ()
    """Names of whole-number query parameters with their least and largest value."""
    texts: tuple[str, ...] = ()
    """Names of query parameters that are texts."""
    also: tuple[int, ...] = ()
    """Statuses beside 200 and the errors that every route may give."""

    @property
    def security(self) -> Security:
        """Which kind of key opens it."""
        return _OF_TRAFFIC.get(self.permission, "operator")

    @property
    def act(self) -> str:
        """Method and route, without ids."""
        return f"{self.method} {self.path}"

    @property
    def audited(self) -> bool:
        """Whether the audit log tells who called it."""
        if self.permission in TRAFFIC:
            return False
        return self.method != "GET" or self.permission in PERSONAL
