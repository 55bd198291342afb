"""The log for a CRM: every interaction as a CloudEvent, by webhook."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from germane.domain.answer import Answer
from germane.domain.sending import Outgoing

CONTENT_TYPE = "application/cloudevents+json"
SOURCE = "/germane"
PREFIX = "germane.message."


def sent_interaction(outgoing: Outgoing, channel: str, at_ms: int) -> Outgoing:
    """That a message went out, as a message to the CRM. ``at_ms`` is when, ms since 1970 UTC."""
    return _interaction(
        "sent",
        f"crm-sent-{outgoing.message_id}",
        at_ms,
        outgoing.person,
        {
            "channel": channel,
            "messageId": outgoing.message_id,
            "campaign": outgoing.campaign_id,
            "decisionId": outgoing.decision_id,
            "purpose": outgoing.purpose,
            "subject": outgoing.subject,
        },
    )


def answer_interaction(answer: Answer) -> Outgoing:
    """What came back about a message, as a message to the CRM."""
    return _interaction(
        answer.kind,
        f"crm-{answer.event_id}",
        answer.at_ms,
        answer.person,
        {
            "channel": "email",
            "messageId": answer.message_id,
            "campaign": answer.campaign_id,
            "decisionId": answer.decision_id,
            "purpose": answer.purpose,
            "url": answer.url,
            "machine": answer.machine,
            "permanent": answer.permanent,
            "detail": answer.detail,
        },
    )


def _interaction(kind: str, key: str, at_ms: int, person: str, data: dict[str, Any]) -> Outgoing:
    kept = {name: value for name, value in data.items() if value != ""}
    return Outgoing(
        message_id=key,
        person=person,
        at_ms=at_ms,
        payload={"type": PREFIX + kind, "data": kept},
    )


def cloud_event(outgoing: Outgoing) -> dict[str, Any]:
    """The body of the request: a CloudEvent 1.0 in structured form."""
    at = datetime.fromtimestamp(outgoing.at_ms / 1000, UTC)
    event = {
        "specversion": "1.0",
        "id": outgoing.message_id,
        "source": SOURCE,
        "type": str(outgoing.payload.get("type", PREFIX + "sent")),
        "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": outgoing.payload.get("data", outgoing.payload),
    }
    return event | ({"subject": outgoing.person} if outgoing.person else {})
