"""What one event does to a profile."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from germane.domain import decay
from germane.domain.event import Event, Interaction
from germane.domain.had import holds
from germane.domain.hours import slot_of_week
from germane.domain.ids import order_key
from germane.domain.months import MS_PER_DAY
from germane.domain.profile import OwnItem, Profile
from germane.domain.settings import AttributeSpec, ProfileSpec, SignalSpec
from germane.profile.fold import current, fold
from germane.testing import an_event, an_item, an_order
from tests.unit.profile.people import ITEMS, NOW, SHOP, a_refund, folded, ms

DAY_S = 86_400


def told(at_ms: int = NOW, kind: str = "identify", **values: Any) -> Event:
    """An identify, or another call about the person."""
    return Event(f"m{at_ms}", kind, at_ms, user_id="u1", **values)  # type: ignore[arg-type]


def test_negative_signals() -> None:
    """A dismissal turns interest below zero and is remembered with the item."""
    profile = folded([an_event("Product Dismissed", item="i1")])
    assert decay.interests(profile, "category", SHOP, NOW) == {"c1": pytest.approx(-2.0)}
    assert profile.own_items["i1"].rejected_s == NOW // 1000
    assert profile.evidence == 0
    assert profile.price.count == 0


def test_a_refund_takes_the_purchase_back() -> None:
    """Interest, count and times are as before the purchase."""
    back = folded([an_order(["i2", "i3"]), a_refund("i2")])
    assert decay.interests(back, "category", SHOP, NOW) == {"c3": pytest.approx(5.0)}
    assert (back.own_items["i2"].count, back.own_items["i2"].times_s) == (0, ())
    assert back.own_items["i3"].count == 1


def test_a_refund_takes_the_last_purchase_before_it() -> None:
    """Whichever arrives first."""
    days = [NOW - n * MS_PER_DAY for n in range(5)]
    events = [an_order(["i2"], at_ms=days[4]), an_order(["i2"], at_ms=days[3])]
    events += [a_refund("i2", at_ms=days[2]), an_order(["i2"], at_ms=days[1])]
    wanted = (days[4] // 1000, days[1] // 1000)
    for arrival in ((0, 1, 2, 3), (2, 0, 1, 3), (3, 2, 1, 0), (1, 2, 0, 3), (0, 2, 3, 1)):
        own = folded([events[n] for n in arrival]).own_items["i2"]
        assert (own.count, own.times_s) == (2, wanted), arrival


def test_a_refund_of_a_purchase_nobody_told_of() -> None:
    """It waits for one that happened before it, and takes no later one."""
    later = folded([a_refund("i2", at_ms=NOW - MS_PER_DAY), an_order(["i2"])])
    assert later.own_items["i2"].count == 1
    earlier = folded([a_refund("i2"), an_order(["i2"], at_ms=NOW - MS_PER_DAY)])
    assert earlier.own_items["i2"].count == 0


def test_refunds_take_back_at_most_what_was_bought() -> None:
    """Three refunds without an order id, of one purchase: no interest falls below nothing."""
    events = [a_refund("i2", message_id=f"r{n}") for n in range(3)]
    events.append(an_order(["i2"], at_ms=NOW - MS_PER_DAY))
    for arrival in itertools.permutations(events):
        profile = folded(arrival)
        assert decay.interests(profile, "category", SHOP, NOW) == {}
        assert profile.own_items["i2"].count == 0
        assert profile.evidence == 1  # that something was bought tells of the person all the same
    view = an_event(item="i2")
    assert decay.interests(folded([*events, view]), "category", SHOP, NOW) == {
        "c2": pytest.approx(1.0)
    }


def test_a_late_refund_leaves_nothing() -> None:
    """What is taken back is what the purchase is worth by then, not what it was worth new."""
    bought = an_order(["i2"], at_ms=NOW - 300 * MS_PER_DAY)
    assert decay.interests(folded([bought, a_refund("i2")]), "category", SHOP, NOW) == {}


def test_a_purchase_between_an_older_one_and_its_refund() -> None:
    """The refund now takes the later one; what it had taken is given back."""
    old, between = NOW - 90 * MS_PER_DAY, NOW - 30 * MS_PER_DAY
    events = [an_order(["i2"], at_ms=old), a_refund("i2"), an_order(["i2"], at_ms=between)]
    assert decay.interests(folded(events), "category", SHOP, NOW) == {
        "c2": pytest.approx(5.0 * 2 ** -(90 / 120))
    }


def test_other_signals_can_be_taken_back() -> None:
    """Out of the cart is out of the cart, once; a dismissal that is undone is none."""
    more = {
        "add": SignalSpec("add", "Added", "properties.product_id", weight=3.0),
        "remove": SignalSpec("remove", "Removed", "properties.product_id", cancels="add"),
        "undo": SignalSpec("undo", "Undone", "properties.product_id", cancels="dismiss"),
    }
    shop = replace(SHOP, signals={**SHOP.signals, **more})
    done = [("add", 9), ("purchase", 8), ("dismiss", 7), ("remove", 6), ("remove", 5), ("undo", 4)]
    found = []
    for arrival in (done, done[::-1]):
        profile = Profile("u:1")
        for signal, ago in arrival:
            each = Interaction("i1", signal, NOW - ago * 1000)
            profile = fold(profile, an_event(), [each], ITEMS.get, shop, seq=1, now_ms=NOW)
        found.append(decay.interests(profile, "category", shop, NOW))
        assert profile.own_items["i1"].count == 1
    assert found == [{"c1": pytest.approx(5.0, rel=1e-5)}] * 2


def test_an_item_that_moved_to_another_category() -> None:
    """A refund takes nothing from a value that the purchase did not speak for."""
    bought = folded([an_order(["i2"], at_ms=NOW - MS_PER_DAY)])
    new = [Interaction("i2", "refund", NOW)]
    moved = an_item(2, category="elsewhere")
    after = fold(bought, a_refund("i2"), new, lambda _: moved, SHOP, seq=2, now_ms=NOW)
    assert decay.interests(after, "category", SHOP, NOW).keys() == {"c2"}


def test_many_purchases_and_refunds() -> None:
    """The count goes on where the times are bounded; it never has a count without a time."""
    bought = folded([an_order(["i2"], at_ms=NOW - n * MS_PER_DAY) for n in range(1, 21)])
    assert (bought.own_items["i2"].count, len(bought.own_items["i2"].times_s)) == (20, 8)
    back = folded([a_refund("i2", message_id=f"r{n}") for n in range(3)], bought)
    assert (back.own_items["i2"].count, len(back.own_items["i2"].times_s)) == (17, 8)
    none = folded([a_refund("i2", message_id=f"r{n}") for n in range(25)], bought)
    assert (none.own_items["i2"].count, none.own_items["i2"].times_s) == (0, ())


def test_what_happens_in_one_second_is_bought_first() -> None:
    """A refund of the same second takes the purchase back, whichever arrives first."""
    for events in ([an_order(["i2"]), a_refund("i2")], [a_refund("i2"), an_order(["i2"])]):
        assert folded(events).own_items["i2"].count == 0


def test_refunds_beyond_what_is_remembered() -> None:
    """Where neither the ring nor the times go back far enough, nothing is left of the count."""
    shop = replace(SHOP, profile=ProfileSpec(recent=2))
    events = [an_order(["i2"], at_ms=NOW - n * MS_PER_DAY) for n in range(20, 0, -1)]
    refunds = [a_refund("i2", message_id=f"r{n}") for n in range(8)]
    own = folded([*events, *refunds[:5]], shop=shop).own_items["i2"]
    assert (own.count, len(own.times_s)) == (15, 3)
    own = folded([*events, *refunds], shop=shop).own_items["i2"]
    assert (own.count, own.times_s) == (0, ())


def test_late_events_are_put_in_their_place() -> None:
    """The ring and the times of an item are in order of time."""
    events = [an_order(["i1"], at_ms=NOW - n * MS_PER_DAY) for n in (3, 1, 2)]
    profile = folded(events)
    assert [each.at_ms for each in profile.recent] == [NOW - n * MS_PER_DAY for n in (3, 2, 1)]
    assert profile.own_items["i1"].times_s == tuple(NOW // 1000 - n * DAY_S for n in (3, 2, 1))
    assert profile.last_seen_ms == NOW - MS_PER_DAY
    assert profile.first_seen_ms == NOW - 3 * MS_PER_DAY


def test_a_time_to_come_is_now() -> None:
    """A fast clock makes nothing worth more than it is."""
    ahead = NOW + 3 * MS_PER_DAY
    profile = folded([an_event(item="i1", at_ms=ahead), told(ahead, traits={"likes": "c1"})])
    assert profile.recent[0].at_ms == profile.last_seen_ms == profile.traits["likes"].at_ms == NOW
    assert decay.interests(profile, "category", SHOP, NOW) == {"c1": pytest.approx(1.0)}


def test_what_is_too_old_on_arrival_is_not_kept() -> None:
    """An import may reach further back than what counts."""
    old = NOW - 800 * MS_PER_DAY
    profile = folded([an_event(at_ms=NOW), an_event(at_ms=old), told(old, traits={"likes": "c1"})])
    assert len(profile.recent) == profile.evidence == len(profile.rhythm) == 1
    assert profile.traits == {}
    assert profile.first_seen_ms == old


@given(st.lists(st.floats(0.01, 1e5), min_size=1, max_size=40))
def test_price_band(prices: list[float]) -> None:
    """Mean and spread of the logarithm of prices, as numpy has them."""
    new = [Interaction("i1", "purchase", NOW, 1.0, price) for price in prices]
    profile = fold(Profile("u:1"), an_event(), new, ITEMS.get, SHOP, seq=1, now_ms=NOW)
    logs = np.log(prices)
    assert profile.price.mean == pytest.approx(float(logs.mean()), abs=1e-9)
    spread = math.sqrt(profile.price.m2 / profile.price.count)
    assert spread == pytest.approx(float(logs.std()), abs=1e-6)


def test_price_band_without_a_price() -> None:
    """The event's price, else the item's; none, nothing or less is passed over."""
    new = [Interaction(item, "view", NOW, 1.0, price) for item, price in
           (("i1", None), ("i1", 3.0), ("i1", 0.0), ("i1", -1.0), ("unknown", None))]  # fmt: skip
    profile = fold(Profile("u:1"), an_event(), new, ITEMS.get, SHOP, seq=1, now_ms=NOW)
    assert profile.price.count == 2
    assert profile.price.mean == pytest.approx((math.log(11.0) + math.log(3.0)) / 2)
    assert profile.evidence == 5


@pytest.mark.parametrize(
    ("zone", "hour"),
    [
        ("UTC", 10),  # 2025-11-24 is a Monday
        ("Europe/Paris", 11),
        ("Pacific/Auckland", 23),
        ("America/Los_Angeles", 2),
        ("Mars/Olympus_Mons", 19),  # unknown: the project's own, Tokyo
        ("../../etc/passwd", 19),
        ("", 19),
        (7, 19),
    ],
)
def test_rhythm_is_in_local_time(zone: object, hour: int) -> None:
    """Hour of the week in the person's zone; an unknown zone is neither used nor kept."""
    shop = replace(SHOP, timezone="Asia/Tokyo")
    at_ms = ms(2025, 11, 24, 10)
    profile = folded([an_event(at_ms=at_ms, context={"timezone": zone})], now_ms=at_ms, shop=shop)
    assert [slot_of_week(each) for each in profile.rhythm] == [hour]
    assert profile.timezone == (zone if zone in ("UTC", "Europe/Paris") or hour in (23, 2) else "")


