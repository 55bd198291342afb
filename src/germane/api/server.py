"""The ASGI application."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from urllib.parse import quote

import structlog
from starlette.applications import Starlette
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Message, Receive, Scope, Send

from germane.api import openapi, snippet
from germane.api.auth import Keys
from germane.api.body import NO_STORE, answer
from germane.api.endpoint import Endpoint, Handler
from germane.api.errors import on_crash, on_germane_error, on_http_error
from germane.api.numbers import drawn
from germane.api.permissions import TRAFFIC
from germane.api.places import prefix_of
from germane.api.routes import endpoints
from germane.api.whole import taken, written
from germane.app.back import Back
from germane.app.channels import Ways
from germane.app.delivery import Delivery
from germane.app.engine import Engine
from germane.app.stats import Stats
from germane.deliver.inbox import InboxPort
from germane.domain import inbox as inboxes
from germane.domain.errors import GermaneError
from germane.domain.inbox import Inbox

_log = structlog.get_logger("germane.access")
_WHOLE = ":whole}"
Headers = list[tuple[bytes, bytes]]
Handling = Callable[[Request, Exception], Awaitable[Response]]
_QUIET = ("/livez", "/readyz", "/metrics")
_CORS = (
    (b"access-control-allow-methods", b"POST, GET, OPTIONS"),
    (
        b"access-control-allow-headers",
        b"authorization, content-type, content-encoding, x-retry-count",
    ),
    (b"access-control-max-age", b"86400"),
)


class Whole(PathConvertor):
    """The rest of an address, whatever it is: ids may hold a slash, and a line break."""

    regex = "(?s:.*)"


register_url_convertor("whole", Whole())


class Address(Route):
    """Where an endpoint is. What follows an id follows it as it was sent: ``x/export`` is the export of ``x``,
    ``x%2Fexport`` is an id."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether it is there."""
        _, _, after = self.path.rpartition(_WHOLE)
        if after != self.path and not _raw(scope).endswith(after.encode()):
            return Match.NONE, {}
        return super().matches(scope)


def build(
    engine: Engine,
    keys: Keys,
    *,
    allowed_origins: Sequence[str] = (),
    extra_routes: Sequence[BaseRoute] = (),
    access_log: bool = True,
    anonymous: bool = False,
    inbox: Inbox = inboxes.nothing,
    streamed: InboxPort | None = None,
    back: Back | None = None,
    delivery: Delivery | None = None,
    ways: Ways | None = None,
    project: str = "",
) -> Edge:
    """The application: the engine starts and stops with it.

    Args:
        engine: Decides and learns.
        keys: Who may do what.
        allowed_origins: Origins whose browsers may read answers; none: any.
        extra_routes: Pages beside the API.
        access_log: A line a request.
        anonymous: Browsers without a person token may ask for their own anonymousId; they get an example page.
        inbox: What waits for a person in the app.
        streamed: The same as a stream.
        back: What links and providers need.
        delivery: What sends messages; it starts and stops with the engine.
        ways: Those out that are configured; ``None``: not known, so campaigns are not held against them.
        project: Its name among several of one server; empty: it has the server for itself.
    """
    prefix = prefix_of(project)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await engine.start()
        if delivery is not None:
            delivery.start()
        try:
            yield
        finally:
            try:
                if delivery is not None:
                    await delivery.stop()
            finally:
                await engine.stop()

    table = endpoints(
        engine,
        keys,
        back,
        anonymous=anonymous,
        inbox=inbox,
        streamed=streamed,
        ways=ways,
        composer=delivery.composer if delivery is not None else None,
        prefix=prefix,
    )
    pages = snippet.routes(engine.settings, keys, example=anonymous, prefix=prefix)
    every = [*extra_routes, *pages, *_described(table, prefix)]
    return over(
        table,
        every,
        lifespan,
        allowed_origins=allowed_origins,
        access_log=access_log,
        traffic={each.path: engine.counters for each in table if _is_traffic(each)},
    )


def over(
    table: list[Endpoint],
    pages: Sequence[BaseRoute] = (),
    lifespan: Callable[[Starlette], AbstractAsyncContextManager[None]] | None = None,
    *,
    allowed_origins: Sequence[str] = (),
    access_log: bool = True,
    missing: Handling = on_http_error,
    traffic: Mapping[str, Stats] | None = None,
) -> Edge:
    """Endpoints and pages as an application; ``missing`` answers what is at no address of theirs.
    ``traffic``: see ``Edge``."""
    app = Starlette(
        routes=[*_routes(table), *pages],
        lifespan=lifespan,
        exception_handlers={
            GermaneError: on_germane_error,
            HTTPException: missing,
            Exception: on_crash,
        },
    )
    app.router.redirect_slashes = False
    return Edge(
        app,
        _direct(table),
        frozenset(allowed_origins),
        access_log=access_log,
        traffic=traffic or {},
    )


def _is_traffic(each: Endpoint) -> bool:
    """Whether the product sends it all day, and may be asked to send it again later."""
    return each.method == "POST" and each.permission in TRAFFIC and each.permission != "open"


def _direct(table: list[Endpoint]) -> dict[str, Handler]:
    """The handler of each POST at a fixed address: they are found at once, past the router."""
    return {e.path: e.handler for e in table if e.method == "POST" and "{" not in e.path}


