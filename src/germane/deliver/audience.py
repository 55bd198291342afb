"""Who a campaign would reach, and why not the others: counted before anything goes out."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping
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
    "no_match", "was_in", "late", "suppressed", "no_address", "bad_address", "no_consent", "held_out", "capped",
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
    was_in: bool = False
    """Whether they are in it, or were and do not come in again."""
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
    untold: int
    """Likewise: people of whom it cannot be told, since something is of another type."""
    why_untold: str
    """What is wrong with the first of them."""
    sample: tuple[str, ...]
    """People who would be reached, drawn evenly; the same ones each time."""


class Count:
    """Counts members, one at a time."""

    def __init__(
        self,
        campaign: Campaign,
        condition: Condition | None,
        policy: SendPolicy,
        settings: Settings,
        *,
        tenant: str,
        now_ms: int,
        sample: int = SAMPLE,
    ) -> None:
        """
        Args:
            campaign: Whose purpose, holdout and name are used.
            condition: Who is meant (``enter.audience``, of a schedule ``enter.when``); ``None``: everyone.
            policy: Its caps are looked at, as of now.
            settings: The declaration.
            tenant: Whose people they are.
            now_ms: Milliseconds since 1970.
            sample: How many of those who would be reached are named.
        """
        self._campaign, self._condition, self._policy = campaign, condition, policy
        self._settings, self._tenant, self._now_ms = settings, tenant, now_ms
        self._gate = Gate(settings)
        self._sample = sample
        self._counts: Counter[str] = Counter()
        self._unknown = self._untold = 0
        self._why_untold = ""
        self._drawn: list[tuple[float, str]] = []

    def add(self, member: Member) -> None:
        """One more, under the first reason that is true."""
        person = self._gate.readable(member.profile, self._now_ms)
        read = person is member.profile
        account = (member.account or person.account) if read else ""
        traits = member.account_traits if read else {}
        view = View(self._settings, self._now_ms, person, account, traits)
        fits, why = self._condition(view) if self._condition is not None else (True, None)
        code = "no_match"
        if fits:
            code = self._standing(member, view)
        self._counts[code] += 1
        self._unknown += why is not None and why.code == "condition_missing"
        if why is not None and why.code == "condition_failed":
            self._untold += 1
            self._why_untold = self._why_untold or why.text
        if code == "reached":
            self._draw(member.profile.person)

    def _draw(self, person: str) -> None:
        place = share_of(self._tenant, person, f"sample:{self._campaign.name}")
        heapq.heappush(self._drawn, (-place, person))
        if len(self._drawn) > self._sample:
            heapq.heappop(self._drawn)

    def found(self) -> Preview:
        """So far."""
        people = self._counts.total()
        return Preview(
            people,
            {code: self._counts[code] for code in ORDER},
            people - self._counts["no_match"],
            self._unknown,
            self._untold,
            self._why_untold,
            tuple(person for _, person in sorted(self._drawn, reverse=True)),
        )

    def _standing(self, member: Member, view: View) -> str:
        """Under what somebody who is meant is counted."""
        campaign, policy = self._campaign, self._policy
        if member.was_in:
            return "was_in"
        if _late(campaign, view):
            return "late"
        if member.suppressed and not policy.transactional:
            return "suppressed"
        if not member.address:
            return "no_address"
        if member.bad_address:
            return "bad_address"
        if not self._gate.allows(member.profile, campaign.purpose, view.now_ms):
            return "no_consent"
        if held_out(campaign, self._tenant, member.profile.person):
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
