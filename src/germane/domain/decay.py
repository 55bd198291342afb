"""Exact decay of evidence: exponential inside a year, reduced beyond, nothing beyond two.

Ages are counted in whole calendar months (UTC): the month of *now* minus the month of the event.

* difference 0 to 11: exponential half-life alone;
* 12 to 23: the same, times ``beyond_year_factor``;
* 24 and more: nothing. The month is dropped whole.

So no event that is 24 months old ever counts, and none younger than 23 months is dropped: what
happened on any day of November 2024 stops counting when November 2026 begins.
"""

from __future__ import annotations

from collections.abc import Mapping

from germane.domain.months import (
    DROPPED_AFTER_MONTHS,
    MS_PER_DAY,
    REDUCED_AFTER_MONTHS,
    month_of,
    month_start_ms,
)
from germane.domain.profile import Mass, Profile, Trait
from germane.domain.settings import Settings, SignalSpec, TraitSpec

Masses = tuple[Mass, ...]


def age_factor(months: int, beyond_year_factor: float) -> float:
    """What is left of evidence by its age in calendar months, apart from the half-life."""
    if months < REDUCED_AFTER_MONTHS:
        return 1.0
    return beyond_year_factor if months < DROPPED_AFTER_MONTHS else 0.0


def grown(at_ms: int, half_life_days: float) -> tuple[int, float]:
    """The month of a time, and what one event at that time adds to the month's mass."""
    month = month_of(at_ms)
    days = (at_ms - month_start_ms(month)) / MS_PER_DAY
    return month, 2.0 ** (days / half_life_days)


def add(masses: Masses, signal: str, month: int, mass: float, count: int = 1) -> Masses:
    """Evidence added to (or, below 0, taken from) the month where it belongs, in month order."""
    if masses:
        last = masses[-1]
        if last.month == month and last.signal == signal:
            return (*masses[:-1], Mass(month, signal, last.count + count, last.mass + mass))
        if (last.month, last.signal) < (month, signal):
            return (*masses, Mass(month, signal, count, mass))
    for place, each in enumerate(masses):
        if each.month == month and each.signal == signal:
            changed = Mass(month, signal, each.count + count, each.mass + mass)
            return (*masses[:place], changed, *masses[place + 1 :])
    added = (*masses, Mass(month, signal, count, mass))
    return tuple(sorted(added, key=lambda each: (each.month, each.signal)))


def live(masses: Masses, now_ms: int) -> Masses:
    """Those that are young enough to count at all."""
    oldest = month_of(now_ms) - DROPPED_AFTER_MONTHS
    if all(each.month > oldest for each in masses):
        return masses
    return tuple(each for each in masses if each.month > oldest)


class Worth:
    """What one unit of mass is worth at a moment, by month and signal: computed once each."""

    def __init__(self, signals: Mapping[str, SignalSpec], now_ms: int, factor: float) -> None:
        self._signals = signals
        self._now_ms = now_ms
        self._now_month = month_of(now_ms)
        self._factor = factor
        self._known: dict[tuple[int, str], float] = {}

    def of(self, masses: Masses) -> float:
        """The signed weight of evidence now: above 0 interest, below 0 the opposite."""
        total, known = 0.0, self._known
        for each in masses:
            key = (each.month, each.signal)
            unit = known.get(key)
            if unit is None:
                unit = known[key] = self._unit(each.month, each.signal)
            total += unit * each.mass
        return total

    def _unit(self, month: int, signal: str) -> float:
        spec = self._signals.get(signal)
        left = age_factor(self._now_month - month, self._factor)
        if spec is None or left == 0.0:
            return 0.0
        days = (self._now_ms - month_start_ms(month)) / MS_PER_DAY
        return float(spec.weight * left * 2.0 ** -(days / spec.half_life_days))


def mass_at(
    masses: Masses, signals: Mapping[str, SignalSpec], now_ms: int, beyond_year_factor: float
) -> float:
    """The signed weight of evidence as of ``now_ms``."""
    return Worth(signals, now_ms, beyond_year_factor).of(masses)


def interests(
    profile: Profile, attribute: str, settings: Settings, now_ms: int
) -> dict[str, float]:
    """Value of an attribute -> signed weight now. Values without any live evidence are left out."""
    worth = Worth(settings.signals, now_ms, settings.profile.beyond_year_factor)
    found = {
        value: worth.of(masses) for value, masses in profile.interests.get(attribute, {}).items()
    }
    return {value: weight for value, weight in found.items() if weight != 0.0}


def trait_weight(
    trait: Trait, spec: TraitSpec, now_ms: int, evidence: float, readiness_half: float
) -> float:
    """How far a declared trait still speaks, in [0, 1]: less with age, less with behaviour."""
    days = max(now_ms - trait.at_ms, 0) / MS_PER_DAY
    fresh = 2.0 ** -min(days / spec.half_life_days, 1000.0)
    return float(fresh * (1.0 - readiness(evidence, readiness_half)))


def readiness(evidence: float, half: float) -> float:
    """How far the personal part is trusted, in [0, 1): a half at ``half`` positive interactions."""
    return evidence / (evidence + half) if evidence > 0 else 0.0
