"""Handing one message after the other over an open SMTP connection, and knowing at each moment what was said.

Greeting, TLS and login are a library's. The envelope is spoken here, for two reasons: it must be known
whether the final dot had left when a connection broke, and MAIL, RCPT and DATA go out in one piece where
the server allows it (PIPELINING), which saves half of the time.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable, Mapping

import msgspec

from germane.deliver.channels.replies import Stage, classify
from germane.domain.sending import Ambiguous, Refused, Result, Retry

_REPLY = re.compile(rb"([2-5][0-9]{2})([ -]|$)(.*)", re.DOTALL)
_AT_ONCE = 32_000
"""Bytes of a message that goes out in one piece with its final dot."""
_LONGEST_LINE = 8_192
_MOST_TEXT = 4_000


class Envelope(msgspec.Struct, frozen=True):
    """What a server is told about a message, and the message."""

    sender: str
    recipient: str
    data: bytes
    """With CRLF line ends, the last one included."""
    international: bool = False
    """An address has letters outside ASCII in front of the @."""


class Lost(Exception):
    """The connection is of no use any more, and nothing was handed over by it."""

    def __init__(self, reason: str, code: str = "smtp.connection", after_s: float = 0) -> None:
        self.result = Retry(after_s, reason, code)
        super().__init__(reason)


class _Gone(Exception):
    """The other side is gone."""


class Dialogue(asyncio.Protocol):
    """Takes over a connection that is ready for MAIL."""

    def __init__(
        self,
        transport: asyncio.Transport,
        offers: Mapping[str, str],
        *,
        timeout_s: float,
        final_timeout_s: float,
        say: Callable[[str, str], None],
    ) -> None:
        """``offers`` are the server's extensions, in small letters, with what follows each."""
        self._transport = transport
        self._offers = offers
        self._timeout_s, self._final_timeout_s = timeout_s, final_timeout_s
        self._say = say
        self._buffer = b""
        self._begun: list[bytes] = []
        self._replies: deque[tuple[int, str]] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._paused: asyncio.Future[None] | None = None
        self._why = ""
        transport.set_protocol(self)
        # Paused means: something is still here. So it is known that the dot is, while we wait.
        transport.set_write_buffer_limits(high=0)

    # -- as asyncio calls it ------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """What the server says."""
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for each in lines:
            self._line(each.rstrip(b"\r"))
        if len(self._buffer) > _LONGEST_LINE:
            self._garbled(self._buffer)
        self._wake()

    def _line(self, line: bytes) -> None:
        found = _REPLY.fullmatch(line)
        if found is None or sum(map(len, self._begun)) > _MOST_TEXT:
            self._garbled(line)
            return
        self._begun.append(found[3].strip())
        if found[2] != b"-":
            text = b"\n".join(self._begun).decode("utf-8", "replace")
            self._begun = []
            self._replies.append((int(found[1]), text))

    def _garbled(self, line: bytes) -> None:
        self._replies.append((-1, line[:200].decode("utf-8", "replace")))
        self._begun, self._buffer = [], b""

    def eof_received(self) -> bool:
        """The server says no more."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._why = f"the connection was lost{f' ({exc})' if exc else ''}"
        self._wake()

    def pause_writing(self) -> None:
        """The system takes no more for now."""
        self._paused = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        """It has taken nearly all."""
        if self._paused is not None and not self._paused.done():
            self._paused.set_result(None)
        self._paused = None

    def _wake(self) -> None:
        for each in (self._waiter, self._paused if self._why else None):
            if each is not None and not each.done():
                each.set_result(None)

    # -- as the connections call it -----------------------------------------------------------------

    @property
    def usable(self) -> bool:
        """Whether another message can go over it: it is open, and nothing was said unasked."""
        open_ = not self._why and not self._transport.is_closing()
        return open_ and not self._replies and not self._buffer and not self._begun

    def abort(self) -> None:
        """Give it up."""
        self._transport.abort()

    async def quit(self) -> None:
        """Say goodbye, and wait a little for the answer; whoever hung up before needs none."""
        try:
            async with asyncio.timeout(1):
                self._write(b"QUIT\r\n")
                await self._reply()
        except (_Gone, TimeoutError):
            pass
        self.abort()

    async def hand_over(self, envelope: Envelope) -> Result:
        """One message.

        Raises:
            Lost: the connection broke, and the message was certainly not taken.
        """
        refused = self._unfit(envelope)
        if refused is not None:
            return refused
        try:
            async with asyncio.timeout(self._timeout_s):
                result = await self._introduced(envelope)
        except _Gone as error:
            self.abort()
            raise Lost(
                f"The connection broke before the message was handed over: {error}."
            ) from None
        except TimeoutError:
            self.abort()
            raise Lost(f"The mail server said nothing for {self._timeout_s:g} s.") from None
        if result is None:
            return await self._message(envelope.data)
        await self._forgotten()
        return result

    def _unfit(self, envelope: Envelope) -> Refused | None:
        """What this server cannot take, by its own account."""
        if envelope.international and "smtputf8" not in self._offers:
            return Refused(
                "smtp.no_smtputf8", "The address has letters that this mail server cannot take."
            )
        limit = self._offers.get("size", "")
        if limit.isdigit() and 0 < int(limit) < len(envelope.data):
            return Refused(
                "smtp.too_large",
                f"The message has {len(envelope.data):,} bytes; the mail server takes {int(limit):,}.",
            )
        return None

    async def _introduced(self, envelope: Envelope) -> Result | None:
        """MAIL, RCPT and DATA; None when the server waits for the message."""
        more = b" SMTPUTF8" if envelope.international else b""
        steps: tuple[tuple[Stage, bytes, tuple[int, ...]], ...] = (
            ("sender", b"MAIL FROM:<" + envelope.sender.encode() + b">" + more, (250,)),
            ("recipient", b"RCPT TO:<" + envelope.recipient.encode() + b">", (250, 251, 252)),
            ("data", b"DATA", (354,)),
        )
        at_once = "pipelining" in self._offers
        if at_once:
            self._write(b"".join(command + b"\r\n" for _, command, _ in steps))
        result: Result | None = None
        for stage, command, good in steps:
            try:
                if not at_once:
                    self._write(command + b"\r\n")
                code, text = await self._reply()
            except _Gone:
                if result is None:
                    raise
                return result  # it was refused already, and then they hung up
            self._say(stage, f"{code} {text}")
            if result is None and code not in good:
                result = self._refusal(stage, code, text)
                if not at_once:
                    break
        if result is not None and code == 354:
            self.abort()  # it waits for a message that nobody is to get
        return result

    def _refusal(self, stage: Stage, code: int, text: str) -> Result:
        """What an answer means that is not the good one.

        Raises:
            Lost: the server gives the connection up, or cannot be understood.
        """
        result = classify(stage, code, text)
        if code in (421, -1):
            self.abort()
            assert isinstance(result, Retry)
            raise Lost(result.reason, result.code, result.after_s)
        return result

    async def _forgotten(self) -> None:
        """After a refusal the server forgets what it was told; or the connection is given up."""
        try:
            async with asyncio.timeout(self._timeout_s):
                self._write(b"RSET\r\n")
                await self._reply()
        except (_Gone, TimeoutError):
            self.abort()

    async def _message(self, data: bytes) -> Result:
        """The message and its final dot; what breaks after the dot leaves open whether it was taken."""
        dotted = False
        try:
            async with asyncio.timeout(self._final_timeout_s):
                stuffed = _stuffed(data)
                if len(stuffed) > _AT_ONCE:
                    self._write(stuffed)
                    await self._flushed()
                    stuffed = b""
                self._still_there()
                dotted = True
                self._write(stuffed + b".\r\n")
                code, text = await self._reply()
        except (_Gone, TimeoutError) as error:
            self.abort()
            why = str(error) or f"no answer in {self._final_timeout_s:g} s"
            if not dotted:
                raise Lost(f"The connection broke within the message: {why}.") from None
            return Ambiguous(f"After the whole message was sent: {why}.")
        except asyncio.CancelledError:
            self.abort()
            if not dotted:
                raise
            return Ambiguous("The server stopped before the mail server had answered.")
        self._say("end", f"{code} {text}")
        if code in (421, -1):
            self.abort()
        return classify("end", code, text)

    def _still_there(self) -> None:
        if self._why or self._transport.is_closing():
            raise _Gone(self._why or "the connection is closed")

    def _write(self, data: bytes) -> None:
        self._still_there()
        self._transport.write(data)

    async def _flushed(self) -> None:
        """Wait until the system has taken the message, so that the dot is known to be still here.

        An answer that comes before the dot (the message is too large, say) ends it: it is not taken.
        """
        if self._paused is not None:
            await self._paused
        self._still_there()
        if self._replies:
            code, text = self._replies.popleft()
            raise _Gone(f"the mail server answered before the end: {code} {text[:200]}")

    async def _reply(self) -> tuple[int, str]:
        while not self._replies:
            if self._why:
                raise _Gone(self._why)
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self._replies.popleft()


def _stuffed(data: bytes) -> bytes:
    """With a second dot before each line that begins with one (RFC 5321, 4.5.2)."""
    return (b"." if data.startswith(b".") else b"") + data.replace(b"\n.", b"\n..")
