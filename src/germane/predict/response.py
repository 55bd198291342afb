"""When a person answers: answers divided by what was sent, hour by hour.

Opens show when somebody sent, not when people read. So each hour of the week has its own rate, answered
out of sent, as a Beta posterior (Beta-Bernoulli); a touch also speaks, more quietly, for the hours
beside it and for the same hour on other days; and before anything was sent at an hour, its rate is
expected where the person's activity puts it. Sending at every hour now and then, with a known
propensity, is what lets the rates of the other hours be learned at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from random import Random
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import numpy.typing as npt

from germane.domain.hours import HOURS, SLOTS, local_hour, slot_of_week
from germane.domain.moment import Touch
from germane.domain.profile import Exposure

Floats = npt.NDArray[np.float64]

HALF_LIFE_DAYS = 180.0
"""Of a touch: answers are rarer than visits, so they must be remembered for longer."""
STRENGTH = 4.0
"""Touches that weigh as much as what activity lets expect."""
BASE_RATE, BASE_TOUCHES = 0.2, 5.0
"""Share of touches that are answered, before any was sent; and how many touches that is worth."""
OTHER_KIND, OTHER_DAY = 0.25, 0.5
"""How much a touch says of its hour on a day of the other kind, and on another day of its kind."""
LEAST_RATE, MOST_RATE = 0.005, 0.95
_WORKDAYS = 5
_RETURNED = "|returned"


class Rates(msgspec.Struct, frozen=True):
    """A Beta posterior of the answered share for each hour of the week."""

    alpha: tuple[float, ...]
    """168 numbers above 0."""
    beta: tuple[float, ...]
    """Likewise."""
    touches: float
    """What was sent, decayed to now, without what machines opened."""

    @property
    def means(self) -> Floats:
        """Expected answered share by slot, in (0, 1), shape (168,)."""
        alpha, beta = np.array(self.alpha), np.array(self.beta)
        found: Floats = alpha / (alpha + beta)
        return found


class Pick(msgspec.Struct, frozen=True):
    """An hour to send in, as it is to be logged."""

    index: int
    """Place in the hours that were offered."""
    propensity: float
    """Probability, in (0, 1], that the policy picks this one of them."""
    explored: bool


def touches_of(exposures: Sequence[Exposure], surface: str, zone: ZoneInfo) -> list[Touch]:
    """What a profile remembers of one surface: when it was shown, and whether anything was credited."""
    return [
        Touch(local_hour(each.at_ms, zone), _answered(each.credited))
        for each in exposures
        if each.surface == surface
    ]


def rates(
    touches: Sequence[Touch], activity: Sequence[float], *, now_hour: int, width_h: float
) -> Rates:
    """Posterior of the answered share of each slot.

    Args:
        touches: What was sent, and whether it was answered in time; none that is too old to count.
        activity: 168 shares that sum to 1 (``Week.shares``).
        now_hour: Local hour since 1970 as of which it is asked.
        width_h: Standard deviation in hours of what a touch says of its neighbours (``Week.width_h``).

    Raises:
        ValueError: ``activity`` does not have 168 shares.
    """
    shares = np.asarray(activity, dtype=float)
    if shares.shape != (SLOTS,):
        raise ValueError(f"activity has {shares.size} shares; a week has {SLOTS} hours")
    valid = [each for each in touches if not each.machine]
    slots = np.array([slot_of_week(each.hour) for each in valid], dtype=np.intp)
    ages_days = np.maximum(now_hour - np.array([each.hour for each in valid]), 0) / HOURS
    weights = 2.0 ** -(ages_days / HALF_LIFE_DAYS)
    answered = weights * np.array([each.answered for each in valid], dtype=float)
    prior = _expected(shares, slots, float(weights.sum()), float(answered.sum()))
    near = likeness(width_h)[slots]
    alpha = STRENGTH * prior + answered @ near
    beta = STRENGTH * (1.0 - prior) + (weights - answered) @ near
    return Rates(tuple(alpha.tolist()), tuple(beta.tolist()), float(weights.sum()))


def pick(found: Rates, slots: Sequence[int], *, explore_share: float, seed: int) -> Pick:
    """Choose one of the hours on offer: mostly the best, now and then any, with a known propensity.

    Args:
        found: The person's rates.
        slots: Slot of the week of each hour on offer; of equals, the earlier place wins.
        explore_share: Chance, in [0, 1], that the hour is drawn evenly from all on offer.
        seed: From the World.

    Raises:
        ValueError: no hour is on offer, or the share is not a share.
    """
    if not slots:
        raise ValueError("no hour is on offer")
    if not 0.0 <= explore_share <= 1.0:
        raise ValueError(f"explore_share is {explore_share}; it must be from 0 to 1")
    best = int(found.means[list(slots)].argmax())
    chance = Random(seed)  # noqa: S311 - replayed from its seed, not a secret
    explored = chance.random() < explore_share
    index = chance.randrange(len(slots)) if explored else best
    propensity = explore_share / len(slots) + (1.0 - explore_share) * (index == best)
    return Pick(index, propensity, explored)


@lru_cache(maxsize=16)
def likeness(width_h: float) -> Floats:
    """How much a touch in one slot says of another, in [0, 1], 1 on the diagonal, shape (168, 168)."""
    days, hours = np.divmod(np.arange(SLOTS), HOURS)
    apart = np.abs(hours[:, None] - hours[None, :])
    apart = np.minimum(apart, HOURS - apart)
    weekend = days >= _WORKDAYS
    day = np.where(weekend[:, None] == weekend[None, :], OTHER_DAY, OTHER_KIND)
    day = np.where(days[:, None] == days[None, :], 1.0, day)
    found: Floats = day * np.exp(-0.5 * (apart / width_h) ** 2)
    return found


def _expected(
    shares: Floats, slots: npt.NDArray[np.intp], touches: float, answers: float
) -> Floats:
    """The rate that activity lets expect: the person's own rate, times how much likelier they are to
    be there than in the hours in which things were sent."""
    rate = (answers + BASE_RATE * BASE_TOUCHES) / (touches + BASE_TOUCHES)
    usual = float(shares[slots].mean()) if len(slots) else float(shares.mean())
    expected: Floats = np.clip(rate * shares / usual, LEAST_RATE, MOST_RATE)
    return expected


def _answered(credited: Sequence[str]) -> bool:
    """Whether an outcome was credited that was not taken back later: as a whole, that leaves
    ``item|outcome|returned`` beside ``item|outcome``."""
    gone = {key.removesuffix(_RETURNED) for key in credited if key.endswith(_RETURNED)}
    return any(key not in gone for key in credited if not key.endswith(_RETURNED))
