"""How good a list was, given what the person then chose."""

from __future__ import annotations

import math
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple


class Scores(NamedTuple):
    """Of one list. Each is in [0, 1]."""

    hit: float
    """1 if anything in the list was chosen."""
    ndcg: float
    """Normalised discounted cumulative gain with binary gains (Järvelin & Kekäläinen 2002)."""
    mrr: float
    """1 / place of the first that was chosen, 0 if none was."""
    share: float
    """Share of the chosen that were in the list."""


def score(slate: Sequence[str], chosen: AbstractSet[str], size: int) -> Scores:
    """Judge a list by its first ``size`` places.

    Args:
        slate: Item ids, best first, none twice.
        chosen: What was then chosen; at least one.
        size: Places that count.
    """
    places = [place for place, item in enumerate(slate[:size]) if item in chosen]
    if not places:
        return Scores(0.0, 0.0, 0.0, 0.0)
    gained = math.fsum(_gain(place) for place in places)
    ideal = math.fsum(_gain(place) for place in range(min(len(chosen), size)))
    return Scores(1.0, gained / ideal, 1 / (places[0] + 1), len(places) / len(chosen))


def _gain(place: int) -> float:
    return 1 / math.log2(place + 2)
