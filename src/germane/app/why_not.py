"""Why somebody has had, or has not had, a campaign's message: in sentences that anybody understands."""

from __future__ import annotations

from typing import Any

import msgspec

from germane.app.audiences import in_words, standing
from germane.app.engine import Engine
from germane.app.enrolling import key_of
from germane.app.ledgers import message_view
from germane.app.sends import messages_of
from germane.deliver.said import moment
from germane.domain.campaign import Campaign
from germane.domain.enrolment import Enrolment, subject_of
from germane.domain.hours import zone_of
from germane.domain.message import Message, Status
from germane.domain.profile import Profile
from germane.privacy.ledger import says
from germane.profile.words import rfc3339

PHASES = {
    "outside": "not in it",
    "waiting": "in it and wait",
    "sending": "in it, and a message is being made or sent",
    "done": "through with it",
}
STANDS: dict[Status, str] = {
    "making": "is being made",
    "approval": "waits for approval (`germane approvals list`)",
    "queued": "waits to go out",
    "claimed": "is going out just now",
    "sent": "is sent",
    "ambiguous": "is in doubt, and waits for you to say whether it arrived (`germane messages resolve`)",
    "failed": "could not be delivered",
    "skipped": "was not sent",
    "expired": "was not sent in time",
    "cancelled": "was taken back",
    "dry": "was of a dry run, and not sent",
}
WAITS = ("making", "approval", "queued")
WHY_LATER = ("capped", "quiet_hours", "window", "day")
"""Codes of a plan that say why it is not sooner."""
WHEN = ("at_once", "first_moment", "best_hour", "explored", "hours_unknown", "spread", "took_place")
"""Codes of a plan that say when it is."""
AGAINST = ("suppressed", "no_address", "bad_address", "no_consent")
"""What speaks against any message of the campaign to a person, whenever it is."""


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
        shared = [_decoded(entry.body)] if entry is not None else []
        states += [each for each in shared if each not in states]  # they are who let it in
    mine = [m for m in messages_of(engine.entries, engine.tenant, person) if m.campaign == campaign]
    code = standing(engine, known, profile) if known is not None else ""
    return {
        "personId": person,
        "campaign": campaign,
        "answer": _answer(engine, campaign, known, profile, states, mine, code),
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
    engine: Engine,
    campaign: str,
    known: Campaign | None,
    profile: Profile,
    states: list[Enrolment],
    messages: list[Message],
    code: str,
) -> str:
    """In a few sentences."""
    if known is None:
        return f"There is no campaign {campaign!r} any more."
    against = _against(code, known, profile, engine.world.now_ms())
    comes = _comes(engine, profile, states)
    if messages:
        said = _of_message(messages[0], states, against if code in AGAINST else "")
    else:
        against = "" if comes and code == "capped" else against  # there is room again by then
        now = f"And nothing would go out: {against}" if against else ""
        said = [*_of_enrolment(known, profile, states), comes, now]
    held = any(why.code == "switch.off" for each in messages[:1] for why in each.whys[-1:])
    waits = not messages or messages[0].status in WAITS
    said += [_stopped(engine, known) if waits and not held else ""]
    said += [f"The campaign is {known.status}" if known.status != "live" else ""]
    return " ".join(_sentence(each) for each in said if each)


def _of_message(newest: Message, states: list[Enrolment], against: str) -> list[str]:
    """What became of the newest message, and what is to come."""
    said = [f"The newest message {STANDS[newest.status]}", *_last_words(newest)]
    said.append(_since(newest, states))
    if against:
        waits = newest.status in WAITS
        said.append(
            f"{'As things stand it will not go out' if waits else 'Another would not go out'}: {against}"
        )
    return said


def _last_words(message: Message) -> list[str]:
    """The last reason; of one that was planned, why it is not sooner, too."""
    if not message.whys:
        return []
    last = message.whys[-1]
    if last.code not in WHEN:
        return [last.text]
    planned = [each for each in message.whys if each.at_ms == last.at_ms]
    return [*(each.text for each in planned if each.code in WHY_LATER), last.text]


def _of_enrolment(known: Campaign, profile: Profile, states: list[Enrolment]) -> list[str]:
    """How they stand in the campaign."""
    if not states and known.enter.per == "account" and not profile.account:
        return ["The campaign counts by account, and they belong to none"]
    if not states:
        return ["Nothing has let them in"]
    newest = max(states, key=lambda each: (each.entered_ms, each.due_ms))
    said = [f"They are {PHASES[newest.phase]}"]
    if newest.reason is not None:
        said.append(newest.reason.text)
    counted = newest.counted or len(newest.times)
    if counted and newest.phase == "outside":
        said.append(f"What counts happened {counted} of {known.enter.count} times")
        said.append("It waits for the item to change" if known.enter.item else "")
    return said


def _comes(engine: Engine, profile: Profile, states: list[Enrolment]) -> str:
    """When the clock lets them in."""
    due = [each.due_ms for each in states if each.phase == "outside"]
    if not due or max(due) <= engine.world.now_ms():
        return ""
    settings = engine.settings
    zone = zone_of(profile.timezone, settings.delivery.zone, settings.timezone)
    return f"Their time comes {moment(max(due), zone)}"


def _against(code: str, known: Campaign, profile: Profile, now_ms: int) -> str:
    """What would keep a message from them now; empty: nothing."""
    if code in ("reached", "was_in"):  # the latter is what is said of their enrolment
        return ""
    if code == "no_consent" and says(profile, known.purpose, now_ms) is False:
        return f"they said no to {known.purpose}"
    return in_words(code, known)


def _stopped(engine: Engine, known: Campaign) -> str:
    """That the kill switch holds it."""
    ways: set[str] = {known.channel_of(each) for each in known.steps} | {known.channel}
    ways |= {f"webhook:{each.webhook or known.webhook}" for each in known.steps}
    for each in engine.moving.switches(engine.tenant):
        named: set[str] = {"all": {""}, "campaign": {known.name}, "channel": ways}[each["scope"]]
        if each["name"] in named:
            return f"Sending is stopped: {each['reason']}"
    return ""


def _since(newest: Message, states: list[Enrolment]) -> str:
    """Why there was no further message: they left after the newest one."""
    left = [
        each for each in states if each.phase == "done" and each.ended_ms > newest.settled_ms > 0
    ]
    if not left:
        return ""
    last = max(left, key=lambda each: each.ended_ms)
    return f"Since then: {last.reason.text}" if last.reason is not None else ""


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."
