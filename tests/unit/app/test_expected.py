"""What a user expects of a decision: what was turned down sinks, a filter fills the slate, links lead on."""

from __future__ import annotations

import asyncio
import math
from typing import Literal
from zlib import crc32

import numpy as np
import pytest
from msgspec.structs import replace

from germane.app.engine import Engine
from germane.app.lessons import OLD_LESSON_SHARE
from germane.domain.decision import Ask, Decision
from germane.domain.event import Event
from germane.domain.item import Item
from germane.domain.muting import Muted, Objection
from germane.domain.outcome import Example
from germane.domain.settings import PrivacySpec, ProfileSpec, RuleSpec
from germane.predict.blender import Blender, pack
from germane.predict.features import PRIOR
from germane.predict.model import SharedModel
from germane.storage.memory import MemoryStore
from germane.testing import FakeWorld, a_shop, an_event, an_order

JACKETS, OTHERS = 8, 600
FILTER = 'item.category == "Jackets"'


def shop(
    others: int = OTHERS,
    *,
    undeclared: Literal["keep", "refuse"] = "refuse",
    own_items: int = 400,
    **surface: object,
) -> Engine:
    """A few jackets that nobody looks at, and many other things that people do."""
    settings = a_shop(surface={"diversity_quota": 0.0, "exploration_share": 0.0} | surface)
    settings = replace(
        settings,
        privacy=PrivacySpec(undeclared=undeclared),
        profile=ProfileSpec(own_items=own_items),
    )
    engine = Engine(settings, MemoryStore(), SharedModel(settings), FakeWorld(), key=b"k" * 32)
    for number in range(JACKETS):
        engine.fold_item(Item(f"jacket-{number}", category="Jackets", created_ms=1))
    for number in range(others):
        engine.fold_item(Item(f"thing-{number}", category=f"kind-{number % 20}", created_ms=1))
    if others:
        tell(engine, *(viewed(f"p{n % 40}", f"thing-{n % 200}") for n in range(400)))
    return engine


def viewed(user: str, item: str, name: str = "Product Viewed") -> Event:
    """An event about an item, now."""
    return an_event(name, user=user, item=item)


def tell(engine: Engine, *events: Event) -> None:
    """Fold and keep."""
    engine.accept_now(list(events))


def slate(engine: Engine, user: str, **ask: object) -> Decision:
    """What the grid shows."""
    (decision,), _ = engine.decide(user, "", "", [Ask("home", **ask)])  # type: ignore[arg-type]
    return decision


def places(decision: Decision) -> list[str]:
    """Item ids in their order."""
    return [each.item_id for each in decision.items]


def test_what_was_turned_down_sinks() -> None:
    """Of a stranger, of somebody who looked at it before, and until they look again."""
    engine = shop(size=12)
    best = places(slate(engine, "ann"))[0]
    tell(engine, viewed("ann", best, "Product Dismissed"))
    assert best not in places(slate(engine, "ann"))
    assert best in places(slate(engine, "somebody else"))
    tell(engine, viewed("bob", best), viewed("bob", best, "Product Dismissed"))
    assert best not in places(slate(engine, "bob"))
    engine.world.advance(seconds=5)  # type: ignore[attr-defined]
    tell(engine, an_event("Product Viewed", user="bob", item=best, at_ms=engine.world.now_ms()))
    assert best in places(slate(engine, "bob"))


def test_what_was_turned_down_is_not_explored() -> None:
    """In a small catalogue, too, where the exploring slots reach its end."""
    engine = shop(others=0, size=4, exploration_share=0.5, explore_from=0)
    tell(engine, *(viewed(f"q{n}", f"jacket-{n % JACKETS}") for n in range(80)))
    tell(engine, *(viewed("ann", f"jacket-{n}", "Product Dismissed") for n in (0, 1)))
    made = [slate(engine, "ann") for _ in range(60)]
    slots = {each.slot for decision in made for each in decision.items}
    assert slots == {"relevant", "explore"}
    shown = {each for decision in made for each in places(decision)}
    assert shown == {f"jacket-{n}" for n in range(2, JACKETS)}


def test_what_was_turned_down_speaks_for_nothing_like_it() -> None:
    """Neither for its category nor for what came after it with others."""
    engine = shop(size=12)
    before = slate(engine, "ann")
    tell(engine, viewed("ann", "thing-21", "Product Dismissed"))
    after = {each.item_id: each for each in slate(engine, "ann").items}
    for each in before.items:
        if each.item_id in after:
            now = after[each.item_id].sources
            assert now.get("sequence", 0.0) == pytest.approx(each.sources.get("sequence", 0.0))
            assert now.get("interests", 0.0) <= each.sources.get("interests", 0.0) + 1e-9


