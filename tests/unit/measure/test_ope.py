"""Off-policy estimates: by hand, and against simulators whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from germane.measure import intervals, ope
from germane.measure.ope import How, Logged

ACTIONS = 3


def simulated(
    seed: int, rows: int, *, scale: float = 1.0, rows_each: int = 1
) -> tuple[Logged, np.ndarray, np.ndarray, float]:
    """A log of a known policy, another policy's probabilities, a wrong model, the other's true value.

    ``scale`` makes rewards rare; with ``rows_each`` above 1 the rows of a person go together.
    """
    chance = np.random.default_rng(seed)
    people = rows // rows_each
    person = np.repeat(np.arange(people), rows_each)
    x = chance.normal(size=people)[person]
    logits = np.stack((0.5 * x, np.zeros(len(x)), -0.5 * x), 1)
    logging = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    action = (chance.random(len(x))[:, None] > logging.cumsum(1)).sum(1).clip(0, 2)
    theirs = np.stack((1 / (1 + np.exp(-2 * x)), np.full(len(x), 0.1)), 1)
    target = np.stack((0.9 * theirs[:, 0], theirs[:, 1], 0.9 * (1 - theirs[:, 0])), 1)
    luck = chance.normal(size=people)[person] if rows_each > 1 else np.zeros(len(x))
    means = scale / (1 + np.exp(-np.stack((x, np.zeros(len(x)), -x), 1) - luck[:, None]))
    reward = (chance.random(len(x)) < means[np.arange(len(x)), action]).astype(float)
    log = Logged(action, reward, logging[np.arange(len(x)), action], person)
    predicted = np.full((len(x), ACTIONS), 0.5 * scale)
    return log, target, predicted, float((target * means).sum(1).mean())


def truth(scale: float = 1.0, rows_each: int = 1) -> float:
    """The value over everyone, from a million people."""
    return simulated(999, 1_000_000, scale=scale, rows_each=rows_each)[3]


def test_by_hand() -> None:
    """Four rows: IPS, SNIPS and DR as written down."""
    log = Logged(np.array([0, 1, 0, 1]), np.array([1.0, 0, 0, 1]), np.array([0.5, 0.5, 0.25, 0.5]))
    target = np.array([1.0, 0, 1, 0])
    assert ope.ips(log, target).value == pytest.approx(2 * 1 / 4)
    assert ope.snips(log, target).value == pytest.approx(2 / (2 + 4))
    both = np.array([[1.0, 0]] * 4)
    predicted = np.array([[0.5, 0.9]] * 4)
    found = ope.dr(log, both, predicted)
    assert found.value == pytest.approx((0.5 + 2 * 0.5 + 0.5 + 0.5 + 4 * -0.5 + 0.5) / 4)
    assert found.effective == pytest.approx((2 + 4) ** 2 / (4 + 16))
    assert found.largest_weight == 4
    assert found.people == found.n == 4
    assert not found.enough


def test_clipping_is_stated() -> None:
    """The share that was cut, and the weight at which."""
    log = Logged(np.array([0, 0]), np.array([1.0, 1.0]), np.array([0.1, 0.5]))
    found = ope.ips(log, np.array([1.0, 1.0]), How(clip=5.0))
    assert (found.value, found.clipped, found.clipped_at) == (3.5, 0.5, 5.0)
    assert found.largest_weight == 5.0


def test_a_bad_log_is_an_error() -> None:
    """A propensity of 0 cannot have happened; columns have one length."""
    with pytest.raises(ValueError, match="propensity"):
        Logged(np.array([0]), np.array([1.0]), np.array([0.0]))
    with pytest.raises(ValueError, match="length"):
        Logged(np.array([0, 1]), np.array([1.0]), np.array([0.5]))


@pytest.mark.parametrize("method", ["normal", "bootstrap-t"])
@pytest.mark.parametrize("estimator", ["ips", "snips", "dr"])
def test_intervals_hold_the_truth(estimator: str, method: ope.Method) -> None:
    """Of 200 logs of 400 rows, at least 93 % of the 95 % intervals hold the true value."""
    known, held = truth(), 0
    for seed in range(200):
        log, target, predicted, _ = simulated(seed, 400)
        log = Logged(log.action, log.reward, log.propensity)
        held += _estimate(estimator, log, target, predicted, method).holds(known)
    assert held / 200 >= 0.93


@pytest.mark.parametrize("estimator", ["ips", "snips", "dr"])
def test_intervals_hold_the_truth_for_clustered_people(estimator: str) -> None:
    """Ten rows a person that go together; as single rows the intervals are too narrow."""
    known = truth(rows_each=10)
    held = alone = 0
    for seed in range(150):
        log, target, predicted, _ = simulated(seed, 1_500, rows_each=10)
        held += _estimate(estimator, log, target, predicted, "bootstrap-t").holds(known)
        rows = Logged(log.action, log.reward, log.propensity)
        alone += _estimate(estimator, rows, target, predicted, "normal").holds(known)
    assert held / 150 >= 0.93
    assert alone / 150 < 0.85


def test_rare_rewards_need_the_bootstrap() -> None:
    """About 12 rewards in 4,000 rows: bootstrap-t holds the truth, the normal interval falls short."""
    known, held, normal = truth(scale=0.005), 0, 0
    for seed in range(150):
        log, target, _, _ = simulated(seed, 4_000, scale=0.005)
        row = target[np.arange(len(log.action)), log.action]
        found = ope.ips(log, row, How(seed=seed))
        held += found.holds(known)
        normal += ope.ips(log, row, How(method="normal")).holds(known)
        assert not found.enough or found.responses >= 20
    assert held / 150 >= 0.93
    assert normal < held


def test_dr_with_a_right_model_is_narrower() -> None:
    """And right even with a wrong one: both are unbiased, the predictions only help."""
    log, target, wrong, _ = simulated(5, 20_000)
    chance = np.random.default_rng(5)
    x = chance.normal(size=20_000)
    right = 1 / (1 + np.exp(-np.stack((x, np.zeros(len(x)), -x), 1)))
    good, bad = ope.dr(log, target, right), ope.dr(log, target, wrong)
    assert good.high - good.low < bad.high - bad.low
    assert good.holds(truth())
    assert bad.holds(truth())


def test_a_gain_is_paired() -> None:
    """A policy against itself gains exactly nothing."""
    log, target, predicted, _ = simulated(3, 500)
    found = ope.dr_gain(log, target, target, predicted)
    assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)


def test_bernstein_holds_always_and_is_wide() -> None:
    """It holds the truth of 200 small samples every time."""
    chance = np.random.default_rng(1)
    for _ in range(200):
        values = (chance.random(50) < 0.1).astype(float)
        sample = intervals.Sample(values, np.ones(50))
        low, high = intervals.bernstein(sample, 0.0, 1.0)
        assert low <= 0.1 <= high
    with pytest.raises(ValueError, match="two people"):
        intervals.bernstein(intervals.Sample(np.ones(1), np.ones(1)), 0.0, 1.0)


def test_cross_fitting_never_asks_about_what_was_learned() -> None:
    """Every row is asked once, by what learned from other people only."""
    log, _, _, _ = simulated(2, 400, rows_each=4)
    assert log.person is not None
    people = log.person

    def learn(rest: np.ndarray) -> object:
        known = set(people[rest].tolist())

        def ask(held: np.ndarray) -> tuple[np.ndarray, ...]:
            assert not known & set(people[held].tolist())
            return (np.ones((len(held), 2)), held.astype(float))

        return ask

    ones, rows = ope.cross_fitted(log, 5, learn)  # type: ignore[arg-type]
    assert ones.tolist() == [[1.0, 1.0]] * 400
    assert rows.tolist() == list(range(400))
    with pytest.raises(ValueError, match="folds"):
        list(ope.divided(log, 1, 0))


def _estimate(
    name: str, log: Logged, target: np.ndarray, predicted: np.ndarray, method: ope.Method
) -> ope.Value:
    row = target[np.arange(len(log.action)), log.action]
    if name == "ips":
        return ope.ips(log, row, How(method=method))
    if name == "snips":
        return ope.snips(log, row, How(method=method))
    return ope.dr(log, target, predicted, How(method=method))
