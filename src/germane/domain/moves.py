"""Moves: what is recorded of messages, campaigns and people's answers to them. The ledger is their fold."""

from __future__ import annotations

from typing import Literal

import msgspec

from germane.domain.approval import ApprovalPolicy, Verdict
from germane.domain.audit import AuditLink
from germane.domain.campaign import Campaign
from germane.domain.campaign import Status as Standing
from germane.domain.content import Content
from germane.domain.key import ApiKey
from germane.domain.message import Message, Status, Why
from germane.domain.operator import Operator


class Move(msgspec.Struct, frozen=True, gc=False, tag=True, omit_defaults=True):
    """One thing that was done."""


class Planned(Move, frozen=True, gc=False):
    """A message was made: decided, rendered, and given its time."""

    message: Message
    rendered: bytes
    """``Rendered``, MessagePack, compressed by zlib."""


class Rewritten(Move, frozen=True, gc=False):
    """What is rendered has changed (a price, a person's edit): other text, other digest. What was approved
    before is not approved any more; a message that waits for approval goes on waiting."""

    message: Message
    rendered: bytes
    why: Why


class Held(Move, frozen=True, gc=False):
    """A message that waited waits for another time, or will never go out."""

    message_id: str
    status: Status
    due_ms: int
    why: Why


class Claimed(Move, frozen=True, gc=False):
    """It is going out now: everything that could speak against it was looked at in this very step."""

    message_id: str
    address: str
    why: Why
    webhook: str | None = None
    """The one it goes by; empty: by none; ``None``: by the one that it was made for."""


class Settled(Move, frozen=True, gc=False):
    """What became of a claimed message."""

    message_id: str
    status: Status
    """``queued``: it is tried again at ``due_ms``."""
    why: Why
    due_ms: int = 0


class Suppressed(Move, frozen=True, gc=False):
    """Nothing is sent to an address any more, or no longer for a purpose; or it may be again."""

    channel: str
    address: str
    """Its key (``address_key``), not the address itself: it is kept when the person is erased."""
    purpose: str
    """Empty: for any, transactional mail as well (the address does not exist). ``*``: for any but that (its
    owner wants no more e-mail at all), until they agree again."""
    on: bool
    why: Why


class Switched(Move, frozen=True, gc=False):
    """The kill switch: of everything, of a channel or of a campaign."""

    scope: Literal["all", "channel", "campaign"]
    name: str
    """Of the channel or campaign; empty for all."""
    on: bool
    """Whether nothing may go out."""
    why: Why


class ContentPut(Move, frozen=True, gc=False):
    """Content was written, or changed."""

    content: Content
    by: str = ""
    """Operator who wrote it; empty: nobody is named."""


class ContentGone(Move, frozen=True, gc=False):
    """Content was taken away."""

    content_id: str


class CampaignPut(Move, frozen=True, gc=False):
    """A campaign was written, or changed. Its standing stays; a new one is dry."""

    campaign: Campaign
    by: str = ""
    """Operator who wrote it; empty: nobody is named."""


class CampaignTurned(Move, frozen=True, gc=False):
    """A campaign goes live, pauses, ends, or is dry again."""

    campaign: str
    status: Standing
    why: Why


class Ticked(Move, frozen=True, gc=False):
    """The time of an enrolment has come."""

    campaign: str
    subject: str


class Invited(Move, frozen=True, gc=False):
    """A campaign looked at somebody whom no event of theirs let in: it is of an audience or a schedule."""

    campaign: str
    person: str
    at_once: bool = False
    """Where their time has come already they come in now; else with the next ``Ticked``."""


class Stated(Move, frozen=True, gc=False):
    """Somebody said yes or no to a purpose."""

    person: str
    """Their key, or one that leads to them."""
    purpose: str
    granted: bool
    method: str
    """How: ``api``, ``command line``, ``unsubscribe link`` ..."""
    notice: str = ""
    """Version of the text that they were shown."""
    notice_name: str = ""
    text_sha256: str = ""
    """Of that text, in hexadecimal; empty: it is not known."""
    source: str = ""
    """Where: a page, a form, an import."""
    at_ms: int = 0
    """When they said it; 0: when it was recorded."""
    until_ms: int = 0
    """A yes holds until then; 0: until it is withdrawn."""
    fresh: bool = False
    """Of a yes to personalisation: begin anew, without what was known before."""
    salt: str = ""
    """Random; of the chain that proves it (``privacy.chain``)."""


