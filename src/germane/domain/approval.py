"""Approval by people: what may demand it, who may give it, and how an approval stands.

An approval is of exactly one thing, known by its digest: the rendered text of one message, or the
definition of a campaign together with the versions of its contents. What has another digest is another
thing, and nobody has approved it.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Literal

import msgspec

Status = Literal["pending", "approved", "rejected", "expired", "stale"]
"""``stale``: what it was asked for will not go out any more, or another version took its place."""
STATUSES: tuple[Status, ...] = ("pending", "approved", "rejected", "expired", "stale")
Answer = Literal["approve", "reject"]
Subject = Literal["message", "campaign"]
ROLE = "role:"
"""Before a role, where an operator's name may stand as well."""
BY_ITSELF = "germane"
"""Who asked, where the engine did."""
DAY_S = 86_400
MAX_VERDICTS, MAX_PAST, MAX_OPENED = 50, 10, 50
"""Kept with an approval. The log has them all."""


class ApprovalPolicy(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who must agree before something goes out. Several may hold at once: then each must be met, so that
    they are together at least as strict as the strictest."""

    of: Literal["each", "campaign"] = "each"
    """``each``: every single message. ``campaign``: the campaign with its contents, once for each version."""
    approvers: tuple[str, ...] = ()
    """Names of operators, or ``role:NAME``. Empty: ``role:approver`` and ``role:admin``."""
    quorum: int = 1
    """How many different people must approve, at least 1."""
    four_eyes: bool = True
    """Who wrote it, asked for it or changed it last may not approve it."""
    amount: str = ""
    """Name of an amount of the message (``price``, ``discount``, ``expected``): what ``over`` and ``limits``
    are about."""
    over: float | None = None
    """Demanded only where the amount is above this, or is not known. ``None``: always."""
    limits: dict[str, float] = {}
    """Role -> the highest amount that it may approve. Roles that are not named may approve none."""
    expires_s: int = 7 * DAY_S
    """After this long without an answer it is too late."""
    remind_s: int = DAY_S
    """So often the approvers are reminded; 0: never."""
    sample_over: int = 10
    """Of more than so many that are approved together, some must have been opened."""
    sample: float = 0.1
    """Share of them, in [0, 1]; at least one."""
    remind_by: str = ""
    """Name of the webhook that is told of reminders; empty: the log alone has them."""

    @property
    def both_pairs(self) -> bool:
        """Whether four eyes are needed. Above an amount nobody can switch that off for single messages."""
        return self.four_eyes or (self.of == "each" and self.over is not None)


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """What one operator said of one digest."""

    operator: str
    answer: Answer
    digest: str
    at_ms: int
    reason: str = ""
    how: str = ""
    """From where: ``API``, ``command line``."""


class Past(msgspec.Struct, frozen=True, gc=False):
    """A digest that was asked for before, in short."""

    digest: str
    until_ms: int
    why: str
    """What ended it: ``edited by ann``, ``rendered anew``."""
    verdicts: tuple[Verdict, ...] = ()


class Approval(msgspec.Struct, frozen=True, omit_defaults=True):
    """One approval, and how it stands. Times are milliseconds since 1970, UTC; 0: none."""

    approval_id: str
    """Of a message: its id. Of a campaign: ``NAME@DIGEST``, shortened."""
    subject: Subject
    campaign: str
    digest: str
    """Of exactly what is approved."""
    policies: tuple[ApprovalPolicy, ...]
    asked_by: str
    asked_ms: int
    status: Status = "pending"
    version: str = ""
    """Of the campaign."""
    contents: dict[str, str] = {}
    """Of a campaign: content id -> version."""
    person: str = ""
    """Of a message: to whom it goes."""
    channel: str = ""
    amounts: dict[str, float] = {}
    authors: tuple[str, ...] = ()
    """Operators who wrote the campaign or its contents."""
    editor: str = ""
    """Operator who changed the message last."""
    expires_ms: int = 0
    reminded_ms: int = 0
    reminders: int = 0
    decided_ms: int = 0
    verdicts: tuple[Verdict, ...] = ()
    """The standing one of each operator, of this digest, in the order in which they came."""
    opened: tuple[str, ...] = ()
    """Operators who looked at it in this form."""
    past: tuple[Past, ...] = ()
    """Forms that it had before, the latest ones."""

    @property
    def next_ms(self) -> int:
        """When the clock has something to do about it; 0: never."""
        if self.status != "pending":
            return 0
        times = [self.expires_ms]
        every_s = min((each.remind_s for each in self.policies if each.remind_s), default=0)
        if every_s:
            times.append(max(self.asked_ms, self.reminded_ms) + every_s * 1000)
        return min((each for each in times if each), default=0)


def campaign_digest(version: str, contents: Mapping[str, str]) -> str:
    """SHA-256 that stands for a campaign in exactly this form, in hexadecimal.

    Args:
        version: Of the campaign's definition.
        contents: Content id -> version, of every content that it may send.
    """
    named = msgspec.json.encode([version, sorted(contents.items())])
    return sha256(named).hexdigest()


def campaign_approval(campaign: str, digest: str) -> str:
    """Id of the approval of a campaign in exactly this form."""
    return f"{campaign}@{digest[:16]}"


def demanded(policy: ApprovalPolicy, amounts: Mapping[str, float]) -> bool:
    """Whether a policy demands approval of something with these amounts. One that is not known is above
    everything."""
    if policy.over is None:
        return True
    amount = amounts.get(policy.amount)
    return amount is None or not amount <= policy.over
