"""Interests per declared attribute: which values a person's interactions speak for or against."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from germane.domain import decay
from germane.domain.event import Interaction
from germane.domain.item import Item
from germane.domain.settings import Settings, SignalSpec
from germane.profile import bounds

Interests = dict[str, dict[str, decay.Masses]]
_Said = dict[tuple[str, int], dict[tuple[str, str], int]]


def told(
    known: Interests,
    new: Sequence[Interaction],
    item_of: Callable[[str], Item | None],
    settings: Settings,
    now_ms: int,
) -> Interests:
    """Interests after new interactions. What one event says of one value is added in one go."""
    after = dict(known)
    touched: set[str] = set()
    for (signal, at_ms), amounts in _said(new, item_of, settings).items():
        month, unit = decay.grown(at_ms, settings.signals[signal].half_life_days)
        for (name, value), amount in amounts.items():
            if name not in touched:
                touched.add(name)
                after[name] = dict(after.get(name, {}))
            values = after[name]
            values[value] = decay.put(values.get(value, ()), signal, month, amount * unit, amount)
    for name in touched:
        if len(after[name]) > settings.profile.values_per_attribute:
            after[name] = bounded(after[name], settings, now_ms)
    return after


def _said(
    new: Sequence[Interaction], item_of: Callable[[str], Item | None], settings: Settings
) -> _Said:
    """(signal, time) -> (attribute, value) -> how many times it was said; below 0: taken back."""
    tracked = [each.name for each in settings.attributes.values() if each.interest]
    said: _Said = {}
    for each in new:
        item = item_of(each.item_id)
        if item is None:
            continue
        signal, amount = direction(each.signal, settings.signals)
        amounts = said.get((signal, each.at_ms))
        if amounts is None:
            amounts = said[signal, each.at_ms] = {}
        for name in tracked:
            for value in item.values_of(name):
                amounts[name, value] = amounts.get((name, value), 0) + amount
    return said


def direction(signal: str, signals: Mapping[str, SignalSpec]) -> tuple[str, int]:
    """A signal that takes another one back counts against that one's evidence, one for one."""
    cancels = signals[signal].cancels
    return (cancels, -1) if cancels and cancels in signals else (signal, 1)


def bounded(
    values: dict[str, decay.Masses], settings: Settings, now_ms: int
) -> dict[str, decay.Masses]:
    """Not too many values of one attribute: those with the most evidence left at ``now_ms``."""
    limits = settings.profile
    worth = decay.Worth(settings.signals, now_ms, limits.beyond_year_factor)
    return bounds.values(values, limits.values_per_attribute, worth)
