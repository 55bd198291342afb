"""What is believed of each action: a linear model of the reward with a shared prior, in closed form.

    reward of action a for context z:  r = z' theta_a + noise_a,   noise_a ~ N(0, v_a)

``z`` are the features, each with mean 0 and variance 1 over all decisions, and a constant 1: so the
constant's coefficient is what the action brings on average over everyone. All coefficients together are
Gaussian before anything is seen. Coefficient j of actions a and b has covariance

    shared_j + own_j * (share of attributes in which a and b are alike)     (a = b: that share counts as 2)

so actions are shrunk to their mean, and those with like attributes to one another: a hierarchical
linear model (Lindley & Smith 1972, "Bayes estimates for the linear model"). With Gaussian noise the
posterior is Gaussian and exact (Gelman et al. 2013, "Bayesian data analysis", ch. 14). How strong the
prior is, is not set but learned from how likely the rewards were under each of a few strengths (empirical
Bayes; Efron & Morris 1973).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from germane.domain.settings import ActionSpec
from germane.predict.bandit.arms import Sums

Floats = npt.NDArray[np.float64]

WEAK = 10.0
"""Prior variance of the mean over actions, in units of the rewards' variance: it says nearly nothing."""
OF_ACTION = (3e-3, 1e-2, 3e-2, 1e-1)
"""Prior variance of an action's distance from that mean, likewise: strengths to choose from. Not less: a
handful of actions cannot show that all others are alike, and what is believed so is never tried again."""
OF_FEATURE = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Of a feature's effect that all actions share."""
OF_BOTH = (1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
"""Of what a feature changes between actions: without it nothing is worth doing per person."""
START = (1e-2, 1e-1, 1e-5)
NOISE_PRIOR = 10.0
"""Decisions that the common variance counts for, in an action's own."""
_FLAT = 1e-9


@dataclass(frozen=True, slots=True)
class Strength:
    """Prior variances in units of the rewards' variance."""

    action: float
    feature: float
    both: float


@dataclass(frozen=True, slots=True)
class Posterior:
    """The belief about all actions of a surface at one moment."""

    actions: tuple[str, ...]
    mean: Floats
    """Coefficients, shape (actions, 1 + features), the constant first."""
    cov: Floats
    """Their covariance, shape (actions, 1 + features, actions, 1 + features)."""
    shift: Floats
    scale: Floats
    """A feature x becomes (x - shift) * scale; shape (features,) each. A scale of 0: it never varied."""
    count: Floats
    """Decisions of each action, decayed, shape (actions,)."""
    responses: Floats
    noise: Floats
    """Variance of the rewards around what the features say, shape (actions,)."""
    strength: Strength

    def everyone(self) -> tuple[Floats, Floats]:
        """Mean, shape (actions,), and covariance of the rewards, averaged over everyone."""
        return self.mean[:, 0], self.cov[:, 0, :, 0]

    def person(self, features: Sequence[float]) -> tuple[Floats, Floats]:
        """The same for one context."""
        z = np.ones(1 + len(features))
        z[1:] = (np.array(features) - self.shift) * self.scale
        cov: Floats = z @ (self.cov @ z)
        return self.mean @ z, cov

    def policy_gain(
        self, contexts: Sequence[Sequence[float]], taken: Sequence[int], constant: int
    ) -> tuple[float, float]:
        """Mean and standard deviation of what a policy brings more than a constant action, a decision.

        Args:
            contexts: Features of those over whom it is averaged, at least one.
            taken: The policy's action for each.
            constant: The action it is compared with.
        """
        z = (np.array(contexts) - self.shift) * self.scale
        z = np.concatenate((np.ones((len(z), 1)), z), axis=1) / len(z)
        weights = np.zeros_like(self.mean)
        np.add.at(weights, list(taken), z)
        weights[constant] -= z.sum(axis=0)
        flat = weights.reshape(-1)
        variance = float(flat @ self.cov.reshape(len(flat), len(flat)) @ flat)
        return float((weights * self.mean).sum()), max(variance, 0.0) ** 0.5

    def parts(self, features: Sequence[float], one: int, two: int) -> Floats:
        """What each feature adds to the gain of an action over another, shape (features,)."""
        z = (np.array(features) - self.shift) * self.scale
        gain: Floats = (self.mean[one, 1:] - self.mean[two, 1:]) * z
        return gain


@dataclass(frozen=True, slots=True)
class _Seen:
    """The sums in standard units, by action."""

    gram: Floats
    """Shape (actions, p, p)."""
    moment: Floats
    """Shape (actions, p), rewards less their common mean."""
    noise: Floats
    """Shape (actions,)."""
    squares: Floats
    """Sum of squared rewards less the common mean, shape (actions,)."""
    unit: float
    """The rewards' variance."""


def posterior(
    actions: Sequence[ActionSpec], known: Mapping[str, Sums], features: int, worth: float
) -> Posterior:
    """The belief after what is known.

    Args:
        actions: In order; ``id`` is empty for *do nothing*.
        known: Sums by action, features in their own units, the constant first.
        features: How many there are.
        worth: A typical reward, for the spread before anything was rewarded.
    """
    size = features + 1
    sums = [known.get(each.id) or Sums(size) for each in actions]
    count = np.array([each.count for each in sums])
    responses = np.array([each.responses for each in sums])
    shift, scale = _standard(sums, size)
    seen, middle = _seen(sums, shift, scale, worth)
    likeness = alike(actions)
    seen = _explained(seen, likeness, Strength(*START))
    strength = _strongest(seen, likeness)
    mean, cov = _solve(seen, likeness, strength)
    mean[:, 0] += middle
    return Posterior(
        tuple(each.id for each in actions),
        mean,
        cov,
        shift,
        scale,
        count,
        np.maximum(responses, 0.0),
        seen.noise,
        strength,
    )


def alike(actions: Sequence[ActionSpec]) -> Floats:
    """Share of attributes in which two actions agree, in [0, 1], shape (actions, actions); 1 with itself."""
    found = np.eye(len(actions))
    for n, one in enumerate(actions):
        for m, two in enumerate(actions[:n]):
            names = {*one.attributes, *two.attributes}
            same = sum(
                one.attributes.get(name) == two.attributes.get(name, _NONE) for name in names
            )
            found[n, m] = found[m, n] = same / len(names) if names else 0.0
    return found


_NONE = object()


def _standard(sums: Sequence[Sums], size: int) -> tuple[Floats, Floats]:
    """Mean and 1 / standard deviation of each feature over all decisions."""
    whole = sum((each.xx for each in sums), np.zeros((size, size)))
    count = whole[0, 0]
    if count <= 0:
        return np.zeros(size - 1), np.zeros(size - 1)
    shift = whole[0, 1:] / count
    variance = whole.diagonal()[1:] / count - shift**2
    varies = variance > _FLAT * (1.0 + shift**2)
    scale = np.where(varies, 1.0 / np.sqrt(np.where(varies, variance, 1.0)), 0.0)
    return shift, scale


def _seen(sums: Sequence[Sums], shift: Floats, scale: Floats, worth: float) -> tuple[_Seen, float]:
    """In standard units, rewards less their common mean; and that mean."""
    size = len(shift) + 1
    turn = np.zeros((size, size))
    turn[0, 0] = 1.0
    turn[1:, 0] = -shift * scale
    turn[1:, 1:] = np.diag(scale)
    count = np.array([each.count for each in sums])
    total = np.array([each.xr[0] for each in sums])
    middle = float(total.sum() / count.sum()) if count.sum() > 0 else 0.0
    squares = np.array([each.rr for each in sums]) - 2 * middle * total + count * middle**2
    noise, unit = _noise(sums, count, total, worth)
    return (
        _Seen(
            gram=np.array([turn @ each.xx @ turn.T for each in sums]),
            moment=np.array([turn @ (each.xr - middle * each.xx[0]) for each in sums]),
            noise=noise,
            squares=np.maximum(squares, 0.0),
            unit=unit,
        ),
        middle,
    )


def _noise(
    sums: Sequence[Sums], count: Floats, total: Floats, worth: float
) -> tuple[Floats, float]:
    """Variance of the rewards within each action, and in common.

    One decision with a typical reward is added to the common one: rewards that were not seen yet are
    not impossible. An action's own is shrunk to it. What features explain is still in it (``_explained``).
    """
    rr = np.array([each.rr for each in sums])
    responses = float(sum(max(each.responses, 0.0) for each in sums))
    typical = float(rr.sum()) / responses if responses > 0.5 else worth**2
    n = float(count.sum()) + 1.0
    mean = (float(total.sum()) + typical**0.5) / n
    unit = max((float(rr.sum()) + typical) / n - mean**2, typical / (n + 1.0), _FLAT)
    own = np.maximum(rr - total**2 / np.maximum(count, _FLAT), 0.0)
    return (own + NOISE_PRIOR * unit) / (count + NOISE_PRIOR), unit


def _explained(seen: _Seen, likeness: Floats, strength: Strength) -> _Seen:
    """The noise without what the features explain: one step of expectation maximisation (Dempster, Laird &
    Rubin 1977), which counts what is not known of the coefficients as noise."""
    mean, cov = _solve(seen, likeness, strength)
    count = seen.gram[:, 0, 0]
    left = np.array(
        [
            seen.squares[n]
            - 2 * seen.moment[n] @ mean[n]
            + mean[n] @ seen.gram[n] @ mean[n]
            + (seen.gram[n] * cov[n, :, n, :]).sum()
            for n in range(len(count))
        ]
    )
    noise = (np.maximum(left, 0.0) + NOISE_PRIOR * seen.unit) / (count + NOISE_PRIOR)
    return replace(seen, noise=np.minimum(noise, seen.noise))


def _strongest(seen: _Seen, likeness: Floats) -> Strength:
    """How strong the prior is, one kind of strength after the other: the posterior mean of its logarithm,
    each of the grid equally likely before. (The likeliest alone would jump by a factor of ten where two are
    nearly as likely, and a choice with it.)"""
    best = Strength(*START)
    if not seen.gram[:, 0, 0].sum():
        return best
    features = seen.gram.shape[1] > 1
    grids = (("action", OF_ACTION), *((("feature", OF_FEATURE), ("both", OF_BOTH)) * features))
    for name, grid in grids:
        tried = [replace(best, **{name: value}) for value in grid]
        likely = np.array([_likely(seen, likeness, each) for each in tried])
        weights = np.exp(likely - likely.max())
        middle = float(weights @ np.log(grid) / weights.sum())
        best = replace(best, **{name: float(np.exp(middle))})
    return best


def _solve(seen: _Seen, likeness: Floats, strength: Strength) -> tuple[Floats, Floats]:
    """Posterior mean (actions, p) and covariance (actions, p, actions, p)."""
    actions, size = seen.moment.shape
    precision, pull, _ = _system(seen, likeness, strength)
    cov = np.linalg.inv(precision)
    cov = (cov + cov.T) / 2
    return (cov @ pull).reshape(actions, size), cov.reshape(actions, size, actions, size)


def _likely(seen: _Seen, likeness: Floats, strength: Strength) -> float:
    """Log marginal likelihood of the rewards, but for what is the same under every strength."""
    precision, pull, prior = _system(seen, likeness, strength)
    root = np.linalg.cholesky(precision)
    found = np.linalg.solve(precision, pull)
    return 0.5 * float(pull @ found) - 0.5 * prior - float(np.log(root.diagonal()).sum())


def _system(seen: _Seen, likeness: Floats, strength: Strength) -> tuple[Floats, Floats, float]:
    """Posterior precision and right-hand side of all coefficients; log determinant of the prior."""
    actions, size = seen.moment.shape
    own = likeness + np.eye(actions)
    constant = seen.unit * (WEAK + strength.action * own)
    slope = seen.unit * (strength.feature + strength.both * own)
    first = np.zeros((size, size))
    first[0, 0] = 1.0
    rest = np.eye(size) - first
    precision = np.kron(np.linalg.inv(constant), first) + np.kron(np.linalg.inv(slope), rest)
    for n in range(actions):
        block = slice(n * size, (n + 1) * size)
        precision[block, block] += seen.gram[n] / seen.noise[n]
    pull = (seen.moment / seen.noise[:, None]).reshape(-1)
    prior = np.linalg.slogdet(constant)[1] + (size - 1) * np.linalg.slogdet(slope)[1]
    return precision, pull, float(prior)
