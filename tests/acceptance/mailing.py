"""A real SMTP server that keeps what it is given."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from tests.acceptance.conftest import free_port
from tests.postoffice import PostOffice, open_office


@dataclass
class Sink:
    """What arrived, in order."""

    port: int
    mails: list[tuple[str, EmailMessage]] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - its name
        """Take everything."""
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails += [(each, mail) for each in envelope.rcpt_tos]
        return "250 taken"

    def to(self, address: str, count: int, seconds: float = 30) -> list[EmailMessage]:
        """Wait for mails to one address."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = [mail for to, mail in self.mails if to == address]
            if len(found) >= count:
                return found
            time.sleep(0.05)
        raise AssertionError(f"{address} got {len(found)} mails, not {count}")


@contextmanager
def smtp_sink(kind: type[Sink] = Sink) -> Iterator[Sink]:
    """A server on a free port."""
    sink = kind(free_port())
    with open_office(PostOffice(sink, sink.port)):
        yield sink


def text_of(mail: EmailMessage, kind: str = "plain") -> str:
    """The plain or the HTML part."""
    part = mail.get_body(preferencelist=(kind,))
    assert part is not None
    content: str = part.get_content()
    return content


def links_of(mail: EmailMessage) -> dict[str, str]:
    """Words of a link -> where it leads."""
    found = re.findall(r'<a\b[^>]*href="([^"]+)"[^>]*>(.*?)</a>', text_of(mail, "html"), re.DOTALL)
    return {re.sub(r"<[^>]+>|\s+", " ", words).strip(): url for url, words in found}