def test_a_filter_fills_the_slate_with_what_qualifies() -> None:
    """Though no source proposes any of it."""
    engine = shop(size=6)
    found = slate(engine, "ann", filter=FILTER)
    assert len(found.items) == 6
    assert all(each.startswith("jacket") for each in places(found))
    assert found.arm == "personalised"
    assert len(slate(engine, "ann", filter=FILTER, size=20).items) == JACKETS


def test_an_include_rule_is_personalised_too() -> None:
    """Its arm is no fallback."""
    engine = shop(size=4, rules=(RuleSpec("include", when=FILTER),))
    tell(engine, viewed("ann", "jacket-7"))
    found = slate(engine, "ann")
    assert found.arm == "personalised"
    assert len(found.items) == 4
    assert "jacket-7" in places(found)


def test_a_large_slate_is_filled() -> None:
    """As long as there is something to show."""
    engine = shop(size=5)
    assert len(slate(engine, "stranger", size=200).items) == 200


def test_links_lead_to_the_one_who_is_left() -> None:
    """Visitor to user to another user: all keys find the same history, and nobody is split."""
    engine = shop()
    tell(
        engine,
        an_event(user="", anonymous_id="w", item="thing-1"),
        an_event(kind="identify", name="", user="one", anonymous_id="w", properties={}),
        an_event(kind="alias", name="", user="two", previous_id="one", properties={}),
        an_event(user="", anonymous_id="w", item="thing-2"),
        an_event(kind="alias", name="", user="three", previous_id="two", properties={}),
    )
    keys = {each: engine.person_key(each) for each in ("w", "one", "two", "three")}
    assert set(keys.values()) == {"u:three"}
    known = engine.person("three")
    assert known is not None
    assert [each["itemId"] for each in known["recent"]] in (
        ["thing-2", "thing-1"],
        ["thing-1", "thing-2"],
    )


def test_a_circle_of_aliases_is_one_person() -> None:
    """One, two, three, one."""
    engine = shop()
    tell(
        engine,
        *(an_event(user=each, item="thing-1") for each in ("one", "two", "three")),
        an_event(kind="alias", name="", user="two", previous_id="one", properties={}),
        an_event(kind="alias", name="", user="three", previous_id="two", properties={}),
        an_event(kind="alias", name="", user="one", previous_id="three", properties={}),
    )
    assert len({engine.person_key(each) for each in ("one", "two", "three")}) == 1


@pytest.mark.parametrize("person", ["somebody new", "p1"])
def test_events_about_what_is_not_in_the_catalogue_crowd_nothing_out(person: str) -> None:
    """Eight items for sale, most events about hundreds of others: the eight are shown all the same."""
    engine = shop(others=0, size=6)
    tell(engine, *(viewed(f"p{n % 40}", f"gone-{n % 300}") for n in range(900)))
    decision = slate(engine, person)
    assert decision.arm == "personalised"
    assert len(places(decision)) == 6


def test_a_clock_that_goes_back_by_years_stops_nothing() -> None:
    """Events are folded and decisions made; nothing becomes a dead letter."""
    engine = shop(others=30)
    world = engine.world
    assert isinstance(world, FakeWorld)
    world.advance(days=-365 * 30)
    tell(engine, an_event(user="p1", item="thing-1", at_ms=world.now_ms()))
    assert places(slate(engine, "p1"))
    assert engine.letters() == []


@pytest.mark.parametrize(
    ("undeclared", "said"),
    [("keep", "it is kept and says nothing"), ("refuse", "refused, for nothing declares it")],
)
def test_events_that_no_signal_is_declared_for_are_told(
    caplog: pytest.LogCaptureFixture, undeclared: Literal["keep", "refuse"], said: str
) -> None:
    """They are counted, and a server names each new one once."""
    engine = shop(others=0, undeclared=undeclared)
    unheard = [an_event("order complete"), an_event("order complete"), an_event("Menu Opened")]

    async def served() -> None:
        await engine.start()
        await engine.accept([*unheard, an_event(), an_event(kind="page", name="Home")])
        await engine.stop()

    asyncio.run(served())
    assert engine.stats()["events_without_signal_total"] == 3
    told = [each.getMessage() for each in caplog.records if said in each.getMessage()]
    assert len(told) == 2
    assert "'order complete'" in told[0]
    assert "Order Completed" in told[0]


