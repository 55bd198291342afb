"""What a slate says of its items."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from germane.app import Engine
from germane.app.opening import open_engine
from germane.domain.decision import Ask
from germane.domain.settings import AttributeSpec
from germane.predict.person import Person
from germane.predict.reasons import Telling
from germane.testing import FakeWorld, a_shop, an_event, an_item, an_order


def test_what_is_new_is_named_by_what_it_is_new_in(tmp_path: Path) -> None:
    """Where diversity is by brand, a new brand is said, not the category, which may be well known; and so
    is an interest."""
    shop = a_shop(surface={"diversity_quota": 0.4, "exploration_share": 0.0, "size": 10})
    shop = replace(
        shop,
        attributes={
            "category": AttributeSpec("category", interest=True),
            "brand": AttributeSpec("brand", interest=True, diversity=True),
        },
    )
    engine = open_engine(shop, tmp_path, world=FakeWorld())
    with engine.importer() as importer:
        importer.add_items([an_item(n, brand=f"b{n % 12}") for n in range(48)])
        importer.add(  # who takes b0 takes b1 next
            [
                an_order([f"i{n % 12 + 12 * (n % 4)}"], user=f"o{n // 2}", message_id=f"x{n}")
                for n in range(240)
            ]
        )
        importer.add([an_order(["i0", "i12"], user="u1", message_id="mine")])
    (decision,), _ = engine.decide("u1", "", "", [Ask("home")], record=False)
    engine.store.close()
    said = {each.item_id: {x.code: x.text for x in each.reasons} for each in decision.items}
    new = [each for each in decision.items if each.slot == "diverse"]
    assert new
    for each in new:
        brand = f"b{int(each.item_id[1:]) % 12}"
        assert brand != "b0"
        assert said[each.item_id]["quota.diverse"] == f"Something new for you: {brand}"
    liked = [x["source.interests"] for x in said.values() if "source.interests" in x]
    assert set(liked) <= {"You are interested in b0"}


def told(engine: Engine, world: FakeWorld, source: str, curated: tuple[int, ...] = ()) -> set[str]:
    """Items of which a source says something where it adds to their score, to u1."""
    profile = engine.profile_of("u:u1")
    assert profile is not None
    state = engine.model.state  # type: ignore[attr-defined]
    person = Person(profile, state, engine.settings, world.now_ms())
    telling = Telling(state, person, Ask("home"), [source], curated)
    reasons = {x.item_id: telling.reasons([1.0], [0], "relevant", x) for x in state.items}
    return {name for name, (reason,) in reasons.items() if reason.code == f"source.{source}"}


def test_a_fact_is_told_only_where_it_holds(engine: Engine, world: FakeWorld) -> None:
    """A source may add to a score for its opposite: no price is better than a wrong one, say."""
    now, day = world.now_ms(), 86_400_000
    with engine.importer() as importer:
        importer.add_items([an_item(60, price=None), an_item(61, created_ms=now - 40 * day)])
    for n in (8, 9, 10):  # all for 9.50; the cheapest items of the catalogue are 10, 11, 12, …
        world.advance(seconds=60)
        engine.accept_now([an_order([f"i{n}"], at_ms=world.now_ms())])
    assert told(engine, world, "price") == {"i0", "i1", "i2", "i3"}
    unmet = {f"i{n}" for n in range(62) if n % 7 not in (1, 2, 3)}
    assert told(engine, world, "adjacent") == unmet
    assert told(engine, world, "new") == {f"i{n}" for n in range(62)} - {"i61"}
    state = engine.model.state  # type: ignore[attr-defined]
    assert told(engine, world, "curated", (state.index["i4"],)) == {"i4"}


def test_what_is_curated_is_that_of_the_surface(tmp_path: Path) -> None:
    """Each item of the list, and no other, is told to be picked to begin with."""
    listed = ("i3", "i20", "i41")
    surface = {"default": listed, "size": 10, "exploration_share": 0.0, "diversity_quota": 0.0}
    engine = open_engine(a_shop(surface=surface), tmp_path, world=FakeWorld())
    with engine.importer() as importer:
        importer.add_items([an_item(n) for n in range(48)])
        importer.add([an_event(item="i5", user="u1")])
    (decision,), _ = engine.decide("u1", "", "", [Ask("home")], record=False)
    engine.store.close()
    picked = [
        each.item_id
        for each in decision.items
        if any(reason.code == "source.curated" for reason in each.reasons)
    ]
    assert sorted(picked) == sorted(listed)
