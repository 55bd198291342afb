"""What answers where there is no project: the same routes as in any project, and no key opens one.

So a wrong key is answered alike whether or not the project exists: by the same code, which has no keys to
compare with. What is open in a project is shut here, for nobody's health would be a lie.
"""

from __future__ import annotations

import secrets
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from germane.api.auth import Keys
from germane.api.callers import Callers
from germane.api.endpoint import Endpoint, Handler
from germane.api.errors import on_germane_error, on_http_error
from germane.api.routes import unguarded
from germane.api.server import Edge, over
from germane.app.engine import Engine
from germane.app.inbox import Waiting
from germane.app.world import SystemWorld
from germane.domain.errors import Unauthorized
from germane.domain.settings import Settings
from germane.predict.model import SharedModel
from germane.storage.memory import MemoryStore


def nobody() -> Edge:
    """The application. Its engine is empty, never started, and never written to."""
    settings = Settings()
    key = secrets.token_bytes(32)
    engine = Engine(settings, MemoryStore(), SharedModel(settings), SystemWorld(), key=key)
    callers = Callers(engine, Keys("", ""))
    table = unguarded(engine, callers, streamed=Waiting(engine))
    return over([_shut(each, callers) for each in table], missing=_missing)


def _shut(each: Endpoint, callers: Callers) -> Endpoint:
    """The same endpoint, which refuses in the way that it refuses a wrong key."""
    if each.permission == "open":
        return replace(each, handler=_refuse)
    inside = each.permission in ("track", "decide")
    return replace(each, handler=_asking(each.handler) if inside else _knowing(callers))


def _asking(handler: Handler) -> Handler:
    """Where the handler itself looks at the key, which may stand in the body."""

    async def asked(request: Request) -> Response:
        await handler(request)
        raise Unauthorized

    return asked


def _knowing(callers: Callers) -> Handler:
    async def known(request: Request) -> Response:
        callers.whose(request)
        raise Unauthorized

    return known


async def _refuse(request: Request) -> Response:
    raise Unauthorized


async def _missing(request: Request, error: Exception) -> Response:
    """Pages that a project shows to everybody (``/docs``), and whatever else."""
    if getattr(error, "status_code", 0) == 404:
        return await on_germane_error(request, Unauthorized())
    return await on_http_error(request, error)
