"""A campaign: who enters, what they wait for, when they leave, what is sent and under which rules.

Everything here is declared by people (``germane.config.campaigns`` reads it). Durations are in seconds;
empty texts and zeros mean that nothing was said.
"""

from __future__ import annotations

from functools import cached_property
from hashlib import blake2b
from typing import Literal

import msgspec

from germane.domain import canonical as canonical_
from germane.domain.ids import share_of
from germane.domain.item import Item
from germane.domain.plan import Priority

Channel = Literal["email", "inapp", "webhook", "crm"]
DeliveryClass = Literal["never_twice", "never_lost"]
Status = Literal["dry", "live", "paused", "ended"]
Per = Literal["person", "account", "person+item"]
Change = Literal["back_in_stock", "price_drop"]
EnterKind = Literal["event", "item", "schedule", "audience"]
TRANSACTIONAL = "transactional"
WEBHOOK = "webhook:"
"""Before the name of a webhook: its way out, among those that are configured."""


class Enter(msgspec.Struct, frozen=True):
    """How somebody comes in. ``kind`` says which of the four ways it is."""

    event: str = ""
    """Track event (or ``page:NAME``, ``screen:NAME``, ``identify``, ``group``)."""
    when: str = ""
    """CEL that must hold of the event; of a schedule or an audience: of the person."""
    count: int = 1
    """Which matching event it takes."""
    within_s: int = 0
    """All of them in a time of this length; 0: however far apart."""
    cycle: str = ""
    """Count anew in each: ``month``, or a trait with the day a cycle began (``account.traits.NAME``)."""
    per: Per = "person"
    """Whose events are counted together."""
    fresh_s: int = 86_400
    """An event that comes in later than this is counted, and lets nobody in."""
    item: Change | Literal[""] = ""
    """A change in the catalogue, for those whose events about the item are enough."""
    drop: float = 0.0
    """Of ``price_drop``: by which share of the old price at least."""
    schedule: str = ""
    """Cron, on the person's own clock."""
    audience: str = ""
    """CEL: who gets it, once, ``at`` a time."""
    at: str = ""
    """Of an audience: ``2026-12-01T09:00`` on each person's clock, or with an offset for one moment."""

    @property
    def kind(self) -> EnterKind:
        """The way in."""
        if self.schedule:
            return "schedule"
        if self.audience:
            return "audience"
        return "item" if self.item else "event"


class Wait(msgspec.Struct, frozen=True):
    """What lies between entering (or the step before) and a message."""

    for_s: int = 0
    """So long; with ``event``: at most so long."""
    until_local: str = ""
    """Then until this time of the person's day, such as ``09:00``."""
    event: str = ""
    """Until this happens."""
    when: str = ""
    """CEL that must hold of that event."""
    otherwise: Literal["leave", "go_on"] = "leave"
    """What to do when the event did not come in time."""
    still: str = ""
    """CEL that must hold when the wait is over; else they leave."""


class Step(msgspec.Struct, frozen=True):
    """One message of a campaign."""

    name: str
    """Unique in the campaign: people who wait for a step are found by it after an edit."""
    content: str
    channel: Channel | Literal[""] = ""
    """Empty: the campaign's."""
    wait: Wait = Wait()
    when: str = ""
    """CEL; where it does not hold the step is passed over."""
    webhook: str = ""
    """As ``Campaign.webhook``; empty: the campaign's."""


class Leave(msgspec.Struct, frozen=True):
    """When somebody leaves without the goal."""

    event: str = ""
    when: str = ""
    """CEL: with ``event``, of that event; alone, looked at before each step and at each event."""

    @property
    def empty(self) -> bool:
        """Whether nothing was said."""
        return not self.event and not self.when


class SendSpec(msgspec.Struct, frozen=True):
    """When the messages of a campaign may go out. What is not said is as ``[delivery]`` has it."""

    best_hour: bool = False
    window: tuple[int, int] | None = None
    """Minutes of the day on the person's clock."""
    days: tuple[int, ...] = ()
    """Weekdays, 0 is Monday."""
    deadline_s: int = 0
    ignore_caps: bool = False
    """Keep no cap. What it sends still counts for the others."""
    least_chance: float = 0.0
    """Send nothing where the best open hour is less than so many times as good as the average hour."""


