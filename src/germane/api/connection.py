"""One connection: what its client may keep the server waiting for, and how much of it.

uvicorn's protocol waits for the rest of a request as long as it takes, and for a head of any size: whoever
sends a byte now and then has a connection, and what it holds, for ever. Here a head has ``HEAD_S`` and
``HEAD_BYTES``, a body ``BODY_S``, and an answer of which nothing was taken for ``TAKE_S`` is given up.
There may be ``CONNECTIONS`` at once, and ``BODIES_BYTES`` of bodies that are not whole: when there are
more, those go that have kept the server waiting longest. There is no limit for an address: behind a proxy
everybody has the same one.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterable
from typing import Any, Literal, cast

from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from germane.api import plain
from germane.api.errors import render
from germane.api.numbers import drawn
from germane.api.overload import Overload, portions
from germane.api.whole import offer
from germane.domain.errors import BadRequest

HEAD_S = 10.0
BODY_S = 30.0
TAKE_S = 30.0
HEAD_BYTES = 64 * 1024
CONNECTIONS = 4_096
BODIES_BYTES = 64 * 1024 * 1024
DISCARDED_BYTES = 64 * 1024 * 1024
"""Of a body that came after the answer: who sends more is hung up on."""
CUT_SHARE = 0.05
"""Of those that wait, so many go at once when there are too many: looking for them takes time."""
CUT_MOST = 200
"""Of those that are late, so many are cut in one look: hanging up takes time, and they come again."""
_TOO_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_HTTP = "Send HTTP/1.1: no control characters in the address or a header; no TLS, unless a proxy ends it."
ENDLESS = "endless"
"""The state of a request whose answer has no end of its own."""
_UPGRADE = re.compile(rb"(?i)\r\nupgrade:")
_log = logging.getLogger("germane.connections")

Phase = Literal["idle", "head", "body"]


class Room:
    """What the connections of one server share."""

    def __init__(self, overload: Overload, connections: int = CONNECTIONS) -> None:
        self.overload = overload
        self.connections = connections
        self.bodies_bytes = 0
        """Of bodies that are not whole yet."""
        self.cut = 0
        self.all: set[Connection] = set()

    async def look(self) -> None:
        """Cut those whose time is over; called once a second."""
        now = asyncio.get_running_loop().time()
        for each in [x for x in self.all if x.late(now)][:CUT_MOST]:
            each.abort()
        self.overload.tell()
        if self.cut:
            _log.info("cut %d connections whose clients were too slow", self.cut)
            self.cut = 0

    def make(self) -> None:
        """Room for one more connection: those go that have kept the server waiting longest."""
        if len(self.all) > self.connections:
            self._cut_longest(each for each in self.all if each.waiting)

    def make_for_bodies(self) -> None:
        """The same for bodies."""
        while self.bodies_bytes > BODIES_BYTES:
            self._cut_longest(each for each in self.all if each.phase == "body")

    def _cut_longest(self, among: Iterable[Connection]) -> None:
        found = sorted(among, key=lambda each: (each.phase == "idle", each.since))
        for each in found[: max(1, int(len(found) * CUT_SHARE))]:
            each.abort()


class Connection(HttpToolsProtocol):
    """uvicorn's, with deadlines, bounds, and a door that may be shut."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        room: Room,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._room = room
        self.phase: Phase = "idle"
        self.since = self.loop.time()
        """When the phase began."""
        self._head_bytes = 0
        self._held = b""
        """The end of what came of a head: a line's beginning that cannot be told yet."""
        self._body_bytes = 0
        self._discarded_bytes = 0
        self._refusing = False
        self._left = 0
        """Bytes of answers that the client had not taken when it was looked at last."""
        self._moved = self.since
        """When it took some."""

    # -- what the room asks ----------------------------------------------------------------------

    @property
    def waiting(self) -> bool:
        """Whether it is the client's turn."""
        return self.phase != "idle" or self._free

    @property
    def _free(self) -> bool:
        """Whether all that was asked is answered."""
        return self.cycle is None or self.cycle.response_complete

    def late(self, now: float) -> bool:
        """Whether the client's time is over."""
        if self.phase == "head" and now - self.since > HEAD_S:
            return True
        if self.phase == "body" and now - self.since > BODY_S:
            return True
        left = self.transport.get_write_buffer_size()
        if left == 0 or left < self._left:
            self._moved = now
        self._left = left
        return now - self._moved > TAKE_S

    def abort(self) -> None:
        """Hang up, whatever is under way."""
        self._room.cut += 1
        self._forget()
        self.transport.abort()

    # -- what the transport says -----------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there; it has as long to say something as it may be silent between two requests."""
        super().connection_made(cast("asyncio.Transport", transport))
        self._room.all.add(self)
        self._rest(self.timeout_keep_alive)
        self._room.make()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._forget()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A part of a request, or of several."""
        if self.phase == "idle":
            if self._room.overload.full() and self._refused_at_once(data):
                return
            self._enter("head")
        self._head_bytes += len(data)  # none of it is, where another head begins in it
        super().data_received(self._without_upgrade(data) if self.phase == "head" else data)
        if self.phase == "head" and self._head_bytes > HEAD_BYTES:
            self.transport.write(_TOO_LONG)
            self.transport.close()
        elif self.phase == "idle" and self._free and self.timeout_keep_alive_task is None:
            self._rest(
                self.timeout_keep_alive
            )  # what was said was the end of a body that had its answer

    def _without_upgrade(self, data: bytes) -> bytes:
        """A part of a head, without the wish to go on in another protocol: it is ignored (RFC 9110, 7.8), and
        the parser would take the body for that protocol."""
        head, end, rest = (self._held + data).partition(b"\r\n\r\n")
        self._held = b"" if end else _untold(head)
        told = head[: len(head) - len(self._held)]
        return _UPGRADE.sub(b"\r\nx-upgrade:", told) + end + rest

    def _refused_at_once(self, data: bytes) -> bool:
        """Refuse a request that came as a whole without taking it apart: of those there are the most when
        there is too much to do, and what each of them costs is not there for the others."""
        overload = self._room.overload
        url = plain.address(data)
        if url is None or not self._free or not overload.refuses(b"POST", url):
            return False
        self.since = self.loop.time()
        self.server_state.total_requests += 1
        self.transport.write(overload.refusal(None, close=False))
        return True

    def timeout_keep_alive_handler(self) -> None:
        """Close it, unless something was refused since the timer was set."""
        left_s = self.since + self.timeout_keep_alive - self.loop.time()
        if left_s <= 0:
            super().timeout_keep_alive_handler()
            return
        self._rest(left_s)

    def _rest(self, seconds: float) -> None:
        """So long the client may be silent."""
        self.timeout_keep_alive_task = self.loop.call_later(
            seconds, self.timeout_keep_alive_handler
        )

    def resume_writing(self) -> None:
        """The client took something."""
        self._moved = self.loop.time()
        super().resume_writing()

    def shutdown(self) -> None:
        """The server stops: what is under way may end, and a stream, which never would, ends now."""
        super().shutdown()
        if not self._free and self.cycle.scope["state"].get(ENDLESS):
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            self.transport.close()

    def _forget(self) -> None:
        self._room.all.discard(self)
        self._give_back()

    def _give_back(self) -> None:
        """Nothing of a body is kept any more."""
        self._room.bodies_bytes -= self._body_bytes
        self._body_bytes = 0

    def _enter(self, phase: Phase) -> None:
        self.phase, self.since, self._head_bytes = phase, self.loop.time(), 0

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP is told so in the one shape of errors, too."""
        made = render(BadRequest(msg, hint=_HTTP), drawn())
        head = b"".join(b"%b: %b\r\n" % each for each in made.raw_headers)
        self.transport.write(
            b"HTTP/1.1 400 Bad Request\r\n%bconnection: close\r\n\r\n%b" % (head, bytes(made.body))
        )
        self.transport.close()

    # -- what the parser says --------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        if self.phase != "head":  # another one follows at once
            self._enter("head")
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Refuse it, or begin it."""
        self._enter("body")
        if (
            self._free
            and not self.expect_100_continue
            and self._room.overload.refuses(self.parser.get_method(), self.url)
        ):
            self._refusing = True
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of a body."""
        if self._refusing:
            return
        if self.cycle.response_complete:
            self._discard(len(body))
            return
        self._body_bytes += len(body)
        self._room.bodies_bytes += len(body)
        super().on_body(body)
        if self._room.bodies_bytes > BODIES_BYTES:
            self._room.make_for_bodies()

    def _discard(self, count: int) -> None:
        """What comes after the answer takes no memory from anybody."""
        self._give_back()
        self._discarded_bytes += count
        if self._discarded_bytes > DISCARDED_BYTES:
            self.transport.close()

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._enter("idle")
        self._give_back()
        self._discarded_bytes = 0
        if not self._refusing:
            super().on_message_complete()
            return
        self._refusing = False
        close = not self.parser.should_keep_alive()
        origin = next((value for name, value in self.headers if name == b"origin"), None)
        self.transport.write(self._room.overload.refusal(origin, close=close))
        if close:
            self.transport.close()
        else:
            self.on_response_complete()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self._room.overload.waits(portions(cycle.scope["headers"]))
        offer(cycle)
        super()._start_asgi_task(cycle, app)


def _untold(head: bytes) -> bytes:
    """The end of a part of a head that may become its last line, or the beginning of an upgrade."""
    if head.endswith(b"\r\n\r"):
        return head[-3:]
    begun = head[max(head.rfind(b"\r"), 0) :]
    return begun if b"\r\nupgrade:".startswith(begun.lower()) else b""
