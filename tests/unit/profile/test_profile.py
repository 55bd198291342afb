"""The personal fold: decay, negative signals, price band, traits, merge, bounds."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from germane.domain import decay
from germane.domain.event import Event, Interaction
from germane.domain.months import MS_PER_DAY, month_of, month_start_ms
from germane.domain.profile import Profile
from germane.domain.settings import ProfileSpec
from germane.ingest.signals import Extractor
from germane.profile.fold import current, fold
from germane.profile.merge import merge
from germane.testing import a_shop, an_event, an_item, an_order
from germane.testing.world import START_MS

SHOP = a_shop()
EXTRACTOR = Extractor(SHOP)
ITEMS = {f"i{n}": an_item(n) for n in range(60)}
NOW = START_MS


def folded(events: list[Event], profile: Profile | None = None, now_ms: int = NOW) -> Profile:
    """Fold events in their order."""
    profile = profile or Profile("u:u1")
    for seq, event in enumerate(events, 1):
        interactions, _ = EXTRACTOR.extract(event)
        profile = fold(
            profile,
            event,
            interactions,
            ITEMS.get,
            SHOP,
            seq=seq,
            now_ms=now_ms,
            orders=EXTRACTOR.orders(event),
        )
    return profile


def oracle(events: list[Event], now_ms: int) -> dict[str, float]:
    """Interest per category from the raw events, by the definition in words."""
    out: dict[str, float] = {}
    for event in events:
        for each in EXTRACTOR.extract(event)[0]:
            spec = SHOP.signals[each.signal]
            months = month_of(now_ms) - month_of(each.at_ms)
            factor = 1.0 if months < 12 else 0.5 if months < 24 else 0.0
            days = (now_ms - each.at_ms) / MS_PER_DAY
            weight = spec.weight * factor * 2 ** -(days / spec.half_life_days)
            category = ITEMS[each.item_id].category
            out[category] = out.get(category, 0.0) + weight
    return {name: weight for name, weight in out.items() if abs(weight) > 1e-12}


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Up to three years of views, dismissals and orders."""
    found = []
    for number in range(draw(st.integers(1, 25))):
        at_ms = NOW - draw(st.integers(0, 1_100 * MS_PER_DAY))
        item = f"i{draw(st.integers(0, 59))}"
        kind = draw(st.sampled_from(["Product Viewed", "Product Dismissed", "Order Completed"]))
        found.append(
            an_order([item], at_ms=at_ms, order_id=f"o{number}")
            if kind == "Order Completed"
            else an_event(kind, item=item, at_ms=at_ms)
        )
    return found


@given(histories(), st.integers(0, 400))
def test_decay_is_exact(events: list[Event], later_days: int) -> None:
    """Interests equal the sum over the raw events, at any later moment."""
    then = NOW + later_days * MS_PER_DAY
    found = decay.interests(folded(events), "category", SHOP, then)
    wanted = oracle(events, then)
    assert set(found) >= set(wanted)
    for name, weight in found.items():
        assert weight == pytest.approx(wanted.get(name, 0.0), rel=1e-9, abs=1e-9)


def ms(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("event", "now", "factor"),
    [
        (ms(2024, 11, 30, 23, 59, 59), ms(2025, 10, 31, 23, 59, 59), 1.0),
        (
            ms(2024, 11, 1),
            ms(2025, 10, 31, 23, 59, 59),
            1.0,
        ),  # a millisecond before a year of months
        (ms(2024, 11, 30, 23, 59, 59), ms(2025, 11, 1), 0.5),  # the month has turned
        (ms(2024, 11, 1), ms(2026, 10, 31, 23, 59, 59), 0.5),
        (ms(2024, 11, 1), ms(2026, 11, 1), 0.0),  # 24 months, to the second
        (ms(2024, 11, 30, 23, 59, 59), ms(2026, 11, 1), 0.0),
        (ms(2020, 1, 1), ms(2026, 11, 1), 0.0),
    ],
)
def test_boundaries(event: int, now: int, factor: float) -> None:
    """Full weight within 12 calendar months, reduced to 24, nothing beyond."""
    profile = folded([an_event(at_ms=event)], now_ms=event)
    found = decay.interests(profile, "category", SHOP, now).get("c1", 0.0)
    days = (now - event) / MS_PER_DAY
    assert found == pytest.approx(factor * 2 ** -(days / 30), rel=1e-9)


@given(histories())
def test_nothing_beyond_24_months_is_kept_anywhere(events: list[Event]) -> None:
    """After two years without a visit, no trace of what was done is in the profile that is used."""
    profile = current(folded(events), SHOP, NOW + 732 * MS_PER_DAY)
    assert profile.recent == ()
    assert profile.own_items == {}
    assert not any(profile.interests.values())
    assert profile.traits == {}


@given(histories(), st.randoms(use_true_random=False))
def test_order_of_arrival_does_not_matter(events: list[Event], chance: random.Random) -> None:
    """Late and out-of-order events give the same interests, own items and price band."""
    shuffled = list(events)
    chance.shuffle(shuffled)
    one, two = folded(events), folded(shuffled)
    for name in ("category", "brand"):
        first, second = (decay.interests(each, name, SHOP, NOW) for each in (one, two))
        assert first == pytest.approx(second)
    assert {k: (o.count, o.times_s) for k, o in one.own_items.items()} == {
        k: (o.count, o.times_s) for k, o in two.own_items.items()
    }
    assert (one.price.count, one.price.mean) == pytest.approx((two.price.count, two.price.mean))
    assert [each.at_ms for each in two.recent] == sorted(each.at_ms for each in two.recent)


