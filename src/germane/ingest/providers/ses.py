"""Amazon SES: what lies inside the SNS messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from germane.domain.answer import Answer, AnswerKind
from germane.domain.errors import MalformedJson
from germane.ingest.providers.reading import (
    Permanent,
    answered,
    decoded,
    instant,
    judged,
    ours,
    rows,
    table,
    text,
)

KINDS: dict[str, tuple[AnswerKind, str]] = {
    "Delivery": ("delivered", "delivery"),
    "Bounce": ("bounced", "bounce"),
    "Complaint": ("complained", "complaint"),
    "Reject": ("dropped", "reject"),
    "Open": ("opened", "open"),
    "Click": ("clicked", "click"),
    "DeliveryDelay": ("deferred", "deliveryDelay"),
    "Rendering Failure": ("dropped", "failure"),
    "Subscription": ("unsubscribed", "subscription"),
}
"""``Send`` says nothing new."""
_RECIPIENTS = ("bouncedRecipients", "complainedRecipients", "delayedRecipients")


def parse(envelope: Mapping[str, Any], now_ms: int) -> list[Answer]:
    """The answers in an envelope that was checked; one a recipient. SES's own greetings give none."""
    try:
        inner = decoded(str(envelope.get("Message", "")).encode("utf-8", "surrogatepass"))
    except MalformedJson:
        return []  # "Successfully validated SNS topic for Amazon SES event publishing."
    inner = table(inner)
    name = text(inner.get("eventType")) or text(inner.get("notificationType"))
    if name not in KINDS:
        return []
    kind, under = KINDS[name]
    mail, said = table(inner.get("mail")), table(inner.get(under))
    if kind == "unsubscribed" and not _left(said):
        kind = "resubscribed"
    if kind == "bounced" and text(said.get("bounceType")) == "Transient":
        kind = "deferred"
    at_ms = instant(said.get("timestamp") or mail.get("timestamp"), now_ms)
    sent_ms = instant(mail.get("timestamp"), now_ms)
    found = []
    for number, (address, row) in enumerate(_recipients(mail, said)):
        answer = answered(
            kind,
            "ses",
            f"{text(envelope.get('MessageId'))}:{number}",
            at_ms,
            **_ids(mail),
            address=address,
            url=text(said.get("link"), 2_000),
            detail=_detail(said, row),
            permanent=kind == "bounced" and _permanent(said, row),
            agent=text(said.get("userAgent")),
            subject=text(table(mail.get("commonHeaders")).get("subject")),
        )
        found.append(judged(answer, text(said.get("ipAddress")), sent_ms))
    return found


def _recipients(mail: dict[str, Any], said: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Address and what is said of it; opens and clicks do not tell whose: there is one a message."""
    for name in _RECIPIENTS:
        listed = rows(said.get(name))
        if listed:
            return [(text(each.get("emailAddress")), each) for each in listed]
    addresses = said.get("recipients") or mail.get("destination")
    return (
        [(text(each), {}) for each in addresses]
        if isinstance(addresses, list) and addresses
        else [("", {})]
    )


def _ids(mail: dict[str, Any]) -> dict[str, str]:
    """From the tags; else from our headers, where SES passes them on."""
    tags = {
        name: values[0]
        for name, values in table(mail.get("tags")).items()
        if isinstance(values, list) and values
    }
    headers = {
        text(each.get("name")).lower(): text(each.get("value"), 2_000)
        for each in rows(mail.get("headers"))
    }
    from_headers = {
        f"{name}_id": headers[f"x-germane-{name}"]
        for name in ("message", "campaign", "decision")
        if headers.get(f"x-germane-{name}")
    }
    return from_headers | ours(tags)


def _left(said: dict[str, Any]) -> bool:
    """Whether the new preferences say no to everything."""
    new = table(said.get("newTopicPreferences"))
    return new.get("unsubscribeAll") is not False


def _detail(said: dict[str, Any], row: dict[str, Any]) -> str:
    for value in (
        row.get("diagnosticCode"),
        said.get("smtpResponse"),
        said.get("reason"),
        said.get("errorMessage"),
        said.get("complaintFeedbackType"),
        said.get("bounceSubType"),
        said.get("delayType"),
    ):
        if text(value):
            return text(value)
    return ""


def _permanent(said: dict[str, Any], row: dict[str, Any]) -> bool:
    """The address does not exist: by its status where there is one, else by SES's own judgement."""
    if text(said.get("bounceType")) != "Permanent":
        return False
    status = text(row.get("status"))
    if status and status != "5.0.0":
        return Permanent.match(status) is not None
    return text(said.get("bounceSubType")) in (
        "NoEmail",
        "General",
        "Suppressed",
        "OnAccountSuppressionList",
    )
