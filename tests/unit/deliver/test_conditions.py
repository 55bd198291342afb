"""Conditions: found wrong when they are read, with position and remedy; harmless when they are looked at."""

from __future__ import annotations

from typing import Any

import pytest

from germane.deliver.conditions import Conditions
from germane.deliver.schema import names
from germane.deliver.view import View
from germane.domain.consent import Stand
from germane.domain.errors import BadCondition
from germane.domain.event import Event, Interaction
from germane.domain.item import Item
from germane.domain.months import MS_PER_DAY
from germane.domain.profile import OwnItem, PriceBand, Profile, Trait
from germane.domain.settings import AttributeSpec, Settings, SignalSpec, TraitSpec
from tests.unit.deliver.life import ms

NOW = ms("2026-11-30T06:30:00+00:00")
SETTINGS = Settings(
    timezone="Europe/Berlin",
    attributes={
        "weight": AttributeSpec("weight", "number"),
        "vegan": AttributeSpec("vegan", "flag"),
        "tags": AttributeSpec("tags", "list"),
        "category": AttributeSpec("category", interest=True),
    },
    signals={
        "purchase": SignalSpec("purchase", "Order Completed", "properties.id"),
        "add-to-cart": SignalSpec("add-to-cart", "Product Added", "properties.id"),
    },
    traits={name: TraitSpec(name) for name in ("role", "seats", "csm")},
)
CONDITIONS = Conditions(SETTINGS)


def a_view(**more: Any) -> View:
    profile = Profile(
        "u:ann",
        traits={"role": Trait("buyer", NOW), "seats": Trait(200, NOW)},
        recent=(
            Interaction("a", "purchase", NOW - 3 * MS_PER_DAY),
            Interaction("b", "purchase", NOW - 40 * MS_PER_DAY),
            Interaction("c", "add-to-cart", NOW + 5 * MS_PER_DAY),
        ),
        first_seen_ms=NOW - 100 * MS_PER_DAY,
        last_seen_ms=NOW - MS_PER_DAY,
        evidence=7.0,
        price=PriceBand(2.0, 3.0, 0.0),
        own_items={"a": OwnItem(2, (1, 2), NOW // 1000 - 86_400)},
    )
    event = Event("m", "track", NOW, "API Called", properties={"n": 5, "deep": {"x": [1, 2]}})
    found: dict[str, Any] = {
        "profile": profile,
        "account": "acme",
        "account_traits": {"plan": "starter"},
        "event": event,
        "items": ("a",),
        "item": Item("a", price=59, attributes={"weight": 3, "vegan": True, "tags": ["x", "y"]}),
    }
    return View(SETTINGS, NOW, **{**found, **more})


@pytest.mark.parametrize(
    "source",
    [
        'profile.counts.purchase.d7 == 1 && profile.counts["purchase"].d90 == 2',
        'profile.counts["add-to-cart"].d30 == 0',
        'profile.traits.role == "buyer" && profile.traits.seats >= 200',
        "item.price < 100 && item.weight > 2.5 && item.vegan",
        '"x" in item.tags',
        'local.weekday == "mon" && local.hour == 7 && local.date == "2026-11-30"',
        "profile.readiness == 0.5 && profile.lastSeenDays == 1.0 && profile.firstSeenDays > 99",
        "profile.typicalPrice > 20 && profile.typicalPrice < 20.1",
        "event.properties.n > 4 && event.properties.deep.x.exists(n, n == 2)",
        'event.name == "API Called" && "a" in event.items',
        'account.id == "acme" && account.traits.plan == "starter"',
        "own.count == 2 && own.lastDays == 1.0 && !own.rejected",
        "!has(account.traits.csm)",
        'now > timestamp("2026-11-29T00:00:00Z") && now - duration("48h") < now',
        'profile.timezone == "" && profile.known',
        'item.title == "" ? true : item.title.matches("^[a-z]+$")',
    ],
)
def test_what_holds(source: str) -> None:
    assert CONDITIONS.get(source)(a_view()) == (True, None)


@pytest.mark.parametrize("refused", [False, True], ids=["alone", "over a no"])
@pytest.mark.parametrize(
    ("until_ms", "holds"), [(0, True), (NOW + 1, True), (NOW, False), (NOW - MS_PER_DAY, False)]
)
def test_a_yes_that_is_over_is_none(until_ms: int, holds: bool, refused: bool) -> None:
    """From its end on; that something was said stays so."""
    stands = {"news": Stand(1, until_ms, refused=refused and until_ms > 0)}
    view = a_view(profile=Profile("u:ann", consent={"news": True, "ads": False}, stands=stands))
    for source in ("profile.consent.news", 'profile.consent["news"] == true'):
        assert CONDITIONS.get(source)(view)[0] is holds
    assert CONDITIONS.get("has(profile.consent.news) && !profile.consent.ads")(view)[0]
    assert not CONDITIONS.get("has(profile.consent.others)")(view)[0]


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("profile.counts.purchase.d7 == 2", "condition_false"),
        ("event.properties.price > 5", "condition_missing"),
        ("event.properties.n.deeper == 1", "condition_failed"),
        ('event.properties.n == "five"', "condition_false"),
        ('event.properties.n.startsWith("5")', "condition_failed"),
        ('profile.interests.category["Tents"] > 0.3', "condition_missing"),
        ("1 / (event.properties.n - 5) > 0", "condition_failed"),
        ("event.properties.n", "condition_failed"),
        ("change.drop > 0.1", "condition_missing"),
    ],
)
def test_what_does_not_hold_says_why(source: str, code: str) -> None:
    """Missing data, other types, even a division by zero: false, with the reason; never an error."""
    holds, why = CONDITIONS.get(source)(a_view())
    assert not holds
    assert why is not None
    assert why.code == code
    assert source in why.text


