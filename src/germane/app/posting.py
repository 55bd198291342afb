"""The postman: takes messages that are due, claims them durably, sends them, records what became of them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Protocol
from zlib import crc32

from germane.app.moving import address_key
from germane.app.release import Go, Later, Never, Release
from germane.deliver import outbox
from germane.domain.errors import GermaneError, WrongMove
from germane.domain.message import Message, Status, Why
from germane.domain.moves import AnyMove, Claimed, Held, Settled, Suppressed
from germane.domain.sending import (
    RETRY_FOR_S,
    Ambiguous,
    Channel,
    Outgoing,
    Refused,
    Result,
    Retry,
    Sent,
)

FLYING = 64
"""Messages that are claimed and not settled at any time, at most: so many can be in doubt after a crash."""
IDLE_S = 1.0
"""The longest wait between two looks at what is due."""
FIRST_RETRY_S, LONGEST_RETRY_S = 60.0, 6 * 3600.0
STOP_S = 8.0
"""How long a stop waits for what is going out. Less than the ten seconds that containers are given: whoever is
killed leaves more in doubt."""
OUT_OF_REACH = frozenset(
    ("smtp.connection", "smtp.not_taken", "smtp.login", "smtp.tls", "webhook.no_answer")
)
"""Codes of what is no matter of one message: the other side cannot be reached, or does not take us."""
_log = logging.getLogger(__name__)

Write = Callable[[Message], Outgoing]
Log = Callable[[Message], list[AnyMove]]
"""What is to be recorded beside, when a message went out."""


class Mover(Protocol):
    """Records moves: the engine."""

    def put_moves(self, moves: Sequence[AnyMove]) -> None:
        """Fold them now."""
        ...

    async def durable(self) -> None:
        """Wait until they are on the disk."""
        ...

    async def move(self, moves: Sequence[AnyMove]) -> None:
        """Both."""
        ...


class Postman:
    """Sends what is due. One for a data folder; it lives in the event loop of the server."""

    def __init__(
        self,
        release: Release,
        channels: Mapping[str, Channel],
        mover: Mover,
        write: Write,
        *,
        sent: Log | None = None,
        flying: int = FLYING,
        stop_s: float = STOP_S,
    ) -> None:
        self._stop_s = stop_s
        self._troubled: set[str] = set()
        self._release = release
        self._sent = sent
        self._channels = channels
        self._mover = mover
        self._doubt = True
        self._write = write
        self._flying = flying
        self._out: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """For ever. What a crash left in doubt is looked at first, and again when claims could not be made
        durable: what was claimed then is not on its way."""
        while True:
            try:
                if self._doubt:
                    await self.landed()
                    await self.recover()
                    self._doubt = False
                busy = await self.round()
            except GermaneError as error:
                _log.warning("sending stops for a moment: %s", error)
                busy, self._doubt = False, True
            if not busy:
                await self._rest()

    async def recover(self) -> int:
        """Messages that were claimed when the last process ended; how many there were."""
        now_ms = self._release.now_ms()
        moves = [outbox.left_by_a_crash(each, now_ms) for each in self._release.claimed()]
        await self._mover.move(moves)
        return len(moves)

    async def close(self) -> None:
        """Let what is going out end; what has not ended by then is broken off, and its channel says whether
        it may have arrived. A server that never answers does not keep us from stopping."""
        clock = asyncio.get_running_loop().time
        until_s = clock() + self._stop_s
        while self._out and (left_s := until_s - clock()) > 0:
            await asyncio.wait(self._out, timeout=left_s)
        if self._out:
            _log.warning("broken off on their way: %d", len(self._out))
            for each in self._out:
                each.cancel()
            await asyncio.wait(self._out)
        for name, channel in self._channels.items():
            try:
                await channel.close()
            except Exception:  # the others are to be closed, too
                _log.exception("the channel %s did not close as it should", name)

    async def landed(self) -> bool:
        """Wait until nothing is going out; whether anything was."""
        flying = bool(self._out)
        while self._out:
            await asyncio.wait(self._out)
        return flying

    def wake(self) -> None:
        """Something may be due now."""
        self._wake.set()

    async def round(self) -> bool:
        """Send some of what is due now; whether there was anything to do."""
        room = self._flying - len(self._out)
        if room <= 0:
            await asyncio.wait(self._out, return_when=asyncio.FIRST_COMPLETED)
            return True
        due = self._release.due(room)
        if not due:
            return False
        going = [each.message_id for each in due if self._claimed(each)]
        # Whatever is claimed is begun: a stop in this moment leaves nothing in doubt.
        await asyncio.shield(self._out_by(self._begin(going)))
        return True

    async def _begin(self, claimed: Sequence[str]) -> None:
        await self._mover.durable()
        for message_id in claimed:
            self._out_by(self._send(message_id))

    def _out_by(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._out.add(task)
        task.add_done_callback(self._out.discard)
        return task

    def _claimed(self, message: Message) -> bool:
        """Judge one and record it at once, so that the next sees it; whether it goes out."""
        move = self._judged(message)
        try:
            self._mover.put_moves([move])
        except WrongMove:
            _log.exception("message %s could not be moved", message.message_id)
            return False
        return isinstance(move, Claimed)

    def _judged(self, message: Message) -> AnyMove:
        try:
            verdict = self._release.verdict(message)
        except Exception as error:  # a bug in one message must not stop the others
            _log.exception("message %s could not be judged", message.message_id)
            why = Why(self._release.now_ms(), "internal", f"It could not be judged: {error!r}")
            return Held(message.message_id, "skipped", 0, why)
        if isinstance(verdict, Go):
            return Claimed(message.message_id, verdict.address, verdict.why, verdict.webhook)
        return _held(message, verdict)

    async def _send(self, message_id: str) -> None:
        """One claimed message. It is looked at once more in the very moment in which it begins: who has
        said no since it was claimed gets nothing."""
        message = self._release.message(message_id)
        if message is None:  # its person was erased since
            return
        against = self._release.withdrawn(message)
        if against is not None:
            await self._settle([_held(message, against)])
            return
        result = await self._handed_over(message)
        moves = settled(message, result, self._release.now_ms())
        if isinstance(result, Sent) and self._sent is not None:
            moves += self._sent(message)
        await self._settle(moves)

    async def _handed_over(self, message: Message) -> Result:
        channel = self._channels.get(message.way)
        if channel is None:
            return Refused("channel.missing", f"There is no channel {message.way!r} here.")
        try:
            result = await channel.send(self._write(message))
        except (
            asyncio.CancelledError
        ):  # by a stop, and nothing was handed over that cannot be again
            return Retry(0, "The server stopped before it was taken.", "send.stopped")
        except Exception as error:
            _log.exception("channel %s failed", message.way)
            return Ambiguous(f"The channel failed: {error!r}")
        self._noted(message.way, result)
        return result

    def _noted(self, way: str, result: Result) -> None:
        """Say it once when a way out is of no use, and when it is again: else nobody sees why all wait."""
        if isinstance(result, Retry) and result.code in OUT_OF_REACH and way not in self._troubled:
            self._troubled.add(way)
            _log.warning("messages by %s wait: %s", way, result.reason)
        elif isinstance(result, Sent) and way in self._troubled:
            self._troubled.remove(way)
            _log.warning("messages by %s go out again", way)

    async def _settle(self, moves: Sequence[AnyMove]) -> None:
        """What became of it. Where the disk refuses, it stays claimed: the next start finds it in doubt."""
        try:
            await self._mover.move(moves)
        except WrongMove:
            _log.exception("a message was settled twice")
        except GermaneError as error:
            _log.warning("what became of a message could not be recorded: %s", error)

    async def _rest(self) -> None:
        self._wake.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), IDLE_S)


def settled(message: Message, result: Result, now_ms: int) -> list[AnyMove]:
    """What is recorded of an answer."""
    if isinstance(result, Sent):
        text = f"It was taken: {result.detail}" if result.detail else "It was taken."
        return [_done(message, "sent", "send.sent", text, now_ms)]
    if isinstance(result, Ambiguous):
        if message.kind == "never_lost":
            return [_again(message, "send.again", result.reason, FIRST_RETRY_S, now_ms)]
        return [_done(message, "ambiguous", "send.ambiguous", result.reason, now_ms)]
    if isinstance(result, Retry):
        wait_s = 0.0 if result.code == "send.stopped" else result.after_s or backoff_s(message)
        if now_ms + wait_s * 1000 > message.tried_ms + RETRY_FOR_S * 1000:
            text = f"It was put off for {RETRY_FOR_S // 3600} hours: {result.reason}"
            return [_done(message, "failed", "send.given_up", text, now_ms)]
        return [_again(message, result.code or "send.put_off", result.reason, wait_s, now_ms)]
    moves: list[AnyMove] = [_done(message, "failed", result.code, result.reason, now_ms)]
    if result.suppress:
        key = address_key(message.channel, message.address)
        moves.append(
            Suppressed(message.channel, key, "", True, Why(now_ms, result.code, result.reason))
        )
    return moves


def backoff_s(message: Message) -> float:
    """How long to wait before the next try, in seconds: twice as long each time, up to six hours, and
    spread by a fifth so that what failed together does not come back together."""
    wait_s = min(FIRST_RETRY_S * 2.0 ** (message.attempts - 1), LONGEST_RETRY_S)
    return wait_s * (1.0 + 0.2 * crc32(message.message_id.encode()) / 2**32)


def _held(message: Message, verdict: Later | Never) -> Held:
    if isinstance(verdict, Later):
        return Held(message.message_id, "queued", verdict.due_ms, verdict.why)
    return Held(message.message_id, verdict.status, 0, verdict.why)


def _done(message: Message, status: Status, code: str, text: str, now_ms: int) -> Settled:
    return Settled(message.message_id, status, Why(now_ms, code, text))


def _again(message: Message, code: str, text: str, wait_s: float, now_ms: int) -> Settled:
    due_ms = now_ms + int(wait_s * 1000)
    return Settled(message.message_id, "queued", Why(now_ms, code, text), due_ms)
