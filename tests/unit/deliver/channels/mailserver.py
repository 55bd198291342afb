"""A real mail server (aiosmtpd) in a thread, that can be told to misbehave at any stage."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from tests.postoffice import PostOffice, Remembered, open_office


@dataclass
class Script:
    """What it does; the empty answer is its own."""

    mail: list[str] = field(default_factory=list)
    """Answers to MAIL, one after the other; then it is well-behaved. So for the others."""
    rcpt: list[str] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    """To DATA itself. ``drop`` closes the connection, at every stage; ``silent`` says nothing, and sets
    ``stuck``."""
    end: list[str] = field(default_factory=list)
    """To the final dot. ``slow`` waits a second, ``keep-then-drop`` takes the message and says nothing."""
    stuck: threading.Event = field(default_factory=threading.Event)
    pipelining: bool = False
    banner: str = ""
    got: list[Envelope] = field(default_factory=list)
    sessions: list[int] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)


class Scripted(Remembered):
    """aiosmtpd, with a script in front of each command."""

    script: Script

    def connection_made(self, transport: Any) -> None:
        self.script.sessions.append(id(self))
        super().connection_made(transport)

    async def push(self, status: Any) -> None:
        text = status if isinstance(status, str) else status.decode()
        if self.script.pipelining and text.startswith("250-SIZE"):
            await super().push("250-PIPELINING")
        if self.script.banner and text.startswith("220 "):
            text = self.script.banner
        await super().push(text)

    def _scripted(self, answers: list[str]) -> str:
        return answers.pop(0) if answers else ""

    async def smtp_MAIL(self, arg: str) -> None:  # noqa: N802 - the library's name
        if await self._said(self.script.mail):
            return
        await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str) -> None:  # noqa: N802
        if await self._said(self.script.rcpt):
            return
        await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        if self.script.data and self.script.data[0] == "drop-within":
            self.script.data.pop(0)
            await self.push("354 go on")
            await self._reader.read(10)
            self.transport.abort()
            return
        if await self._said(self.script.data):
            return
        await super().smtp_DATA(arg)

    async def _said(self, answers: list[str]) -> bool:
        told = self._scripted(answers)
        if told == "drop":
            self.transport.abort()
        elif told == "silent":
            self.script.stuck.set()
        elif told:
            await self.push(told)
        return bool(told)


class Handler:
    """Takes messages."""

    def __init__(self, script: Script) -> None:
        self._script = script

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        told = self._script.end.pop(0) if self._script.end else ""
        if told == "drop":
            server.transport.abort()
            return "250 nobody hears this"
        if told == "silent":
            self._script.stuck.set()
            await asyncio.sleep(0.3)
        if told == "slow":
            time.sleep(1.0)  # noqa: ASYNC251 - the whole server stands still
        if told.startswith(("4", "5")):
            return told
        self._script.got.append(envelope)
        if told == "keep-then-drop":
            server.transport.abort()
            return "250 nobody hears this"
        return told if told and told[0].isdigit() else "250 2.0.0 taken"


class Server(PostOffice):
    """Follows a script."""

    kind = Scripted

    def __init__(self, script: Script, **more: Any) -> None:
        self._script = script
        super().__init__(Handler(script), **more)

    def factory(self) -> SMTP:
        served = super().factory()
        assert isinstance(served, Scripted)
        served.script = self._script
        return served


@contextmanager
def mailserver(script: Script | None = None, **more: Any) -> Iterator[tuple[int, Script]]:
    """Port and script of a running server."""
    script = script or Script()
    with open_office(Server(script, **more)) as port:
        script.sessions.clear()  # the library looks whether it is there
        yield port, script


def login(name: str, password: str, script: Script) -> Any:
    """An authenticator that knows one name."""

    def check(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        good = (data.login, data.password) == (name.encode(), password.encode())
        script.logins.append(mechanism)
        return AuthResult(success=good, handled=False)

    return check


def certificate(folder: Path, host: str = "localhost") -> tuple[ssl.SSLContext, Path]:
    """A server's TLS context with a certificate made for the test, and the file to trust it by."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert_file, key_file)
    return context, cert_file
