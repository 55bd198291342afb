"""Who would be reached, and why not the others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from germane.deliver.audience import ORDER, Count, Member, Preview
from germane.deliver.compiled import CLOCK
from germane.deliver.policy import policy_of
from germane.domain.campaign import held_out
from germane.domain.plan import Sent
from germane.domain.profile import Profile, Trait
from germane.domain.settings import CapSpec
from tests.unit.deliver.life import SETTINGS, a_campaign, ms

NOW = ms("2026-12-01T12:00:00+01:00")
MADE = a_campaign(
    'content = "x"\n[enter]\naudience = \'profile.traits.role == "buyer"\'\nat = "2026-12-02T09:00"\n'
)


def a_member(number: int, role: str = "buyer", **more: Any) -> Member:
    traits = {"role": Trait(role, NOW)} if role else {}
    person = Profile(f"u:{number}", traits=traits, consent={"email_marketing": True})
    return Member(replace(person, consent=more.pop("consent", person.consent)), **more)


def counted(members: Iterator[Member] | list[Member], **changes: Any) -> Preview:
    campaign = replace(MADE.campaign, **changes)
    policy = replace(
        policy_of(campaign, campaign.steps[0], SETTINGS.delivery),
        caps=(CapSpec(1, 86_400, "email"),),
    )
    condition = MADE.condition(campaign.enter.audience, CLOCK)
    count = Count(campaign, condition, policy, SETTINGS, tenant="main", now_ms=NOW, sample=5)
    for each in members:
        count.add(each)
    return count.found()


def test_each_is_counted_once_under_the_first_reason() -> None:
    sent = (Sent("k", "email", "low", NOW - 60_000),)
    members = [
        a_member(1),
        a_member(2, role="maker"),
        a_member(3, role=""),
        a_member(4, suppressed=True, address=False),
        a_member(5, address=False, consent={}),
        a_member(6, consent={}),
        a_member(7, consent={"email_marketing": False}),
        a_member(8, sends=sent),
        a_member(9, bad_address=True, consent={}),
        a_member(10, was_in=True, consent={}),
    ]
    found = counted(members)
    assert found.counts == {
        "no_match": 2, "was_in": 1, "late": 0, "suppressed": 1, "no_address": 1, "bad_address": 1,
        "no_consent": 2, "held_out": 0, "capped": 1, "reached": 1,
    }  # fmt: skip
    assert tuple(found.counts) == ORDER
    assert (found.people, found.matches, found.unknown) == (10, 8, 1)
    assert found.sample == ("u:1",)


def test_whose_hour_is_over_is_not_counted_as_reached() -> None:
    """On their own clock: for one it is a day and more ago, for another it was this morning."""
    east = a_member(1)
    east = replace(east, profile=replace(east.profile, timezone="Asia/Tokyo"))
    west = a_member(2)
    west = replace(west, profile=replace(west.profile, timezone="America/Los_Angeles"))
    enter = replace(MADE.campaign.enter, at="2026-11-30T14:00")
    found = counted([east, west, a_member(3, role="maker")], enter=enter)
    assert (found.counts["late"], found.counts["reached"], found.counts["no_match"]) == (1, 1, 1)


def test_transactional_asks_for_no_consent() -> None:
    found = counted(
        [a_member(1, consent={}, suppressed=True)], purpose="transactional", holdout_share=0.5
    )
    assert found.counts["reached"] == 1


def test_the_holdout_and_the_sample_are_the_same_each_time() -> None:
    """A fifth, by hash of the person; the sample does not depend on the order."""
    forth = counted((a_member(n) for n in range(1000)), holdout_share=0.2)
    back = counted((a_member(n) for n in range(999, -1, -1)), holdout_share=0.2)
    assert forth == back
    assert 150 < forth.counts["held_out"] < 250
    campaign = replace(MADE.campaign, holdout_share=0.2)
    assert not any(held_out(campaign, "main", each) for each in forth.sample)
    assert len(forth.sample) == 5


def test_what_is_of_another_type_is_counted() -> None:
    """A trait that came as a text is not more than a number."""
    found = counted([a_member(1, role="25"), a_member(2, role="")], enter=replace(
        MADE.campaign.enter, audience="profile.traits.role > 10"
    ))  # fmt: skip
    assert (found.matches, found.unknown, found.untold) == (0, 1, 1)
    assert "> of a text and a whole number" in found.why_untold
