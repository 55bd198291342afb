"""What came next for others: learned in order, asked with the latest items first."""

from __future__ import annotations

import numpy as np
import pytest

from germane.app import Engine
from germane.domain.decision import Ask
from germane.domain.event import Interaction
from germane.predict.candidates import Candidates
from germane.predict.features import COLUMN
from germane.predict.matrix import _ranked
from germane.predict.person import Person
from germane.predict.reasons import Telling
from germane.predict.state import STEP_SHARE
from germane.testing import FakeWorld, an_event, an_order


def visits(engine: Engine, world: FakeWorld, user: str, *items: str) -> None:
    """One after the other, a minute apart."""
    for item in items:
        world.advance(seconds=60)
        engine.accept_now([an_event(user=user, item=item, at_ms=world.now_ms())])


def found(engine: Engine, world: FakeWorld, user: str) -> dict[str, dict[str, float]]:
    """Item -> its features, for one person now."""
    profile = engine._deciding.whose(engine.tenant, user, "")
    state = engine.model.state  # type: ignore[attr-defined]
    candidates = Candidates(state, Person(profile, state, engine.settings, world.now_ms()), 0.5)
    rows = candidates.matrix()
    return {
        state.ids[number]: {name: float(row[place]) for name, place in COLUMN.items()}
        for number, row in zip(candidates.numbers.tolist(), rows, strict=True)
    }


def test_what_followed_is_proposed_and_the_order_matters(engine: Engine, world: FakeWorld) -> None:
    """After i1 came i2, never the other way round: whoever was at i1 is led to i2, not back."""
    for number in range(8):
        visits(engine, world, f"u{number}", "i1", "i2", "i3")
    visits(engine, world, "ann", "i1")
    visits(engine, world, "bob", "i3")
    ann = found(engine, world, "ann")
    assert ann["i2"]["followed_last"] > ann["i3"]["followed_last"] > 0
    assert ann["i2"]["followed_rank"] == 1.0
    # of what came after i1: i2 in full each time, i3 one step later
    share = 1 / (1 + STEP_SHARE)
    assert ann["i2"]["followed"] == pytest.approx(share**0.5, abs=0.01)
    bob = found(engine, world, "bob")
    assert bob["i1"]["followed"] == bob["i2"]["followed"] == 0.0


def test_the_newest_item_asks_most(engine: Engine, world: FakeWorld) -> None:
    """After i1 and then i5: what follows i5 is ahead of what follows i1."""
    for number in range(6):
        visits(engine, world, f"u{number}", "i1", "i2")
        visits(engine, world, f"v{number}", "i5", "i6")
    visits(engine, world, "ann", "i1", "i5")
    ann = found(engine, world, "ann")
    assert ann["i6"]["followed"] > ann["i2"]["followed"] > 0
    assert (ann["i6"]["followed_last"], ann["i2"]["followed_last"]) == (1.0, 0.0)


def test_a_first_step_that_nothing_followed(engine: Engine, world: FakeWorld) -> None:
    """Nothing came after the very latest item; the one before still speaks."""
    for number in range(4):
        visits(engine, world, f"u{number}", "i1", "i2")
    visits(engine, world, "ann", "i1", "i9")
    ann = found(engine, world, "ann")
    assert ann["i2"]["followed"] > 0
    assert {each["followed_last"] for each in ann.values()} == {0.0}


def test_it_is_said_only_where_it_is_so(engine: Engine, world: FakeWorld) -> None:
    """The reason names what really came next for others."""
    for number in range(8):
        visits(engine, world, f"u{number}", "i1", "i2", "i4", "i7")
    visits(engine, world, "ann", "i1")
    profile = engine._deciding.whose(engine.tenant, "ann", "")
    state = engine.model.state  # type: ignore[attr-defined]
    person = Person(profile, state, engine.settings, world.now_ms())
    telling = Telling(state, person, Ask("home"), ["sequence"])
    told = {item.item_id: telling.reasons([1.0], [0], "relevant", item) for item in state.items}
    said = {item_id for item_id, (reason,) in told.items() if reason.text == "Often comes next"}
    assert said == {"i2", "i4", "i7"}
    (decision,), _ = engine.decide("ann", "", "", [Ask("home", size=10)])
    shown = {item.item_id: item.sources.get("sequence", 0.0) for item in decision.items}
    assert min(shown[item] for item in shown if item in said) > 0


def followed(engine: Engine, item: str) -> set[str]:
    """What came next, for anybody, after an item."""
    state = engine.model.state  # type: ignore[attr-defined]
    return {state.ids[number] for number in state.followed.row(state.index[item])}


def test_what_comes_late_follows_only_what_was_before_it(engine: Engine, world: FakeWorld) -> None:
    """A history that is imported behind a live event: nothing in it comes next after what came later."""
    now = world.now_ms()
    engine.accept_now([an_event(item="i1", at_ms=now)])
    for days, item in ((3, "i2"), (2, "i3"), (1, "i4")):
        engine.accept_now([an_event(item=item, at_ms=now - days * 86_400_000)])
    assert [followed(engine, item) for item in ("i1", "i2", "i3", "i4")] == [
        set(),
        {"i3", "i4"},
        {"i4"},
        set(),
    ]


def test_what_comes_late_is_no_lesson(engine: Engine, world: FakeWorld) -> None:
    """The profile knows by then what was done after it."""
    bought_ms = world.now_ms()
    engine.accept_now([an_order(["i7"], at_ms=bought_ms)])
    profile = engine.profile_of("u:u1")
    assert profile is not None
    for apart_ms, lessons in ((-1, False), (0, True), (1, True)):
        at_ms = bought_ms + apart_ms
        viewed = Interaction("i7", "view", at_ms)
        learned = engine.model.observe(profile, [viewed], at_ms=at_ms, lesson=True)
        assert bool(learned.examples) == lessons


def test_ranks() -> None:
    """The highest first; what has nothing has no rank."""
    values = _ranked(np.array([0.0, 3.0, 1.0, 2.0]))
    assert values.tolist() == pytest.approx([0.0, 1.0, 3**-0.5, 2**-0.5])
