"""What takes back what: the arithmetic of purchases and refunds of one item.

A refund that names an order takes from what that order bought, and from nothing else that names its
order or none. Any other takes
from the last purchase before it. Both take as many pieces as they say; a purchase is taken back when
no piece of it is left. What finds nothing takes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from germane.domain.event import Interaction
from germane.domain.settings import SignalSpec

Signals = Mapping[str, SignalSpec]
Taken = Counter[tuple[str, int]]
"""(signal, time in ms) of what was taken back -> how often; below 0 in a difference: given back."""

WHOLE = float("inf")
"""Pieces of what was bought long ago, and of a refund that tells no quantity: the purchase as a whole."""
LEAST = 1e-9
"""Pieces below this are none."""


class Mark(NamedTuple):
    """Something that may be taken back, or that takes back. Marks sort by the order of time."""

    at_s: int
    takes: bool
    """Of one second, what is taken back comes first."""
    at_ms: int
    signal: str
    """What was done, or what is taken back; empty where only the time is remembered."""
    repeat: bool
    """Whether that signal counts in the history with the item."""
    order: int = 0
    """The order that it is of, or takes back from; 0: none is named."""
    pieces: float = WHOLE


class Pairs(NamedTuple):
    """Marks of one item, paired."""

    times_s: list[int]
    """Of what counts in the history with the item, and was not taken back."""
    taken: Taken
    """What was taken back as a whole."""
    idle: Counter[Mark]
    """Marks that found nothing to take."""
    pieces: dict[Mark, float]
    """How many pieces of each purchase were taken back, where any were. Equal marks are one."""
    takes: dict[tuple[Mark, Mark], float]
    """(what takes, purchase) -> pieces; the sums of ``pieces``, one by one."""


def paired(found: Iterable[Mark], orders: Collection[int] = ()) -> Pairs:
    """Pair the marks of one item.

    Args:
        found: In any order.
        orders: Keys of orders that were counted: a refund of one whose purchase is not remembered with
            its order takes the last of which only the time is known.
    """
    ordered = sorted(found)
    bought = [mark for mark in ordered if not mark.takes]
    left = [mark.pieces for mark in bought]
    pairs = Pairs([], Counter(), Counter(), {}, {})
    takers = [mark for mark in ordered if mark.takes]
    for mark in sorted(takers, key=lambda each: not each.order):  # those that name an order first
        taken = _take(mark, bought, left, orders)
        if not taken:
            pairs.idle[mark] += 1
        for place, pieces in taken:
            key = mark, bought[place]
            pairs.takes[key] = pairs.takes.get(key, 0.0) + pieces
            if left[place] <= 0:
                pairs.taken[mark.signal, bought[place].at_ms] += 1
    for mark, rest in zip(bought, left, strict=True):
        if mark.repeat and rest > 0:
            pairs.times_s.append(mark.at_s)
        if rest < mark.pieces:
            pairs.pieces[mark] = pairs.pieces.get(mark, 0.0) + mark.pieces - rest
    return pairs


def marks(item_id: str, interactions: Iterable[Interaction], signals: Signals) -> list[Mark]:
    """What interactions with an item may take back, or have taken back."""
    reversible = reversible_in(signals)
    found = []
    for each in interactions:
        spec = signals.get(each.signal) if each.item_id == item_id else None
        if spec is None:
            continue
        meant = cancelled(spec, signals)
        if meant is not None or spec.repeat or spec.name in reversible:
            found.append(_mark(each, spec, meant))
    return found


def cancelled(spec: SignalSpec, signals: Signals) -> SignalSpec | None:
    """The signal that this one takes back."""
    return signals.get(spec.cancels) if spec.cancels else None


def reversible_in(signals: Signals) -> set[str]:
    """Names of the signals that another one takes back."""
    return {spec.cancels for spec in signals.values() if spec.cancels}


def _mark(each: Interaction, spec: SignalSpec, meant: SignalSpec | None) -> Mark:
    takes, of = meant is not None, meant or spec
    if takes:
        pieces = each.quantity if spec.quantity and of.quantity else WHOLE
    else:
        pieces = each.quantity if spec.quantity and each.quantity > 0 else 1.0
    return Mark(each.at_ms // 1000, takes, each.at_ms, of.name, of.repeat, each.order, pieces)


def _take(
    mark: Mark, bought: list[Mark], left: list[float], orders: Collection[int]
) -> list[tuple[int, float]]:
    """Take what one mark takes from what is ``left``; from which it took how many pieces."""
    rest = mark.pieces
    taken: list[tuple[int, float]] = []
    for place in _places(mark, bought, orders):
        if rest <= LEAST:
            break
        if left[place] <= 0:
            continue
        if WHOLE in (mark.pieces, left[place]):  # one purchase, whatever its pieces
            taken.append((place, left[place]))
            left[place] = rest = 0.0
        else:
            pieces = min(rest, left[place])
            taken.append((place, pieces))
            rest -= pieces
            left[place] = left[place] - pieces if left[place] - pieces > LEAST else 0.0
    return taken


def _places(mark: Mark, bought: list[Mark], orders: Collection[int]) -> list[int]:
    """What a mark may take from, the latest first."""
    fitting = [
        place
        for place in reversed(range(len(bought)))
        if bought[place].repeat == mark.repeat and bought[place].signal in (mark.signal, "")
    ]
    if mark.order:
        named = [place for place in fitting if bought[place].order == mark.order]
        if named:
            return named
        fitting = [place for place in fitting if not bought[place].signal and mark.order in orders]
    return [place for place in fitting if bought[place] < mark]
