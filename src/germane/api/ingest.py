"""The Segment HTTP API: its routes, its answers, its browser manners."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from germane.api.body import answer, read
from germane.api.callers import Callers
from germane.api.gpc import signalled
from germane.app.engine import Engine
from germane.app.misnamed import Misnamed, strange_zones
from germane.domain.errors import Unauthorized
from germane.ingest import limits
from germane.ingest.segment import Route, parse
from germane.privacy.refusals import GPC

Handler = Callable[[Request], Awaitable[Response]]

ROUTES: dict[str, Route] = {
    "track": "track",
    "t": "track",
    "identify": "identify",
    "i": "identify",
    "page": "page",
    "p": "page",
    "screen": "screen",
    "s": "screen",
    "group": "group",
    "g": "group",
    "alias": "alias",
    "a": "alias",
    "batch": "batch",
    "b": "batch",
    "import": "batch",
}
_OK = {"success": True}


def handler(engine: Engine, callers: Callers, misnamed: Misnamed, route: Route) -> Handler:
    """The endpoint of one route."""
    limit = limits.BATCH_BYTES if route == "batch" else limits.MESSAGE_BYTES

    async def endpoint(request: Request) -> Response:
        body = await read(request, limit)
        parsed = parse(
            body, route=route, wall_ms=time.time_ns() // 1_000_000, now_ms=engine.world.now_ms()
        )
        callers.tracks(request, parsed.write_key)
        events = parsed.events
        if signalled(request):
            events = [replace(x, context={**x.context, GPC: True}) for x in events]
        await engine.accept(events, parsed.rejected)
        named = (*misnamed.in_events(events), *strange_zones(events))
        missing = [*engine.undeclared_in(events), *named]
        return answer(_OK | {"undeclared": missing} if missing else _OK)

    return endpoint


def settings(callers: Callers) -> Handler:
    """``GET /v1/projects/{writeKey}/settings``: what the browser client loads first."""

    async def endpoint(request: Request) -> Response:
        key = request.path_params["write_key"]
        if not callers.is_write(key):
            raise Unauthorized("The write key is not known.")
        return answer(
            {
                "integrations": {"Segment.io": {"apiKey": key, "versionSettings": {}}},
                "plan": {},
                "edgeFunction": {},
                "analyticsNextEnabled": True,
                "middlewareSettings": {},
                "enabledMiddleware": {},
                "metrics": {"sampleRate": 0},
                "legacyVideoPluginsEnabled": False,
                "remotePlugins": [],
            }
        )

    return endpoint
