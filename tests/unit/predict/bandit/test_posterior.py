"""The posterior: against a second way to compute it, and against simulated truth."""

from __future__ import annotations

import numpy as np
import pytest

from germane.domain.settings import ActionSpec
from germane.predict.bandit.arms import Sums
from germane.predict.bandit.posterior import WEAK, Posterior, alike, posterior

ACTIONS = (ActionSpec("a"), ActionSpec("b"), ActionSpec("c"))


def seen(
    seed: int, rows: int, effects: np.ndarray, noise: float = 1.0
) -> tuple[dict[str, Sums], np.ndarray, np.ndarray, np.ndarray]:
    """Sums of a random policy's rewards; the features, actions and rewards behind them.

    ``effects``: shape (actions, 1 + features), the constant first.
    """
    chance = np.random.default_rng(seed)
    x = chance.normal(2.0, 3.0, size=(rows, effects.shape[1] - 1))
    action = chance.integers(len(effects), size=rows)
    whole = np.concatenate((np.ones((rows, 1)), x), axis=1)
    reward = (whole * effects[action]).sum(1) + noise * chance.normal(size=rows)
    sums = {each.id: Sums(effects.shape[1]) for each in ACTIONS}
    for n in range(rows):
        arm = sums[ACTIONS[action[n]].id]
        arm.made(whole[n])
        arm.rewarded(whole[n], 0.0, float(reward[n]))
    return sums, x, action, reward


def test_it_is_the_bayesian_regression_of_the_rows() -> None:
    """The same as row by row: all rows in one design, the prior written out, normal equations."""
    effects = np.array([[1.0, 0.2], [0.5, -0.1], [0.0, 0.0]])
    sums, x, action, reward = seen(1, 400, effects)
    found = posterior(ACTIONS, sums, 1, 1.0)
    z = (x[:, 0] - x[:, 0].mean()) / x[:, 0].std()
    design = np.zeros((400, 6))
    for n in range(400):
        design[n, 2 * action[n] : 2 * action[n] + 2] = (1.0, z[n])
    count = np.bincount(action, minlength=3)
    total, squares = np.bincount(action, reward), np.bincount(action, reward**2)
    typical = squares.sum() / max(float(sum(each.responses for each in sums.values())), 0.5)
    mean = (total.sum() + typical**0.5) / 401
    unit = (squares.sum() + typical) / 401 - mean**2
    noise = found.noise
    assert noise == pytest.approx([1.0] * 3, rel=0.3)
    prior = np.zeros((6, 6))
    for i in range(3):
        for j in range(3):
            own = 2.0 * (i == j)
            prior[2 * i, 2 * j] = unit * (WEAK + found.strength.action * own)
            both = found.strength.feature + found.strength.both * own
            prior[2 * i + 1, 2 * j + 1] = unit * both
    weight = 1.0 / noise[action]
    middle = total.sum() / count.sum()
    cov = np.linalg.inv(np.linalg.inv(prior) + (design.T * weight) @ design)
    expected = cov @ (design.T * weight) @ (reward - middle)
    assert found.mean.reshape(-1) - np.tile((middle, 0), 3) == pytest.approx(expected, abs=1e-9)
    assert found.cov.reshape(6, 6) == pytest.approx(cov, abs=1e-9)


def test_intervals_of_the_average_hold_the_truth() -> None:
    """200 truths, 600 rows each: 93 % or more of the 95 % intervals hold the actions' true means, and those
    of the difference of two."""
    held = np.zeros(3)
    apart = 0
    for seed in range(200):
        effects = np.random.default_rng(seed).normal(0.0, 0.06, size=(3, 2))
        sums, x, _, _ = seen(1_000 + seed, 600, effects)
        truth = effects[:, 0] + x.mean() * effects[:, 1]
        mean, cov = posterior(ACTIONS, sums, 1, 1.0).everyone()
        held += np.abs(mean - truth) < 1.96 * np.sqrt(cov.diagonal())
        spread = (cov[0, 0] + cov[1, 1] - 2 * cov[0, 1]) ** 0.5
        apart += abs(mean[0] - mean[1] - truth[0] + truth[1]) < 1.96 * spread
    assert held.mean() / 200 >= 0.93
    assert apart / 200 >= 0.93


def test_a_gain_that_is_not_there_is_shrunk_away() -> None:
    """Actions that differ for nobody in particular: hardly any person looks different."""
    same = posterior(ACTIONS, seen(3, 4_000, np.array([[1.0, 0.3, 0.1]] * 3))[0], 2, 1.0)
    differs = posterior(
        ACTIONS, seen(3, 4_000, np.array([[1.0, 0.3, 0], [1.0, -0.3, 0], [1, 0, 0]]))[0], 2, 1.0
    )
    assert same.strength.both <= 1e-4 < differs.strength.both
    x = (5.0, 2.0)
    assert abs(_gap(same, x)) < 0.1
    assert _gap(differs, x) == pytest.approx(0.6 * 5.0, abs=0.3)


def _gap(found: Posterior, x: tuple[float, ...]) -> float:
    mean, _ = found.person(x)
    return float(mean[0] - mean[1])


def test_an_action_without_data_is_like_its_kin() -> None:
    """A new action is expected to do as those with its attributes do, with less certainty."""
    kin = (
        ActionSpec("a", attributes={"theme": "sale"}),
        ActionSpec("b", attributes={"theme": "news"}),
        ActionSpec("c", attributes={"theme": "sale"}),
    )
    sums = seen(4, 3_000, np.array([[2.0], [1.0], [0.0]]))[0]
    del sums["c"]
    found = posterior(kin, sums, 0, 1.0)
    mean, cov = found.everyone()
    assert mean[0] > mean[2] > mean[1]
    assert abs(mean[0] - mean[2]) < abs(mean[1] - mean[2])
    assert cov[2, 2] > 10 * cov[0, 0]
    assert alike(kin).tolist() == [[1, 0, 1], [0, 1, 0], [1, 0, 1]]


def test_nothing_known_is_no_certainty() -> None:
    """Before any reward: finite, equal, wide."""
    mean, cov = posterior(ACTIONS, {}, 2, 1.0).everyone()
    assert mean.tolist() == [0.0, 0.0, 0.0]
    assert np.isfinite(cov).all()
    assert (cov.diagonal() > 0).all()
    none = Sums(1)
    for _ in range(50):
        none.made(np.ones(1))
    _, cov = posterior(ACTIONS, {"a": none}, 0, 1.0).everyone()
    assert cov[0, 0] > 1e-6  # fifty without a reward: not known to be exactly 0


def test_sums_of_a_reward_in_two_parts() -> None:
    """Squares and responses are those of the whole reward, and all of it can be taken back."""
    parts, whole, none = Sums(1), Sums(1), Sums(1)
    one = np.ones(1)
    parts.rewarded(one, 0.0, 2.0)
    parts.rewarded(one, 2.0, 3.0)
    whole.rewarded(one, 0.0, 5.0)
    assert parts.pack() == whole.pack()
    parts.rewarded(one, 5.0, -5.0)
    assert parts.pack() == none.pack()
