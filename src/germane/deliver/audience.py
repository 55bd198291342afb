"""Who a campaign would reach, and why not the others: counted before anything goes out."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from germane.deliver import caps, counting
from germane.deliver.conditions import Condition
from germane.deliver.occasions import at_of
from germane.deliver.view import View
from germane.domain.campaign import Campaign, held_out
from germane.domain.ids import share_of
from germane.domain.plan import SendPolicy, Sent
from germane.domain.profile import Profile
from germane.domain.settings import Settings
from germane.privacy.gate import Gate

SAMPLE = 20
ORDER = (
    "no_match", "late", "suppressed", "no_address", "bad_address", "no_consent", "held_out", "capped",
    "reached",
)  # fmt: skip
"""Each person is counted once, under the first that is true of them."""


class Member(msgspec.Struct, frozen=True):
    """Somebody who might be reached."""

    profile: Profile
    address: bool = True
    """Whether there is somewhere to send it to."""
    bad_address: bool = False
    """Whether what is known as their address is none, so that the channel would refuse it."""
    suppressed: bool = False
    """Whether the address is on the suppression list (bounced, complained)."""
    sends: tuple[Sent, ...] = ()
    """What was sent of late, and what has a place reserved."""
    account: str = ""
    account_traits: Mapping[str, Any] = {}


class Preview(msgspec.Struct, frozen=True):
    """Counts by reason, and some of those who would be reached."""

    people: int
    counts: dict[str, int]
    """By every code of ``ORDER``; together they are ``people``."""
    matches: int
    """Who the condition fits, reached or not."""
    unknown: int
    """Of those it does not fit: people of whom something that it asks for is not known."""
    sample: tuple[str, ...]
    """People who would be reached, drawn evenly; the same ones each time."""


def preview(
    campaign: Campaign,
    condition: Condition | None,
    members: Iterable[Member],
    policy: SendPolicy,
    settings: Settings,
    *,
    tenant: str,
    now_ms: int,
    sample: int = SAMPLE,
) -> Preview:
    """Count, as of now.

    Args:
        campaign: Whose purpose, holdout and name are used.
        condition: Who is meant (``enter.audience``, of a schedule ``enter.when``); ``None``: everyone.
        members: Everyone; read once, one at a time.
        policy: Its caps are looked at, as of now.
        settings: The declaration.
        tenant: Whose people they are.
        now_ms: Milliseconds since 1970.
        sample: How many of those who would be reached are named.
    """
    counts: Counter[str] = Counter()
    gate = Gate(settings)
    unknown = 0
    drawn: list[tuple[float, str]] = []
    for each in members:
        person = gate.readable(each.profile, now_ms)
        read = person is each.profile
        account = (each.account or person.account) if read else ""
        view = View(settings, now_ms, person, account, each.account_traits if read else {})
        fits, why = condition(view) if condition is not None else (True, None)
        code = _standing(campaign, each, policy, view, tenant, gate) if fits else "no_match"
        code = "late" if fits and _late(campaign, view) else code
        counts[code] += 1
        unknown += why is not None and why.code == "condition_missing"
        if code == "reached":
            place = share_of(tenant, each.profile.person, f"sample:{campaign.name}")
            heapq.heappush(drawn, (-place, each.profile.person))
            if len(drawn) > sample:
                heapq.heappop(drawn)
    people = counts.total()
    return Preview(
        people,
        {code: counts[code] for code in ORDER},
        people - counts["no_match"],
        unknown,
        tuple(person for _, person in sorted(drawn, reverse=True)),
    )


def _standing(
    campaign: Campaign, member: Member, policy: SendPolicy, view: View, tenant: str, gate: Gate
) -> str:
    """Under what somebody who is meant is counted."""
    if member.suppressed and not policy.transactional:
        return "suppressed"
    if not member.address:
        return "no_address"
    if member.bad_address:
        return "bad_address"
    if not gate.allows(member.profile, campaign.purpose, view.now_ms):
        return "no_consent"
    if held_out(campaign, tenant, member.profile.person):
        return "held_out"
    return "capped" if _capped(policy, member.sends, view) else "reached"


def _late(campaign: Campaign, view: View) -> bool:
    """Whether the hour of the audience is over on their clock, for too long to come in by it."""
    enter = campaign.enter
    if enter.kind != "audience" or not enter.at:
        return False
    return counting.too_late(enter, at_of(enter.at, view.zone), view.now_ms) is not None


def _capped(policy: SendPolicy, sends: tuple[Sent, ...], view: View) -> bool:
    if policy.transactional:
        return False
    standing = caps.standing(policy, "", sends)
    return any(
        caps.forbidden(cap, standing, view.now_ms, view.now_ms + 1, view.zone)
        for cap in policy.caps
        if caps.concerns(cap, policy.channel)
    )
