"""The blender: a listwise softmax over candidates that learns from every lesson.

Score of a candidate: ``(base + surface) . features``. A lesson is a list of feature rows with those
that were chosen; the loss is the mean cross-entropy of the chosen under the softmax of the scores,
and one AdaGrad step (Duchi, Hazan & Singer 2011) follows its gradient. Next-item lessons from
behaviour teach ``base``; outcomes of shown slates teach the surface's own part. Of the candidates far
behind a lesson has only a sample; each counts for as many as it stands for (sampled softmax: Bengio &
Senécal 2008), or the weights would forget how many there are. What ranks is the mean of the latest
weights (Polyak & Juditsky 1992): single steps are noisy, the more so with few choices.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from germane.domain.forest import MADE_AHEAD, NEW
from germane.domain.outcome import Example

Floats = npt.NDArray[np.float64]

LEARNING_RATE = 0.08
NEW_RATE = 0.1
SURFACE_RATE = 0.02
MEAN_START, MEAN_STEPS = 10, 1_000
"""The mean is over about the last tenth of all steps, and over a thousand at most."""
DECAY_TO_PRIOR = 1e-4
"""Pull towards the prior at each step, so that a feature without evidence stays where it began."""


class Weights:
    """One weight vector with its AdaGrad state."""

    def __init__(self, prior: Floats, rate: float) -> None:
        self.prior = prior
        self.value: Floats = prior.copy()
        self.mean: Floats = prior.copy()
        self.squares: Floats = np.full(len(prior), 1e-2)
        self.rate = rate
        self.steps = 0

    def step(self, gradient: Floats) -> None:
        """Go one step down the gradient."""
        gradient = gradient + DECAY_TO_PRIOR * (self.value - self.prior)
        self.squares += gradient * gradient
        self.value -= self.rate * gradient / np.sqrt(self.squares)
        self.steps += 1
        share = max(MEAN_START / (self.steps + MEAN_START), 1 / MEAN_STEPS)
        self.mean += share * (self.value - self.mean)


class Blender:
    """Weights for all surfaces."""

    def __init__(self, prior: Floats) -> None:
        self.base = Weights(prior, LEARNING_RATE)
        self.new = Weights(prior, NEW_RATE)
        self.surfaces: dict[str, Weights] = {}

    def weights(self, surface: str, *, new: bool = False) -> Floats:
        """The weights that a surface ranks with; ``new``: among items that the person never had."""
        own = self.surfaces.get(surface)
        head = self._head(surface, new=new).mean
        return head if own is None else head + own.mean

    def _head(self, surface: str, *, new: bool = False) -> Weights:
        return self.new if new or surface == NEW else self.base

    def learn(self, example: Example) -> None:
        """One lesson. An empty surface name means behaviour: it teaches all surfaces. Those for lists that are
        made ahead teach trees alone."""
        if example.surface in MADE_AHEAD.values():
            return
        features = unpack(example)
        if features.shape[1] != len(self.base.prior):
            return  # a lesson in the features of an earlier version: it cannot be read any more
        if example.rows < 2 or len(example.chosen) in (0, example.rows):
            return
        if not np.isfinite(features).all():
            return  # an earlier version stored what it could not learn from
        own = self.surfaces.get(example.surface)
        weights = self._head(example.surface).value
        scores = features @ (weights if own is None else weights + own.value)
        if example.sampled:
            scores[-example.sampled :] += np.log(example.stands_for)
        scores = np.exp(scores - scores.max())
        expected = (scores / scores.sum()) @ features
        chosen = features[list(example.chosen)].mean(axis=0)
        gradient = example.weight * (expected - chosen)
        if example.surface == NEW:
            self.new.step(gradient)
        elif example.surface:
            self.own(example.surface).step(gradient)
        else:
            self.base.step(gradient)

    def own(self, surface: str) -> Weights:
        """A surface's own part, made when it is first taught."""
        own = self.surfaces.get(surface)
        if own is None:
            zero = np.zeros(len(self.base.prior))
            own = self.surfaces[surface] = Weights(zero, SURFACE_RATE)
        return own


def pack(features: Floats) -> bytes:
    """Rows as float16: what is learned is exactly what was stored."""
    return features.astype("<f2").tobytes()


def unpack(example: Example) -> Floats:
    """The rows of an example, shape (rows, f)."""
    flat = np.frombuffer(example.features, dtype="<f2").astype(np.float64)
    return flat.reshape(example.rows, -1)
