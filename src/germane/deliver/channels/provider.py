"""Our ids, in the form in which each provider gives them back with what happens to a message."""

from __future__ import annotations

import json
import re
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
            f"{name}={value}"
            for name, value in list(ids.items())[:_SES_MOST]
            if len(value) <= _SES_VALUE and not _NOT_SES.search(name + value)
        ]
        found = [("X-SES-MESSAGE-TAGS", ", ".join(tags))] if tags else []
        return found + ([("X-SES-CONFIGURATION-SET", stream)] if stream else [])
    return []
