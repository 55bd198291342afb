"""Rows that are messages of the tracking API themselves, as its clients send and exports write them."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from germane.domain.event import Event
from germane.ingest.bulk.unusable import Unusable
from germane.ingest.segment import KINDS, KNOWN, parse_kept

_INNER = ("properties", "traits")
_SENT = ("sentAt", "originalTimestamp")
"""By these the API corrects the clock of who sends it now; a file tells what was corrected then."""


def is_message(values: dict[str, Any]) -> bool:
    """Whether a row is one: it has a type, an id, and what it tells inside of an object."""
    if values.get("type") not in KINDS or not ("userId" in values or "anonymousId" in values):
        return False
    return any(isinstance(values.get(each), dict) for each in _INNER) or values.keys() <= KNOWN


def event_of(values: dict[str, Any], message_id: Any, at_ms: int) -> Event:
    """The event that the API makes of a message.

    Args:
        values: The row.
        message_id: Its own id, or one that was made for it.
        at_ms: When it was, in milliseconds since 1970.

    Raises:
        Unusable: the API would refuse it.
    """
    message = {name: value for name, value in values.items() if name not in _SENT}
    body = msgspec.json.encode(message | {"messageId": message_id, "timestamp": at_ms})
    found = parse_kept(body, at_ms)
    if isinstance(found, str):
        reason, _, detail = found.partition(": ")
        raise Unusable(reason, detail)
    return replace(found, at_ms=at_ms)