def test_late_and_unsorted_events_leave_every_score_a_number() -> None:
    """Months old, after newer ones: the server's lessons are of finite features, and so are its scores."""
    engine = shop(others=30)
    world = engine.world
    assert isinstance(world, FakeWorld)
    tell(engine, an_event(user="a", item="thing-1", at_ms=world.now_ms()))
    world.advance(days=95)
    for number in range(20):  # candidates that nobody had to do with
        engine.fold_item(Item(f"new-{number}", category="New"))
    tell(engine, an_event(user="b", item="thing-2", at_ms=world.now_ms()))
    old_ms = world.now_ms() - 280 * 86_400_000
    taught = [n for n in range(9_000) if crc32(f"old{n}".encode()) < OLD_LESSON_SHARE * 2**32]
    tell(
        engine,
        *(
            an_event(user=f"o{n}", item=f"thing-{n % 9}", at_ms=old_ms, message_id=f"old{n}")
            for n in taught
        ),
    )
    for user in ("a", "o1", "somebody new"):
        assert all(math.isfinite(each.score) for each in slate(engine, user).items)
    assert engine.letters() == []
    assert engine.model.lessons >= len(taught) > 20
    assert all(math.isfinite(weight) for weight in engine.model.blend(""))


def test_a_lesson_of_no_number_teaches_nothing() -> None:
    """An earlier version stored such: a rebuild passes them over."""
    blender = Blender(PRIOR.copy())
    rows = np.ones((3, len(PRIOR)))
    rows[1, 4] = -np.inf
    blender.learn(Example("", 3, pack(rows), (0,)))
    assert blender.base.steps == 0


def test_whoever_had_everything_is_shown_nothing_again() -> None:
    """Where the surface leaves out what was bought, so does the list that stands in."""
    engine = shop(others=5, already_bought="exclude", size=20)
    everything = [f"jacket-{n}" for n in range(JACKETS)] + [f"thing-{n}" for n in range(5)]
    tell(engine, an_order(everything, user="p1", order_id="all"))
    assert places(slate(engine, "p1")) == []
    assert len(places(slate(engine, "somebody else"))) == 13


def test_one_odd_value_in_the_catalogue_stops_no_surface() -> None:
    """A rule over a text that is no number is merely not fulfilled by that item."""
    rule = RuleSpec("exclude", "int(item.attributes.weight) > 5")
    engine = shop(others=0, rules=(rule,), size=8)
    for number, weight in enumerate(["n/a", "9", 2]):
        engine.fold_item(
            Item(f"jacket-{number}", category="Jackets", attributes={"weight": weight})
        )
    shown = places(slate(engine, "p1"))
    assert "jacket-1" not in shown
    assert {"jacket-0", "jacket-2", "jacket-3"} <= set(shown)


def test_whoever_had_more_than_is_remembered_is_shown_none_of_it_again() -> None:
    """The newest of the own items are kept with their times; of the others it is known that they were had."""
    engine = shop(others=300, own_items=10, already_bought="exclude", size=20)
    had = [f"thing-{number}" for number in range(300)]
    for start in range(0, 300, 5):
        tell(engine, an_order(had[start : start + 5], user="ann", order_id=f"o{start}"))
    assert set(places(slate(engine, "ann"))) == {f"jacket-{number}" for number in range(JACKETS)}
    assert len(places(slate(engine, "somebody else"))) == 20


def test_who_mutes_what_they_had_is_not_shown_it_first() -> None:
    """It goes to the end of the list, where the surface wants it there, whatever may be said of it."""
    engine = shop(others=20, own_items=10, already_bought="demote", size=28)
    had = [f"thing-{number}" for number in range(20)]
    for start in range(0, 20, 5):
        tell(engine, an_order(had[start : start + 5], user="ann", order_id=f"o{start}"))
    known = engine.store.profile("main", "u:ann")
    assert known is not None
    assert known.had
    for sources in (dict[str, Objection](), {"repeat": Objection(2**60, "")}):
        ranked = engine.model.rank(
            replace(known, muted=Muted(sources=sources)),
            engine.settings.surfaces["home"],
            Ask("home"),
            at_ms=engine.world.now_ms(),
            seed=1,
            readiness=1.0,
        )
        shown = [each.item_id for each in ranked.items]
        assert set(shown[:JACKETS]) == {f"jacket-{number}" for number in range(JACKETS)}, sources
