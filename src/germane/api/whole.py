"""An answer that is whole is written at once: the same bytes that uvicorn would write in two steps."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import (
    HEADER_VALUE_RE,
    STATUS_LINE,
    RequestResponseCycle,
)

from germane.api.body import Json

_NAME = "germane.whole"
Write = Callable[[Json], bool]


def offer(cycle: RequestResponseCycle) -> None:
    """Say to whoever answers the request that it can be done so: an extension of ASGI."""
    cycle.scope["extensions"] = {_NAME: partial(_write, cycle)}  # type: ignore[dict-item]


def taken(scope: Scope) -> Write | None:
    """The offer, if there was one. It is taken out: else what a request leaves behind would hold itself."""
    offers: dict[str, Write] = scope.pop("extensions", {})
    return offers.get(_NAME)


def written(write: Write | None, answer: object) -> bool:
    """Write an answer, if that was offered and nothing speaks against it; else it has to go by ``send``."""
    return write is not None and isinstance(answer, Json) and write(answer)


def _write(cycle: RequestResponseCycle, answer: Json) -> bool:
    headers = cycle.default_headers + answer.raw_headers
    if (
        cycle.response_started
        or cycle.disconnected
        or cycle.flow.write_paused
        or cycle.access_log
        or HEADER_VALUE_RE.search(b"".join([value for _, value in headers]))
    ):
        return False
    parts = [STATUS_LINE[answer.status_code]]
    for name, value in headers:
        parts += name, b": ", value, b"\r\n"
    parts += b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n", answer.body
    cycle.response_started = cycle.response_complete = True
    cycle.waiting_for_100_continue = False
    cycle.transport.write(b"".join(parts))
    cycle.message_event.set()
    if not cycle.keep_alive:
        cycle.transport.close()
    cycle.on_response()
    return True
