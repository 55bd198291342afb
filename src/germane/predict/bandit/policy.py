"""Which action, with which probability: the best single one unless more is proven, and a little to learn.

* *constant*: the action with the highest posterior mean for everyone, less its cost.
* *personal*: another one, where that is proven twice. As a whole: giving everyone the action that is
  expected to be best for them brings more than the constant, averaged over the people of the log. And for
  this person. Both times the lower bound of the gain is above 0: one-sided 5 %, for the person shared among
  the other actions (Bonferroni), and the actions must have enough rewarded decisions.
* Of all decisions a share explores: at least what is configured, and as much as it is open which action
  is the best (the posterior chance that it is another one): for everyone, or for this person once acting
  per person is proven as a whole. Half of it, and all of what is configured, is spread evenly; the rest by
  each action's chance of being the best (probability matching; Thompson 1933).

The probabilities come first; then one number is drawn. So the propensity that is stored is exactly the
probability with which the policy took the action, given what it knew (Law 6).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from math import sqrt
from random import Random
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from germane.domain.decision import How
from germane.predict.bandit.posterior import Posterior

Floats = npt.NDArray[np.float64]

ERROR = 0.05
"""Chance, at most, that acting per person is worse where it is done, by the posterior."""
ENOUGH_RESPONSES = 25.0
"""Rewarded decisions of an action below which its posterior is not believed to prove a gain."""
POINTS = 1024
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Belief:
    """Means and covariance of the actions' rewards less costs, shape (actions,) and (actions, actions)."""

    mean: Floats
    cov: Floats
    _chances: dict[tuple[int, ...], Floats] = field(default_factory=dict, repr=False, compare=False)
    """Computed once: the belief about everyone stays for many decisions."""

    def chances(self, allowed: Sequence[int]) -> Floats:
        """As ``chances_of_best``."""
        among = tuple(allowed)
        found = self._chances.get(among)
        if found is None:
            found = self._chances[among] = chances_of_best(self, among)
        return found


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether acting per person, as a whole, can be told from the best single choice."""

    constant: int
    differs: float
    """Share of people whose expected best is another action."""
    gain: float
    """What acting per person is expected to bring more, a decision, less costs."""
    low: float
    """Its lower bound, one-sided 5 %."""

    @property
    def open(self) -> bool:
        """It is proven to be better."""
        return self.low > 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What the policy does for one person."""

    best: int
    """The action taken unless it explores."""
    constant: int
    probabilities: tuple[float, ...]
    """Of each action; they sum to 1, and are 0 where an action is not allowed."""
    gain: float
    """Expected gain of ``best`` over ``constant``, 0 if they are the same."""
    lower: float
    """Lower bound of that gain; of the nearest miss where nothing is proven."""
    nearest: int
    """The action that comes nearest to being proven better, or is."""

    def how(self, action: int) -> How:
        """Why an action is taken."""
        if action != self.best:
            return "exploring"
        return "constant" if self.best == self.constant else "personal"


def plan(
    everyone: Belief,
    person: Belief,
    responses: Floats,
    allowed: Sequence[int],
    share: float,
    *,
    personal: bool,
) -> Plan:
    """Probabilities of the actions.

    Args:
        everyone: On average over everyone.
        person: For this context.
        responses: Rewarded decisions of each action, shape (actions,).
        allowed: Actions that may be taken; at least one.
        share: Least share of exploration, in [0, 1].
        personal: Whether acting per person is proven as a whole (``Gate.open``).
    """
    average = everyone.mean.tolist()
    constant = max(allowed, key=lambda n: (average[n], -n))
    best, nearest, gain, lower = _personal(person, responses, allowed, constant)
    if not personal:
        best = constant
    chances = (person if personal else everyone).chances(allowed).tolist()
    explored = max(share, 1.0 - chances[best]) if len(allowed) > 1 else 0.0
    even = max(share, 0.5 * explored) if len(allowed) > 1 else 0.0
    probabilities = [(explored - even) * each for each in chances]
    for n in allowed:
        probabilities[n] += even / len(allowed)
    probabilities[best] += 1.0 - explored
    whole = sum(probabilities)
    shares = tuple(each / whole for each in probabilities)
    return Plan(best, constant, shares, gain, lower, nearest)


