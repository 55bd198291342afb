"""Orders and refunds through the engine: what the profile says, and what is kept for a person to look at."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec.structs import replace

from germane.app.engine import Engine
from germane.app.opening import open_engine
from germane.app.rebuild import rebuild
from germane.domain.event import Event, Interaction
from germane.domain.profile import Profile, QuotaCount
from germane.domain.record import Txn
from germane.domain.settings import Settings
from germane.profile.orders import refund_of
from germane.storage import codec
from germane.testing import FakeWorld, an_event, an_order
from germane.testing.world import START_MS


def refunded(**properties: object) -> Event:
    """A refund, an hour after the orders."""
    return an_event("Order Refunded", at_ms=START_MS - 1_000, properties=properties)


def bought(engine: Engine) -> dict[str, int]:
    """What the person has of each item."""
    profile = engine.store.profile("main", "u:u1")
    return {} if profile is None else {k: v.count for k, v in profile.own_items.items() if v.count}


def an_earlier(items: list[str], order_id: str) -> Event:
    """An order of the day before."""
    return an_order(items, order_id=order_id, at_ms=START_MS - 86_400_000)


def test_a_refund_without_products_takes_the_order_back(engine: Engine) -> None:
    """All of the order that it names, and of no other; a second time it takes nothing and is no fault."""
    engine.accept_now([an_earlier(["i1", "i2"], "1"), an_earlier(["i1"], "2")])
    engine.accept_now([refunded(order_id="1", total=19.0)])
    assert bought(engine) == {"i1": 1}
    engine.accept_now([refunded(order_id="1", products=[])])
    assert (bought(engine), engine.letters()) == ({"i1": 1}, [])
    assert rebuild(engine).equal


def test_a_refund_of_an_order_nobody_told_of(engine: Engine) -> None:
    """It is kept with what to do, changes nothing, and counts when it is replayed after its order."""
    engine.accept_now([refunded(order_id="1", total=9.5)])
    (letter,) = engine.letters()
    assert (letter.source, letter.code) == ("fold", "event.unknown_order")
    assert "Replay it when the order has come" in letter.message
    assert engine.store.profile("main", "u:u1") is None
    assert "Replay it" in engine.replay_letter(letter.letter_id)
    assert len(engine.letters()) == 1
    engine.accept_now([an_earlier(["i1", "i2"], "1")])
    assert engine.replay_letter(letter.letter_id) == ""
    assert (bought(engine), engine.letters()) == ({}, [])
    assert rebuild(engine).equal


def test_a_refund_that_names_nothing(engine: Engine) -> None:
    """Neither products nor an order: there is nothing that it could take back."""
    engine.accept_now([refunded(total=9.5)])
    (letter,) = engine.letters()
    assert "names neither products nor an order" in letter.message


def test_a_refund_of_an_order_that_is_remembered_in_part(engine: Engine) -> None:
    """Views have pushed some of its lines out: it takes nothing, and says what to do."""
    items, ring = [f"i{n}" for n in range(10)], engine.settings.profile.recent
    engine.accept_now([an_earlier(items, "1")])
    views = [an_event(item="i90", at_ms=START_MS - 9_000 - n) for n in range(ring - 5)]
    engine.accept_now([*views, refunded(order_id="1")])
    (letter,) = engine.letters()
    assert letter.code == "event.unknown_order"
    assert "Send it with its products" in letter.message
    assert bought(engine) == dict.fromkeys(items, 1)
    products = [{"product_id": each} for each in items]
    engine.accept_now([refunded(order_id="1", products=products)])
    assert bought(engine) == {}
    assert rebuild(engine).equal


def test_a_refund_of_an_order_leaves_what_names_no_order(engine: Engine) -> None:
    """It waits for its own order, in the history as in revenue."""
    (at_ms, products) = (START_MS - 86_400_000, [{"product_id": "i1", "price": 9.5, "quantity": 1}])
    nameless = an_event("Order Completed", at_ms=at_ms, properties={"products": products})
    engine.accept_now([nameless, refunded(order_id="1", products=products)])
    assert bought(engine) == {"i1": 1}
    engine.accept_now([an_earlier(["i1"], "1")])
    assert bought(engine) == {"i1": 1}
    assert rebuild(engine).equal


def test_lines_of_one_item_at_two_prices_come_back_as_they_were(engine: Engine) -> None:
    """A whole refund takes from each line its own price."""
    settings = engine.settings
    lines = [
        Interaction("i1", "purchase", 5, n, p, order=7) for n, p in ((1, 10), (3, 20), (1, 14))
    ]
    profile = Profile("u:u1", recent=tuple(lines), known_orders={7: 0})
    counts = replace(settings.signals["refund"], quantity="quantity", price="price")
    settings = replace(settings, signals=settings.signals | {"refund": counts})
    back = refund_of(profile, Interaction("", "refund", 9, order=7), settings)
    assert back is not None
    assert sorted((each.quantity, each.price) for each in back) == [(2, 12), (3, 20)]


def test_an_order_under_two_ids_counts_once(engine: Engine) -> None:
    """Tracked by the page and by the server, before they are known to be one person."""
    visitor = an_order(
        ["i1", "i2"], order_id="7", user="", anonymous_id="x", at_ms=START_MS - 9_000
    )
    server = an_order(["i1", "i2"], order_id="7", at_ms=START_MS - 4_000)
    engine.accept_now([visitor, server])
    engine.accept_now([Event("id", "identify", START_MS, user_id="u1", anonymous_id="x")])
    profile = engine.store.profile("main", "u:u1")
    assert profile is not None
    assert (profile.evidence, profile.price.count, len(profile.recent)) == (2, 2, 2)
    assert bought(engine) == {"i1": 1, "i2": 1}
    masses = [each for values in profile.interests.values() for each in values.values()]
    assert sum(mass.count for each in masses for mass in each) == 4  # a category and a brand each
    assert rebuild(engine).equal


def test_a_person_who_was_only_decided_for(engine: Engine) -> None:
    """They are called by the user id that was asked for."""
    served = Profile("u:u9", first_seen_ms=START_MS, quotas={"home": QuotaCount(slots=5)})
    engine.store.commit(Txn(profiles={("main", "u:u9"): served}))
    found = engine.person("u9")
    assert found is not None
    assert (found["userId"], found["lastSeen"]) == ("u9", None)


def test_an_event_at_the_beginning_of_time(engine: Engine) -> None:
    """1970 is a time like any other, and stays the first when more comes."""
    engine.accept_now([an_event(at_ms=0)])
    found = engine.person("u1")
    assert found is not None
    assert found["firstSeen"] == found["lastSeen"] == "1970-01-01T00:00:00.000Z"
    engine.accept_now([an_event(at_ms=START_MS - 1_000)])
    found = engine.person("u1")
    assert found is not None
    assert found["firstSeen"] == "1970-01-01T00:00:00.000Z"


def test_a_data_folder_of_an_earlier_version(
    engine: Engine, shop: Settings, tmp_path: Path
) -> None:
    """Its profiles open, count on, and are exact after a rebuild."""
    days = [START_MS - n * 86_400_000 for n in range(12, 0, -1)]
    engine.accept_now([an_order(["i1"], order_id=f"o{n}", at_ms=at) for n, at in enumerate(days)])
    kept = engine.store.profile("main", "u:u1")
    assert kept is not None
    names = tuple(f"purchase:o{n}" for n in range(12))
    old = as_it_was(replace(kept, orders=names, known_orders={}, months=()))
    engine.store.commit(Txn(profiles={("main", "u:u1"): old}))
    engine.store.close()
    engine = open_engine(shop, tmp_path / "data", world=FakeWorld(START_MS + 60_000))
    engine.accept_now([an_order(["i1"], order_id="o3", at_ms=days[3], message_id="again")])
    engine.accept_now([an_order(["i1"], order_id="new", at_ms=START_MS)])
    profile = engine.store.profile("main", "u:u1")
    assert profile is not None
    assert (profile.evidence, profile.price.count, bought(engine)) == (13, 13, {"i1": 13})
    rebuild(engine)
    exact = engine.store.profile("main", "u:u1")
    engine.store.close()
    assert exact is not None
    assert (exact.evidence, exact.price.count) == (13, 13)
    assert exact.own_items["i1"].count == 13


def as_it_was(profile: Profile) -> Profile:
    """The profile as the version before stored it: fewer fields, orders by name."""
    fields = msgspec.msgpack.decode(codec.encode(profile))[:-2]
    places = Profile.__struct_fields__
    ring, own = places.index("recent"), places.index("own_items")
    fields[ring] = [each[:6] for each in fields[ring]]
    fields[own] = {key: each[:4] for key, each in fields[own].items()}
    return codec.decode_profile(codec.encode(fields))