def test_nothing_is_known_at_all() -> None:
    """Every name can be asked for without a profile, an event, an item: nothing raises."""
    empty = View(SETTINGS, NOW)
    for name, kind in names(SETTINGS).items():
        source = {"flag": name, "text": f'{name} == ""', "list": f"size({name}) == 0"}.get(
            kind, f"size({name}) == 0" if kind.startswith("map") else f"{name} == {name}"
        )
        holds, why = CONDITIONS.get(source)(empty)
        assert holds or why is not None


@pytest.mark.parametrize(
    ("source", "position", "says"),
    [
        ("profile.traits.rol == 'x'", 16, "role"),
        ("profile.counts.purchas.d7 > 1", 16, "purchase"),
        ('profile.counts["purchas"].d7 > 1', 17, "purchase"),
        ("profile.counts.purchase.d31 > 0", 25, "There are d1, d7, d30, d90."),
        ("profile.counts['add-to-cart'][\"d31\"] > 0", 32, "has no 'd31'"),
        ("!has(profile . counts.purchase . d5)", 34, "has no 'd5'"),
        ('local.weekday == "Monday"', 18, "never 'Monday'. It is one of mon, tue, wed"),
        ('now == now || "sonntag" != local . weekday', 15, "sonntag"),
        ("local.weekday in ['sat', 'Sunday']", 26, "Sunday"),
        ('change.kind == "price-drop"', 16, "It is one of back_in_stock, price_drop."),
        ('event.kind == "order"', 15, "identify"),
        ("profile.interests.colour['x'] > 0", 19, "interest = true"),
        ("profile.lastSeenDay > 3", 1, "profile.lastSeenDays"),
        ("1 < 2 && item.wieght > 2", 10, "item.weight"),
        ("profle.known", 1, "profile.known"),
        ('item.price == "cheap"', 12, "a number and a text"),
        ("own.count == 1.0", 11, "3.0"),
        ("item.price = 3", 12, "=="),
        ("item.price >", 13, "ends too early"),
        ("profile", 1, "profile.known"),
        ("profile.evidence", 1, "true or false"),
        ("size(profile.locale)", 1, "true or false"),
        ("siz(event.items) == 2", 1, "size"),
        ("nonsense(3) == 2", 1, "startsWith"),
        ('profile.locale.startWith("de")', 16, "startsWith"),
        ('profile.locale == "de', 19, ""),
        ("[1].exists(x, [2].exists(y, x == y))", 1, "more than one loop"),
        ("true && " * 200 + "true", 1, "longer"),
        ("event.items.filter(x, x == 'a')", 1, "true or false"),
    ],
)
def test_what_is_wrong_is_found_when_it_is_read(source: str, position: int, says: str) -> None:
    with pytest.raises(BadCondition) as caught:
        CONDITIONS.get(source)
    error = caught.value
    assert error.details["position"] == position, error.message
    assert error.details["expression"] == source
    assert says in f"{error.message} {error.hint}"


