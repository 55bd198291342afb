"""What the scheduler is asked and what it answers: policy, what was sent so far, a plan with its reasons."""

from __future__ import annotations

from typing import Literal

import msgspec

from germane.domain.settings import CapSpec

Priority = Literal["transactional", "high", "normal", "low"]
PRIORITIES: tuple[Priority, ...] = ("transactional", "high", "normal", "low")
"""Most urgent first."""


class Reason(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Why something was held, skipped or chosen."""

    code: str
    text: str
    """A sentence with its numbers."""


class Sent(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A message that took, or has reserved, a place under the caps of one person."""

    key: str
    channel: str
    priority: Priority
    at_ms: int
    """When it was sent; of one that waits: when it is due."""
    waiting: bool = False
    """Reserved and not yet on its way: a more urgent one may take its place."""


class SendPolicy(msgspec.Struct, frozen=True):
    """Under which rules one message may go out. ``deliver.policy.policy_of`` makes it of a campaign."""

    channel: str
    priority: Priority = "normal"
    window: tuple[int, int] | None = None
    """Minutes of the day, from and until, on the person's clock; ``None``: any time."""
    days: tuple[int, ...] = ()
    """Weekdays, 0 is Monday; none: every day."""
    quiet: tuple[int, int] | None = None
    """Minutes of the day in which nothing goes out."""
    caps: tuple[CapSpec, ...] = ()
    """Those that it has to keep."""
    best_hour: bool = False
    exploration_share: float = 0.0
    """Of messages at their best hour: chance of any admissible hour instead. 0 to 0.5."""
    least_chance: float = 0.0
    """Do nothing where the chance of the hour is less than this many times the average hour's."""
    deadline_s: int = 2 * 86_400
    """How long after it was due it is still worth anything."""
    spread_s: int = 0
    """Over how many seconds what becomes due at one moment for many people is spread."""
    shared_start: bool = False
    """Whether many people's messages become due at the same moment (a schedule, an audience, an item)."""

    @property
    def transactional(self) -> bool:
        """At once, never capped or muted."""
        return self.priority == "transactional"


class Ask(msgspec.Struct, frozen=True):
    """One message of one person that wants a time."""

    key: str
    """Of the message: decides its place in the spread, and names it among ``sends``."""
    person: str
    now_ms: int
    due_ms: int
    """From when on it may go out: the end of its wait. The deadline counts from here."""
    zone: str = ""
    """The person's own, as their profile has it; empty: not known."""
    default_zone: str = "UTC"
    """The project's."""
    sends: tuple[Sent, ...] = ()
    """Of the last and the coming days: what was sent and what has a place reserved, in any order."""
    week: tuple[float, ...] = ()
    """168 probabilities of an hour of the week to find the person there (``domain.moment.Week.shares``)."""
    seed: int = 0
    """Of the exploration; stored with what it decided."""
    nothing: Reason | None = None
    """It was decided before that nothing is best (a choice, the holdout): then that is the plan."""


class Plan(msgspec.Struct, frozen=True):
    """When, or not at all; and why."""

    at_ms: int | None
    """When it goes out; ``None``: not at all."""
    reasons: tuple[Reason, ...]
    """In the order in which they were found; the last one decided."""
    propensity: float = 1.0
    """Probability with which this hour was taken, given what was known."""
    zone: str = "UTC"
    """Whose clock was read."""
    deadline_ms: int = 0
    """Never after this. 0: there is none (transactional)."""
    takes: tuple[str, ...] = ()
    """Keys of less urgent ones whose reserved place this one takes: plan them again, after it."""


class Release(msgspec.Struct, frozen=True):
    """What to do with a message whose time has come."""

    verdict: Literal["send", "later", "drop"]
    reasons: tuple[Reason, ...]
    at_ms: int | None = None
    """Of *later*: its new time, after now."""
    takes: tuple[str, ...] = ()
    """As in ``Plan``."""
