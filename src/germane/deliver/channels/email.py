"""E-mail by SMTP: a message as people's programs and the big receivers want it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import blake2b

import msgspec

from germane.deliver.channels.dialogue import Envelope
from germane.deliver.channels.dkim import DkimSigner
from germane.deliver.channels.headers import BadHeader, checked, checked_name, line, structured
from germane.deliver.channels.mailbox import Mailbox, mailbox, named
from germane.deliver.channels.mime import entity
from germane.deliver.channels.provider import Provider, id_headers
from germane.deliver.channels.smtp import Connections, SmtpServer
from germane.domain.sending import TRANSACTIONAL, Outgoing, Refused, Result

_SAFE_ID = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*", re.ASCII)
_NOT_LABEL = re.compile(r"[^A-Za-z0-9-]+", re.ASCII)
_URL = re.compile(r"https?://[!-;=?-~]+", re.ASCII)
_MAILTO = re.compile(r"mailto:[!-;=?-~]+@[!-;=?-~]+", re.ASCII)
OWN = frozenset(
    ["from", "to", "cc", "bcc", "sender", "reply-to", "subject", "date", "message-id", "mime-version",
     "return-path", "received", "dkim-signature", "list-unsubscribe", "list-unsubscribe-post", "list-id",
     "feedback-id", "x-smtpapi", "x-ses-message-tags", "x-ses-configuration-set", "x-pm-message-stream"]
)  # fmt: skip
"""Headers that a message cannot bring along: they are made here."""
OWN_STARTS = ("content-", "x-germane-", "x-pm-metadata-", "resent-", "arc-")


class EmailSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How messages look, whatever server takes them."""

    sender: str
    """``Name <address>`` of messages that name none."""
    reply_to: str = ""
    bounces_to: str = ""
    """Where a server reports what it cannot deliver; empty: the sender."""
    provider: Provider = "none"
    stream: str = ""


class EmailChannel:
    """Sends e-mail. Its connections belong to the event loop that sends first."""

    def __init__(
        self,
        settings: EmailSettings,
        server: SmtpServer,
        signers: tuple[DkimSigner, ...] = (),
        say: Callable[[str, str], None] | None = None,
    ) -> None:
        self._settings = settings
        self._server = server
        self._signers = signers
        self._say = say
        self._connections: Connections | None = None

    async def send(self, outgoing: Outgoing) -> Result:
        """Compose and hand in."""
        try:
            envelope = compose(outgoing, self._settings, self._signers)
        except BadHeader as error:
            return Refused(error.code, error.reason)
        if self._connections is None:
            self._connections = Connections(self._server, self._say)
        return await self._connections.deliver(envelope)

    async def close(self) -> None:
        """Say goodbye to the server."""
        if self._connections is not None:
            await self._connections.close()
            self._connections = None


