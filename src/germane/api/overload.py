"""Whether one more request may wait: by how long it would wait, not by how many wait.

Requests are answered one after the other by one thread. What has been read and is not begun yet is a queue,
and a server that takes more than it can do answers everybody too late. So a request that would wait too
long is refused as soon as its head is there, before it costs anything (429, with a time to come again).

How long is too long: a hiccup of the machine leaves a queue that is gone in a moment, and refusing it would
be a false alarm: up to ``BURST_S``. A queue that does not go away for ``STANDING_S`` is overload, and then
a long one helps nobody: up to ``TARGET_S``. (The idea is that of controlled delay, CoDel.) A few senders of
large batches are no overload, though each batch takes longer than that: ``SENDERS`` are never refused.

What a request costs goes by how large it is: a batch of a hundred events counts as so many (``portions``).

Only the product's own traffic is refused: events, decisions and what is reported of them. Health, opt-outs
and whatever an operator does always come through.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from itertools import cycle
from time import perf_counter
from typing import Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from germane.api.errors import render
from germane.api.numbers import drawn
from germane.app.stats import Stats
from germane.domain.errors import Overloaded

BURST_S = 0.5
STANDING_S = 0.5
TARGET_S = 0.05
SENDERS = 8
"""So many requests may wait, whatever they cost."""
PORTION_BYTES = 256
"""Of a body: about an event."""
LARGE, LARGEST = 64, 512
"""In portions: what is larger comes in parts, so that what it costs is not seen where it begins; and no request
counts for more than the second, whatever it claims to be."""
FIRST_COST_S = 0.001
"""What a portion costs, before any was measured."""
MEMORY = 20
"""Portions over which their cost is averaged."""
JUMP = 4.0
"""What looks dearer than the mean by more than this is a pause of the machine, until it goes on looking so."""
COME_AGAIN_S = (1, 2, 3, 4, 5)
"""Taken in turn, so that those who were refused do not come again all at once."""
_MARK = "0123456789abcdef"
_log = logging.getLogger("germane.overload")


def portions(headers: Iterable[tuple[bytes, bytes]]) -> float:
    """How large a request is, at least 1; of one that does not say it, 1."""
    for name, value in headers:
        if name == b"content-length" and value.isdigit():
            return float(LARGEST) if len(value) > 9 else _of_bytes(int(value))
    return 1.0


def _of_bytes(length: int) -> float:
    return min(max(1.0, length / PORTION_BYTES), float(LARGEST))


class Application(Protocol):
    """What is served."""

    @property
    def traffic(self) -> Mapping[str, Stats]:
        """Paths to which a POST may be refused, and where that is counted."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""


class Overload:
    """The queue of one server; whoever reads requests asks it, and tells it of each that waits."""

    def __init__(
        self, traffic: Mapping[str, Stats], clock: Callable[[], float] = perf_counter
    ) -> None:
        """``traffic``: paths that may be refused, and where it is counted."""
        self._traffic = {path.encode(): stats for path, stats in traffic.items()}
        self._clock = clock
        self._read: deque[tuple[float, float]] = deque()
        """When each that waits was read, and how many portions it is."""
        self._portions = 0.0
        """Of all that wait."""
        self._cost_s = FIRST_COST_S
        self._first = 0.0
        """When the first of this turn of the event loop was begun."""
        self._begun = 0
        self._done = 0.0
        """Portions of those begun before the last."""
        self._last = 0.0
        """Portions of the last."""
        self._seen = True
        """Nothing large was begun in this turn."""
        self._turned = clock()
        """When the queue was empty last."""
        self._calm = True
        """Nothing was refused since then."""
        self._pressed: float | None = None
        """Since when the queue does not go away."""
        self._refusals = cycle([_Refusal(each) for each in COME_AGAIN_S])
        self._unsaid = 0

    def over(self, app: ASGIApp) -> ASGIApp:
        """The same application; each request counts as begun when it gets there."""

        async def begun(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                self.begun()
            await app(scope, receive, send)

        return begun

    def waits(self, portions: float = 1.0) -> None:
        """A request was taken, and will be begun as soon as those before it were."""
        self._read.append((self._clock(), portions))
        self._portions += portions

    def begun(self) -> None:
        """The one that waits longest is begun."""
        now = self._clock()
        read, portions = self._read.popleft()
        self._portions -= portions
        if not self._begun:
            self._first = now
        self._begun += 1
        self._done += self._last
        self._last = portions
        self._seen = self._seen and portions <= LARGE
        if not self._read:
            self._turn(now, now - read)

    def _turn(self, now: float, waited_s: float) -> None:
        """The queue is empty."""
        if self._begun > 3 and self._seen:
            cost_s = (now - self._first) / self._done
            likely_s = min(cost_s, JUMP * self._cost_s)
            self._cost_s += min(1.0, self._done / MEMORY) * (likely_s - self._cost_s)
        if self._calm and waited_s <= TARGET_S:
            self._pressed = None
        elif self._pressed is None:
            self._pressed = now if self._calm else self._first
        self._begun, self._done, self._last, self._portions = 0, 0.0, 0.0, 0.0
        self._calm, self._seen, self._turned = True, True, now

    def full(self) -> bool:
        """Whether one more would wait too long."""
        return len(self._read) >= SENDERS and self._portions * self._cost_s > self._allowed_s()

    def refuses(self, method: bytes, url: bytes) -> bool:
        """Whether a request whose head was just read is to be refused."""
        if not self.full():
            return False
        stats = self._stats(method, url)
        if stats is None:
            return False
        self._calm = False
        self._unsaid += 1
        stats.overloaded += 1
        return True

    def _stats(self, method: bytes, url: bytes) -> Stats | None:
        if method != b"POST":
            return None
        found = self._traffic.get(url)
        return found if found is not None else self._traffic.get(url.split(b"?")[0].rstrip(b"/"))

    def _allowed_s(self) -> float:
        now = self._clock()
        if self._pressed is not None and now - self._turned > STANDING_S:
            self._pressed = None  # there was nothing to do meanwhile
        standing = self._pressed is not None and now - self._pressed > STANDING_S
        return TARGET_S if standing else BURST_S

    def refusal(self, origin: bytes | None, *, close: bool) -> bytes:
        """The whole answer to one that is refused; ``origin``: of the page that asks."""
        return next(self._refusals).whole(origin, close=close)

    def tell(self) -> None:
        """A line in the log, if any was refused since the last one."""
        if self._unsaid:
            _log.warning("refused %d requests: they would have waited too long", self._unsaid)
            self._unsaid = 0


class _Refusal:
    """An answer that is made once: only the request's id differs."""

    def __init__(self, come_again_s: int) -> None:
        made = render(Overloaded(), _MARK)
        headers = [each for each in made.raw_headers if each[0] != b"retry-after"]
        headers.append((b"retry-after", b"%d" % come_again_s))
        headers.append((b"x-content-type-options", b"nosniff"))
        lines = b"".join(b"%b: %b\r\n" % each for each in headers)
        self._head = b"HTTP/1.1 429 Too Many Requests\r\n%bx-request-id: " % lines
        self._body = bytes(made.body).split(_MARK.encode())

    def whole(self, origin: bytes | None, *, close: bool) -> bytes:
        number = drawn().encode()
        more = b"\r\nconnection: close" if close else b""
        if origin is not None:  # a page may know that it came too often, whatever page it is
            more += b"\r\naccess-control-allow-origin: %b\r\nvary: origin" % origin
        return b"%b%b%b\r\n\r\n%b" % (self._head, number, more, number.join(self._body))
