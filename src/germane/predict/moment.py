"""When a person is there: their own active hours, shrunk to everyone's hours of the week.

A person's next active hour is drawn from 168 slots. Everyone's decayed histogram is the prior (a
Dirichlet with that mean), the person's active hours are the counts, each spread over the slots it
speaks for: the same slot, the same hour on days of its kind (working days, weekend), the same hour on
any day, and the hours beside each on the circle of the day. The mean of the posterior is

    share(slot) = (strength * everyone(slot) + spread(slot)) / (strength + evidence)

How much the prior weighs (``strength``) and how wide an hour is spread (``width_h``) are not set but
learned: every pair on a small grid is asked for the hour of some activity, given its date, the person's
hours before that date and everyone's by then, and the pair under which those hours were most likely is
used (the prequential form of the marginal likelihood; Dawid 1984, "Statistical theory: the prequential
approach").
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from germane.domain.hours import HOUR_MS, HOURS, SLOTS, slot_of_week
from germane.domain.moment import Activity, Week
from germane.domain.months import REDUCED_AFTER_MONTHS, month_of, month_start_ms
from germane.predict.counters import DecayedCounts

Floats = npt.NDArray[np.float64]
Hours = npt.NDArray[np.int64]

HALF_LIFE_DAYS = 60.0
"""Of a person's active hours: habits change with the season."""
EVERYONE_DAYS = 180.0
SAME_SLOT, SAME_KIND, ANY_DAY = 0.15, 0.5, 0.35
"""Where an active hour goes: its own slot, its hour on the days of its kind, its hour on all days."""
STRENGTHS = (2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
WIDTHS_H = (0.5, 1.0, 2.0)
SETTINGS = tuple((width, strength) for width in WIDTHS_H for strength in STRENGTHS)
DEFAULT, DEFAULT_LEAD = SETTINGS.index((1.0, 8.0)), 3.0
"""What is used until another setting is ahead by so many nats."""
_STRENGTHS: Floats = np.array(STRENGTHS)[:, None]
_DAYS, _WORKDAYS = 7, 5
_FLAT = 0.5
"""What every slot has before anyone was seen."""


class Moment:
    """What all people together taught about hours. Part of the shared state."""

    def __init__(self, beyond_year_factor: float) -> None:
        self.counts = DecayedCounts(EVERYONE_DAYS)
        self.counts.grow(SLOTS)
        self.evidence: Floats = np.zeros(len(SETTINGS))
        """Log likelihood of all lessons under each setting."""
        self.lessons = 0
        self._factor = beyond_year_factor

    def lesson(self, hours: Sequence[int], hour: int, at_ms: int) -> tuple[float, ...]:
        """Log likelihood of an active hour, given its date, under each of ``SETTINGS``.

        None of the person's own hours of that date is used, so that one visit does not predict itself.
        Empty for a person with no earlier hours: every setting says the same of them.

        Args:
            hours: Active hours, local since 1970.
            hour: The one to be predicted, likewise.
            at_ms: When it was.
        """
        midnight = hour - hour % HOURS
        known = np.asarray(hours, dtype=np.int64)
        before = known[known < midnight]
        if not len(before):
            return ()
        day, clock = divmod(slot_of_week(hour), HOURS)
        prior = self.everyone(at_ms).reshape(_DAYS, HOURS)[day]
        spoken = _spoken_for(before, decayed(before, midnight, self._factor))
        own = (spoken @ _circles())[:, day]
        odds = _STRENGTHS * prior + own[:, None]  # widths, strengths, hours
        found: list[float] = np.log(odds[..., clock] / odds.sum(axis=-1)).ravel().tolist()
        return tuple(found)

    def learn(self, activity: Activity, at_ms: int) -> None:
        """Count one active hour, and what it says of the settings."""
        self.counts.add_all(np.array([activity.slot]), at_ms, np.ones(1))
        if len(activity.evidence) == len(SETTINGS):
            self.evidence += np.array(activity.evidence)
            self.lessons += 1

    def everyone(self, at_ms: int) -> Floats:
        """Probability of each slot for somebody of whom nothing is known, shape (168,)."""
        counts = self._known(at_ms) + _FLAT
        shares: Floats = counts / counts.sum()
        return shares

    @property
    def setting(self) -> tuple[float, float]:
        """Width in hours and strength that have explained the most so far."""
        scores = self.evidence.copy()
        scores[DEFAULT] += DEFAULT_LEAD
        return SETTINGS[int(scores.argmax())]

    def week(self, hours: Sequence[int], at_ms: int) -> Week:
        """A person's week.

        Args:
            hours: Their active hours, local since 1970.
            at_ms: The moment as of which it is asked.
        """
        width, strength = self.setting
        prior = self.everyone(at_ms)
        weights = decayed(hours, at_ms // HOUR_MS, self._factor)
        own = spread(hours, weights, width)
        evidence = float(weights.sum())
        odds = strength * prior + own
        return Week(
            shares=tuple((odds / odds.sum()).tolist()),
            everyone=tuple(prior.tolist()),
            own=tuple((own / odds).tolist()),
            evidence=evidence,
            trust=evidence / (evidence + strength),
            strength=strength,
            width_h=width,
            known=float(self._known(at_ms).sum()),
        )

    def _known(self, at_ms: int) -> Floats:
        counts: Floats = self.counts.sums[:SLOTS] * self.counts.clock.scale_at(at_ms)
        return counts


def decayed(hours: Sequence[int] | Hours, now: int, beyond_year_factor: float) -> Floats:
    """What each active hour counts as of local hour ``now``, in [0, 1], shape (hours,)."""
    at = np.asarray(hours, dtype=np.int64)
    ages_days = np.maximum(now - at, 0) / HOURS
    reduced = month_of(now * HOUR_MS) - REDUCED_AFTER_MONTHS + 1
    old = at < month_start_ms(reduced) // HOUR_MS
    weights: Floats = 2.0 ** -(ages_days / HALF_LIFE_DAYS) * np.where(old, beyond_year_factor, 1.0)
    return weights


def spread(hours: Sequence[int] | Hours, weights: Floats, width_h: float) -> Floats:
    """The weights of active hours over the slots that they speak for, shape (168,); their sum stays."""
    flat: Floats = (_spoken_for(hours, weights) @ circle(width_h)).reshape(SLOTS)
    return flat


def _spoken_for(hours: Sequence[int] | Hours, weights: Floats) -> Floats:
    """The same before the hours beside each get their part, shape (7, 24)."""
    slots = (np.asarray(hours, dtype=np.int64) + slot_of_week(0)) % SLOTS
    days = np.bincount(slots, weights, SLOTS).reshape(_DAYS, HOURS)
    kinds = np.empty_like(days)
    kinds[:_WORKDAYS] = days[:_WORKDAYS].sum(axis=0) / _WORKDAYS
    kinds[_WORKDAYS:] = days[_WORKDAYS:].sum(axis=0) / (_DAYS - _WORKDAYS)
    mixed: Floats = SAME_SLOT * days + SAME_KIND * kinds + ANY_DAY * (days.sum(axis=0) / _DAYS)
    return mixed


@lru_cache(maxsize=1)
def _circles() -> Floats:
    """Of all widths that compete, shape (widths, 24, 24)."""
    return np.stack([circle(width) for width in WIDTHS_H])


@lru_cache(maxsize=16)
def circle(width_h: float) -> Floats:
    """A Gaussian on the circle of the day, shape (24, 24); every row sums to 1."""
    apart = np.abs(np.arange(HOURS)[:, None] - np.arange(HOURS)[None, :])
    apart = np.minimum(apart, HOURS - apart)
    weights = np.exp(-0.5 * (apart / width_h) ** 2)
    rows: Floats = weights / weights.sum(axis=1, keepdims=True)
    return rows