class Disliked(Move, frozen=True, gc=False):
    """A person asked for less of something, or that a reason be no reason any more."""

    person: str
    """Their key, or one that leads to them."""
    items: tuple[str, ...] = ()
    """As ``muting.item_key`` has them."""
    values: dict[str, tuple[str, ...]] = {}
    """Attribute -> values."""
    sources: dict[str, str] = {}
    """Source of candidates -> the reason as it was told."""
    method: str = ""
    """How: ``why page``, ``why button``, ``api``."""
    undone: bool = False
    """All that the person muted before counts again; nothing is muted."""


class Released(Move, frozen=True, gc=False):
    """A message that waited for approval has all that it needs, and is queued."""

    message_id: str
    due_ms: int
    why: Why


class Asked(Move, frozen=True, gc=False):
    """Approval is asked for: of one message as it stands, or of a campaign in one form. Asked again, the
    verdicts on the same digest stand, and are counted by the new policies."""

    approval_id: str
    policies: tuple[ApprovalPolicy, ...]
    by: str
    """Operator, or ``germane``."""
    authors: tuple[str, ...] = ()
    """Operators who wrote it."""
    campaign: str = ""
    """Of a campaign's approval; empty: it is of the message with this id."""
    version: str = ""
    contents: dict[str, str] = {}
    """Of a campaign's: content id -> version."""


class Judged(Move, frozen=True, gc=False):
    """An operator's verdict."""

    approval_id: str
    verdict: Verdict


class Opened(Move, frozen=True, gc=False):
    """An operator looked at what is to be approved."""

    approval_id: str
    operator: str
    digest: str


class Reminded(Move, frozen=True, gc=False):
    """The approvers were reminded."""

    approval_id: str


class Lapsed(Move, frozen=True, gc=False):
    """Nobody answered in time, or before its campaign ended."""

    approval_id: str


class Appointed(Move, frozen=True, gc=False):
    """Somebody runs Germane from now on, with other roles than before, or no longer."""

    operator: Operator
    by: str
    """Operator, or how it came (``command line``, ``server key``)."""


class KeyPut(Move, frozen=True, gc=False):
    """A key was made, or it ends at another time, or at once."""

    key: ApiKey
    by: str
    """Operator, key, or how it came."""


class KeyUsed(Move, frozen=True, gc=False):
    """A key opened something, for the first time on a day."""

    key_id: str
    day: int
    """Since 1970."""


class Audited(Move, frozen=True, gc=False):
    """Something was entered into the audit log. The link is as it was forged then, so that a log that was
    tampered with cannot be folded into a chain that holds."""

    link: AuditLink


SecurityMove = KeyPut | KeyUsed | Audited


class Erased(Move, frozen=True, gc=False):
    """Somebody was erased. Who it was, nobody can read from it."""

    receipt: str
    """Id of the receipt."""
    people: dict[str, int]
    """Mark of each of their keys (``privacy.erasure.mark``) -> what came until then went, ms since 1970."""


class GivenUp(Move, frozen=True, gc=False):
    """A damaged file of history was given up: the log goes on without what it had."""

    file: str
    month: str
    """Of its records, ``2026-11``."""
    records: int
    first_seq: int
    last_seq: int


ApprovalMove = Asked | Judged | Opened | Reminded | Lapsed | Appointed
AnyMove = (
    Planned
    | Rewritten
    | Held
    | Claimed
    | Settled
    | Suppressed
    | Switched
    | Released
    | ApprovalMove
    | SecurityMove
    | ContentPut
    | ContentGone
    | CampaignPut
    | CampaignTurned
    | Ticked
    | Invited
    | Stated
    | Disliked
    | Erased
    | GivenUp
)
