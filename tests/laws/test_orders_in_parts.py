"""An order that comes in parts, again, or in parts again: the same as the whole order once."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from germane.domain.event import Event
from germane.domain.profile import Profile
from germane.domain.settings import ProfileSpec, Settings
from germane.profile.merge import merge
from tests.laws.test_profile_fold import assert_same
from tests.laws.test_profile_orders import PIECES, a_refund, an_order, lived, sums
from tests.laws.test_returns import BEGIN_MS, measured
from tests.unit.profile.people import ITEMS, NOW

DAY_MS = 86_400_000
Lines = list[tuple[str, float]]


@st.composite
def orders(draw: st.DrawFn, alone: bool = False) -> tuple[list[Event], list[Event]]:
    """Up to three orders and refunds of them: whole, and in parts.

    The parts are any subsets that together are the whole, parts with fewer pieces, and later ones with
    any. ``alone``: no two orders have an item in common, and no copy says anything else.
    """
    whole, parts = [], []
    for n, begin_s in enumerate(draw(st.lists(st.integers(0, 5_000), max_size=3, unique=True))):
        at_ms = BEGIN_MS + begin_s * 10_000
        ids = [f"i{k * 3 + n if alone else k}" for k in range(4)]
        names = draw(st.lists(st.sampled_from(ids), min_size=1, unique=True))
        lines: Lines = [(item, draw(st.integers(1, 3))) for item in names]
        whole.append(an_order(f"o{n}", *lines, at_ms=at_ms))
        subsets = draw(st.lists(st.lists(st.sampled_from(lines), min_size=1, unique=True)))
        named = {line for part in subsets for line in part}
        rest = [[line] for line in lines if line not in named]
        parts += [an_order(f"o{n}", *part, at_ms=at_ms) for part in (*subsets, *rest)]
        if not alone and draw(st.booleans()):
            fewer = [(item, draw(st.integers(1, int(many)))) for item, many in lines]
            parts.append(an_order(f"o{n}", *fewer, at_ms=at_ms))
            other = [(item, draw(st.integers(1, 9))) for item in names]
            parts.append(an_order(f"o{n}", *other, at_ms=at_ms + draw(st.integers(1, 9_000))))
        if draw(st.booleans()):
            back = a_refund(f"o{n}", (names[0], draw(st.integers(1, 3))), at_ms=at_ms + 9_001)
            whole.append(back)
            parts.append(back)
    return whole, parts


def same(one: Profile, two: Profile) -> None:
    """The same, but for the order in the ring of what happened at once, and for when they were seen."""
    one, two = (
        replace(
            each,
            last_seen_ms=0,
            recent=tuple(sorted(each.recent, key=lambda x: (x.at_ms, x.item_id))),
        )
        for each in (one, two)
    )
    assert_same(one, two)
    assert one.known_orders == two.known_orders
    assert sums(one) == sums(two)


@given(orders(), st.randoms(use_true_random=False))
def test_an_order_in_parts_is_the_whole_order_once(
    told: tuple[list[Event], list[Event]], chance: random.Random
) -> None:
    """However it is split and repeated, in any order of arrival."""
    whole, parts = told
    chance.shuffle(parts)
    same(lived(parts), lived(whole))


@given(orders(), st.randoms(use_true_random=False), st.integers(0, 30))
def test_parts_under_two_ids_are_the_whole_order_once(
    told: tuple[list[Event], list[Event]], chance: random.Random, until: int
) -> None:
    """Whoever told which part of it, and whenever the two turn out to be one."""
    whole, parts = told
    chance.shuffle(parts)
    mine: list[Event] = []
    theirs: list[Event] = []
    for event in parts[:until]:
        (mine if chance.random() < 0.5 else theirs).append(event)
    both = merge(lived(mine), lived(theirs, Profile("a:x")), PIECES, ITEMS.get, seq=1, now_ms=NOW)
    same(lived(parts[until:], both), lived(whole))


@given(orders(alone=True), st.randoms(use_true_random=False))
def test_revenue_in_parts_is_that_of_the_whole(
    told: tuple[list[Event], list[Event]], chance: random.Random
) -> None:
    """An item that a part adds is credited, one that it repeats is not."""
    whole, parts = told
    chance.shuffle(parts)
    assert measured(parts)[1] == pytest.approx(measured(whole)[1])


def counts(profile: Profile) -> dict[str, int]:
    """What the person has of each item."""
    return {key: own.count for key, own in profile.own_items.items() if own.count}


def test_lines_of_an_order_one_by_one() -> None:
    """As lines of a CSV file that are not adjacent; and a stray one again, whose id sorts first."""
    single = [an_order("7", (f"i{n}", 1.0)) for n in range(5)]
    wanted = {f"i{n}": 1 for n in range(5)}
    assert counts(lived([*single, single[0]])) == wanted
    all_at_once = an_order("7", *((f"i{n}", 1.0) for n in range(5)))
    assert counts(lived([all_at_once, single[0]])) == wanted
    assert counts(lived([single[4], all_at_once])) == wanted


def test_one_more_product_later() -> None:
    """The second copy has one more: what was counted stays as it was, and the new one is of its time."""
    first, second = an_order("7", ("i1", 1), at_ms=NOW - 5_000), an_order("7", ("i1", 2), ("i2", 1))
    for arrival in ((first, second), (second, first)):
        profile = lived(arrival)
        found = [(each.item_id, each.at_ms, each.quantity) for each in profile.recent]
        assert found == [("i1", NOW - 5_000, 1.0), ("i2", NOW, 1.0)]


def small(ring: int) -> Settings:
    """The shop with a short memory."""
    return replace(PIECES, profile=ProfileSpec(recent=ring))


def test_what_has_left_the_ring_does_not_count_again() -> None:
    """All lines of an order, or some of them; an item that never was bought is added."""
    lines: Lines = [(f"i{n}", 1.0) for n in range(4)]
    order = an_order("7", *lines, at_ms=NOW - 9 * DAY_MS)
    later = [an_order(f"x{n}", ("i9", 1), at_ms=NOW - n) for n in range(4)]
    for many in (1, 2, 3, 4):
        profile = lived([order, *later[:many]], shop=small(4))
        again = lived([order], profile, shop=small(4))
        assert (counts(again), again.evidence) == (counts(profile), profile.evidence)
    some = lived([order, *later[:2], an_order("7", ("i5", 1), at_ms=NOW - DAY_MS)], shop=small(4))
    assert counts(some) == {"i0": 1, "i1": 1, "i2": 1, "i3": 1, "i5": 1, "i9": 2}


def test_an_order_longer_than_the_ring_line_by_line() -> None:
    """Each counts once, although the first ones have left the ring by then."""
    single: list[Any] = [an_order("7", (f"i{n}", 1.0), at_ms=NOW) for n in range(12)]
    profile = lived([*single, *single], shop=small(4))
    assert counts(profile) == {f"i{n}": 1 for n in range(12)}
    assert profile.evidence == 12


def test_the_ring_of_a_busy_person_goes_back_far_enough() -> None:
    """It is full, but begins before the order: what the order did not name was never counted."""
    views: Sequence[Event] = [
        an_order(f"x{n}", ("i9", 1), at_ms=NOW - (99 - n) * DAY_MS) for n in range(9)
    ]
    order = an_order("7", ("i1", 1), at_ms=NOW - DAY_MS)
    more = an_order("7", ("i9", 1), at_ms=NOW - DAY_MS)
    profile = lived([*views, order, more, more], shop=small(4))
    assert counts(profile) == {"i1": 1, "i9": 10}