def test_the_input_is_not_changed() -> None:
    """The fold is pure: the profile before is as it was."""
    before = folded([an_order(["i1", "i2"]), an_event(item="i3")])
    packed = msgspec.msgpack.encode(before)
    folded([an_order(["i1"], order_id="z"), an_event("Product Dismissed", item="i3")], before)
    assert msgspec.msgpack.encode(before) == packed


def test_negative_signals_and_refunds() -> None:
    """A dismissal turns interest below zero; a refund takes the purchase back whole."""
    dismissed = folded([an_event("Product Dismissed", item="i1")])
    assert decay.interests(dismissed, "category", SHOP, NOW)["c1"] == pytest.approx(-2.0)
    bought = folded([an_order(["i2"])])
    refund = an_event("Order Refunded", properties={"products": [{"product_id": "i2"}]})
    back = folded([refund], bought)
    assert decay.interests(back, "category", SHOP, NOW).get("c2", 0.0) == pytest.approx(0.0)
    assert back.own_items["i2"].count == 0


@given(st.lists(st.floats(0.01, 1e5), min_size=1, max_size=40))
def test_price_band(prices: list[float]) -> None:
    """Mean and spread of the logarithm of prices, as numpy has them."""
    events = [
        an_order(
            [],
            order_id=f"o{n}",
            properties={"order_id": f"o{n}", "products": [{"product_id": "i1", "price": price}]},
        )
        for n, price in enumerate(prices)
    ]
    band = folded(events).price
    logs = np.log(prices)
    assert band.mean == pytest.approx(float(logs.mean()), abs=1e-9)
    assert math.sqrt(band.m2 / band.count) == pytest.approx(float(logs.std()), abs=1e-6)


def test_traits_keep_the_newest() -> None:
    """A late identify does not overwrite a newer declaration; a trait weighs less with behaviour."""
    new = Event("1", "identify", NOW, user_id="u1", traits={"likes": "c1"})
    old = Event("2", "identify", NOW - MS_PER_DAY, user_id="u1", traits={"likes": "c2", "age": 3})
    profile = folded([new, old])
    assert profile.traits["likes"].value == "c1"
    assert profile.traits["age"].value == 3
    spec = SHOP.traits["likes"]
    fresh = decay.trait_weight(profile.traits["likes"], spec, NOW, 0, 7)
    known = decay.trait_weight(profile.traits["likes"], spec, NOW, 7, 7)
    later = decay.trait_weight(profile.traits["likes"], spec, NOW + 180 * MS_PER_DAY, 0, 7)
    assert (fresh, known, later) == pytest.approx((1.0, 0.5, 0.5))


@given(histories(), histories())
def test_merging_counts_nothing_twice(first: list[Event], second: list[Event]) -> None:
    """A merged profile knows what one that did everything itself would know."""
    second = [replace(event, message_id=f"x{n}") for n, event in enumerate(second)]
    joined = merge(folded(first), replace(folded(second), person="a:x"), SHOP, seq=9, now_ms=NOW)
    both = folded([*first, *second])
    assert decay.interests(joined, "category", SHOP, NOW) == pytest.approx(
        decay.interests(both, "category", SHOP, NOW), abs=1e-9
    )
    assert {k: o.count for k, o in joined.own_items.items()} == {
        k: o.count for k, o in both.own_items.items()
    }
    assert joined.evidence == both.evidence


def test_merging_keeps_the_strictest_consent() -> None:
    """A purpose that either side refused stays refused."""
    one = Profile("u:1", consent={"a": True, "b": True})
    two = Profile("a:2", consent={"b": False, "c": True})
    assert merge(one, two, SHOP, seq=1, now_ms=NOW).consent == {"a": True, "b": False, "c": True}


def test_profiles_stay_small() -> None:
    """10,000 random events leave every collection within its bounds."""
    shop = replace(SHOP, profile=ProfileSpec(values_per_attribute=5, recent=50, own_items=20))
    chance, profile = random.Random(1), Profile("u:u1")
    for seq in range(10_000):
        each = Interaction(
            f"i{chance.randrange(60)}",
            chance.choice(["view", "purchase"]),
            NOW - chance.randrange(300) * MS_PER_DAY,
        )
        event = Event(f"m{seq}", "track", each.at_ms, user_id="u1")
        profile = fold(profile, event, [each], ITEMS.get, shop, seq=seq, now_ms=NOW)
    assert len(profile.recent) == 50
    assert len(profile.own_items) <= 22
    assert all(len(values) <= 5 for values in profile.interests.values())
    assert all(len(own.times_s) <= 8 for own in profile.own_items.values())
    assert len(msgspec.msgpack.encode(profile)) < 12_000


def test_months() -> None:
    """A month begins where the one before it ends."""
    for month in range(600, 700):
        start = month_start_ms(month)
        assert month_of(start) == month
        assert month_of(start - 1) == month - 1
