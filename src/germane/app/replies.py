"""What comes back about a message, in the fold: an event that names it was an answer to it."""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec.structs import replace

from germane.app.memory import Memory
from germane.app.moving import address_key, suppression
from germane.app.sheet import Sheet
from germane.deliver import outbox
from germane.domain.decision import Decision
from germane.domain.event import Event
from germane.domain.ledger import Entry
from germane.domain.message import Message, Why, noted
from germane.domain.outcome import Outcome
from germane.domain.purposes import EMAIL_MARKETING

OPENED = ("Email Opened", "In-App Message Viewed")
CLICKED = ("Email Link Clicked", "In-App Message Clicked")
CLOSED = ("In-App Message Dismissed",)
BOUNCED = "Email Bounced"
COMPLAINED = "Email Marked as Spam"
MACHINES = ("Email Opened by Machine", "Email Link Clicked by Machine")
ANSWERS = frozenset(
    (*OPENED, *CLICKED, *CLOSED, *MACHINES, BOUNCED, COMPLAINED, "Unsubscribed", "Email Delivered")
)
"""Names of events that are about a message."""


@dataclass(slots=True)
class Reply:
    """What an answer means beside the message itself."""

    seen: list[Decision] = field(default_factory=list)
    """Slates that were seen now, for the first time."""
    clicks: list[tuple[Outcome, Decision]] = field(default_factory=list)
    """Choices that are rewarded."""


class Replies:
    """Reads answers; writes what became of their message."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def heard(self, event: Event, person: str, sheet: Sheet, tenant: str, now_ms: int) -> Reply:
        """An event, which may be an answer. What a machine did is kept with the message, and counts for
        nothing; so does what somebody else did with it (a mail that was passed on)."""
        reply = Reply()
        if event.kind != "track" or event.name not in ANSWERS:
            return reply
        self._barred(event, sheet, tenant, now_ms)
        entry = _about(event, sheet)
        if entry is None:
            return reply
        message = outbox.read(entry)
        if event.name in MACHINES or event.properties.get("machine") is True:
            sheet.put(outbox.entry(replace(message, machines=message.machines + 1)))
            return reply
        if message.person != person:
            return reply
        at_ms = min(event.at_ms, now_ms)
        answered = _answered(message, event.name, at_ms)
        if answered == message:
            return reply
        sheet.put(outbox.entry(answered))
        if not message.opened_ms and answered.opened_ms:
            reply.seen = [each for each in self._made(message, tenant) if each.choice is None]
        if not message.clicked_ms and answered.clicked_ms:
            reply.clicks = [
                (
                    Outcome(
                        f"click:{each.decision_id}", each.decision_id, "", "click", None, at_ms
                    ),
                    each,
                )
                for each in self._made(message, tenant)
                if each.choice is not None
            ]
        return reply

    def _made(self, message: Message, tenant: str) -> list[Decision]:
        found = (self._memory.decision(tenant, each) for each in message.credited)
        return [each for each in found if each is not None]

    def _barred(self, event: Event, sheet: Sheet, tenant: str, now_ms: int) -> None:
        """An address that does not exist is written to no more; one that complained, for no marketing."""
        if event.name == COMPLAINED:
            purpose, code, text = (
                EMAIL_MARKETING,
                "complained",
                "Its owner marked a message as spam.",
            )
        elif event.name == BOUNCED and event.properties.get("permanent") is True:
            purpose, code, text = "", "bounced", "The address does not exist."
        else:
            return
        entry = _about(event, sheet)
        address = outbox.read(entry).address if entry is not None else ""
        traits = event.context.get("traits")
        told = traits.get("email") if isinstance(traits, dict) else None
        address = address or (told if isinstance(told, str) else "")
        if address:
            key = address_key("email", address)
            sheet.put(suppression("email", key, purpose, Why(now_ms, code, text)))


def _about(event: Event, sheet: Sheet) -> Entry | None:
    """The message that an event names: by ``email_id`` (as Segment calls it) or ``message_id``."""
    for name in ("email_id", "message_id"):
        named = event.properties.get(name)
        found = sheet.get("message", named) if isinstance(named, str) and named else None
        if found is not None:
            return found
    return None


def _answered(message: Message, name: str, at_ms: int) -> Message:
    """The message with the answer; each kind counts once, and a click is an opening as well."""
    if name in OPENED and not message.opened_ms:
        return replace(message, opened_ms=at_ms)
    if name in CLICKED and not message.clicked_ms:
        return replace(message, opened_ms=message.opened_ms or at_ms, clicked_ms=at_ms)
    if name in CLOSED and not message.closed_ms:
        return replace(message, closed_ms=at_ms)
    if name in (BOUNCED, COMPLAINED, "Unsubscribed"):
        why = Why(at_ms, name.lower().replace(" ", "_"), f"{name}.")
        return replace(message, whys=noted(message, why))
    return message