def test_rhythm_over_a_clock_change() -> None:
    """The same local hour before and after summer time ends."""
    context = {"timezone": "Europe/Berlin"}
    days = [ms(2025, 10, 20, 6), ms(2025, 10, 27, 7)]
    profile = folded([an_event(at_ms=each, context=context) for each in days])
    assert [slot_of_week(each) for each in profile.rhythm] == [8, 8]


def test_traits_keep_the_newest() -> None:
    """A late identify does not overwrite a newer declaration; it adds what was not told since."""
    old = {"likes": "c2", "age": 3}
    profile = folded([told(traits={"likes": "c1"}), told(NOW - MS_PER_DAY, traits=old)])
    assert profile.traits["likes"].value == "c1"
    assert (profile.traits["age"].value, profile.traits["age"].at_ms) == (3, NOW - MS_PER_DAY)
    assert folded([told(traits={"a": 1}), told(traits={"a": 2})]).traits["a"].value == 2


def test_traits_come_with_any_call() -> None:
    """From the context of a track call too; a group's traits are not the person's."""
    tracked = an_event(context={"traits": {"plan": "pro"}})
    group = told(kind="group", group_id="acme", traits={"seats": 5})
    profile = folded([tracked, group])
    assert {name: each.value for name, each in profile.traits.items()} == {"plan": "pro"}
    assert profile.account == "acme"
    assert folded([told(traits={"essay": "x" * 3_000, "ok": 1})]).traits.keys() == {"ok"}


