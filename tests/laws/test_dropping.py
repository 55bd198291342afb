"""When the consent that some data need ends, what is left is the profile of somebody who never gave them."""

from __future__ import annotations

from typing import get_args

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict, astuple, fields, replace

from germane.domain.event import Event
from germane.domain.months import MS_PER_DAY
from germane.domain.profile import Credit, Exposure, MonthSum, OpenChoice, PriceBand, Profile
from germane.domain.settings import OutcomeSpec, SignalSpec
from germane.ingest.signals import Extractor
from germane.predict.features import NAMES
from germane.privacy.features import FIELDS, Shared, categories_of, made_from
from germane.privacy.gate import Gate
from germane.profile.fold import fold
from germane.profile.merge import merge
from germane.testing import a_shop, an_event, an_item, an_order
from germane.testing.world import START_MS

SIGNALS = {
    "symptom": SignalSpec(
        "symptom", "Symptom Searched", "properties.product_id", category="health", speakable=False
    ),
    "medicine": SignalSpec(
        "medicine",
        "Medicine Bought",
        "properties.product_id",
        category="health",
        speakable=False,
        repeat=True,
        price="properties.price",
        order="properties.order_id",
    ),
    "returned": SignalSpec(
        "returned", "Medicine Returned", "properties.product_id", weight=-1.0, cancels="medicine"
    ),
}
BASE = a_shop(surface={"outcomes": (
    OutcomeSpec("purchase", "purchase", 7 * 86_400), OutcomeSpec("medicine", "medicine", 7 * 86_400),
)})  # fmt: skip
SHOP = replace(BASE, signals=BASE.signals | SIGNALS)
EXTRACTOR, GATE = Extractor(SHOP), Gate(SHOP)
ITEMS = {f"i{n}": an_item(n) for n in range(12)}
NOW = START_MS
YES, NO = {"sensitive_data": True}, {"sensitive_data": False}
NAMED = ("Symptom Searched", "Medicine Bought", "Medicine Returned")
times = st.integers(0, 700).map(lambda days: NOW - days * MS_PER_DAY)


def told(name: str, item: int, at_ms: int, number: int) -> Event:
    if name == "Order Completed":
        return an_order(f"i{item}", at_ms=at_ms, message_id=f"m{number}")
    properties = {"product_id": f"i{item}", "price": 5.0 + item, "order_id": f"o{number % 3}"}
    return an_event(name, at_ms=at_ms, message_id=f"m{number}", properties=properties)


def lives(shared: bool) -> st.SearchStrategy[list[Event]]:
    """Of sensitive signals and of others, about items of their own, or about the same."""
    plain = st.tuples(
        st.sampled_from(("Product Viewed", "Product Dismissed", "Order Completed")),
        st.integers(0, 5),
        times,
    )
    ours = st.tuples(
        st.sampled_from(NAMED), st.integers(0 if shared else 6, 5 if shared else 11), times
    )
    steps = st.lists(st.one_of(plain, ours), max_size=14)
    return steps.map(lambda found: [told(*each, n) for n, each in enumerate(found)])


def folded(events: list[Event], person: Profile) -> Profile:
    for seq, event in enumerate(events, 1):
        found, _ = EXTRACTOR.extract(event)
        person = fold(person, event, found, ITEMS.get, SHOP, seq=seq, now_ms=NOW)
    return person


def rounded(sums: PriceBand | MonthSum) -> list[float]:
    return [round(each, 6) for each in astuple(sums)]


def differing(one: Profile, two: Profile) -> set[str]:
    """Fields in which two profiles are not the same: an attribute without interests is none, and the same sum
    in another order may be rounded otherwise."""
    first, second = asdict(one), asdict(two)
    for each in (first, second):
        each["interests"] = {name: values for name, values in each["interests"].items() if values}
        each["price"] = rounded(each["price"])
        each["months"] = [rounded(month) for month in each["months"]]
    return {name for name, value in first.items() if value != second[name]}


STAYS = {name for name, each in FIELDS.items() if each.undone == "stays"}


@given(lives(shared=False))
def test_who_never_said_it_and_who_took_it_back_are_the_same(events: list[Event]) -> None:
    """In every field but those that say why not."""
    withdrawn = replace(folded(events, Profile("u:u1", consent=YES)), consent=NO)
    never = [each for each in events if each.name not in NAMED]
    left = GATE.fit(withdrawn, NOW)
    assert differing(left, folded(never, Profile("u:u1", consent=NO))) <= STAYS
    assert GATE.fit(left, NOW) is left
    assert left.apart == {}


@given(lives(shared=True))
def test_of_shared_items_nothing_is_left_that_says_so(events: list[Event]) -> None:
    """The list of items may forget more than it must; all else is exact, and no name of a signal is left."""
    withdrawn = replace(folded(events, Profile("u:u1", consent=YES)), consent=NO)
    never = folded([each for each in events if each.name not in NAMED], Profile("u:u1", consent=NO))
    left = GATE.fit(withdrawn, NOW)
    assert differing(left, never) <= STAYS | {"own_items"}
    for item, own in left.own_items.items():
        assert own.last_s == never.own_items[item].last_s
        assert own.count in (0, never.own_items[item].count)
    assert not any(name in repr(left) for name in ("symptom", "medicine", "returned"))


@given(lives(shared=False), lives(shared=False))
def test_two_histories_that_are_one_forget_it_too(one: list[Event], two: list[Event]) -> None:
    """What is dropped of both is what is dropped of each."""

    def both(first: list[Event], second: list[Event], consent: dict[str, bool]) -> Profile:
        sides = (folded(first, Profile("u:u1", consent=consent)), folded(second, Profile("a:x")))
        return merge(*sides, SHOP, ITEMS.get, seq=9, now_ms=NOW)

    two = [replace(each, message_id=f"two-{each.message_id}") for each in two]
    left = GATE.fit(replace(both(one, two, YES), consent=NO), NOW)
    plain = ([x for x in each if x.name not in NAMED] for each in (one, two))
    assert differing(left, both(*plain, NO)) <= STAYS  # type: ignore[misc]


def test_what_a_list_was_credited_with_goes_along() -> None:
    """Of the outcome that a sensitive signal means; what else was credited stays."""
    paid = (Credit("i1", "medicine", 3.0, 3.0, NOW), Credit("i2", "purchase", 5.0, 5.0, NOW))
    said = ("i1|medicine", "i1|medicine|returned", "i2|purchase")
    shown = Exposure("d", "home", NOW, ("i1", "i2"), said, paid)
    chosen = OpenChoice("c", "home", NOW, said, 8.0, paid)
    person = Profile("u:u1", exposures=(shown,), choices=(chosen,), consent=NO)
    left = GATE.fit(person, NOW)
    assert (left.exposures[0].credited, left.exposures[0].credits) == (said[2:], paid[1:])
    assert (left.choices[0].credited, left.choices[0].value) == (said[2:], 5.0)
    assert GATE.fit(replace(person, consent=YES), NOW).exposures == (shown,)


def test_every_field_and_every_feature_is_declared() -> None:
    """A new one needs an entry: where it is from, and what becomes of it."""
    assert {each.name for each in fields(Profile)} == set(FIELDS)
    known = {*FIELDS, *get_args(Shared)}
    assert all(made_from(name) and known.issuperset(made_from(name)) for name in NAMES)
    assert all(each.why for each in FIELDS.values() if each.undone == "stays")
    assert "health" in categories_of("own", SHOP)
    assert categories_of("popular_mid", SHOP) == set()
    assert categories_of("price_fit", SHOP) == {"behaviour"}
    assert categories_of("declared", SHOP) == {"declared"}
