"""What keeps a profile small: how many of each are kept, and which go first."""

from __future__ import annotations

from germane.domain.decay import Masses, live
from germane.domain.event import Interaction
from germane.domain.months import DROPPED_AFTER_MONTHS, month_of, month_start_ms
from germane.domain.profile import Exposure, OwnItem

TIMES = 8
"""Times kept of each own item."""
ORDERS = 50


def oldest_ms(now_ms: int) -> int:
    """The first moment that may still count: 23 to 24 months ago, at the beginning of a month."""
    return month_start_ms(month_of(now_ms) - DROPPED_AFTER_MONTHS + 1)


def values(kept: dict[str, Masses], limit: int) -> dict[str, Masses]:
    """The ``limit`` values with the newest, then the most evidence; looked at a tenth beyond it."""
    if len(kept) <= limit + limit // 10:
        return kept
    best = sorted(kept, key=lambda value: _standing(value, kept[value]), reverse=True)[:limit]
    chosen = set(best)
    return {value: masses for value, masses in kept.items() if value in chosen}


def own(kept: dict[str, OwnItem], limit: int) -> dict[str, OwnItem]:
    """The ``limit`` items that were touched last (ties by how often, then by id); likewise."""
    if len(kept) <= limit + limit // 10:
        return kept
    best = sorted(kept, key=lambda key: (kept[key].last_s, kept[key].count, key), reverse=True)
    chosen = set(best[:limit])
    return {key: item for key, item in kept.items() if key in chosen}


def recent(kept: tuple[Interaction, ...], limit: int, now_ms: int) -> tuple[Interaction, ...]:
    """The newest ``limit`` that are not too old."""
    kept = kept[-limit:]
    oldest = oldest_ms(now_ms)
    if kept and kept[0].at_ms < oldest:
        return tuple(each for each in kept if each.at_ms >= oldest)
    return kept


def exposures(
    kept: tuple[Exposure, ...], limit: int, window_s: int, now_ms: int
) -> tuple[Exposure, ...]:
    """The newest ``limit`` whose longest attribution window is not over."""
    first = now_ms - window_s * 1000
    return tuple(each for each in kept if each.at_ms >= first)[-limit:]


def fresh(kept: dict[str, Masses], now_ms: int) -> dict[str, Masses]:
    """Without evidence that is too old, and without values that have none left."""
    out = {value: live(masses, now_ms) for value, masses in kept.items()}
    return {value: masses for value, masses in out.items() if masses}


def _standing(value: str, masses: Masses) -> tuple[int, float, str]:
    return (masses[-1].month, sum(abs(each.mass) for each in masses), value)