def gate(belief: Posterior, costs: Floats, contexts: Sequence[Sequence[float]]) -> Gate:
    """Whether acting per person is proven as a whole, over a sample of the log's contexts."""
    everyone = belief.everyone()[0] - costs
    constant = int(everyone.argmax())
    known = belief.responses >= ENOUGH_RESPONSES
    if not len(contexts) or not known[constant] or not belief.scale.any():
        return Gate(constant, 0.0, 0.0, 0.0)
    means = np.array([belief.person(each)[0] for each in contexts]) - costs
    means[:, ~known] = -np.inf
    taken = means.argmax(axis=1)
    taken[means[:, constant] >= means.max(axis=1)] = constant
    gain, spread = belief.policy_gain(contexts, taken.tolist(), constant)
    gain += float(costs[constant] - costs[taken].mean())
    low = gain - _NORMAL.inv_cdf(1.0 - ERROR) * spread
    return Gate(constant, float((taken != constant).mean()), gain, low)


def _personal(
    person: Belief, responses: Floats, allowed: Sequence[int], constant: int
) -> tuple[int, int, float, float]:
    """The best for the person, the nearest to it, its gain and its lower bound."""
    others = [n for n in allowed if n != constant]
    if not others:
        return constant, constant, 0.0, 0.0
    bound = _NORMAL.inv_cdf(1.0 - ERROR / len(others))
    lowers = {n: _gain(person, n, constant, -bound) for n in others}
    proven = [
        n
        for n in others
        if lowers[n] > 0 and min(responses[n], responses[constant]) >= ENOUGH_RESPONSES
    ]
    if proven:
        best = max(proven, key=lambda n: (person.mean[n], -n))
        return best, best, _gain(person, best, constant, 0.0), lowers[best]
    nearest = max(others, key=lambda n: (lowers[n], -n))
    return constant, nearest, 0.0, lowers[nearest]


def _gain(belief: Belief, one: int, two: int, deviations: float) -> float:
    """Gain of an action over another, so many standard deviations from its mean."""
    cov, mean = belief.cov.item, belief.mean.item
    variance = cov(one, one) + cov(two, two) - 2 * cov(one, two)
    return mean(one) - mean(two) + deviations * sqrt(max(variance, 0.0))


def chances_of_best(belief: Belief, allowed: Sequence[int]) -> Floats:
    """Posterior chance of each allowed action to be the best, shape (actions,); 0 for the others.

    The same fixed points stand for the Gaussian every time, so the same belief gives the same chances.
    """
    among = list(allowed)
    cov = belief.cov[np.ix_(among, among)]
    values, vectors = np.linalg.eigh(cov)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    drawn = belief.mean[among] + points(len(among)) @ root.T
    wins = np.bincount(drawn.argmax(axis=1), minlength=len(among))
    chances = np.zeros(len(belief.mean))
    chances[among] = wins / POINTS
    return chances


@lru_cache(maxsize=32)
def points(size: int) -> Floats:
    """Points that stand for independent standard normals, shape (1024, size); mirrored, so their mean is 0."""
    chance = Random(20_11)  # noqa: S311 - the same for ever on purpose
    half = [[chance.gauss(0.0, 1.0) for _ in range(size)] for _ in range(POINTS // 2)]
    found = np.array(half)
    return np.concatenate((found, -found))


def draw(probabilities: Sequence[float], seed: int) -> int:
    """One action with exactly these probabilities."""
    total = list(accumulate(probabilities))
    at = Random(seed).random() * total[-1]  # noqa: S311 - no secret
    for n, (probability, until) in enumerate(zip(probabilities, total, strict=True)):
        if at < until and probability > 0:
            return n
    return max(n for n, each in enumerate(probabilities) if each > 0)
