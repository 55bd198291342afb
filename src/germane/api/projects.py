"""Several projects in one server: each has its own application, and is found by what its paths begin with.

Nothing is shared but the process: a project's application knows its own engine and its own keys, and no
other's. Here only the name is read, and taken off the path.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from germane.api.body import answer
from germane.api.consents import HONOURED
from germane.api.nobody import nobody
from germane.api.places import prefix_of, split
from germane.api.server import Edge, over


@dataclass(frozen=True, slots=True)
class Project:
    """One of several."""

    app: Edge
    ready: Callable[[], bool]
    """Whether it can take events and decide."""
    signal: bool = True
    """Whether Global Privacy Control means something to it."""


class Projects:
    """The application of the whole server."""

    def __init__(self, projects: Mapping[str, Project]) -> None:
        self._projects = projects
        self.traffic = {
            prefix_of(name) + path: stats
            for name, each in projects.items()
            for path, stats in each.app.traffic.items()
        }
        self._nobody = nobody()
        own = self._routes()
        self._own = frozenset(each.path for each in own)
        self._root = over([], own)
        self._life = Router(lifespan=self.living)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "lifespan":
            await self._life(scope, receive, send)
            return
        name, path = split(scope["path"])
        project = self._projects.get(name)
        if project is not None:
            with bound_contextvars(project=name):  # for every line that is logged on the way
                await project.app(_inside(scope, name, path), receive, send)
        elif not name and (path.rstrip("/") or "/") in self._own:
            await self._root(scope, receive, send)
        else:
            await self._nobody(_inside(scope, name, path), receive, send)

    @asynccontextmanager
    async def living(self, _: Any = None) -> AsyncIterator[None]:
        """All start and all stop; when one cannot start, those that have are stopped."""
        async with AsyncExitStack() as stack:
            for name, each in self._projects.items():
                with bound_contextvars(project=name):
                    await stack.enter_async_context(each.app.living())
            yield

    def _routes(self) -> list[Route]:
        found = [Route("/livez", _live), Route("/readyz", self._ready)]
        if all(each.signal for each in self._projects.values()):
            found.append(Route("/.well-known/gpc.json", _signal))
        return found

    async def _ready(self, request: Request) -> Response:
        """``GET /readyz``: all can serve; else those that cannot are named, and tell why themselves."""
        waiting = [name for name, each in self._projects.items() if not each.ready()]
        return answer({"ready": not waiting, "notReady": waiting}, 503 if waiting else 200)


async def _live(request: Request) -> Response:
    return answer({"live": True})


async def _signal(request: Request) -> Response:
    return answer(HONOURED)


def _inside(scope: Scope, name: str, path: str) -> Scope:
    """The request as the project sees it: without what names it."""
    prefix, raw = prefix_of(name), scope.get("raw_path") or quote(scope["path"]).encode()
    begun = raw.startswith(f"{prefix}/".encode())
    rest = raw[len(prefix) :] if begun else quote(path).encode()
    return {**scope, "path": path, "raw_path": rest}
