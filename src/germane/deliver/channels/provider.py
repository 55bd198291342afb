"""Our ids, in the form in which each provider gives them back with what happens to a message."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Literal

Provider = Literal["none", "sendgrid", "postmark", "ses"]
_POSTMARK_KEY, _POSTMARK_VALUE, _POSTMARK_MOST = 20, 80, 10
_SES_VALUE, _SES_MOST = 256, 40
_NOT_SES = re.compile(r"[^A-Za-z0-9_.@-]")


def id_headers(provider: Provider, ids: Mapping[str, str], stream: str) -> list[tuple[str, str]]:
    """Header names and values; what a provider cannot hold is left out, never cut.

    Args:
        provider: Whose mail server it is.
        ids: Message, campaign, decision and others.
        stream: Postmark's message stream, or the configuration set of SES.
    """
    if provider == "sendgrid":
        return [("X-SMTPAPI", json.dumps({"unique_args": dict(ids)}))]
    if provider == "postmark":
        found = [
            (f"X-PM-Metadata-{name}", value)
            for name, value in list(ids.items())[:_POSTMARK_MOST]
            if len(name) <= _POSTMARK_KEY and len(value) <= _POSTMARK_VALUE
        ]
        return found + ([("X-PM-Message-Stream", stream)] if stream else [])
    if provider == "ses":
        tags = [
            f"{name}={_ses(value)}"
            for name, value in list(ids.items())[:_SES_MOST]
            if len(_ses(value)) <= _SES_VALUE and not _NOT_SES.search(name)
        ]
        found = [("X-SES-MESSAGE-TAGS", ", ".join(tags))] if tags else []
        return found + ([("X-SES-CONFIGURATION-SET", stream)] if stream else [])
    return []


def _ses(value: str) -> str:
    """A tag's value: letters that SES does not take are written in base64url, marked by ``b64.``."""
    if not _NOT_SES.search(value) and not value.startswith("b64."):
        return value
    return "b64." + urlsafe_b64encode(value.encode()).rstrip(b"=").decode()
