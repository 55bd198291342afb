"""What the ledger adds up to: counts of messages and enrolments, and messages as people read them."""

from __future__ import annotations

from typing import Any

from germane.app.engine import Engine
from germane.domain.message import Message, Why
from germane.profile.words import rfc3339


def message_counts(engine: Engine) -> dict[str, dict[str, int]]:
    """Campaign -> status -> how many messages."""
    found: dict[str, dict[str, int]] = {}
    for (campaign, status), count in engine.entries.counts(engine.tenant, "message").items():
        found.setdefault(campaign, {})[status] = count
    for (campaign, _), count in engine.entries.counts(engine.tenant, "draft").items():
        found.setdefault(campaign, {})["making"] = count
    return found


def enrolment_counts(engine: Engine) -> dict[str, dict[str, int]]:
    """Campaign -> phase -> how many enrolments."""
    found: dict[str, dict[str, int]] = {}
    for (topic, phase), count in engine.entries.counts(engine.tenant, "enrolment").items():
        phases = found.setdefault(topic.partition("|")[0], {})
        phases[phase] = phases.get(phase, 0) + count
    return found


def message_view(message: Message) -> dict[str, Any]:
    """One message, as people read it."""
    return {
        "messageId": message.message_id,
        "personId": message.person,
        "campaign": message.campaign,
        "step": message.step,
        "channel": message.channel,
        "webhook": message.webhook or None,
        "content": message.content,
        "status": message.status,
        "due": rfc3339(message.due_ms),
        "expires": rfc3339(message.expires_ms),
        "created": rfc3339(message.created_ms),
        "settled": rfc3339(message.settled_ms),
        "attempts": message.attempts,
        "item": message.item,
        "chosen": message.chosen,
        "decisions": list(message.decisions),
        "digest": message.digest,
        "whys": [why_view(each) for each in message.whys],
    }


def why_view(why: Why) -> dict[str, Any]:
    """A reason with its time."""
    return {"at": rfc3339(why.at_ms), "code": why.code, "text": why.text}
