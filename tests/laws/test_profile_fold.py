"""The personal fold is pure, forgets in time, stays small, and does not care for the order of arrival."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from germane.domain import decay
from germane.domain.event import Event, Interaction
from germane.domain.item import Item
from germane.domain.months import MS_PER_DAY
from germane.domain.profile import OwnItem, Profile
from germane.domain.settings import ProfileSpec
from germane.profile.fold import current, fold
from germane.profile.merge import merge
from germane.testing import an_order
from tests.unit.profile.people import ITEMS, NOW, SHOP, a_refund, folded, histories, kept, oracle

encode = msgspec.msgpack.encode


def assert_same(one: Profile, two: Profile) -> None:
    """Equal up to rounding, and up to what only the arrival decides (offsets, message order)."""
    for name in ("category", "brand"):
        first, second = (decay.interests(each, name, SHOP, NOW) for each in (one, two))
        for value in {*first, *second}:
            assert first.get(value, 0.0) == pytest.approx(second.get(value, 0.0), abs=1e-9)
    assert one.own_items == two.own_items
    assert one.traits == two.traits
    assert one.price.count == two.price.count
    assert one.price.mean == pytest.approx(two.price.mean)
    assert one.price.m2 == pytest.approx(two.price.m2, abs=1e-9)
    assert (one.recent, one.rhythm, one.evidence) == (two.recent, two.rhythm, two.evidence)
    assert (one.first_seen_ms, one.last_seen_ms) == (two.first_seen_ms, two.last_seen_ms)


@given(histories(items=3), st.randoms(use_true_random=False))
def test_order_of_arrival_does_not_matter(events: list[Event], chance: random.Random) -> None:
    """Late events, with refunds among them that come before what they take back."""
    shuffled = list(events)
    chance.shuffle(shuffled)
    assert_same(folded(events), folded(shuffled))
    assert encode(folded(shuffled)) == encode(folded(shuffled))  # equal order: equal bits


@given(
    histories(items=4),
    st.sets(st.sampled_from(["i0", "i1", "i2", "i3"])),
    st.integers(0, 25),
    st.randoms(use_true_random=False),
)
def test_the_catalogue_may_come_after_its_events(
    events: list[Event], late: set[str], known: int, chance: random.Random
) -> None:
    """Some items come into the catalogue after some of the events, before others (refunds of what was bought
    before among them), or after all: interests are as if it had been there."""
    chance.shuffle(events)
    before = folded(events[:known], item_of=lambda each: None if each in late else ITEMS[each])
    assert not {*before.unplaced} - late
    after = folded(events[known:], before)
    after = current(after, SHOP, NOW, ITEMS.get)
    assert after.unplaced == {}
    there = folded(events)
    for name in ("category", "brand"):
        assert {*after.interests.get(name, ())} == {*there.interests.get(name, ())}
        one, two = (decay.interests(each, name, SHOP, NOW) for each in (after, there))
        for value in {*one, *two}:
            assert one.get(value, 0.0) == pytest.approx(two.get(value, 0.0), abs=1e-9)


@given(histories(items=4), histories(items=4), st.sets(st.sampled_from(["i0", "i1", "i2"])))
def test_so_it_may_when_two_turn_out_to_be_one(
    mine: list[Event], theirs: list[Event], late: set[str]
) -> None:
    def joined(item_of: Callable[[str], Item | None]) -> Profile:
        one = folded(mine, item_of=item_of)
        two = folded(theirs, Profile("u:u2"), item_of=item_of)
        return current(merge(one, two, SHOP, item_of, seq=99, now_ms=NOW), SHOP, NOW, item_of)

    after = current(joined(lambda x: None if x in late else ITEMS[x]), SHOP, NOW, ITEMS.get)
    there = joined(ITEMS.get)
    for name in ("category", "brand"):
        one, two = (decay.interests(each, name, SHOP, NOW) for each in (after, there))
        for value in {*one, *two}:
            assert one.get(value, 0.0) == pytest.approx(two.get(value, 0.0), abs=1e-9)


@given(histories(items=2), st.integers(0, 800), st.randoms(use_true_random=False))
def test_a_refund_takes_back_at_most_what_was_bought(
    events: list[Event], later_days: int, chance: random.Random
) -> None:
    """In any order of arrival and at any later time, interests count what was bought and not taken
    back: as if neither those purchases nor any refund had been."""
    chance.shuffle(events)
    then = NOW + later_days * MS_PER_DAY
    profile = current(folded(events), SHOP, then, ITEMS.get)
    for values in profile.interests.values():
        assert all(each.count > 0 for masses in values.values() for each in masses)
    found, wanted = decay.interests(profile, "category", SHOP, then), oracle(events, then)
    for value in {*found, *wanted}:
        assert found.get(value, 0.0) == pytest.approx(wanted.get(value, 0.0), abs=1e-9)
    oldest = decay.oldest_ms(then)
    bought = Counter(
        each.item_id for each in kept(events) if each.signal == "purchase" and each.at_ms >= oldest
    )
    assert {key: own.count for key, own in profile.own_items.items() if own.count} == bought


@given(histories(items=2), st.integers(1, 8), st.randoms(use_true_random=False))
def test_a_small_ring_takes_back_no_more(
    events: list[Event], ring: int, chance: random.Random
) -> None:
    """Where little is remembered, a refund may find nothing; it never takes what is not there."""
    chance.shuffle(events)
    shop = replace(SHOP, profile=ProfileSpec(recent=ring))
    then = NOW + 300 * MS_PER_DAY
    profile = current(folded(events, shop=shop), shop, then, ITEMS.get)
    for values in profile.interests.values():
        assert all(each.count > 0 and each.mass >= 0 for own in values.values() for each in own)
    least = oracle([each for each in events if each.name != "Order Completed"], then)
    for value, weight in decay.interests(profile, "category", shop, then).items():
        assert weight >= min(least.get(value, 0.0), 0.0) - 1e-9


@given(histories(items=3), histories(items=3))
def test_the_input_is_not_changed(events: list[Event], more: list[Event]) -> None:
    """The fold is pure: the profile before is as it was."""
    before = folded(events)
    packed = encode(before)
    folded(more, before)
    merge(before, before, SHOP, ITEMS.get, seq=1, now_ms=NOW)
    current(before, SHOP, NOW + 400 * MS_PER_DAY)
    assert encode(before) == packed


@given(histories())
def test_what_is_counted_has_a_time(events: list[Event]) -> None:
    """An item with a count has times, one without has none; at most the latest eight are kept."""
    profile = folded(events)
    for own in profile.own_items.values():
        assert (own.count > 0) == bool(own.times_s)
        assert own.count >= len(own.times_s) <= 8
        assert list(own.times_s) == sorted(own.times_s)
        assert own.last_s >= max((own.rejected_s, *own.times_s))


@given(histories(items=2), st.integers(0, 800))
def test_nothing_is_kept_too_long(events: list[Event], later_days: int) -> None:
    """At any later moment, nothing in any collection is older than what may count."""
    then = NOW + later_days * MS_PER_DAY
    oldest = decay.oldest_ms(then)
    profile = current(folded(events), SHOP, then, ITEMS.get)
    assert all(each.at_ms >= oldest for each in profile.recent)
    assert all(each.at_ms >= oldest for each in profile.traits.values())
    for own in profile.own_items.values():
        assert all(each * 1000 >= oldest for each in (*own.times_s, own.last_s))
    for values in profile.interests.values():
        assert all(masses == decay.live(masses, then) for masses in values.values())
    young = [event for event in events if event.at_ms >= oldest]
    wanted = folded(young)  # as if the rest had never been
    assert (profile.recent, profile.own_items) == (wanted.recent, wanted.own_items)
    assert (profile.evidence, profile.rhythm) == (wanted.evidence, wanted.rhythm)
    assert profile.price.count == wanted.price.count
    assert profile.price.mean == pytest.approx(wanted.price.mean)


@given(histories())
def test_after_two_years_nothing_is_left(events: list[Event]) -> None:
    """No trace of what was done is in the profile that is used."""
    profile = current(folded(events), SHOP, NOW + 732 * MS_PER_DAY)
    assert not any((profile.recent, profile.own_items, profile.traits, profile.rhythm))
    assert not any(profile.interests.values())
    assert profile.evidence == profile.price.count == 0


@given(histories(items=3), histories(items=3))
def test_merging_is_as_if_one_had_done_it_all(first: list[Event], second: list[Event]) -> None:
    """A merged profile knows what one that did everything would know, whoever survives."""
    second = [replace(event, at_ms=event.at_ms - 500) for event in second]
    one, two = folded(first), replace(folded(second), person="a:x")
    both = folded([*first, *second])
    joined = current(merge(one, two, SHOP, ITEMS.get, seq=9, now_ms=NOW), SHOP, NOW, ITEMS.get)
    turned = current(merge(two, one, SHOP, ITEMS.get, seq=9, now_ms=NOW), SHOP, NOW, ITEMS.get)
    assert_same(joined, turned)
    assert joined.evidence == both.evidence
    assert joined.recent == both.recent
    assert joined.traits == both.traits
    assert {k: o.count for k, o in joined.own_items.items()} == {
        k: o.count for k, o in both.own_items.items()
    }
    for value, weight in decay.interests(both, "category", SHOP, NOW).items():
        found = decay.interests(joined, "category", SHOP, NOW).get(value, 0.0)
        assert found == pytest.approx(weight, abs=1e-9)


@given(histories(), histories(), histories())
def test_merging_is_associative(one: list[Event], two: list[Event], three: list[Event]) -> None:
    """Three identities of one person, linked in either order (refunds aside, which pair anew)."""
    a, b, c = (
        replace(
            folded([e for e in events if e.name != "Order Refunded"]),
            person=f"a:{n}",
        )
        for n, events in enumerate((one, two, three))
    )

    def joined(first: Profile, second: Profile) -> Profile:
        return merge(first, second, SHOP, ITEMS.get, seq=9, now_ms=NOW)

    left, right = joined(joined(a, b), c), joined(a, joined(b, c))
    assert set(left.anonymous_ids) == set(right.anonymous_ids)
    assert (left.own_items, left.evidence) == (right.own_items, right.evidence)
    assert left.price.mean == pytest.approx(right.price.mean)
    for value, weight in decay.interests(left, "category", SHOP, NOW).items():
        found = decay.interests(right, "category", SHOP, NOW).get(value, 0.0)
        assert found == pytest.approx(weight, abs=1e-9)


def test_profiles_stay_small() -> None:
    """10,000 random events leave every collection within its bounds, and the whole at a few kilobytes."""
    limits = ProfileSpec(values_per_attribute=5, recent=50, own_items=20)
    shop = replace(SHOP, profile=limits)
    chance, profile = random.Random(1), Profile("u:u1")
    for seq in range(10_000):
        at_ms = NOW - chance.randrange(1_000 * MS_PER_DAY)
        signal = chance.choice(["view", "purchase", "refund", "dismiss"])
        each = Interaction(f"i{chance.randrange(60)}", signal, at_ms, order=seq + 1)
        context = {"traits": {f"t{chance.randrange(500)}": "x"}, "timezone": "Europe/Paris"}
        event = Event(
            f"m{seq}", "track", at_ms, anonymous_id=f"a{seq % 50}", user_id="u1", context=context
        )
        profile = fold(profile, event, [each], ITEMS.get, shop, seq=seq, now_ms=NOW)
    assert len(profile.recent) == 50
    assert len(profile.own_items) <= 22
    assert all(len(values) <= 5 for values in profile.interests.values())
    assert all(len(own.times_s) <= 8 for own in profile.own_items.values())
    assert (len(profile.traits), len(profile.anonymous_ids)) == (100, 20)
    assert 400 <= len(profile.known_orders) <= 440
    assert len(profile.rhythm) == 128
    assert len(encode(profile)) < 25_000


@given(st.lists(st.booleans(), max_size=16), st.integers(1, 5))
def test_refunds_need_no_ring_when_they_come_in_order(bought: list[bool], ring: int) -> None:
    """Each takes the last purchase before it, also when neither is among the recent interactions."""
    shop = replace(SHOP, profile=ProfileSpec(recent=ring))
    wanted: list[int] = []
    events, had = [], 0
    for n, is_order in enumerate(bought):
        at_ms = NOW - (len(bought) - n) * 1_000
        if is_order and had < 8:
            had += 1
            events.append(an_order(["i2"], at_ms=at_ms))
            wanted.append(at_ms // 1000)
        else:
            events.append(a_refund("i2", at_ms=at_ms))
            wanted = wanted[:-1]
    own = folded(events, shop=shop).own_items.get("i2", OwnItem())
    assert (own.count, own.times_s) == (len(wanted), tuple(wanted))
