"""Measured revenue and the profile agree on what was given back, in any order of arrival."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from germane.app.merging import taken_back
from germane.domain.event import Event
from germane.domain.profile import Exposure, OpenChoice, Profile
from germane.domain.settings import OutcomeSpec
from germane.measure import attribution, choices
from germane.profile import repeats
from germane.profile.fold import fold
from germane.profile.merge import merge
from germane.profile.orders import pieces_of
from germane.testing import a_campaign
from tests.laws.test_profile_orders import EXTRACTOR, PIECES, a_refund, an_order
from tests.unit.profile.people import ITEMS, NOW

PRICE = 9.5
BEGIN_MS = NOW - 5 * 86_400_000
PAID = (
    OutcomeSpec("revenue", "purchase", 7 * 86_400, 1.0, "revenue"),
    OutcomeSpec("orders", "purchase", 7 * 86_400),
)
CAMPAIGN = a_campaign()
SHOP = replace(
    PIECES,
    surfaces={
        "home": replace(PIECES.surfaces["home"], outcomes=PAID),
        "mail": replace(CAMPAIGN.surfaces["mail"], outcomes=PAID[:1]),
    },
)
SEEN = Exposure("d1", "home", BEGIN_MS, ("i1", "i2", "i3"))
MADE = OpenChoice("c1", "mail", BEGIN_MS)


Total = dict[str, float]


def measured(
    events: Sequence[Event], profile: Profile | None = None, total: Total | None = None
) -> tuple[Profile, Total]:
    """The person after all of it, and what was credited: to a slate, in money and in orders, and to a
    choice."""
    profile = profile or Profile("u:u1", exposures=(SEEN,), choices=(MADE,))
    total = total or {"revenue": 0.0, "orders": 0.0, "mail": 0.0}
    for seq, event in enumerate(events, 1):
        told, _ = EXTRACTOR.extract(event)
        new = repeats.fresh(profile, told, SHOP)
        rewards = attribution.attribute(profile, new, SHOP.surfaces, SHOP.signals)
        chosen = choices.attribute(profile, new, SHOP.surfaces, SHOP.signals)
        profile = fold(profile, event, told, ITEMS.get, SHOP, seq=seq, now_ms=NOW)
        profile = choices.credit(attribution.credit(profile, rewards), chosen, {})
        for reward in rewards:
            total[reward.outcome] += reward.value
        total["mail"] += sum(reward.value for reward in chosen)
    return profile, total


@st.composite
def lives(draw: st.DrawFn) -> list[Event]:
    """One order of each item, and refunds of pieces, of the order or of any, all after the slate."""
    found = []
    for n in range(1, 4):
        bought_s = draw(st.integers(1, 1_000)) * 10 + n
        many = draw(st.integers(1, 4))
        found.append(an_order(f"o{n}", (f"i{n}", many), at_ms=BEGIN_MS + bought_s * 1000))
        for _ in range(draw(st.integers(0, 3))):
            at_ms = BEGIN_MS + (bought_s + draw(st.integers(1, 1_000))) * 1000
            named = draw(st.sampled_from(["", f"o{n}", "unknown"]))
            found.append(a_refund(named, (f"i{n}", draw(st.integers(1, 3))), at_ms=at_ms))
    return found


@given(lives(), st.randoms(use_true_random=False))
def test_revenue_is_what_the_profile_says_is_left(
    events: list[Event], chance: random.Random
) -> None:
    """In money by pieces, in orders while a piece is left; for slates and for choices."""
    chance.shuffle(events)
    profile, total = measured(events)
    pieces = [pieces_of(profile, key, own, SHOP) for key, own in profile.own_items.items()]
    assert None not in pieces
    left = sum(each for each in pieces if each is not None)
    assert total["revenue"] == pytest.approx(PRICE * left)
    assert total["mail"] == pytest.approx(PRICE * left)
    assert total["orders"] == sum(own.count > 0 for own in profile.own_items.values())


def one_of(mine: tuple[Profile, Total], theirs: tuple[Profile, Total]) -> tuple[Profile, Total]:
    """Two turn out to be one: their person and their credits, with what the merge takes back."""
    (one, first), (two, second) = mine, theirs
    rewards, chosen = taken_back(one, two, SHOP, ITEMS.get)
    total = {key: first[key] + second[key] for key in first}
    for each in rewards:
        total[each.outcome] += each.value
    total["mail"] += sum(each.value for each in chosen)
    both = merge(one, two, SHOP, ITEMS.get, seq=1, now_ms=NOW)
    return choices.credit(attribution.credit(both, rewards), chosen, {}), total


@given(lives(), st.randoms(use_true_random=False), st.integers(0, 12), st.sampled_from([0, 1]))
def test_revenue_is_what_is_left_after_a_merge(
    events: list[Event], chance: random.Random, until: int, copied: int
) -> None:
    """Whoever bought, whoever gave back, and whenever the two turn out to be one. An order may be told
    under both ids, where only one was shown something."""
    chance.shuffle(events)
    seen = replace(SEEN, decision_id="d2"), replace(MADE, decision_id="c2")
    mine: list[Event] = []
    theirs: list[Event] = []
    for event in events[:until]:
        (mine if chance.random() < 0.5 else theirs).append(event)
    other = Profile("a:x", exposures=seen[:1], choices=seen[1:])
    if copied:
        mine += [each for each in theirs if each.name == "Order Completed"]
        theirs += [each for each in mine if each.name == "Order Completed"]
        other = Profile("a:x")
    both = one_of(measured(mine), measured(theirs, other))
    profile, total = measured(events[until:], *both)
    pieces = [pieces_of(profile, key, own, SHOP) for key, own in profile.own_items.items()]
    left = sum(each for each in pieces if each is not None)
    assert total["revenue"] == pytest.approx(PRICE * left)
    assert total["mail"] == pytest.approx(PRICE * left)
    assert total["orders"] == sum(own.count > 0 for own in profile.own_items.values())


def test_pieces_come_back_one_by_one() -> None:
    """Bought three at 9.50: each refund of one takes 9.50, a fourth takes nothing."""
    order = an_order("7", ("i1", 3), at_ms=BEGIN_MS + 1_000)
    back = [a_refund("7", ("i1", 1), at_ms=BEGIN_MS + 2_000 + n) for n in range(4)]
    found = [measured([order, *back[:n]])[1]["revenue"] for n in range(5)]
    assert found == pytest.approx([28.5, 19.0, 9.5, 0.0, 0.0])
    for arrival in itertools.permutations([order, *back[:2]]):
        assert measured(arrival)[1]["revenue"] == pytest.approx(9.5)


def test_a_second_purchase_comes_back_and_not_the_first() -> None:
    """The slate was credited with the first, which the profile keeps; so it keeps its credit."""
    first = an_order("1", ("i1", 1), at_ms=BEGIN_MS + 1_000)
    second = an_order("2", ("i1", 1), at_ms=BEGIN_MS + 2_000)
    profile, total = measured([first, second, a_refund("2", ("i1", 1), at_ms=BEGIN_MS + 9_000)])
    assert (profile.own_items["i1"].count, total["revenue"]) == (1, 9.5)
    profile, total = measured([first, second, a_refund("1", ("i1", 1), at_ms=BEGIN_MS + 9_000)])
    assert (profile.own_items["i1"].count, total["revenue"]) == (1, 0.0)
