"""Two histories turn out to be one person's."""

from __future__ import annotations

from msgspec.structs import replace

from germane.domain import decay
from germane.domain.had import holds
from germane.domain.ids import order_key
from germane.domain.months import MS_PER_DAY
from germane.domain.profile import Exposure, Profile, QuotaCount, Trait
from germane.domain.settings import ProfileSpec
from germane.profile.fold import current
from germane.profile.merge import merge
from germane.testing import an_event, an_order
from tests.unit.profile.people import ITEMS, NOW, SHOP, a_refund, folded


def merged(one: Profile, two: Profile) -> Profile:
    return merge(one, two, SHOP, ITEMS.get, seq=9, now_ms=NOW)


def test_the_strictest_consent_wins() -> None:
    """A purpose that either side refused stays refused; a yes counts where the one who stays has said it."""
    one = Profile("u:1", consent={"a": True, "b": True, "d": False})
    two = Profile("a:2", consent={"b": False, "c": True, "d": True})
    assert merged(one, two).consent == {"a": True, "b": False, "d": False}
    assert merged(two, one).consent == {"b": False, "c": True, "d": False}


def test_identity() -> None:
    """The survivor's keys and all anonymous ids; place and account of whoever was seen last."""
    one = Profile(
        "u:1", user_id="1", anonymous_ids=("x",), last_seen_ms=5, locale="de", first_seen_ms=3
    )
    two = Profile("a:y", anonymous_ids=("x",), last_seen_ms=9, locale="fr", timezone="UTC")
    both = merged(one, two)
    assert (both.person, both.user_id, both.anonymous_ids) == ("u:1", "1", ("y", "x"))
    assert (both.locale, both.timezone, both.first_seen_ms, both.last_seen_ms) == (
        "fr",
        "UTC",
        3,
        9,
    )
    assert merged(two, one).locale == "fr"


def test_the_newest_trait_wins() -> None:
    """Whoever survives; at most as many as a profile may have."""
    one = Profile("u:1", traits={"a": Trait(1, 5), "b": Trait(1, 9)})
    two = Profile("a:2", traits={"a": Trait(2, 6), "b": Trait(2, 8), "c": Trait(2, 1)})
    wanted = {"a": 2, "b": 1, "c": 2}
    for both in (merged(one, two), merged(two, one)):
        assert {name: each.value for name, each in both.traits.items()} == wanted
    many = Profile("a:2", traits={f"t{n}": Trait(n, n) for n in range(100)})
    assert len(merged(one, many).traits) == 100


def test_exposures_and_quotas_survive() -> None:
    """A slate known to both is one slate, with what either saw and credited of it."""
    one = Profile(
        "u:1",
        exposures=(Exposure("d1", "home", NOW - 10, ("a",), ("a|view",)),),
        quotas={"home": QuotaCount(5, 1, 0)},
    )
    two = Profile(
        "a:2",
        exposures=(
            Exposure("d0", "home", NOW - 30, ("z",)),
            Exposure("d1", "home", NOW - 20, ("a", "b"), ("b|view",)),
        ),
        quotas={"home": QuotaCount(2, 0, 1), "mail": QuotaCount(1, 1, 0)},
    )
    both = merged(one, two)
    assert [each.decision_id for each in both.exposures] == ["d0", "d1"]
    seen = both.exposures[1]
    assert (seen.at_ms, set(seen.items)) == (NOW - 20, {"a", "b"})
    assert set(seen.credited) == {"a|view", "b|view"}
    assert both.quotas == {"home": QuotaCount(7, 1, 1), "mail": QuotaCount(1, 1, 0)}


def test_a_guest_buys_and_the_customer_returns_it() -> None:
    """A refund pairs with the purchase of the other identity."""
    guest = folded([an_order(["i2"], at_ms=NOW - MS_PER_DAY)], Profile("a:x"))
    both = merged(folded([a_refund("i2")]), guest)
    assert (both.own_items["i2"].count, both.own_items["i2"].times_s) == (0, ())
    assert decay.interests(both, "category", SHOP, NOW) == {}
    kept = merged(folded([a_refund("i2", at_ms=NOW - 2 * MS_PER_DAY)]), guest)
    assert decay.interests(kept, "category", SHOP, NOW) == decay.interests(
        guest, "category", SHOP, NOW
    )
    assert kept.own_items["i2"].count == 1


def test_what_one_side_kept_too_long_is_dropped() -> None:
    """A visitor of two years ago turns up again: the next look at the profile sweeps it, though
    the survivor was swept this month already."""
    later = NOW + 735 * MS_PER_DAY
    long_ago = folded([an_event(item="i1")], Profile("a:x"))
    now = folded([an_event(item="i3", at_ms=NOW), an_event(item="i2", at_ms=later)], now_ms=later)
    assert now.swept_month
    both = current(
        merge(now, long_ago, SHOP, ITEMS.get, seq=9, now_ms=later), SHOP, later, ITEMS.get
    )
    assert set(both.interests["category"]) == {"c2"}
    assert set(both.own_items) == {"i2"}
    assert both.evidence == 1


def test_orders_of_both_are_known() -> None:
    """An order id that either side has seen does not count again."""
    one = Profile("u:1", orders=("purchase:1", "purchase:2"))
    two = Profile("a:2", orders=("purchase:2", "purchase:3"))
    wanted = {order_key("purchase", name) for name in "123"}
    assert merged(one, two).known_orders.keys() == wanted


def test_the_survivor_has_its_own_name() -> None:
    """After an alias from an old user id to a new one, nobody is called by the old one."""
    both = merged(Profile("u:new"), Profile("u:old", user_id="old"))
    assert (both.person, both.user_id) == ("u:new", "new")


def test_what_either_had_longer_ago_was_had() -> None:
    """But for what one of them has brought back since."""
    few = replace(SHOP, profile=ProfileSpec(own_items=10))
    orders = [an_order([f"i{n}"], at_ms=NOW - (50 - n) * MS_PER_DAY) for n in range(30)]
    one = folded(orders, Profile("u:u1"), shop=few)
    events = [an_order(["i0"]), an_order(["i40"]), a_refund("i3")]
    two = folded(events, Profile("a:a1"), shop=few)
    both = merge(one, two, few, ITEMS.get, seq=9, now_ms=NOW)
    had = {f"i{n}" for n in range(30)} - {"i3"} | {"i40"}
    assert {"i0", "i40"} <= both.own_items.keys()
    assert holds(one.had, "i3")
    assert not holds(both.had, "i3")
    assert all(item in both.own_items or holds(both.had, item) for item in had)
