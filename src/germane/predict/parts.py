"""The blend taken apart: what each source alone would show, and what the blend would without it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from germane.domain.item import Item
from germane.domain.profile import Profile
from germane.domain.settings import Settings
from germane.predict.candidates import Candidates
from germane.predict.features import COLUMN, MEMBERS, SOURCES
from germane.predict.person import Person
from germane.predict.state import State

Floats = npt.NDArray[np.float64]

NATURAL = {
    "repeat": "own_recent_log",
    "covisitation": "together",
    "sequence": "followed",
    "linear": "linear",
    "interests": "category_pull",
    "trending": "popular_fast",
    "bestsellers": "popular_slow",
    "declared": "declared",
    "new": "new",
}
"""Source -> the feature that orders candidates by it alone; ties fall to what is popular in weeks."""
FILL = COLUMN["popular_mid"]


class Parts(NamedTuple):
    """What one person would have been shown."""

    alone: dict[str, list[str]]
    """Source -> item ids, best first."""
    without: dict[str, list[str]]
    """Source -> the blend's list when it may not use what the source says."""
    blend: list[str]
    """The blend's own list, without trees."""
    mass: float
    """What the blend believes of the list it was asked about: the chance, in [0, 1], that a choice among
    its candidates falls into it (softmax over the scores)."""
    candidates: frozenset[str]
    met: frozenset[str]
    """Categories that the person had to do with before."""


def parts(
    state: State,
    settings: Settings,
    profile: Profile,
    weights: Floats,
    *,
    at_ms: int,
    readiness: float,
    test: Callable[[Item], bool],
    shown: frozenset[str],
    size: int,
) -> Parts:
    """Take the blend apart for one person at one time.

    Args:
        state: What all people taught.
        settings: The declaration.
        profile: The person.
        weights: The blend's, shape (features,).
        at_ms: When.
        readiness: How far the personal part is trusted, in [0, 1).
        test: Whether an item may be shown.
        shown: The list whose chance is asked for.
        size: Length of each list.
    """
    person = Person(profile, state, settings, at_ms)
    found = Candidates(state, person, readiness)
    features = found.matrix()
    ids = [state.ids[number] for number in found.numbers.tolist()]
    may = np.array([_may(state.items[number], test) for number in found.numbers], dtype=bool)
    centred = features - features.mean(axis=0) if len(features) else features
    by_source = (centred * weights) @ MEMBERS
    scores = by_source.sum(axis=1)

    def best(values: Floats) -> list[str]:
        rows = np.flatnonzero(may)
        order = rows[np.lexsort((-features[rows, FILL], -values[rows]))]
        return [ids[row] for row in order[:size].tolist()]

    alone = {source: best(features[:, COLUMN[name]]) for source, name in NATURAL.items()}
    without = {
        source: best(scores - by_source[:, place])
        for place, source in enumerate(SOURCES)
        if source in NATURAL
    }
    kinds = state.kinds[state.diversity]
    met = frozenset(kinds.names[number] for number in np.flatnonzero(person.met).tolist())
    mass = _mass(scores[may], [ids[row] in shown for row in np.flatnonzero(may).tolist()])
    return Parts(alone, without, best(scores), mass, frozenset(ids), met)


def _may(item: Item | None, test: Callable[[Item], bool]) -> bool:
    return item is not None and test(item)


def _mass(scores: Floats, inside: list[bool]) -> float:
    if not len(scores):
        return 0.0
    chances = np.exp(scores - scores.max())
    return float(chances[np.array(inside)].sum() / chances.sum())
