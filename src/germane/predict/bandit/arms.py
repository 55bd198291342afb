"""What the actions of a choice surface were rewarded with: sums that a posterior needs, folded from the log.

A decision belongs to the bucket of time in which it was made, an eighth of the longest attribution
window wide. Its rewards go to the same bucket, whenever they arrive. A bucket counts only once the
windows of all its decisions are over: until then a decision without a reward is no failure yet, and one
with a reward is not counted before the others either. So what is known at a moment depends on what was
decided and rewarded, not on the order in which it arrived (up to rounding), and lags by the window and
an eighth of it. Decay goes by the time of the decision, a whole bucket at a time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from germane.domain.months import MS_PER_DAY
from germane.domain.outcome import Trial
from germane.domain.settings import SurfaceSpec
from germane.predict.bandit.contexts import KEPT as CONTEXTS_KEPT
from germane.predict.bandit.contexts import KEPT_OF_BUCKET, Context, keyed, lowest

Floats = npt.NDArray[np.float64]

BUCKETS = 8
"""In one window."""
KEPT = 24
"""Buckets kept apart; beyond it the closed ones are put together."""
REST, ROUNDING = 1e-9, 1e-12
"""What a decision has, at most, when all that it was credited with was taken back: what adding floats leaves
over, and the share of a reward that it may be."""


class Sums:
    """Of one action: everything is linear in decisions but ``rr``, which knows the reward before."""

    __slots__ = ("count", "responses", "rr", "xr", "xx")

    def __init__(self, size: int) -> None:
        self.count = 0.0
        """Decisions."""
        self.responses = 0.0
        """Decisions with a reward above 0."""
        self.rr = 0.0
        """Sum of squared rewards."""
        self.xr: Floats = np.zeros(size)
        """Sum of features times reward, the constant first, shape (size,)."""
        self.xx: Floats = np.zeros((size, size))
        """Sum of outer products of the features, shape (size, size)."""

    def made(self, x: Floats) -> None:
        """A decision."""
        self.count += 1.0
        self.xx += x[:, None] * x

    def rewarded(self, x: Floats, before: float, reward: float) -> None:
        """``reward`` more for a decision that had ``before``."""
        after = before + reward
        rest = max(REST, ROUNDING * max(abs(before), abs(reward)))
        self.responses += float(after > rest) - float(before > rest)
        self.rr += after * after - before * before
        self.xr += x * reward

    def add(self, other: Sums, weight: float) -> None:
        """Another's sums, times a weight."""
        self.count += weight * other.count
        self.responses += weight * other.responses
        self.rr += weight * other.rr
        self.xr += weight * other.xr
        self.xx += weight * other.xx

    def scale(self, factor: float) -> None:
        """Everything times a factor."""
        self.count *= factor
        self.responses *= factor
        self.rr *= factor
        self.xr *= factor
        self.xx *= factor

    def pack(self) -> list[Any]:
        """For a dump."""
        arrays = [self.xr.astype("<f8").tobytes(), self.xx.astype("<f8").tobytes()]
        return [self.count, self.responses, self.rr, *arrays]

    @staticmethod
    def unpack(size: int, data: list[Any]) -> Sums:
        """From a dump."""
        sums = Sums(size)
        sums.count, sums.responses, sums.rr = data[:3]
        sums.xr = np.frombuffer(data[3], dtype="<f8").copy()
        sums.xx = np.frombuffer(data[4], dtype="<f8").copy().reshape(size, size)
        return sums


ByAction = dict[str, Sums]


@dataclass(slots=True)
class Bucket:
    """What was decided in one stretch of time, not decayed."""

    sums: ByAction = field(default_factory=dict)
    contexts: list[Context] = field(default_factory=list)
    """Of at most 64 of its decisions."""


