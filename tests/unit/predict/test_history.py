"""How long somebody is known: the same for all candidates, for the trees alone."""

from __future__ import annotations

import math

import numpy as np
import pytest

from germane.app import Engine
from germane.domain.decision import Ask
from germane.predict.candidates import Candidates
from germane.predict.features import COLUMN, PERSON
from germane.predict.person import Person
from germane.testing import FakeWorld, an_order

HISTORY = ("person_items", "person_visits", "person_days", "person_away")


def candidates(engine: Engine, world: FakeWorld, user: str) -> Candidates:
    profile = engine._deciding.whose(engine.tenant, user, "")
    state = engine.model.state  # type: ignore[attr-defined]
    found = Candidates(state, Person(profile, state, engine.settings, world.now_ms()), 0.5)
    found.matrix()
    return found


def test_items_visits_and_days(engine: Engine, world: FakeWorld) -> None:
    for items in (("i1", "i2"), ("i2", "i3"), ("i3",)):
        engine.accept_now([an_order(user="ann", items=items, at_ms=world.now_ms())])
        world.advance(days=4)
    rows = candidates(engine, world, "ann").features
    for name, value in zip(HISTORY, (3, 3, 12, 4), strict=True):
        assert rows[:, COLUMN[name]] == pytest.approx(math.log1p(value), abs=1e-6), name


def test_nobody_known_has_no_history(engine: Engine, world: FakeWorld) -> None:
    engine.accept_now([an_order(user="ann", items=("i1",), at_ms=world.now_ms())])
    rows = candidates(engine, world, "bob").features
    assert len(rows)
    for name in HISTORY:
        assert rows[:, COLUMN[name]] == pytest.approx(0 if name != "person_visits" else math.log(2))


def test_it_proposes_nothing_and_the_blend_leaves_it_alone(
    engine: Engine, world: FakeWorld
) -> None:
    for number in range(40):
        order = an_order(
            user=f"u{number % 4}", items=("i1", f"i{number % 7}"), at_ms=world.now_ms()
        )
        engine.accept_now([order])
        world.advance(days=1)
    assert engine.model.lessons > 0
    weights = np.array(engine.model.blend(""))
    assert weights[[COLUMN[name] for name in HISTORY]] == pytest.approx(0.0, abs=1e-9)
    found = candidates(engine, world, "u1")
    assert all(PERSON not in each for each in found.sources_of(range(len(found.numbers))))
    (decision,), _ = engine.decide("u1", "", "", [Ask("home")])
    assert all(PERSON not in item.sources for item in decision.items)
