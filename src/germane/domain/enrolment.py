"""Where somebody stands in a campaign, and what the machine asks for. State is small and bounded."""

from __future__ import annotations

from typing import Literal

import msgspec

from germane.domain.plan import Reason

Phase = Literal["outside", "waiting", "sending", "done"]
TIMES_MAX = 64
"""Times of matching events that are kept. A count within a sliding time can be no greater."""


class Enrolment(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One subject in one campaign. Times are milliseconds since 1970; 0: none."""

    campaign: str
    subject: str
    """``person``, ``account`` or ``person`` and item, as ``subject_of`` writes them."""
    person: str = ""
    """Who gets the message: the one whose event let the subject in."""
    item: str = ""
    phase: Phase = "outside"
    version: str = ""
    """Of the campaign, as of the last time that the machine looked."""
    times: tuple[int, ...] = ()
    """Of matching events, oldest first, the latest ``TIMES_MAX``; empty with a cycle."""
    counted: int = 0
    """Matching events in the cycle, or in all where nothing limits the time."""
    cycle_ms: int = 0
    """When the cycle that is counted began."""
    cleared_ms: int = 0
    """When the goal was last reached, or they left: what happened until then does not count."""
    let_in_ms: int = 0
    """Beginning of the last cycle, or time on the clock of the last occasion, that let them in."""
    entry: int = 0
    """How often they came in."""
    entered_ms: int = 0
    step: str = ""
    """The step that is waited for or being sent."""
    since_ms: int = 0
    """When its wait began."""
    due_ms: int = 0
    """When the clock has something to do; 0: nothing."""
    zone: str = ""
    """Whose clock ``due_ms`` was read from."""
    sent: tuple[str, ...] = ()
    """Steps of this entry whose message went out."""
    message: str = ""
    """Key of the message that was asked for and not settled."""
    ended_ms: int = 0
    dry: bool = False
    """Whether they came in while the campaign was dry: it does not count when it goes live."""
    reason: Reason | None = None
    """The last thing that happened: why they wait, left or were passed over."""
    cause_seq: int = 0
    """Log offset of the event that let them in last; 0: the clock did."""
    about: str = ""
    """The item that this event was about (the first of several)."""
    lacked: bool = False
    """Whether a message of this entry was kept back, or the entry ended, for want of consent."""
    given_ms: int = 0
    """When consent came that the campaign had looked for too early, so that the clock looks once more."""

    @property
    def look_ms(self) -> int:
        """When the clock looks at it next; 0: it does not."""
        return self.given_ms or self.due_ms

    @property
    def inside(self) -> bool:
        """Whether they are in the campaign now."""
        return self.phase in ("waiting", "sending")


class Compose(msgspec.Struct, frozen=True, gc=False):
    """Make a message: plan its time, render it, ask for approval, put it into the outbox."""

    key: str
    """The same message has the same key, however often it is asked for."""
    campaign: str
    version: str
    subject: str
    person: str
    step: str
    content: str
    channel: str
    item: str
    due_ms: int
    """From when on it may go out; its deadline counts from here."""
    reason: Reason


class Cancel(msgspec.Struct, frozen=True, gc=False):
    """Take a message back, if it has not gone out."""

    key: str
    reason: Reason


Effect = Compose | Cancel


def subject_of(per: str, person: str, account: str = "", item: str = "") -> str:
    """Whose enrolment it is, as one text: ``u:ann``, ``account:acme`` or ``u:ann|item:sku9``. Empty: there
    is none (a count per account of somebody without one, a count per item without an item)."""
    if per == "account":
        return f"account:{account}" if account else ""
    if per == "person+item":
        return f"{person}|item:{item}" if item else ""
    return person


def subject_after(subject: str, gone: str, person: str) -> str:
    """The subject, when ``gone`` turned out to be ``person``; an account's stays."""
    if subject == gone or subject.startswith(f"{gone}|item:"):
        return person + subject.removeprefix(gone)
    return subject


def message_key(enrolment: Enrolment, step: str) -> str:
    """Key of the message of a step in this entry."""
    return f"{enrolment.campaign}/{enrolment.subject}/{enrolment.entry}/{step}"
