"""SendGrid's event webhook: a list of events, signed by ECDSA."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from typing import Any

from germane.domain.answer import Answer, AnswerKind
from germane.domain.errors import BadRequest, BadSignature, NoLibrary
from germane.ingest.providers.reading import (
    MOST_EVENTS,
    answered,
    decoded,
    instant,
    judged,
    ours,
    rows,
    text,
)

SIGNATURE = "x-twilio-email-event-webhook-signature"
TIMESTAMP = "x-twilio-email-event-webhook-timestamp"
KINDS: dict[str, AnswerKind] = {
    "deferred": "deferred",
    "delivered": "delivered",
    "dropped": "dropped",
    "bounce": "bounced",
    "open": "opened",
    "click": "clicked",
    "spamreport": "complained",
    "unsubscribe": "unsubscribed",
    "group_unsubscribe": "unsubscribed",
    "group_resubscribe": "resubscribed",
}
"""``processed`` says nothing new, and is passed over."""


def verify(headers: Mapping[str, str], body: bytes, public_key: str) -> None:
    """Let only SendGrid pass.

    Args:
        headers: In small letters.
        body: As it came, byte for byte.
        public_key: Base64 of the key (SPKI), as SendGrid shows it.

    Raises:
        BadSignature: it is missing, or does not fit.
        NoLibrary: ``cryptography`` is not installed.
    """
    try:
        from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
        from cryptography.hazmat.primitives.serialization import load_der_public_key
    except ImportError:
        raise NoLibrary("SendGrid's signatures need the library `cryptography`.") from None
    try:
        key = load_der_public_key(b64decode(public_key))
        signature = b64decode(headers.get(SIGNATURE, ""), validate=True)
        if not isinstance(key, EllipticCurvePublicKey) or not signature:
            raise BadSignature()
        key.verify(signature, headers.get(TIMESTAMP, "").encode() + body, ECDSA(hashes.SHA256()))
    except (InvalidSignature, UnsupportedAlgorithm, Base64Error, ValueError):
        raise BadSignature() from None


def parse(body: bytes, now_ms: int) -> list[Answer]:
    """The events as answers. Kinds that say nothing, and what is no event, are left out.

    Raises:
        MalformedJson: it is no JSON.
        BadRequest: it is no list, or one that is too long.
    """
    whole = decoded(body)
    if not isinstance(whole, list):
        raise BadRequest("SendGrid sends a list of events.")
    if len(whole) > MOST_EVENTS:
        raise BadRequest(f"The list has more than {MOST_EVENTS:,} events.")
    return [found for each in rows(whole) if (found := _one(each, now_ms)) is not None]


def _one(event: dict[str, Any], now_ms: int) -> Answer | None:
    kind = KINDS.get(text(event.get("event")))
    if kind is None:
        return None
    at_ms = instant(event.get("timestamp"), now_ms)
    answer = answered(
        kind,
        "sendgrid",
        text(event.get("sg_event_id")),
        at_ms,
        **ours(event),
        address=text(event.get("email")),
        url=text(event.get("url"), 2_000),
        detail=text(event.get("reason")) or text(event.get("response")),
        permanent=kind == "bounced" and _permanent(event),
        agent=text(event.get("useragent")),
    )
    return judged(answer, text(event.get("ip")), proxy=event.get("sg_machine_open") is True)


def _permanent(event: dict[str, Any]) -> bool:
    """The address does not exist. ``blocked`` and policy (5.7) are about us, 5.2.2 is a full mailbox."""
    status = text(event.get("status"))
    if text(event.get("type")) == "blocked":
        return False
    return not status.startswith(("4", "5.7", "5.2.2", "5.1.7", "5.1.8"))
