"""The policy: what is proven, what is explored, and that probabilities are what is drawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from germane.predict.bandit import policy
from germane.predict.bandit.policy import Belief, chances_of_best, draw, plan

MANY = np.full(3, 1_000.0)


def believed(*means: float, spread: float = 0.01) -> Belief:
    """Independent beliefs."""
    return Belief(np.array(means), np.eye(len(means)) * spread**2)


def test_the_best_constant_unless_more_is_proven() -> None:
    """Per person only where the bound is above 0, enough responses are known, and the whole is proven."""
    everyone = believed(0.10, 0.05, 0.02)
    clear = believed(0.10, 0.20, 0.02)
    near = believed(0.10, 0.12, 0.02)
    few = np.array([1_000.0, 24.0, 1_000.0])

    def best(person: Belief, known: np.ndarray = MANY, *, personal: bool = True) -> int:
        return plan(everyone, person, known, (0, 1, 2), 0.02, personal=personal).best

    assert best(clear) == 1
    assert best(near) == 0
    assert best(clear, few) == 0
    assert best(clear, personal=False) == 0


def test_what_is_clear_explores_only_what_is_configured() -> None:
    """Evenly; and nothing where only one action is allowed."""
    found = plan(believed(1, 0, 0), believed(1, 0, 0), MANY, (0, 1, 2), 0.03, personal=False)
    assert found.probabilities == pytest.approx([0.98, 0.01, 0.01])
    alone = plan(believed(1, 0, 0), believed(1, 0, 0), MANY, (2,), 0.03, personal=False)
    assert alone.probabilities == (0, 0, 1)
    assert (alone.best, alone.how(2)) == (2, "constant")


def test_what_is_open_explores_more() -> None:
    """Two that are level: about half of the time; the hopeless third hardly more than its even share."""
    level = believed(0.10, 0.10, 0.0)
    found = plan(level, level, MANY, (0, 1, 2), 0.02, personal=False).probabilities
    assert 0.5 < found[0] < 0.75
    assert 0.2 < found[1] < 0.4
    assert found[2] == pytest.approx(0.25 / 3, abs=0.01)


def test_chances_of_best_are_those_of_the_gaussian() -> None:
    """Two actions: the closed form; correlation counts."""
    cov = np.array([[4.0, 1.0], [1.0, 1.0]])
    found = chances_of_best(Belief(np.array([1.0, 0.0]), cov), (0, 1))
    exact = policy._NORMAL.cdf(1.0 / (4 + 1 - 2) ** 0.5)
    assert found[0] == pytest.approx(exact, abs=0.03)
    assert found.sum() == 1.0


@given(
    means=st.lists(st.floats(-1, 1), min_size=2, max_size=6),
    seed=st.integers(0, 2**32),
    share=st.floats(0, 0.5),
    personal=st.booleans(),
)
def test_probabilities_are_probabilities(
    means: list[float], seed: int, share: float, personal: bool
) -> None:
    """They sum to 1, keep the floor, and what is drawn was possible."""
    chance = np.random.default_rng(seed)
    root = chance.normal(size=(len(means), len(means)))
    belief = Belief(np.array(means), root @ root.T)
    person = Belief(chance.normal(size=len(means)), root.T @ root)
    allowed = sorted(
        chance.choice(len(means), size=int(chance.integers(1, len(means) + 1)), replace=False)
    )
    known = np.full(len(means), 50.0)
    found = plan(belief, person, known, allowed, share, personal=personal)
    assert sum(found.probabilities) == pytest.approx(1.0)
    for n, probability in enumerate(found.probabilities):
        if n not in allowed:
            assert probability == 0
        else:
            assert probability >= share / len(allowed) * (1 - 1e-9) or len(allowed) == 1
    assert found.probabilities[draw(found.probabilities, seed)] > 0


def test_one_draw_has_exactly_the_probabilities() -> None:
    """20,000 seeds, by the binomial."""
    probabilities = np.array([0.9, 0.0, 0.07, 0.03])
    taken = np.bincount([draw(probabilities, seed) for seed in range(20_000)], minlength=4)
    spread = np.sqrt(probabilities * (1 - probabilities) * 20_000)
    assert taken[1] == 0
    assert (np.abs(taken - 20_000 * probabilities) <= 4 * spread).all()
