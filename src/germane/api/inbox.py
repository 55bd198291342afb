"""In-app messages over HTTP: asked for, or streamed as they come."""

from __future__ import annotations

import re
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from germane.api.body import answer
from germane.api.connection import ENDLESS
from germane.deliver.inbox import InboxPort, page, stream
from germane.domain.errors import BadRequest

Who = Callable[[Request], str]
"""The person a request may ask for; raises Unauthorized or Forbidden otherwise."""
_POSITION = re.compile(r"[!-~]{0,200}")


class Inboxes:
    """The endpoints, for whatever keeps the messages and whatever says who asks."""

    def __init__(self, inbox: InboxPort, who: Who) -> None:
        self._inbox = inbox
        self._who = who

    def routes(self) -> list[Route]:
        """For ``build(extra_routes=...)``."""
        return [Route("/v1/inbox/stream", self.streamed), Route("/v1/inbox", self.pull)]

    async def pull(self, request: Request) -> Response:
        """``GET /v1/inbox?after=``: what waits for the person."""
        found = await page(self._inbox, self._who(request), _after(request))
        return answer(found)

    async def streamed(self, request: Request) -> Response:
        """``GET /v1/inbox/stream``: server-sent events; ``Last-Event-ID`` goes on where a stream broke."""
        person, after = self._who(request), _after(request)
        alone = request.method == "HEAD"  # has an end
        request.scope.setdefault("state", {})[ENDLESS] = True
        return StreamingResponse(
            () if alone else stream(self._inbox, person, after),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )


def _after(request: Request) -> str:
    found = request.headers.get("last-event-id") or request.query_params.get("after", "")
    if not _POSITION.fullmatch(found):
        raise BadRequest("The position is none.", hint="Send the id of the last event, unchanged.")
    return found