def test_place_language_and_account() -> None:
    """The latest told; a late event only fills a gap; nonsense is passed over."""
    here = {"locale": "en-GB", "timezone": "Europe/London", "groupId": "g2"}
    there = {"locale": "fr-FR", "timezone": "Europe/Paris", "groupId": "g1"}
    profile = folded([an_event(context=here), an_event(at_ms=NOW - 1, context=there)])
    assert (profile.locale, profile.timezone, profile.account) == ("en-GB", "Europe/London", "g2")
    strange = {"locale": ["x"], "timezone": {"a": 1}, "groupId": 5, "traits": "x"}
    assert folded([an_event(context=strange)], profile).locale == "en-GB"


def test_place_and_language_as_traits() -> None:
    """They set the clock as the client's do, unless the same event's context says otherwise."""
    crm = {"timezone": "Asia/Tokyo", "locale": "ja"}
    assert folded([told(traits=crm)]).timezone == "Asia/Tokyo"
    assert folded([told(traits=crm)]).locale == "ja"
    assert folded([an_event(context={"traits": crm})]).timezone == "Asia/Tokyo"
    assert folded([told(kind="group", traits=crm)]).timezone == ""
    here = {"timezone": "Europe/London"}
    both = told(traits=crm, context=here)
    assert folded([both]).timezone == "Europe/London"
    assert folded([an_event(context=here, at_ms=NOW - 1), both]).timezone == "Europe/London"
    assert folded([told(traits=crm, context={"timezone": "Nowhere/Land"})]).timezone == "Asia/Tokyo"
    late = told(NOW - 1, traits=crm)
    assert folded([an_event(context=here), late]).timezone == "Europe/London"
    for strange in ("Nowhere/Land", "", 7, ["UTC"], None):
        assert folded([told(traits={"timezone": strange, "locale": 5})]).timezone == ""


