"""Postmark's webhooks: one object a request, guarded by basic auth or a header of your own."""

from __future__ import annotations

import hmac
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from typing import Any

from germane.domain.answer import Answer, AnswerKind
from germane.domain.errors import BadRequest, BadSignature
from germane.ingest.providers.reading import answered, decoded, instant, judged, ours, table, text

HEADER = "x-postmark-secret"
RECORDS: dict[str, tuple[AnswerKind, str]] = {
    "Delivery": ("delivered", "DeliveredAt"),
    "Open": ("opened", "ReceivedAt"),
    "Click": ("clicked", "ReceivedAt"),
    "Bounce": ("bounced", "BouncedAt"),
    "SpamComplaint": ("complained", "BouncedAt"),
    "SubscriptionChange": ("unsubscribed", "ChangedAt"),
}
BOUNCES: dict[str, AnswerKind] = {
    "Transient": "deferred",
    "AutoResponder": "autoresponded",
    "AddressChange": "autoresponded",
    "ChallengeVerification": "autoresponded",
    "SpamNotification": "complained",
    "SpamComplaint": "complained",
    "Unsubscribe": "unsubscribed",
    "Subscribe": "resubscribed",
}
"""Types of bounces that are none; every other one is."""
NOBODY = ("HardBounce", "BadEmailAddress")
"""Types that say that the address does not exist."""


def verify(headers: Mapping[str, str], secret: str) -> None:
    """Let pass who knows the secret: as the password of basic auth, or in ``X-Postmark-Secret``.

    Raises:
        BadSignature: it is missing, or another one.
    """
    given = [headers.get(HEADER, "")]
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            given.append(b64decode(value, validate=True).decode().partition(":")[2])
        except (Base64Error, ValueError):
            raise BadSignature() from None
    # Each is compared, whatever the first one says: how long it takes tells nothing.
    found = [hmac.compare_digest(each.encode(), secret.encode()) for each in given]
    if not secret or not any(found):
        raise BadSignature("The secret of Postmark's request does not fit.")


def parse(body: bytes, now_ms: int) -> list[Answer]:
    """The record as an answer; a kind that is not known gives none.

    Raises:
        MalformedJson: it is no JSON.
        BadRequest: it is no object.
    """
    record = decoded(body)
    if not isinstance(record, dict):
        raise BadRequest("Postmark sends one object.")
    name = text(record.get("RecordType"))
    if name not in RECORDS:
        return []
    kind, when = RECORDS[name]
    if name == "Bounce":
        kind = BOUNCES.get(text(record.get("Type")), "bounced")
    if name == "SubscriptionChange":
        kind = _changed(record)
    return [_answer(kind, name, record, instant(record.get(when), now_ms))]


def _changed(record: dict[str, Any]) -> AnswerKind:
    if record.get("SuppressSending") is False:
        return "resubscribed"
    reasons: dict[str, AnswerKind] = {"HardBounce": "bounced", "SpamComplaint": "complained"}
    return reasons.get(text(record.get("SuppressionReason")), "unsubscribed")


def _answer(kind: AnswerKind, name: str, record: dict[str, Any], at_ms: int) -> Answer:
    address = text(record.get("Email")) or text(record.get("Recipient"))
    mark = text(record.get("ID")) or str(at_ms)
    answer = answered(
        kind,
        "postmark",
        f"{text(record.get('MessageID'))}:{name}:{address}:{mark}:{text(record.get('OriginalLink'), 2000)}",
        at_ms,
        **ours(table(record.get("Metadata"))),
        address=address,
        url=text(record.get("OriginalLink"), 2_000),
        detail=text(record.get("Description")) or text(record.get("Details")),
        permanent=kind == "bounced" and _permanent(record),
        subject=text(record.get("Subject")),
        agent=text(record.get("UserAgent")),
    )
    return judged(answer, text(table(record.get("Geo")).get("IP")))


def _permanent(record: dict[str, Any]) -> bool:
    return (
        text(record.get("Type")) in NOBODY or text(record.get("SuppressionReason")) == "HardBounce"
    )
