"""Exact decay of evidence: exponential inside a year, reduced beyond, nothing beyond two.

Ages are counted in whole calendar months (UTC): the month of *now* minus the month of the event.

* difference 0 to 11: exponential half-life alone;
* 12 to 23: the same, times ``beyond_year_factor``;
* 24 and more: nothing. The month is dropped whole.

At the boundaries, to the millisecond: what happened at any moment of November 2024 counts in full
(apart from its half-life) until 2025-10-31T23:59:59.999Z, reduced from 2025-11-01T00:00:00.000Z to
2026-10-31T23:59:59.999Z, and not at all from 2026-11-01T00:00:00.000Z. So nothing that is 24 months
old ever counts; the youngest event that has stopped counting is just over 23 months old.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

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
"""Evidence for one value, in order of month, then signal; at most one entry of each pair."""

_start_ms = lru_cache(maxsize=1024)(month_start_ms)
_DAYS_KEPT = 4096
"""Months begin with a day (UTC), so what belongs to a month is looked up by the day."""
_MAX_DOUBLINGS = 1000.0
"""2 to this power is still a finite number."""


@lru_cache(maxsize=_DAYS_KEPT)
def _month_of_day(day: int) -> int:
    return month_of(day * MS_PER_DAY)


@lru_cache(maxsize=_DAYS_KEPT)
def _oldest_of_day(day: int, months: int) -> int:
    return _start_ms(_month_of_day(day) - months + 1)


def month_at(at_ms: int) -> int:
    """The month of a time, since January 1970 (``months.month_of``, looked up by the day)."""
    return _month_of_day(at_ms // MS_PER_DAY)


def age_factor(months: int, beyond_year_factor: float) -> float:
    """What is left of evidence by its age in calendar months, apart from the half-life."""
    if months < REDUCED_AFTER_MONTHS:
        return 1.0
    return beyond_year_factor if months < DROPPED_AFTER_MONTHS else 0.0


def oldest_ms(now_ms: int, months: int = DROPPED_AFTER_MONTHS) -> int:
    """The first moment that may still count, at the beginning of a month: 23 to 24 months ago, or as much less
    as ``months`` says."""
    return _oldest_of_day(now_ms // MS_PER_DAY, months)


def grown(at_ms: int, half_life_days: float) -> tuple[int, float]:
    """The month of a time, and what one event at that time adds to the month's mass, at least 1."""
    month = _month_of_day(at_ms // MS_PER_DAY)
    doublings = (at_ms - _start_ms(month)) / MS_PER_DAY / half_life_days
    return month, 2.0 ** min(doublings, _MAX_DOUBLINGS)


def add(masses: Masses, signal: str, at_ms: int, half_life_days: float, count: int = 1) -> Masses:
    """Evidence of ``count`` events at a time."""
    month, unit = grown(at_ms, half_life_days)
    return put(masses, signal, month, count * unit, count)


def put(masses: Masses, signal: str, month: int, mass: float, count: int = 1) -> Masses:
    """Mass added to the month where it belongs. Looks from the end: most evidence is new."""
    place = len(masses)
    while place:
        last = masses[place - 1]
        if last.month < month or (last.month == month and last.signal <= signal):
            break
        place -= 1
    else:
        return (Mass(month, signal, count, mass), *masses)
    if last.month == month and last.signal == signal:
        changed = Mass(month, signal, last.count + count, last.mass + mass)
        return (*masses[: place - 1], changed, *masses[place:])
    return (*masses[:place], Mass(month, signal, count, mass), *masses[place:])


def take(masses: Masses, signal: str, month: int, mass: float, count: int = 1) -> Masses:
    """Mass taken from the month where it was put: at most all of it, and nothing where none is."""
    out = []
    for each in masses:
        if each.month != month or each.signal != signal:
            out.append(each)
        elif each.count > count:
            out.append(Mass(month, signal, each.count - count, max(each.mass - mass, 0.0)))
    return tuple(out)


def joined(one: Masses, two: Masses) -> Masses:
    """The evidence of both."""
    for each in two:
        one = put(one, each.signal, each.month, each.mass, each.count)
    return one


def live(masses: Masses, now_ms: int) -> Masses:
    """Those that are young enough to count at all."""
    oldest = month_of(now_ms) - DROPPED_AFTER_MONTHS
    if all(each.month > oldest for each in masses):
        return masses
    return tuple(each for each in masses if each.month > oldest)


class Worth:
    """What one unit of mass is worth at a moment, by month and signal: computed once each.

    ``now_ms`` is not before the arrival of the evidence. A month that is still to come counts as
    now: each of its events is one.
    """

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
            unit = known.get((each.month, each.signal))
            if unit is not None:
                total += unit * each.mass
            else:
                total += self._first(each)
        return total

    def of_each(self, evidence: Mapping[str, Masses]) -> dict[str, float]:
        """The same for several values; those without any live evidence are left out."""
        found = {value: self.of(masses) for value, masses in evidence.items()}
        return {value: weight for value, weight in found.items() if weight != 0.0}

    def _first(self, each: Mass) -> float:
        spec = self._signals.get(each.signal)
        if spec is not None and each.month > self._now_month:
            return spec.weight * each.count
        unit = 0.0 if spec is None else self._unit(each.month, spec)
        self._known[each.month, each.signal] = unit
        return unit * each.mass

    def _unit(self, month: int, spec: SignalSpec) -> float:
        left = age_factor(self._now_month - month, self._factor)
        days = (self._now_ms - _start_ms(month)) / MS_PER_DAY
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
    return worth.of_each(profile.interests.get(attribute, {}))


def trait_weight(
    trait: Trait, spec: TraitSpec, now_ms: int, evidence: float, readiness_half: float
) -> float:
    """How far a declared trait still speaks, in [0, 1]: less with age, less with behaviour."""
    if trait.at_ms < oldest_ms(now_ms):
        return 0.0
    days = max(now_ms - trait.at_ms, 0) / MS_PER_DAY
    fresh = 2.0 ** -(days / spec.half_life_days)
    return float(fresh * (1.0 - readiness(evidence, readiness_half)))


def readiness(evidence: float, half: float) -> float:
    """How far the personal part is trusted, in [0, 1): a half at ``half`` positive interactions."""
    return evidence / (evidence + half) if evidence > 0 else 0.0
