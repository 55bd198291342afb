"""Orders, refunds and copies of orders: in any order of arrival, under one id or two, nothing young is lost
and nothing counts twice."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from germane.domain.decay import oldest_ms
from germane.domain.event import Event
from germane.domain.months import MS_PER_DAY
from germane.domain.profile import OwnItem, Profile
from germane.domain.settings import ProfileSpec, Settings
from germane.ingest.signals import Extractor
from germane.profile.fold import current, fold
from germane.profile.merge import merge
from germane.profile.orders import pieces_of
from germane.testing import an_event
from tests.laws.test_profile_fold import assert_same
from tests.unit.profile.people import ITEMS, NOW, SHOP

PIECES = replace(
    SHOP,
    signals=SHOP.signals
    | {"refund": replace(SHOP.signals["refund"], quantity="quantity", price="price")},
)
"""A shop whose refunds tell how many pieces come back."""
EXTRACTOR = Extractor(PIECES)


def lived(
    events: Sequence[Event],
    profile: Profile | None = None,
    shop: Settings = PIECES,
    now_ms: int = NOW,
) -> Profile:
    """Events folded in their order."""
    profile = profile or Profile("u:u1")
    for seq, event in enumerate(events, 1):
        found, _ = EXTRACTOR.extract(event)
        profile = fold(profile, event, found, ITEMS.get, shop, seq=seq, now_ms=now_ms)
    return profile


def lines(*told: tuple[str, float]) -> list[dict[str, Any]]:
    """Products of an order or a refund: item and pieces."""
    return [{"product_id": item, "quantity": many, "price": 9.5} for item, many in told]


def an_order(order_id: str, *told: tuple[str, float], at_ms: int = NOW) -> Event:
    """An order of so many pieces each."""
    properties = {"order_id": order_id, "products": lines(*told)}
    return an_event("Order Completed", at_ms=at_ms, properties=properties)


def a_refund(order_id: str, *told: tuple[str, float], at_ms: int = NOW) -> Event:
    """Pieces that come back; of an order, where one is named."""
    properties: dict[str, Any] = {"products": lines(*told)}
    if order_id:
        properties["order_id"] = order_id
    return an_event("Order Refunded", at_ms=at_ms, properties=properties)


@st.composite
def lives(draw: st.DrawFn) -> list[Event]:
    """Up to three years of views, orders, copies of orders sent at another time, and refunds."""
    ages = draw(st.lists(st.integers(0, 1_100 * 86_400), min_size=1, max_size=16, unique=True))
    items, found = st.sampled_from(["i0", "i1", "i2"]), []
    for age_s in ages:
        at_ms = NOW - age_s * 1000
        kind = draw(st.sampled_from(["view", "order", "order", "refund", "refund"]))
        told = [
            (item, draw(st.integers(1, 3)))
            for item in draw(st.lists(items, min_size=1, max_size=2, unique=True))
        ]
        named = f"o{draw(st.integers(0, 4))}"
        if kind == "view":
            found.append(an_event(item=told[0][0], at_ms=at_ms))
        elif kind == "order":  # of an id that was there before: a copy, at another time
            found.append(an_order(named, *told, at_ms=at_ms))
        else:
            found.append(a_refund(draw(st.sampled_from(["", named])), *told, at_ms=at_ms))
    return found


@given(lives(), st.randoms(use_true_random=False))
def test_order_of_arrival_does_not_matter(events: list[Event], chance: random.Random) -> None:
    """Partial refunds, refunds that name an order, and orders that are sent again at another time."""
    shuffled = list(events)
    chance.shuffle(shuffled)
    one, two = lived(events), lived(shuffled)
    assert_same(one, two)
    assert one.known_orders == two.known_orders
    assert sums(one) == sums(two)


@given(lives(), st.randoms(use_true_random=False), st.integers(0, 16))
def test_two_ids_of_one_person_count_an_order_once(
    events: list[Event], chance: random.Random, until: int
) -> None:
    """Whoever told what of it, and whenever the two turn out to be one."""
    shuffled = list(events)
    chance.shuffle(shuffled)
    mine: list[Event] = []
    theirs: list[Event] = []
    for event in shuffled[:until]:
        (mine if chance.random() < 0.5 else theirs).append(event)
    one, two = lived(mine), lived(theirs, Profile("a:x"))
    both = lived(shuffled[until:], merge(one, two, PIECES, ITEMS.get, seq=1, now_ms=NOW))
    wanted = lived(events)
    assert_same(both, wanted)
    assert both.known_orders == wanted.known_orders
    assert sums(both) == sums(wanted)


@given(lives(), st.randoms(use_true_random=False), st.integers(1, 4))
def test_nothing_young_is_lost_when_the_ring_is_small(
    events: list[Event], chance: random.Random, ring: int
) -> None:
    """What is older than 24 months goes, by its own month; evidence, prices and counts of what is
    younger stay, whether or not the ring still has it. And so in a sweep at a later time."""
    events = [each for each in events if each.name != "Order Refunded"]
    alone = list(
        {each.properties.get("order_id", n): each for n, each in enumerate(events)}.values()
    )
    chance.shuffle(alone)
    shop = replace(PIECES, profile=ProfileSpec(recent=ring))
    for now_ms in (NOW, NOW + 200 * MS_PER_DAY):
        profile = current(lived(alone, shop=shop), shop, now_ms, ITEMS.get)
        young = [
            (each, event)
            for event in alone
            for each in EXTRACTOR.extract(event)[0]
            if each.at_ms >= oldest_ms(now_ms)
        ]
        bought = Counter(each.item_id for each, _ in young if each.signal == "purchase")
        logs = [math.log(each.price or ITEMS[each.item_id].price or 0) for each, _ in young]
        assert {key: own.count for key, own in profile.own_items.items() if own.count} == bought
        assert (profile.evidence, profile.price.count) == (len(young), len(logs))
        mean = sum(logs) / len(logs) if logs else 0.0
        assert profile.price.mean == pytest.approx(mean, abs=1e-9)
        spread = sum((each - mean) ** 2 for each in logs)
        assert profile.price.m2 == pytest.approx(spread, abs=1e-9)


def sums(profile: Profile) -> list[tuple[int, int, int, float, float]]:
    """Sums by month, rounded."""
    return [
        (each.month, each.evidence, each.prices, round(each.mean, 6), round(each.m2, 6) + 0.0)
        for each in profile.months
    ]


# -- told with figures ---------------------------------------------------------------------------


def test_many_days_of_orders_and_one_old_event() -> None:
    """300 purchases in the last year, and a late event of three years ago: nothing changes."""
    events = [an_order(f"o{n}", ("i2", 1), at_ms=NOW - n * MS_PER_DAY) for n in range(300)]
    before = lived(events)
    after = lived([an_event(at_ms=NOW - 1_000 * MS_PER_DAY)], before)
    assert before.own_items["i2"].count == 300
    assert (after.own_items, after.price, after.evidence) == (
        before.own_items,
        before.price,
        before.evidence,
    )
    assert after.swept_month  # it was looked at
    assert lived([an_event(at_ms=NOW - 1_000 * MS_PER_DAY), *events]).own_items == after.own_items


def test_a_later_sweep_leaves_what_is_young() -> None:
    """Of 600 daily purchases, those of the 24 calendar months that count then."""
    events = [an_order(f"o{n}", ("i2", 1), at_ms=NOW - n * MS_PER_DAY) for n in range(600)]
    profile = current(lived(events), PIECES, NOW + 365 * MS_PER_DAY)
    young = sum(each.at_ms >= oldest_ms(NOW + 365 * MS_PER_DAY) for each in events)
    assert 300 < young < 400
    assert profile.own_items["i2"].count == profile.evidence == profile.price.count == young
    assert sum(count for _, count in profile.own_items["i2"].months) == young


def test_pieces_come_back_one_by_one() -> None:
    """Buy three, give back one, and one again: one is left; then none, and never fewer."""
    events = [an_order("7", ("i2", 3), at_ms=NOW - MS_PER_DAY)]
    left = []
    for n in range(4):
        profile = lived(events)
        own = profile.own_items["i2"]
        left.append((own.count, pieces_of(profile, "i2", own, PIECES)))
        events.append(a_refund("7", ("i2", 1), at_ms=NOW - 1_000 * n))
    assert left == [(1, 3.0), (1, 2.0), (1, 1.0), (0, 0.0)]
    assert (
        lived(events[::-1]).own_items["i2"]
        == lived(events).own_items["i2"]
        == OwnItem(0, (), NOW // 1000, NOW // 1000)
    )


def test_a_refund_takes_from_the_order_that_it_names() -> None:
    """Not from the last one; and nothing while the order has not come."""
    first, second = NOW - 9 * MS_PER_DAY, NOW - 2 * MS_PER_DAY
    events = [an_order("1", ("i2", 1), at_ms=first), an_order("2", ("i2", 1), at_ms=second)]
    back = a_refund("1", ("i2", 1))
    for arrival in ([*events, back], [back, *events], [events[1], back, events[0]]):
        assert lived(arrival).own_items["i2"].times_s == (second // 1000,)
    early = lived([events[1], back])
    assert early.own_items["i2"].times_s == (second // 1000,)
    again = lived([*events, back, a_refund("1", ("i2", 1), at_ms=NOW - 1)])
    assert again.own_items["i2"].times_s == (second // 1000,)


def test_a_named_refund_of_an_order_that_left_the_ring() -> None:
    """Its order is known, its lines are not: it takes the last one of which only the time is known."""
    shop = replace(PIECES, profile=ProfileSpec(recent=2))
    events = [an_order(f"{n}", ("i2", 1), at_ms=NOW - (9 - n) * MS_PER_DAY) for n in range(5)]
    profile = lived([*events, a_refund("1", ("i2", 1))], shop=shop)
    assert profile.own_items["i2"].count == 4
    assert lived([*events, a_refund("nobody's", ("i2", 1))], shop=shop).own_items["i2"].count == 5


def test_the_earlier_copy_of_an_order_counts() -> None:
    """Sent by the page and by the server, at two times, with or without a price."""
    here, there = an_order("7", ("i2", 1), at_ms=NOW - 5_000), an_order("7", ("i2", 1), ("i3", 1))
    for arrival in ((here, there), (there, here)):
        profile = lived(arrival)
        found = [(each.item_id, each.at_ms) for each in profile.recent]
        assert found == [("i2", NOW - 5_000), ("i3", NOW)]  # which only one of them names
        assert (profile.evidence, profile.own_items["i2"].count) == (2, 1)


def test_an_order_is_known_for_two_years() -> None:
    """400 of them; one that is too old to count is forgotten."""
    events = [an_order(f"o{n}", ("i2", 1), at_ms=NOW - n * MS_PER_DAY) for n in range(450)]
    profile = lived(events)
    assert 400 <= len(profile.known_orders) <= 440
    assert lived(events[:399], profile).evidence == profile.evidence
    later = current(profile, PIECES, NOW + 700 * MS_PER_DAY)
    assert 0 < len(later.known_orders) < 60


def test_a_profile_of_an_earlier_version() -> None:
    """It has sums alone, names of orders, and own items without months: nothing young is lost, an order
    that it knew counts no second time, and what was older goes with the first month it remembers."""
    shop = replace(PIECES, profile=ProfileSpec(recent=5))
    events = [an_order(f"o{n}", ("i2", 1), at_ms=NOW - (20 - n) * MS_PER_DAY) for n in range(20)]
    new = lived(events, shop=shop)
    packed = msgspec.msgpack.decode(
        msgspec.msgpack.encode(replace(new, orders=("purchase:o19",), months=(), known_orders={}))
    )[:22]  # as it was: without the last two fields
    fields = Profile.__struct_fields__
    ring, own = fields.index("recent"), fields.index("own_items")
    packed[ring] = [each[:6] for each in packed[ring]]
    packed[own] = {key: each[:4] for key, each in packed[own].items()}
    old = msgspec.msgpack.decode(msgspec.msgpack.encode(packed), type=Profile)
    assert (old.evidence, old.months) == (20, ())
    again = lived([events[19]], old, shop)
    assert (again.evidence, again.own_items["i2"].count) == (20, 20)
    more = lived([an_order("x", ("i2", 1))], old, shop)
    assert (more.evidence, more.own_items["i2"].count, more.price.count) == (21, 21, 21)
    assert more.price.m2 == pytest.approx(0.0, abs=1e-9)
    assert sum(each.evidence for each in more.months) == 21
    later = NOW + 600 * MS_PER_DAY
    assert current(more, shop, later).evidence == current(more, shop, later).price.count == 21
    gone = current(more, shop, NOW + 732 * MS_PER_DAY)
    assert (gone.evidence, gone.own_items, gone.known_orders) == (0, {}, {})