@dataclass(slots=True)
class Arms:
    """All actions of one surface."""

    size: int
    """Features and the constant."""
    layout: int
    step_ms: int
    """Width of a bucket."""
    window_ms: int
    half_life_ms: float
    closed: ByAction = field(default_factory=dict)
    """Old buckets together, decayed to ``closed_ms``."""
    closed_ms: int = 0
    contexts: list[Context] = field(default_factory=list)
    """Of at most 256 decisions of old buckets."""
    buckets: dict[int, Bucket] = field(default_factory=dict)
    made: dict[str, int] = field(default_factory=dict)
    """Why -> decisions ever made."""
    looked_ms: int = 0
    """The moment as of which ``known`` was last asked; no part of the state, nor is the next."""
    changes: int = 0
    """Goes up when what was known then changes: something came late, or was put together."""

    @staticmethod
    def of(surface: SurfaceSpec, layout: int) -> Arms:
        """Of a surface, empty."""
        window_ms = surface.window_s * 1000
        return Arms(
            size=len(surface.features) + 1,
            layout=layout,
            step_ms=max(window_ms // BUCKETS, 1),
            window_ms=window_ms,
            half_life_ms=surface.half_life_days * MS_PER_DAY,
        )

    def learn(self, trial: Trial) -> None:
        """Fold one decision or reward. What was seen with other features is passed over."""
        if trial.layout != self.layout or len(trial.features) != self.size - 1:
            return
        number = trial.at_ms // self.step_ms
        bucket = self.buckets.setdefault(number, Bucket())
        sums = bucket.sums.get(trial.action)
        if sums is None:
            sums = bucket.sums[trial.action] = Sums(self.size)
        x = np.array((1.0, *trial.features))
        if trial.made:
            sums.made(x)
            new = keyed(trial.at_ms, trial.features, self.half_life_ms, trial.action)
            if len(bucket.contexts) < KEPT_OF_BUCKET or new < bucket.contexts[-1]:
                bucket.contexts = lowest((*bucket.contexts, new), KEPT_OF_BUCKET)
            self.made[trial.how] = self.made.get(trial.how, 0) + 1
        else:
            sums.rewarded(x, trial.before, trial.reward)
        self.changes += self._over(number, self.looked_ms)
        if len(self.buckets) > KEPT:
            self._put_together()

    def as_of(self, at_ms: int) -> int:
        """The latest moment, up to ``at_ms``, at which a bucket may have closed."""
        return at_ms - at_ms % self.step_ms

    def known(self, at_ms: int) -> ByAction:
        """Decayed sums of all decisions whose windows are over, by action, as of ``at_ms``."""
        self.looked_ms = at_ms
        total: ByAction = {}
        self._add(total, self.closed, self.closed_ms, at_ms)
        for number in sorted(self.buckets):
            if self._over(number, at_ms):
                self._add(total, self.buckets[number].sums, number * self.step_ms, at_ms)
        return total

    def sampled(self, at_ms: int) -> list[tuple[float, ...]]:
        """Features of some of the decisions whose windows are over as of ``at_ms``, later ones more likely."""
        found = list(self.contexts)
        for number, bucket in self.buckets.items():
            if self._over(number, at_ms):
                found += bucket.contexts
        return [features for _, features in lowest(found, CONTEXTS_KEPT)]

    def waiting(self, at_ms: int) -> int:
        """Decisions whose windows are still open."""
        return int(
            sum(
                sums.count
                for number, bucket in self.buckets.items()
                if not self._over(number, at_ms)
                for sums in bucket.sums.values()
            )
        )

    def _over(self, number: int, at_ms: int) -> bool:
        return (number + 1) * self.step_ms + self.window_ms <= at_ms

    def _add(self, total: ByAction, some: ByAction, from_ms: int, at_ms: int) -> None:
        weight = self._left(at_ms - from_ms)
        for action in sorted(some):
            total.setdefault(action, Sums(self.size)).add(some[action], weight)

    def _left(self, age_ms: int) -> float:
        """What is left at an age; of what is younger than the reference it is more than 1."""
        return float(2.0 ** -min(max(age_ms / self.half_life_ms, -1000.0), 1000.0))

    def _put_together(self) -> None:
        """Add what was closed when the newest bucket began to ``closed``, decayed to the newest of it."""
        begun_ms = max(self.buckets) * self.step_ms
        over = [number for number in sorted(self.buckets) if self._over(number, begun_ms)]
        if not over:
            return
        self.changes += 1
        newest_ms = max(over[-1] * self.step_ms, self.closed_ms)
        if self.closed:
            factor = self._left(newest_ms - self.closed_ms)
            for sums in self.closed.values():
                sums.scale(factor)
        self.closed_ms = newest_ms
        for number in over:
            bucket = self.buckets.pop(number)
            self._add(self.closed, bucket.sums, number * self.step_ms, newest_ms)
            self.contexts = lowest((*self.contexts, *bucket.contexts), CONTEXTS_KEPT)

    def pack(self) -> list[Any]:
        """For a dump: in a fixed order, whatever the order of arrival."""
        return [
            self.size,
            self.layout,
            self.closed_ms,
            _packed(self.closed),
            self.contexts,
            [
                [number, _packed(self.buckets[number].sums), self.buckets[number].contexts]
                for number in sorted(self.buckets)
            ],
            sorted(self.made.items()),
        ]

    def unpack(self, data: list[Any]) -> None:
        """From a dump of the same surface; of another layout it is left empty."""
        size, layout, closed_ms, closed, contexts, buckets, made = data
        if (size, layout) != (self.size, self.layout):
            return
        self.closed_ms, self.closed = closed_ms, _unpacked(size, closed)
        self.contexts = _contexts(contexts)
        self.buckets = {
            number: Bucket(_unpacked(size, sums), _contexts(some)) for number, sums, some in buckets
        }
        self.made = dict(made)


def _contexts(data: list[Any]) -> list[Context]:
    return [(key, tuple(features)) for key, features in data]


def _packed(some: ByAction) -> list[Any]:
    return [[action, some[action].pack()] for action in sorted(some)]


def _unpacked(size: int, data: list[Any]) -> ByAction:
    return {action: Sums.unpack(size, each) for action, each in data}