def test_what_may_be_spoken_of_where_it_stands() -> None:
    """Nothing just happened when the clock looks: no event can be spoken of."""
    with pytest.raises(BadCondition, match="There is no event") as caught:
        CONDITIONS.get('event.name == "x"', ("profile", "now"))
    assert caught.value.hint == "It may speak of profile, now."


def test_texts_are_left_alone() -> None:
    """Names in texts are no names."""
    assert CONDITIONS.get('"profile.traits.nobody" != "item.x"')(a_view())[0]
    assert CONDITIONS.get('"profile.traits.nobody" != "item.x"').reads == ()


@pytest.mark.parametrize(
    "source",
    [
        'local.weekday == "mon" || local.weekday in ["sat", "sun"]',
        "\"local.weekday == 'Monday'\" != event.name",
        'local.weekday == "mo" + "n" || "x" + local.weekday == "xmon"',
        "local.weekday.startsWith('m') && local.weekday == '''mon'''",
        'event.kind == "track" && has(profile.counts.purchase.d90)',
        '"profile.counts.purchase.d31" != event.name',
    ],
)
def test_words_that_can_be_are_let_be(source: str) -> None:
    assert CONDITIONS.get(source)(a_view())[0]


def test_numbers_of_any_size() -> None:
    """JSON knows whole numbers that CEL does not: an event with one can still be looked at."""
    event = Event(
        "m", "track", NOW, "x", properties={"n": 5, "big": 2**70, "deep": [{"y": -(2**80)}]}
    )
    assert CONDITIONS.get("event.properties.n == 5")(a_view(event=event))[0]
    assert CONDITIONS.get("event.properties.big > 9.9e20")(a_view(event=event))[0]


def test_a_regular_expression_cannot_be_made_to_take_for_ever() -> None:
    event = Event("m", "track", NOW, "x", properties={"t": "a" * 30_000 + "!"})
    assert not CONDITIONS.get('event.properties.t.matches("(a+)+$")')(a_view(event=event))[0]


@pytest.mark.parametrize(
    "source",
    [
        "event.properties.many.exists(x, !(x in event.properties.many))",
        "event.properties.many.map(x, event.properties.long) == []",
        'event.properties.few.exists(x, event.properties.long.matches("(a|b)*c"))',
    ],
)
def test_a_loop_is_bounded(source: str) -> None:
    """An event may not make a condition do a hundred million things, or hold a hundred megabytes."""
    large = {"many": list(range(6_000)), "few": list(range(400)), "long": "a" * 30_000}
    event = Event("m", "track", NOW, "x", properties=large)
    holds, why = CONDITIONS.get(source)(a_view(event=event))
    assert not holds
    assert why is not None
    assert why.code == "condition_too_large"
    fair = {"many": list(range(500)), "few": [1], "long": "a" * 4_000, "other": "a" * 30_000}
    event = Event("m", "track", NOW, "x", properties=fair)
    _, why = CONDITIONS.get(source)(a_view(event=event))
    assert why is not None
    assert why.code == "condition_false", "what is not looked at may be as long as it likes"


def test_the_same_text_is_compiled_once() -> None:
    assert CONDITIONS.get("profile.known") is CONDITIONS.get("profile.known")


def test_only_what_is_read_is_gathered() -> None:
    """The names that a condition needs, and no others: a profile is not walked through for nothing."""
    condition = CONDITIONS.get("profile . evidence > 3 && local.hour < 12 && item.id == 'a'")
    assert set(condition.reads) == {"profile.evidence", "local.hour", "item.id"}
    assert set(a_view().values(condition.reads)) == set(condition.reads)


@pytest.mark.parametrize(
    "source", ["profile.counts.purchase.d31 >= 0", 'local.weekday != "sunday"']
)
def test_what_was_taken_once_goes_on(source: str) -> None:
    """A campaign that is live does not stand still because more is found out about new ones."""
    with pytest.raises(BadCondition):
        CONDITIONS.get(source)
    assert Conditions(SETTINGS, stored=True).get(source)