def _routes(table: list[Endpoint]) -> list[BaseRoute]:
    """One route an address: a method that is not there is 405, naming those that are."""
    by_path: dict[str, dict[str, Endpoint]] = {}
    for each in table:
        by_path.setdefault(each.path, {})[each.method] = each
    return [
        Address(_pattern(path), _dispatch(methods), methods=list(methods))
        for path, methods in sorted(by_path.items(), key=_ends_with_an_id)
    ]


def _ends_with_an_id(row: tuple[str, dict[str, Endpoint]]) -> bool:
    """Such an id takes the rest of the address: what follows an id is routed before the id alone."""
    return row[0].endswith(("{person_id}", "{item_id}"))


def _pattern(path: str) -> str:
    """Ids of people and items may hold a slash."""
    return path.replace("{person_id}", "{person_id" + _WHOLE).replace(
        "{item_id}", "{item_id" + _WHOLE
    )


def _dispatch(methods: dict[str, Endpoint]) -> Any:
    if len(methods) == 1:
        return next(iter(methods.values())).handler

    async def endpoint(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        return await methods[method].handler(request)

    return endpoint


def _described(table: list[Endpoint], prefix: str) -> list[BaseRoute]:
    whole = openapi.document(table, prefix)
    shown = openapi.page(whole, prefix)
    said = bytes(answer(whole).body)  # once: it is long, and anybody may ask for it

    async def description(request: Request) -> Response:
        return Response(said, headers=NO_STORE, media_type="application/json")

    async def page(request: Request) -> Response:
        return HTMLResponse(shown, headers=openapi.PAGE_HEADERS)

    async def style(request: Request) -> Response:
        return Response(openapi.CSS, media_type="text/css")

    async def start(request: Request) -> Response:
        return RedirectResponse(f"{prefix}/docs", 307)

    shown_at_root = Route("/", start)
    return [
        shown_at_root,
        Route("/openapi.json", description),
        Route("/docs", page),
        Route("/docs.css", style),
    ]


class Edge:
    """What every request passes: request id, trailing slash, browser manners, access log."""

    def __init__(
        self,
        app: Starlette,
        direct: dict[str, Handler],
        origins: frozenset[str],
        *,
        access_log: bool,
        traffic: Mapping[str, Stats],
    ) -> None:
        """``traffic``: paths to which a POST may be refused when there is too much to do, and where that is
        counted."""
        self.traffic = traffic
        self._app = app
        self._direct = direct
        self._origins = origins
        self._access_log = access_log

    def living(self) -> AbstractAsyncContextManager[Any]:
        """Started on the way in, stopped on the way out: for whoever serves several."""
        return self._app.router.lifespan_context(self._app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        write = taken(scope)
        request_id = scope.setdefault("state", {})["request_id"] = drawn()
        path = scope["path"]
        if path.endswith("/"):
            _without_slash(scope)
        started, more = time.perf_counter(), _headers(request_id, self._origin(scope))
        handler = self._direct.get(scope["path"]) if scope["method"] == "POST" else None
        if handler is not None:
            response = await _answer(handler, Request(scope, receive))
            status = response.status_code
            response.raw_headers += more
            if not written(write, response):
                await response(scope, receive, send)
        else:
            status = await self._routed(scope, receive, send, more)
        if self._access_log and path not in _QUIET:
            _log.info(
                "request",
                method=scope["method"],
                route=scope["path"] if handler is not None else _route(scope),
                status=status,
                ms=round((time.perf_counter() - started) * 1000, 2),
                request_id=request_id,
            )

    async def _routed(self, scope: Scope, receive: Receive, send: Send, more: Headers) -> int:
        """Answer by way of the router, with these headers, too; the status."""
        status = 500

        async def answered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message.setdefault("headers", [])
                headers += more
            await send(message)

        if scope["method"] == "OPTIONS":
            await _preflight(answered)
            return status
        try:
            await self._app(scope, receive, answered)
        except Exception:
            # It was logged and answered with a 500 by then: the connection stays good.
            if status < 500:
                raise
        return status

    def _origin(self, scope: Scope) -> bytes | None:
        """The origin to answer to: any, unless a list is configured."""
        for name, value in scope["headers"]:
            if name == b"origin":
                allowed = not self._origins or value.decode("latin-1") in self._origins
                return bytes(value) if allowed else None
        return None


async def _answer(handler: Handler, request: Request) -> Response:
    """One request to one endpoint: what goes wrong in it is answered as it is behind the router."""
    try:
        return await handler(request)
    except GermaneError as error:
        return await on_germane_error(request, error)
    except Exception as error:
        return await on_crash(request, error)


def _raw(scope: Scope) -> bytes:
    """The path as it was sent."""
    raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    return raw


def _without_slash(scope: Scope) -> None:
    """Leave out slashes at the end that were sent as such: an encoded one belongs to an id."""
    raw = _raw(scope)
    short = raw.rstrip(b"/") or b"/"
    if short != raw:
        scope["path"], scope["raw_path"] = scope["path"][: len(short) - len(raw)], short


def _headers(request_id: str, origin: bytes | None) -> Headers:
    found = [(b"x-request-id", request_id.encode()), (b"x-content-type-options", b"nosniff")]
    if origin is not None:
        found += [(b"access-control-allow-origin", origin), (b"vary", b"origin")]
    return found


async def _preflight(send: Send) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": list(_CORS)})
    await send({"type": "http.response.body", "body": b""})


def _route(scope: Scope) -> str:
    """The route's pattern: addresses hold ids, and ids of people do not belong in a log."""
    route = scope.get("route")
    path = getattr(route, "path", None)
    return path.replace(_WHOLE, "}") if isinstance(path, str) else "-"
