"""Renders many messages by a process of its own, while this one decides the next: on the second processor."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

import msgspec

from germane.app.pipes import get, put, there
from germane.app.rendering import Batch, Printed, Spoiled, Start, Work, print_one
from germane.domain.content import Content

APART = 50
"""Messages at once from which on the other process is worth its while, once it runs."""
FULL = 2
"""Full rounds after one another from which on it is worth starting: that takes as long as many messages."""
PATIENCE_S = 120.0
"""A batch takes a second: a process that says nothing for so long is given up."""
IDLE_S = 30.0
"""After so long without work it ends."""
_encode = msgspec.msgpack.encode
_decode = msgspec.msgpack.Decoder(list[Printed | Spoiled]).decode
_log = logging.getLogger(__name__)

Results = list[Printed | Spoiled]


class Press:
    """One batch at a time. Its process is started with the first large one."""

    def __init__(self, start: Start) -> None:
        self._start = start
        self._child: subprocess.Popen[bytes] | None = None
        self._rest: asyncio.TimerHandle | None = None
        self._turn = asyncio.Lock()
        self._alone = (os.cpu_count() or 1) < 2

    def worthwhile(self, count: int, full: int) -> bool:
        """Whether so many are better rendered apart, after so many full rounds, this one counted."""
        if self._alone:
            return False
        return full >= FULL or (self._child is not None and count >= APART)

    async def apart(self, contents: Mapping[str, Content], works: Sequence[Work]) -> Results:
        """Render by the other process; here, if it ends before its time."""
        named = {each.content: contents[each.content] for each in works}
        data = _encode(Batch(named, list(works)))
        self._wake()
        try:
            async with self._turn, asyncio.timeout(PATIENCE_S):
                done = _decode(await asyncio.to_thread(self._asked, data))
        except (
            OSError,
            EOFError,
            ValueError,
            msgspec.DecodeError,
        ) as error:  # or its pipe is closed
            _log.warning("the process that renders ended (%r): this one goes on alone", error)
            self._alone = True
            self.close()
            return [self.here(contents[each.content], each) for each in works]
        self._wake()
        self._rest = asyncio.get_running_loop().call_later(IDLE_S, self.close)
        return done

    def here(self, content: Content, work: Work) -> Printed | Spoiled:
        """Render one in this process."""
        return print_one(content, work, self._start)

    def close(self) -> None:
        """End the process, if there is one."""
        self._wake()
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            for pipe in (child.stdin, child.stdout):
                with contextlib.suppress(OSError):  # what was not sent yet cannot be any more
                    there(pipe).close()
            child.wait()

    def _asked(self, data: bytes) -> bytes:
        child = self._child or self._started()
        put(there(child.stdin), data)
        return get(there(child.stdout))

    def _started(self) -> subprocess.Popen[bytes]:
        self._child = subprocess.Popen(
            [sys.executable, "-m", "germane.app.rendering"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for us to handle
        )
        put(there(self._child.stdin), _encode(self._start))
        return self._child

    def _wake(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None