class Campaign(msgspec.Struct, frozen=True, dict=True):
    """A campaign as it was declared."""

    name: str
    title: str = ""
    channel: Channel = "email"
    purpose: str = "email_marketing"
    """Purpose of consent; ``transactional`` needs none and is neither capped nor muted."""
    delivery: DeliveryClass = "never_twice"
    """``class`` in files. What becomes of a message whose sending was cut off: never sent twice, or never
    lost."""
    priority: Priority = "normal"
    status: Status = "dry"
    enter: Enter = Enter()
    steps: tuple[Step, ...] = ()
    leave: Leave = Leave()
    """``[exit]`` in files."""
    goal: Leave = Leave()
    """Reaching it ends everything at once."""
    reentry: Literal["never", "always", "after"] = "never"
    reentry_s: int = 0
    """Of ``after``: so long after they last came in."""
    send: SendSpec = SendSpec()
    approval: dict[str, str | int | float | bool | list[str]] = {}
    """``[approval]``, as it stands: who must agree before anything goes out."""
    holdout_share: float = 0.0
    author: str = ""
    """Operator who wrote it, as its file says; empty: it does not say."""
    put_by: str = ""
    """Operator who put it here in this form; empty: nobody was named. No part of what is declared."""
    webhook: str = ""
    """Of channel ``webhook``: the name of the one that is meant; empty: the only one there is."""

    @cached_property
    def version(self) -> str:
        """Hash of the canonical form, without the status and who put it here: a dry one that goes live is
        the same campaign."""
        digest = blake2b(canonical(self), digest_size=12, person=b"germane.campaign")
        return digest.hexdigest()

    @property
    def transactional(self) -> bool:
        """Whether it is neither capped nor muted, and needs no consent."""
        return self.purpose == TRANSACTIONAL

    def step_at(self, name: str) -> int | None:
        """Place of a step by its name."""
        for place, each in enumerate(self.steps):
            if each.name == name:
                return place
        return None

    def channel_of(self, step: Step) -> Channel:
        """Where a step's message goes."""
        return step.channel or self.channel

    def webhook_of(self, step: Step) -> str:
        """Name of the webhook that a step's message goes by; empty: by none, or by the only one there is."""
        return (step.webhook or self.webhook) if self.channel_of(step) == "webhook" else ""


def way_out(channel: str, webhook: str) -> str:
    """A channel as those are named that are configured: ``email``, ``webhook:NAME``."""
    return WEBHOOK + webhook if webhook else channel


def canonical(campaign: Campaign) -> bytes:
    """One way to write a campaign, without its status and who put it here. Equal definitions have equal
    bytes, whatever file, order or format they came in."""
    return canonical_.canonical(msgspec.structs.replace(campaign, status="dry", put_by=""))


class ItemChange(msgspec.Struct, frozen=True, gc=False):
    """Something that happened to an item of the catalogue and may let people in."""

    kind: Change
    item_id: str
    at_ms: int
    key: str
    """Of this change, such as its log offset: it lets nobody in twice."""
    old_price: float | None = None
    new_price: float | None = None

    @property
    def drop(self) -> float:
        """Share of the old price that was taken off, in [0, 1]; 0 where it is not known."""
        if not self.old_price or self.new_price is None:
            return 0.0
        return max(0.0, (self.old_price - self.new_price) / self.old_price)


def changes_of(before: Item | None, after: Item, at_ms: int, key: str) -> tuple[ItemChange, ...]:
    """What a catalogue entry's new form means for people who wait for the item.

    Args:
        before: The entry until now; ``None``: it is new, which is no change.
        after: The entry from now on.
        at_ms: When that came in, in milliseconds since 1970.
        key: Of the change, such as its log offset.
    """
    if before is None or not after.available(at_ms):
        return ()
    found = []
    if not before.in_stock:
        found.append(
            ItemChange("back_in_stock", after.item_id, at_ms, key, before.price, after.price)
        )
    if before.price is not None and after.price is not None and after.price < before.price:
        found.append(ItemChange("price_drop", after.item_id, at_ms, key, before.price, after.price))
    return tuple(found)


def held_out(campaign: Campaign, tenant: str, person: str) -> bool:
    """Whether a person gets nothing of a campaign, so that its effect can be measured. The same people each
    time; nobody of what is transactional."""
    if campaign.transactional:
        return False
    return share_of(tenant, person, f"holdout:campaign:{campaign.name}") < campaign.holdout_share