def test_identity() -> None:
    """The user id is the person's own; anonymous ids are collected."""
    profile = folded([an_event(anonymous_id="x"), an_event(anonymous_id="y"), an_event(user="u9")])
    assert (profile.user_id, profile.anonymous_ids) == ("u1", ("x", "y"))
    assert folded([an_event()], Profile("a:x")).user_id == ""


def test_an_order_id_is_kept_once() -> None:
    """However often the order is sent."""
    profile = folded([an_order(["i1"], order_id="7"), an_order(["i1"], order_id="7")])
    assert profile.known_orders == {order_key("purchase", "7"): NOW // (DAY_S * 1000)}
    assert profile.own_items["i1"].count == 1


def test_an_item_nobody_knows() -> None:
    """It counts as history; it has no attributes to be interested in."""
    profile = folded([an_event(item="new")])
    assert profile.own_items["new"].last_s == NOW // 1000
    assert not any(profile.interests.values())


def test_the_ring_drops_the_oldest() -> None:
    """A late event that is older than a full ring does not enter it."""
    shop = replace(SHOP, profile=ProfileSpec(recent=3))
    events = [an_event(item=f"i{n}", at_ms=NOW - n * 1000) for n in (0, 1, 2, 9, 0)]
    profile = folded(events, shop=shop)
    assert [each.item_id for each in profile.recent] == ["i1", "i0", "i0"]


def test_the_strongest_interests_stay() -> None:
    """Of too many values those with the most evidence, for or against, are kept."""
    shop = replace(SHOP, profile=ProfileSpec(values_per_attribute=2))
    events = [an_order(["i1"], at_ms=NOW - 40 * MS_PER_DAY)]
    events += [an_event("Product Dismissed", item="i2"), an_event(item="i3"), an_event(item="i4")]
    profile = folded(events, shop=shop)
    assert set(profile.interests["category"]) == {"c1", "c2"}


def test_the_sweep_runs_once_a_month() -> None:
    """A profile without anything old is returned as it is."""
    profile = folded([an_event(at_ms=NOW - 700 * MS_PER_DAY), an_event()])
    assert current(profile, SHOP, NOW) is profile
    later = NOW + 60 * MS_PER_DAY
    swept = current(profile, SHOP, later)
    assert (len(swept.recent), swept.evidence) == (1, 1)
    assert current(swept, SHOP, later) is swept


def test_a_long_history_with_an_item() -> None:
    """Of purchases, and of the last rejection, what is young enough stays."""
    events = [an_order(["i2"], at_ms=NOW - 700 * MS_PER_DAY + n * 1_000) for n in range(3)]
    events.append(an_event("Product Dismissed", item="i2", at_ms=NOW - 690 * MS_PER_DAY))
    profile = folded([*events, an_order(["i2"], at_ms=NOW - MS_PER_DAY), an_event(item="i2")])
    assert (profile.own_items["i2"].count, profile.own_items["i2"].rejected_s > 0) == (4, True)
    own = current(profile, SHOP, NOW + 60 * MS_PER_DAY).own_items["i2"]
    assert own == OwnItem(1, (NOW // 1000 - DAY_S,), NOW // 1000, 0)


def test_readiness_of_a_long_life() -> None:
    """Where the ring has not room for all, evidence is what the interests still count."""
    shop = replace(SHOP, profile=ProfileSpec(recent=5))
    start, later = NOW - 720 * MS_PER_DAY, NOW + 60 * MS_PER_DAY
    old = [an_event(item="i1", at_ms=start + n) for n in range(20)]
    new = [an_event(item="i1", at_ms=NOW - n) for n in range(12)]
    profile = folded([*old, *new], shop=shop)
    assert profile.evidence == 32
    assert current(profile, shop, later, ITEMS.get).evidence == 12


def test_evidence_is_counted_by_interactions() -> None:
    """An item of two categories is one piece of evidence, also when it is counted again."""
    shop = replace(
        SHOP, attributes={"categories": AttributeSpec("categories", interest=True, diversity=True)}
    )
    item = an_item(1, categories=("a", "b"))
    profile, later = Profile("u:1"), NOW + 60 * MS_PER_DAY
    for at_ms in (NOW - 720 * MS_PER_DAY, NOW - 2, NOW - 1):
        new = [Interaction("i1", "view", at_ms)]
        event = an_event(at_ms=at_ms)
        profile = fold(profile, event, new, lambda _: item, shop, seq=1, now_ms=NOW)
    assert (profile.evidence, current(profile, shop, later).evidence) == (3, 2)


FEW = replace(SHOP, profile=ProfileSpec(own_items=10))


def test_what_is_let_go_is_known_to_have_been_had() -> None:
    """Not what was only looked at, and not what came back; until that is taken back, or too old."""
    events = [an_order([f"i{n}"], at_ms=NOW - (60 - n) * MS_PER_DAY) for n in range(40)]
    events += [an_event("Product Viewed", item="i40", at_ms=NOW - 60 * MS_PER_DAY)]
    events += [a_refund("i3", at_ms=NOW - 56 * MS_PER_DAY)]
    profile = folded(events, shop=FEW)
    gone = {f"i{n}" for n in range(41)} - profile.own_items.keys()
    assert len(gone) >= 30
    assert {"i0", "i3"} <= gone
    assert {item for item in gone if holds(profile.had, item)} == gone - {"i3", "i40"}
    back = folded([an_order(["i0"]), a_refund("i0"), a_refund("i1")], profile, shop=FEW)
    assert back.own_items["i0"].count == 1
    assert holds(back.had, "i0")  # the one of before
    assert not holds(back.had, "i1")
    disliked = [an_event("Product Dismissed", item="i5"), an_order(["i5"]), an_order(["i6"])]
    disliked += [an_event("Product Dismissed", item=each) for each in ("i6", "i7", "i8")]
    later = [an_order([f"i{n}"], at_ms=NOW + 1000 * n) for n in range(9, 40)]
    sour = folded([*disliked, *later], profile, shop=FEW, now_ms=NOW + 100_000)
    assert {"i5", "i6", "i7", "i8"}.isdisjoint(sour.own_items)
    assert all(holds(sour.had, each) for each in ("i5", "i6", "i7", "i8"))
    assert current(profile, FEW, NOW + 800 * MS_PER_DAY).had == {}


SPECIAL = replace(
    FEW,
    signals=SHOP.signals
    | {
        "purchase": replace(SHOP.signals["purchase"], category="health", speakable=False),
        "read": SignalSpec("read", "Read", "properties.product_id", repeat=True),
    },
)


def test_what_needs_a_consent_of_its_own_is_not_among_it() -> None:
    """However it is let go: at once, as a part of one large order, or because it comes late."""
    old = [an_event("Read", item=f"i{n}", at_ms=NOW - MS_PER_DAY + n) for n in range(30, 43)]
    late = an_order(["i1"], at_ms=NOW - 30 * MS_PER_DAY)
    for events in ([an_order([f"i{n}" for n in range(30)])], [*old, late]):
        profile = folded(events, shop=SPECIAL)
        assert "i1" not in profile.own_items or events[-1] is not late
        assert not any(holds(profile.had, f"i{n}") for n in range(30))


def test_what_was_had_is_kept_no_longer_than_the_signals_that_tell_it() -> None:
    """Others may be kept longer."""
    shop = replace(SPECIAL, privacy=replace(SHOP.privacy, retention={"behaviour": 6, "health": 24}))
    read = [an_event("Read", item=f"i{n}", at_ms=NOW - MS_PER_DAY + n) for n in range(30)]
    profile = folded(read, shop=shop)
    assert sum(holds(profile.had, f"i{n}") for n in range(30)) >= 19
    assert current(profile, shop, NOW + 100 * MS_PER_DAY).had == profile.had
    assert current(profile, shop, NOW + 240 * MS_PER_DAY).had == {}
