"""What the ledger adds up to: counts of messages and enrolments, and why somebody got nothing."""

from __future__ import annotations

from typing import Any

import msgspec

from germane.app.audiences import in_words, standing
from germane.app.engine import Engine
from germane.app.enrolling import key_of
from germane.app.sends import messages_of
from germane.domain.enrolment import Enrolment, subject_of
from germane.domain.message import Message, Why
from germane.profile.words import rfc3339

PHASES = {
    "outside": "not in it",
    "waiting": "in it and wait",
    "sending": "in it, and a message is being made or sent",
    "done": "through with it",
}


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


def why_not(engine: Engine, person_id: str, campaign: str) -> dict[str, Any] | None:
    """Why a person has had, or has not had, a campaign's message; ``None``: nobody has that id.

    Args:
        engine: What knows.
        person_id: Person key, user id or anonymous id.
        campaign: Its name.
    """
    person = engine.person_key(person_id)
    if person is None:
        return None
    profile = engine.profile_of(person)
    known = engine.library.campaigns.get(campaign)
    states = _states(engine, person, campaign)
    if known is not None and known.enter.per == "account" and profile.account:
        key = key_of(campaign, subject_of("account", person, profile.account))
        entry = engine.entries.get(engine.tenant, "enrolment", key)
        states += [_decoded(entry.body)] if entry is not None else []
    mine = [m for m in messages_of(engine.entries, engine.tenant, person) if m.campaign == campaign]
    code = standing(engine, known, profile) if known is not None else ""
    return {
        "personId": person,
        "campaign": campaign,
        "answer": _answer(engine, campaign, states, mine, code),
        "standing": code,
        "enrolments": [_state_view(each) for each in states],
        "messages": [message_view(each) for each in mine],
    }


def _states(engine: Engine, person: str, campaign: str) -> list[Enrolment]:
    entries = engine.entries.of(engine.tenant, person, "enrolment")
    return [each for each in (_decoded(x.body) for x in entries) if each.campaign == campaign]


def _decoded(body: bytes) -> Enrolment:
    return msgspec.msgpack.decode(body, type=Enrolment)


def _state_view(state: Enrolment) -> dict[str, Any]:
    return {
        "subject": state.subject,
        "phase": state.phase,
        "step": state.step,
        "entered": rfc3339(state.entered_ms),
        "due": rfc3339(state.due_ms),
        "counted": state.counted or len(state.times),
        "reason": state.reason.text if state.reason is not None else "",
        "code": state.reason.code if state.reason is not None else "",
    }


def _answer(
    engine: Engine, campaign: str, states: list[Enrolment], messages: list[Message], code: str
) -> str:
    """In one sentence or two."""
    known = engine.library.campaigns.get(campaign)
    if known is None:
        return f"There is no campaign {campaign!r} any more."
    dry = "" if known.status == "live" else f" The campaign is {known.status}."
    if messages:
        newest = messages[0]
        last = newest.whys[-1].text if newest.whys else ""
        since = _since(newest, states)
        return f"The newest message is {newest.status}. {last}{since}{dry}".strip()
    against = "" if code == "reached" else f" And nothing would go out: {in_words(code, known)}."
    if not states:
        return f"Nothing has let them in.{against}{dry}"
    newest_state = max(states, key=lambda each: (each.entered_ms, each.due_ms))
    reason = newest_state.reason.text if newest_state.reason is not None else ""
    counted = newest_state.counted or len(newest_state.times)
    so_far = f" What counts happened {counted} of {known.enter.count} times." if counted else ""
    waits = " It waits for the item to change." if so_far and known.enter.item else ""
    phase = PHASES[newest_state.phase]
    said = f" {reason}" if reason else ""
    more = f"{so_far}{waits}" if newest_state.phase == "outside" else ""
    return f"They are {phase}.{said}{more}{against}{dry}"


def _since(newest: Message, states: list[Enrolment]) -> str:
    """Why there was no further message: they left after the newest one."""
    left = [
        each for each in states if each.phase == "done" and each.ended_ms > newest.settled_ms > 0
    ]
    if not left:
        return ""
    last = max(left, key=lambda each: each.ended_ms)
    return f" Since then: {last.reason.text}" if last.reason is not None else ""
