"""From ranked candidates to filled positions: pins, the diversity quota, exploration with true propensities.

The policy is simple enough that its probabilities are exact, not estimated. With the positions before
it given, a position holds

* a pinned or a diverse item with probability 1 (they are chosen without chance);
* at an explorable position, with the exploration share ``e`` and a pool of ``m`` items that are left:
  the best ranked item that is left with ``1 - e``, and each item of the pool with ``e / m``;
* elsewhere the best ranked item that is left, with probability 1.

A diverse item stands where it ranks; one that would not be shown otherwise takes one of the last places, where
it costs the least. So a list that has enough of them as it is ranked keeps its order.

The pool never holds an item that the ranking would have shown, so no item has two ways to a place; nor
one that the person turned down: where only such are left, nothing explores.
"""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from dataclasses import dataclass
from random import Random

import msgspec

from germane.domain.decision import Slot
from germane.domain.profile import QuotaCount
from germane.predict.rules import Pin

MIN_PROPENSITY = 1e-3
"""No exploring pick is rarer than this, so that its weight in later estimates stays bounded."""
MAX_POOL = 20
_ROUNDING = 1e-9


class Row(msgspec.Struct, frozen=True, gc=False):
    """A ranked, eligible candidate."""

    item_id: str
    category: str
    adjacent: bool
    """Of a category that is related to what is known of the person, and not yet engaged with."""
    index: int
    """The caller's own handle."""
    turned_down: bool = False
    """By this person: never explored, and diverse only where nothing else is."""


class Placed(msgspec.Struct, frozen=True, gc=False):
    """One filled position."""

    row: Row
    position: int
    propensity: float
    slot: Slot


@dataclass(frozen=True, slots=True)
class Policy:
    """What the surface asks of a slate."""

    size: int
    quota: float
    exploration: float
    explore_from: int


def arrange(
    rows: Sequence[Row], policy: Policy, *, pins: Sequence[Pin], served: QuotaCount, seed: int
) -> tuple[list[Placed], int]:
    """Fill the positions.

    Args:
        rows: Eligible candidates, best first, no item twice.
        policy: Size, quota and exploration of the surface.
        pins: Items with a fixed place; one that is not among ``rows`` is not eligible, and left out.
        served: What this person was served here before: the quota holds over time, not only now.
        seed: All chance comes from it.

    Returns:
        Filled positions in order, and how many slots had to be diverse and could not be.
    """
    size = min(policy.size, len(rows))
    pinned = _pinned(rows, pins, size)
    taken = {row.item_id for row in pinned.values()}
    free = [row for row in rows if row.item_id not in taken]
    open_slots = size - len(pinned)
    due = quota_due(served, size, policy.quota)
    kept, added, short = _diverse(free[:open_slots], free[open_slots:], due)
    reserved = {row.item_id for row in (*kept, *added)}
    ranked = [row for row in free if row.item_id not in reserved]
    places = [position for position in range(size) if position not in pinned]
    diverse = _standing(free[:open_slots], reserved, added, places)
    return _fill(ranked, diverse, pinned, size, policy, Random(seed)), short  # noqa: S311 - seeded, to be replayed


def quota_due(served: QuotaCount, size: int, share: float) -> int:
    """Diverse slots that the next slate of ``size`` owes, so that over all slates together at least
    ``share`` of the slots are diverse. What could not be met before is not owed again."""
    owed = share * (served.slots + size) - served.diverse - served.short
    return max(0, min(size, math.ceil(owed - _ROUNDING)))


def _pinned(rows: Sequence[Row], pins: Sequence[Pin], size: int) -> dict[int, Row]:
    if not pins:
        return {}
    by_id = {row.item_id: row for row in rows}
    placed: dict[int, Row] = {}
    for pin in pins:
        row = by_id.pop(pin.item_id, None)
        if row is not None and pin.position < size and pin.position not in placed:
            placed[pin.position] = row
    return placed


def _diverse(top: Sequence[Row], rest: Sequence[Row], due: int) -> tuple[list[Row], list[Row], int]:
    """Adjacent items to reserve a slot for: the lowest of those that rank into the slate by themselves; then
    the best of the rest; and how many are missing all the same."""
    adjacent = [row for row in top if row.adjacent]
    missing = due - len(adjacent)
    if missing <= 0:
        last = sorted(adjacent, key=lambda row: not row.turned_down)
        return last[len(last) - due :], [], 0
    room = len(top) - len(adjacent)
    added = _spread([row for row in rest if row.adjacent], adjacent, min(missing, room))
    return adjacent, added, missing - len(added)


def _standing(
    top: Sequence[Row], reserved: Container[str], added: Sequence[Row], places: Sequence[int]
) -> dict[int, Row]:
    """Position -> the diverse item there: where it ranks among the best, behind whom those that are added to
    them take the last places, of the lowest that are not diverse."""
    others = len(top) - len(added) - sum(row.item_id in reserved for row in top)
    order: list[Row] = []
    for row in top:
        if row.item_id in reserved:
            order.append(row)
        elif others:
            order.append(row)
            others -= 1
    order += added
    return {at: row for at, row in zip(places, order, strict=True) if row.item_id in reserved}


def _spread(candidates: Sequence[Row], kept: Sequence[Row], count: int) -> list[Row]:
    """The best ``count``, one of each category first; what was turned down after all others."""
    used = {row.category for row in kept}
    first: list[Row] = []
    again: list[Row] = []
    for row in candidates:
        (again if row.category in used else first).append(row)
        used.add(row.category)
    return sorted(first + again, key=lambda row: row.turned_down)[:count]


def _fill(
    ranked: Sequence[Row],
    diverse: dict[int, Row],
    pinned: dict[int, Row],
    size: int,
    policy: Policy,
    chance: Random,
) -> list[Placed]:
    """Walk the positions. Those of pinned and diverse items are given."""
    own = size - len(pinned) - len(diverse)
    left = [row for row in ranked[own:] if not row.turned_down]
    pool = left[: pool_size(policy.exploration)]
    queue = iter(ranked)
    placed = []
    for position in range(size):
        if position in pinned:
            placed.append(Placed(pinned[position], position, 1.0, "pinned"))
        elif position in diverse:
            placed.append(Placed(diverse[position], position, 1.0, "diverse"))
        elif position < policy.explore_from or not pool or policy.exploration <= 0:
            placed.append(Placed(next(queue), position, 1.0, "relevant"))
        elif chance.random() < policy.exploration:
            propensity = policy.exploration / len(pool)
            row = pool.pop(int(chance.random() * len(pool)))
            placed.append(Placed(row, position, propensity, "explore"))
        else:
            placed.append(Placed(next(queue), position, 1.0 - policy.exploration, "relevant"))
    return placed


def pool_size(exploration: float) -> int:
    """Items that the exploring slots of a slate choose among."""
    return min(MAX_POOL, int(exploration / MIN_PROPENSITY + _ROUNDING))
