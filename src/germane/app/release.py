"""Whether a message may go out, asked in the very step that claims it (law 4), and once more as it begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from germane.app.engine import Engine
from germane.app.entries import Entries
from germane.app.moving import Moving
from germane.deliver import outbox
from germane.deliver.channels.mailbox import is_address
from germane.domain.message import NO_CONSENT, Message, Status, Why
from germane.domain.profile import Profile
from germane.domain.purposes import TRANSACTIONAL
from germane.privacy.gate import Gate
from germane.privacy.ledger import yes_ms


class Go(msgspec.Struct, frozen=True, gc=False):
    """It goes out now."""

    address: str
    why: Why
    webhook: str = ""
    """The one it goes by; empty: by none."""


class Later(msgspec.Struct, frozen=True, gc=False):
    """Not yet."""

    due_ms: int
    why: Why


class Never(msgspec.Struct, frozen=True, gc=False):
    """It does not go out."""

    status: Status
    why: Why


Verdict = Go | Later | Never
Check = Callable[[Message, Profile, int], "Later | Never | None"]
"""One reason that may speak against a message now; ``None``: it does not."""
KILLED_S = 60
"""A message held by a kill switch is looked at again after so many seconds."""


class Release:
    """Asks everything that may speak against a message: switch, expiry, consent, address, and what it is
    given: caps, quiet hours, campaign, claims."""

    def __init__(
        self,
        tenant: str,
        entries: Entries,
        moving: Moving,
        whose: Callable[[str], Profile],
        gate: Gate,
        now_ms: Callable[[], int],
        checks: Sequence[Check] = (),
        as_now: Callable[[Message], Message] = lambda each: each,
    ) -> None:
        """``as_now``: a message as its campaign would have it go out by now."""
        self._tenant = tenant
        self._entries = entries
        self._moving = moving
        self._whose = whose
        self._gate = gate
        self.now_ms = now_ms
        self._checks = checks
        self._as_now = as_now

    @classmethod
    def of(
        cls,
        engine: Engine,
        checks: Sequence[Check] = (),
        as_now: Callable[[Message], Message] = lambda each: each,
    ) -> Release:
        """Over what an engine knows."""
        return cls(
            engine.tenant,
            engine.entries,
            engine.moving,
            engine.profile_of,
            engine.gate,
            engine.world.now_ms,
            checks,
            as_now,
        )

    def message(self, message_id: str) -> Message | None:
        """A message as it stands."""
        return self._moving.message(self._tenant, message_id)

    def due(self, limit: int) -> list[Message]:
        """Messages that are queued and due, the longest waiting first."""
        found = self._entries.due(self._tenant, "message", self.now_ms(), limit=limit)
        return [outbox.read(each) for each in found if each.status == "queued"]

    def claimed(self) -> list[Message]:
        """Messages that are claimed and not settled."""
        counts = self._entries.counts(self._tenant, "message")
        topics = sorted(topic for topic, status in counts if status == "claimed")
        return [
            outbox.read(each)
            for topic in topics
            for each in self._entries.page(
                self._tenant,
                "message",
                topic=topic,
                status="claimed",
                limit=counts[topic, "claimed"],
            )
        ]

    def verdict(self, message: Message) -> Verdict:
        """Whether it goes out now, later, or never. The first reason counts."""
        message = self._as_now(message)
        now_ms = self.now_ms()
        person = self._whose(message.person)
        if message.expires_ms and now_ms >= message.expires_ms:
            return Never("expired", Why(now_ms, "expired", "It is of no use any more."))
        killed = self._killed(message, now_ms)
        if killed is not None:
            return Later(now_ms + KILLED_S * 1000, killed)
        against = self.against(message, person)
        if against is not None:
            return Never("skipped", against)
        for check in self._checks:
            found = check(message, person, now_ms)
            if found is not None:
                return found
        address = address_of(person, message.channel)
        return Go(address, Why(now_ms, "send.claimed", "It goes out."), message.webhook)

    def against(self, message: Message, person: Profile) -> Why | None:
        """What of its person keeps a message back, whatever the hour and its campaign."""
        now_ms = self.now_ms()
        refused = self._refused(message, person, now_ms)
        if refused is not None or not message.person:
            return refused
        address = address_of(person, message.channel)
        if not address:
            return Why(now_ms, "address.none", "No address is known.")
        if message.channel == "email" and not is_address(address):
            return Why(now_ms, "address.bad", "What is known as their e-mail address is none.")
        return None

    def withdrawn(self, message: Message) -> Later | Never | None:
        """Why it may not go out whatever the hour: the person has said no, or sending is stopped for now."""
        now_ms = self.now_ms()
        refused = self._refused(message, self._whose(message.person), now_ms)
        if refused is not None:
            return Never("cancelled", refused)
        killed = self._killed(message, now_ms)
        return None if killed is None else Later(now_ms + KILLED_S * 1000, killed)

    def _killed(self, message: Message, now_ms: int) -> Why | None:
        why = self._moving.switched(self._tenant, message)
        return why and Why(now_ms, "switch.off", f"Sending is stopped: {why.text}")

    def _refused(self, message: Message, person: Profile, now_ms: int) -> Why | None:
        if not self._gate.allows(person, message.purpose, now_ms):
            stated = message.purpose in person.consent
            text = "was withdrawn" if stated else "was never given"
            return Why(now_ms, NO_CONSENT, f"Consent to {message.purpose} {text}.")
        if message.created_ms <= self._gate.opted_out_ms(person, now_ms) and (
            message.purpose != TRANSACTIONAL
        ):
            text = "They opted out of personalisation after it was written."
            return Why(now_ms, "consent.opted_out", text)
        address = address_of(person, message.channel)
        if address:
            no = self._moving.suppressed(
                self._tenant,
                message.channel,
                address,
                message.purpose,
                yes_ms(person, message.purpose),
            )
            if no is not None:
                return Why(
                    now_ms, "address.suppressed", f"The address is not written to: {no.text}"
                )
        return None


def address_of(person: Profile, channel: str) -> str:
    """Where somebody is reached by a channel, as it was told: it may be no address; empty: nowhere."""
    if channel != "email":
        return person.person
    trait = person.traits.get("email")
    return "" if trait is None or trait.value is None else str(trait.value).strip()
