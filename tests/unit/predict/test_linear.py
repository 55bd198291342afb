"""The linear item-item model: a ridge regression of each item on what goes with it, solved as events come."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from germane.app import Engine
from germane.domain.decision import Ask
from germane.domain.muting import Muted, Objection
from germane.domain.profile import Profile
from germane.predict.accumulator import Accumulator
from germane.predict.candidates import TOGETHER, Candidates
from germane.predict.features import COLUMN
from germane.predict.linear import FIRST, LIMIT, PATIENCE, RIDGE, WIDTH, Linear
from germane.predict.model import SharedModel
from germane.predict.person import Person
from germane.predict.reasons import Telling
from germane.predict.rows import Rows
from germane.predict.state import SLOW_DAYS, State
from germane.testing import FakeWorld, an_item, an_order

Orders = list[list[int]]


def taught(orders: Orders, items: int) -> tuple[Linear, Rows[int, int]]:
    """All orders at one time, so that nothing has faded."""
    linear, rows = Linear(SLOW_DAYS), Rows[int, int](SLOW_DAYS, WIDTH)
    linear.grow(items)
    for order in orders:
        weight = rows.weight(1)
        for place, number in enumerate(order):
            rows.add_all(number, order[:place], weight)
            rows.add_to_all(order[:place], number, weight)
        linear.learn(order, rows, 1, 1)
    return linear, rows


def said(linear: Linear, number: int) -> dict[int, float]:
    """Neighbour -> its weight for an item."""
    near, weights = linear.neighbours[number].tolist(), linear.weights[number].tolist()
    return {each: weight for each, weight in zip(near, weights, strict=True) if weight}


def solved(orders: Orders, number: int, items: int) -> dict[int, float]:
    """The same by the book, from the orders themselves."""
    taken = np.zeros((len(orders), items))
    for place, order in enumerate(orders):
        taken[place, order] = 1.0
    gram = taken.T @ taken
    near = [each for each in range(items) if each != number and gram[each, number] > 0]
    system = gram[np.ix_(near, near)] + RIDGE * np.eye(len(near))
    found = np.linalg.solve(system, gram[near, number])
    return dict(zip(near, found.tolist(), strict=True))


@given(
    st.lists(
        st.lists(st.integers(0, 9), min_size=2, max_size=6, unique=True), min_size=1, max_size=40
    )
)
def test_a_column_is_the_ridge_regression_on_what_goes_with_the_item(orders: Orders) -> None:
    """Solved after the very last order, each column is that of all the orders."""
    linear, rows = taught(orders, 10)
    for number in {each for order in orders for each in order}:
        linear._solve(number, rows, 1.0)
        assert said(linear, number) == pytest.approx(solved(orders, number, 10), abs=1e-6)


def test_neighbours_that_say_the_same_count_once() -> None:
    """1 and 2 are always had together: each says half of what 3, which comes alone, says."""
    linear, rows = taught([[1, 2, 0]] * 400 + [[3, 0]] * 400, 4)
    linear._solve(0, rows, 1.0)
    weights = said(linear, 0)
    assert weights[1] == pytest.approx(weights[2])
    assert weights[1] + weights[2] == pytest.approx(weights[3], rel=0.1)


def test_it_is_solved_at_the_third_event_and_then_ever_more_rarely() -> None:
    """With so many events, after half as many again; never later than after PATIENCE."""
    linear, rows = taught([], 3)
    solved_at = []
    weight = rows.weight(1)
    for seen in range(1, 700):
        rows.add_all(0, [1], weight)
        before = linear.due.item(0)
        linear.learn([0], rows, 1, 1)
        if linear.due.item(0) != before:
            solved_at.append(seen)
    steps = np.diff(solved_at)
    assert solved_at[:7] == [3, 5, 7, 10, 15, 22, 33]
    assert (np.diff(steps) >= 0).all()
    assert steps.max() == PATIENCE


def test_weights_are_bounded_whatever_is_counted() -> None:
    """A row that knows more of a pair than both were ever taken cannot make a weight run away."""
    linear, rows = Linear(SLOW_DAYS), Rows[int, int](SLOW_DAYS, WIDTH)
    linear.grow(4)
    weight = rows.weight(1)
    for number in range(4):
        rows.add_all(number, [each for each in range(4) if each != number], 1e6 * weight)
        linear.learn([number] * FIRST, rows, 1, 1)
    assert np.abs(linear.weights).max() <= LIMIT
    assert np.isfinite(linear.weights).all()


def test_a_system_without_an_answer_leaves_what_was() -> None:
    """Two neighbours that rows, known in part, make one and the same."""
    linear, rows = Linear(SLOW_DAYS), Rows[int, int](SLOW_DAYS, WIDTH)
    linear.grow(3)
    linear.counts.sums[[1, 2]] = 4.0
    rows.weight(1)
    rows.add_all(0, [1, 2], 2.0)
    rows.add_all(1, [2], 4.0 + RIDGE)
    linear.learn([0] * FIRST, rows, 1, 1)
    assert linear.due.item(0) > FIRST
    assert not linear.weights.any()


def test_scores_sum_over_the_history() -> None:
    """Each weighting of the history gives its own sums; who had nothing is told nothing."""
    linear, _ = taught([[1, 2, 0]] * 100 + [[3, 0]] * 100, 4)
    room = Accumulator()
    room.grow(4)
    numbers, history = np.array([0, 3]), np.array([1, 3])
    weights = said(linear, 0)
    every, first = linear.scores(
        numbers, history, [np.array([1.0, 1.0]), np.array([1.0, 0.25])], room
    )
    assert every[0] == pytest.approx(weights[1] + weights[3])
    assert first[0] == pytest.approx(weights[1] + 0.25 * weights[3])
    (nothing,) = linear.scores(numbers, history[:0], [np.zeros(0)], room)
    assert nothing.tolist() == [0.0, 0.0]


def state_of(engine: Engine) -> State:
    """What all people taught."""
    assert isinstance(engine.model, SharedModel)
    return engine.model.state


def sold(engine: Engine, world: FakeWorld, orders: list[list[str]]) -> None:
    """By somebody new each time."""
    for number, items in enumerate(orders):
        world.advance(seconds=60)
        key = f"x{number}-{world.now_ms()}"
        engine.accept_now([an_order(items, user=f"u-{key}", order_id=key, message_id=key)])


def asked(engine: Engine, world: FakeWorld, user: str) -> tuple[Candidates, Any]:
    profile: Profile = engine._deciding.whose(engine.tenant, user, "")
    state = state_of(engine)
    found = Candidates(state, Person(profile, state, engine.settings, world.now_ms()), 0.5)
    return found, found.matrix()


def test_the_whole_history_foretells_and_it_is_said(engine: Engine, world: FakeWorld) -> None:
    """What was had long ago speaks as loudly as the latest, where order does not matter."""
    sold(engine, world, [["i1", "i2"]] * 60 + [["i5", "i6"]] * 60)
    sold(engine, world, [[f"i{n}", f"i{n + 1}"] for n in range(20, 50)])
    for item in ("i1", *(f"i{n}" for n in range(20, 36))):
        world.advance(seconds=86_400)
        at_ms = world.now_ms()
        engine.accept_now(
            [an_order([item], user="ann", order_id=item, message_id=item, at_ms=at_ms)]
        )
    found, features = asked(engine, world, "ann")
    state = state_of(engine)
    place = {state.ids[number]: row for row, number in enumerate(found.numbers.tolist())}
    assert features[place["i2"], COLUMN["linear"]] > 0.5
    assert features[place["i2"], COLUMN["linear_rank"]] == 1.0
    assert features[place["i2"], COLUMN["linear_latest"]] < features[place["i2"], COLUMN["linear"]]
    assert features[place["i6"], COLUMN["linear"]] == 0.0
    person = Person(engine._deciding.whose(engine.tenant, "ann", ""), state, engine.settings, 0)
    telling = Telling(state, person, Ask("home"), ["linear"])
    item = state.items[state.index["i2"]]
    assert item is not None
    (reason,) = telling.reasons([1.0], [0], "relevant", item)
    assert (reason.code, reason.text) == ("source.linear", "Fits what you chose before")


def test_it_proposes_what_co_visitation_has_no_room_for(engine: Engine, world: FakeWorld) -> None:
    """Two hundred items go with the person's: among those that do not fit, the model's best are candidates."""
    with engine.importer() as importer:
        importer.add_items([an_item(n) for n in range(60, 400)])
    others = [[f"i{n}", f"i{100 + (7 * n + k) % 290}"] for n in range(12) for k in range(25)]
    sold(engine, world, others)
    engine.accept_now(
        [an_order([f"i{n}" for n in range(12)], user="ann", order_id="a", message_id="a")]
    )
    found, _ = asked(engine, world, "ann")
    assert len(found.goes[0]) > TOGETHER
    proposed = found._foretold()
    assert proposed
    assert set(proposed) <= set(found.numbers.tolist())


def test_who_mutes_it_is_not_foretold(engine: Engine, world: FakeWorld) -> None:
    """Neither features nor candidates come of it."""
    sold(engine, world, [["i1", "i2"]] * 20)
    engine.accept_now([an_order(["i1"], user="ann", order_id="a", message_id="a")])
    profile = engine._deciding.whose(engine.tenant, "ann", "")
    muted = Muted(sources={"linear": Objection(world.now_ms() + 1_000_000, "no")})
    state = state_of(engine)
    person = Person(replace(profile, muted=muted), state, engine.settings, world.now_ms())
    features = Candidates(state, person, 0.5).matrix()
    columns = [place for name, place in COLUMN.items() if "linear" in name]
    assert not features[:, columns].any()
    assert Candidates(state, person, 0.5).history.tolist() == []
