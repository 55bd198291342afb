"""Connections to a mail server: opened once, used for many messages, and honest about where they broke."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, cast

import msgspec

from germane.deliver.channels.dialogue import Dialogue, Envelope, Lost
from germane.deliver.channels.replies import OUR_FAULT_S, classify
from germane.domain.sending import Result, Retry

if TYPE_CHECKING:
    from aiosmtplib import SMTP

IDLE_S = 30.0
"""A connection that was idle for longer is not used again: servers close them after some minutes."""


class SmtpServer(msgspec.Struct, frozen=True, kw_only=True):
    """Where mail is handed in, and how."""

    host: str
    port: int = 587
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    """``starttls`` and ``implicit`` insist on it, with a certificate that is checked."""
    username: str = ""
    password: str = ""
    ca_file: str = ""
    """Certificates of an authority of your own, PEM."""
    hello: str = ""
    """The name that we greet with; empty: the machine's."""
    connections: int = 10
    per_connection: int = 500
    """Messages after which a connection is given up."""
    timeout_s: float = 60.0
    final_timeout_s: float = 600.0
    """How long the answer to the final dot may take: RFC 5321 asks for ten minutes."""


class _Line:
    """One connection with its age."""

    def __init__(self, dialogue: Dialogue) -> None:
        self.dialogue = dialogue
        self.messages = 0
        self.idle_since_s = time.monotonic()

    @property
    def usable(self) -> bool:
        return self.dialogue.usable and time.monotonic() - self.idle_since_s < IDLE_S


class Connections:
    """At most ``server.connections`` at a time; each message takes one for itself."""

    def __init__(self, server: SmtpServer, say: Callable[[str, str], None] | None = None) -> None:
        """``say`` is told each stage and what was answered, for `germane channel test`."""
        self._server = server
        self._say = say or _silent
        self._room = asyncio.Semaphore(server.connections)
        self._idle: list[_Line] = []
        self._tls: ssl.SSLContext | None = None

    async def deliver(self, envelope: Envelope) -> Result:
        """Hand one message in."""
        async with self._room:
            while True:
                line, fresh = self._reused(), False
                try:
                    if line is None:
                        line, fresh = await self._opened(), True
                    return await self._over(line, envelope)
                except Lost as error:
                    if fresh or line is None:
                        return error.result
                    # It had been idle and the server let go of it: nothing was handed over.

    def _reused(self) -> _Line | None:
        while self._idle:
            line = self._idle.pop()
            if line.usable:
                return line
            line.dialogue.abort()
        return None

    async def _opened(self) -> _Line:
        """A new connection: greeted, encrypted, logged in."""
        import aiosmtplib

        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            timeout=server.timeout_s,
            use_tls=server.tls == "implicit",
            start_tls=False,
            tls_context=self._context() if server.tls != "none" else None,
            local_hostname=server.hello or None,
        )
        where = f"{server.host}:{server.port}"
        below: asyncio.Transport | None = None
        try:
            greeting = await client.connect()
            below = cast("asyncio.Transport", client.transport)
            self._say("connect", f"{where} answers: {greeting.code} {greeting.message}")
            if server.tls == "starttls":
                await client.starttls()
            if server.tls != "none":
                self._say("tls", f"encrypted, certificate checked ({_cipher(client)})")
            hello = await client.ehlo()
            self._say("hello", f"{hello.code}, it offers: {', '.join(client.esmtp_extensions)}")
            if server.username:
                await client.login(server.username, server.password)
                self._say("login", f"logged in as {server.username}")
        except aiosmtplib.SMTPAuthenticationError as error:
            _give_up(client, below)
            reason = f"{where} does not accept the login: {error.code} {error.message}"
            raise Lost(reason, "smtp.login", OUR_FAULT_S) from None
        except aiosmtplib.SMTPResponseException as error:
            _give_up(client, below)
            found = classify("connect", error.code, error.message)
            assert isinstance(found, Retry)
            raise Lost(f"{where}: {found.reason}", found.code, found.after_s) from None
        except (aiosmtplib.SMTPException, ssl.SSLError) as error:
            _give_up(client, below)
            raise Lost(f"No connection to {where}: {error}", *_trouble(error)) from None
        except OSError as error:
            _give_up(client, below)
            raise Lost(f"No connection to {where}: {error.strerror or error}") from None
        except BaseException:
            _give_up(client, below)
            raise
        return _Line(self._taken_over(client))

    def _taken_over(self, client: SMTP) -> Dialogue:
        return Dialogue(
            cast("asyncio.Transport", client.transport),
            dict(client.esmtp_extensions),
            timeout_s=self._server.timeout_s,
            final_timeout_s=self._server.final_timeout_s,
            say=self._say,
        )

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context(cafile=self._server.ca_file or None)
        return self._tls

    async def _over(self, line: _Line, envelope: Envelope) -> Result:
        """One message over one connection, which goes back to the others unless it broke."""
        good = False
        try:
            result = await line.dialogue.hand_over(envelope)
            line.messages += 1
            good = line.messages < self._server.per_connection
            return result
        finally:
            if good and line.dialogue.usable:
                line.idle_since_s = time.monotonic()
                self._idle.append(line)
            else:
                line.dialogue.abort()

    async def close(self) -> None:
        """Say goodbye on every idle connection."""
        lines, self._idle = self._idle, []
        await asyncio.gather(*(each.dialogue.quit() for each in lines))


def _give_up(client: SMTP, below: asyncio.Transport | None) -> None:
    """Close at once, the connection below TLS as well: an encryption that failed leaves what it wanted to say
    waiting there, for a reader that may never come."""
    client.close()
    if below is not None:
        below.abort()


def _silent(stage: str, text: str) -> None:
    """Nobody wants to know."""


def _cipher(client: SMTP) -> str:
    found = client.get_transport_info("cipher")
    return f"{found[1]}, {found[0]}" if found else "unknown"


def _trouble(error: Exception) -> tuple[str, float]:
    """What cannot mend itself within seconds: no TLS, a bad certificate."""
    text = str(error).lower()
    if isinstance(error, ssl.SSLError) or "starttls" in text or "certificate" in text:
        return "smtp.tls", OUR_FAULT_S
    if "auth" in text:
        return "smtp.login", OUR_FAULT_S
    return "smtp.connection", 0