def compose(
    outgoing: Outgoing, settings: EmailSettings, signers: tuple[DkimSigner, ...] = ()
) -> Envelope:
    """The message as it goes over the wire: the same bytes at every try.

    Raises:
        BadHeader: an address is none, a header has signs that it may not, or what must be there is missing.
    """
    sender = mailbox(outgoing.sender or settings.sender, "From")
    to = named(outgoing.to, "To", outgoing.to_name)
    bounces = mailbox(settings.bounces_to, "bounces_to") if settings.bounces_to else sender
    lines = [
        f"From: {sender.header('From')}",
        f"To: {to.header('To')}",
        line("Subject", outgoing.subject),
        f"Date: {format_datetime(datetime.fromtimestamp(outgoing.at_ms // 1000, UTC))}",
        structured("Message-ID", message_id(outgoing.message_id, sender.domain)),
    ]
    reply_to = outgoing.reply_to or settings.reply_to
    if reply_to:
        lines.append(f"Reply-To: {mailbox(reply_to, 'Reply-To').header('Reply-To')}")
    lines += _list_headers(outgoing, sender)
    for name, value in _ids(outgoing, settings):
        lines.append(structured(name, _ascii(name, value)))
    for name, value in outgoing.headers.items():
        lines.append(line(_free(name), value))
    if not outgoing.html and not outgoing.text:
        raise BadHeader("email.empty", "The message has neither a text nor HTML.")
    try:
        mime, body = entity(outgoing.text, outgoing.html, outgoing.message_id)
    except UnicodeEncodeError:
        raise BadHeader("email.not_unicode", "The text has half of a character in it.") from None
    lines += mime
    # What is signed is made before any signature: each stands for itself.
    marks = [each.header(lines, body, outgoing.at_ms // 1000) for each in signers]
    head = "\r\n".join([*marks, *lines])
    return Envelope(
        bounces.address,
        to.address,
        head.encode() + b"\r\n\r\n" + body,
        any(each.international for each in (sender, to, bounces)),
    )


def message_id(ours: str, domain: str) -> str:
    """``<id@domain>``, made from our id alone."""
    checked("the message id", ours)
    if len(ours) > 120 or not _SAFE_ID.fullmatch(ours):
        ours = blake2b(ours.encode(), digest_size=20).hexdigest()
    return f"<{ours}@{domain}>"


def _list_headers(outgoing: Outgoing, sender: Mailbox) -> list[str]:
    """What receivers demand of mail that nobody asked for one by one (RFC 2369, 8058, 2919, 3834)."""
    checked("the purpose", outgoing.purpose)
    if outgoing.purpose == TRANSACTIONAL:
        return ["Auto-Submitted: auto-generated"]
    ways = []
    if not _URL.fullmatch(outgoing.unsubscribe_url):
        raise BadHeader(
            "email.no_unsubscribe",
            "Mail that is not transactional needs the address of its unsubscription.",
        )
    ways.append(f"<{outgoing.unsubscribe_url}>")
    if outgoing.unsubscribe_mailto:
        address = "mailto:" + outgoing.unsubscribe_mailto.removeprefix("mailto:")
        if not _MAILTO.fullmatch(address):
            raise BadHeader("email.bad_address", "unsubscribe_mailto is no address.")
        ways.append(f"<{address}>")
    purpose = _label(outgoing.purpose) or "mail"
    campaign = _label(outgoing.campaign_id) or "none"
    return [
        structured("List-Unsubscribe", ", ".join(ways)),
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        structured("List-ID", f"<{purpose}.{sender.domain}>"),
        structured("Feedback-ID", f"{campaign}:{purpose}:germane:{_label(sender.domain)}"),
    ]


def _label(text: str) -> str:
    return _NOT_LABEL.sub("-", text).strip("-")[:60]


def _ids(outgoing: Outgoing, settings: EmailSettings) -> list[tuple[str, str]]:
    """Our own ids, and the provider's copies of them."""
    own = [
        ("X-Germane-Message", outgoing.message_id),
        ("X-Germane-Campaign", outgoing.campaign_id),
        ("X-Germane-Decision", outgoing.decision_id),
    ]
    ids = outgoing.ids | {"person": outgoing.person, "purpose": outgoing.purpose}
    ids = {name: value for name, value in ids.items() if value}
    for name, value in ids.items():
        checked("the name of an id", name)
        checked(f"the id {name}", value)
        checked_name(name)
    return [each for each in own if each[1]] + id_headers(settings.provider, ids, settings.stream)


def _ascii(name: str, value: str) -> str:
    """An id is for programs: other letters are written as an escape."""
    checked(name, value)
    return value if value.isascii() else value.encode("ascii", "backslashreplace").decode()


def _free(name: str) -> str:
    """The name of a header that a message may bring along. Raises BadHeader."""
    small = checked_name(name).lower()
    if small in OWN or small.startswith(OWN_STARTS):
        raise BadHeader("email.own_header", f"The header {name} is made by the channel.")
    return name
