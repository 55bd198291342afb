"""The person's side of a ranking: interests and own items as arrays, read once a question."""

from __future__ import annotations

from itertools import chain, islice

import numpy as np
import numpy.typing as npt

from germane.domain import decay
from germane.domain.had import Had
from germane.domain.profile import OwnItem, Profile
from germane.domain.settings import Settings
from germane.domain.speaking import Speech
from germane.predict.state import State

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.intp]

DAY_S = 86_400.0
OWN_RECENT_DAYS, OWN_LASTING_DAYS = 30.0, 180.0
RECENT = 12
"""How many of the latest distinct items ask for what goes with them."""
VISIT_DECAYS = {"80": 0.8, "90": 0.9, "95": 0.95, "98": 0.98}
"""How much a visit counts against the one after it."""
USUAL = 30
"""How many of the most had items ask the same."""
HISTORY = 200
"""How many of the latest had foretell an item."""
MIN_PRICE_SPREAD = 0.35
NEVER_DAYS = 1e4
"""Age of what never was."""


class OwnItems:
    """What a person had before, one row an item."""

    def __init__(self, profile: Profile, state: State, now_s: float) -> None:
        index = state.index
        kept = [
            (number, own)
            for item_id, own in profile.own_items.items()
            if own.count > 0
            and (number := index.get(item_id)) is not None
            and not (own.rejected_s and turned_down(own))
        ]
        self.numbers = [number for number, _ in kept]
        self.first_days = 0.0
        """Days since the first of all."""
        if not kept:
            return
        lengths = np.array([len(own.times_s) for _, own in kept])
        starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
        times = np.array(list(chain.from_iterable(own.times_s for _, own in kept)), dtype=float)
        moments, visit = np.unique(times, return_inverse=True)  # most things are had among others
        ages = np.maximum(now_s - moments, 0.0) / DAY_S
        self.count: Floats = np.array([own.count for _, own in kept], dtype=float)
        recent, lasting = np.exp2(ages / -OWN_RECENT_DAYS), np.exp2(ages / -OWN_LASTING_DAYS)
        self.recent: Floats = np.add.reduceat(recent[visit], starts)
        self.lasting: Floats = np.add.reduceat(lasting[visit], starts)
        self.visit_share = _visit_shares(visit, len(moments), starts)
        last, first = ages[visit[starts + lengths - 1]], ages[visit[starts]]
        self.first_days = float(first.max())
        self.gap_days: Floats = last
        self.interval_days: Floats = (first - last) / np.maximum(lengths - 1, 1)
        self.regular = (lengths > 1) & (self.interval_days > 0.5)


def _visit_shares(
    visit: npt.NDArray[np.intp], count: int, starts: npt.NDArray[np.intp]
) -> dict[str, Floats]:
    """For each decay, the share of visits at which each item was had, in [0, 1].

    A visit is a moment at which anything was had. The weights of all visits sum to 1.

    Args:
        visit: Numbers of the visits at which something was had, item by item.
        count: How many visits there were.
        starts: Where each item begins in ``visit``.
    """
    shares = {}
    for name, fading in VISIT_DECAYS.items():
        weights = fading ** np.arange(count - 1, -1, -1)
        shares[name] = np.add.reduceat(weights[visit], starts) / weights.sum()
    return shares


class Person:
    """Everything about one person that a ranking needs."""

    def __init__(self, profile: Profile, state: State, settings: Settings, at_ms: int) -> None:
        self.profile = profile
        self.at_ms = at_ms
        self.speech = Speech(profile, settings, at_ms)
        self.muted = profile.muted.now(at_ms)
        self.own = OwnItems(profile, state, at_ms / 1000)
        self.had = profile.had
        """What was had longer ago."""
        worth = decay.Worth(settings.signals, at_ms, settings.profile.beyond_year_factor)
        self.interests = {
            name: _shares(worth.of_each(profile.interests.get(name, {}))) for name in state.tracked
        }
        self.declared = self._declared(settings)
        self.vectors = {
            name: state.kinds[name].vector(shares) for name, shares in self.interests.items()
        }
        """The same by the number of the value."""
        self.turned_to = [each for each in profile.recent if each.signal in state.liking]
        """The latest interactions that speak for their item: what was turned down leads nowhere."""
        self._last_ms = self._last_turned_to(state)
        self.latest = self._latest(state)
        self.usual = self._usual()
        times = [each.at_ms for each in profile.recent]
        self.visits = float(max(len(set(times)), 1))
        self.away_days = max(at_ms - max(times, default=at_ms), 0) / (DAY_S * 1000)
        self.known_days = max(
            self.own.first_days, (at_ms - min(times, default=at_ms)) / (DAY_S * 1000)
        )
        """Days since the first interaction that is still kept."""
        self.category_age_days = self._category_ages(state)
        self.met = self._met(state)
        spread = (profile.price.m2 / profile.price.count) ** 0.5 if profile.price.count > 1 else 1.0
        self.price_mean = profile.price.mean if profile.price.count else None
        self.price_spread = max(spread, MIN_PRICE_SPREAD)
        self.history = self._history()
        """Numbers of the items that the person had, the latest first."""
        if "repeat" in self.muted.sources:  # what goes with them may speak all the same
            self.own = OwnItems(Profile(profile.person), state, at_ms / 1000)
            self.had = {}

    def _declared(self, settings: Settings) -> dict[str, dict[str, float]]:
        """attribute -> value -> weight, from declared traits."""
        found: dict[str, dict[str, float]] = {}
        for name, trait in self.profile.traits.items():
            spec = settings.traits.get(name)
            if spec is None or not spec.attribute:
                continue
            weight = decay.trait_weight(
                trait, spec, self.at_ms, self.profile.evidence, settings.profile.readiness_half
            )
            said = trait.value if isinstance(trait.value, list | tuple) else (trait.value,)
            for each in said:
                for value in spec.values.get(str(each), (str(each),)):
                    into = found.setdefault(spec.attribute, {})
                    into[value] = max(into.get(value, 0.0), weight)
        return found

    def _latest(self, state: State) -> list[tuple[int, float]]:
        """Latest distinct items, newest first, each with a weight that falls with its place."""
        latest = islice(reversed(self._last_ms), RECENT)
        return [(number, 0.9**place) for place, number in enumerate(latest)]

    def _last_turned_to(self, state: State) -> dict[int, int]:
        """Item number -> when it was turned to last, ms; in that order."""
        last: dict[int, int] = {}
        for each in self.turned_to:
            number = state.index.get(each.item_id)
            if number is not None:
                last.pop(number, None)
                last[number] = each.at_ms
        return last

    def _usual(self) -> list[tuple[int, float]]:
        """What the person has had most and not long ago, each with a weight up to 1."""
        if not self.own.numbers:
            return []
        order = np.argsort(-self.own.lasting, kind="stable")[:USUAL].tolist()
        top = float(self.own.lasting[order[0]]) or 1.0
        return [(self.own.numbers[n], (float(self.own.lasting[n]) / top) ** 0.5) for n in order]

    def _history(self) -> Numbers:
        if not self.own.numbers:
            return np.zeros(0, dtype=np.intp)
        order = np.argsort(self.own.gap_days, kind="stable")[:HISTORY]
        return np.array(self.own.numbers, dtype=np.intp)[order]

    def _category_ages(self, state: State) -> Floats:
        """Days since the person last had to do with each category, shape (categories,)."""
        kinds, last = state.kinds[state.diversity], self._last_ms
        ages = np.full(len(kinds.names), NEVER_DAYS)
        if last:
            of = kinds.of[list(last)]
            days = np.maximum(self.at_ms - np.array(list(last.values())), 0) / (DAY_S * 1000)
            np.minimum.at(ages, of, days)
        return ages

    def _met(self, state: State) -> npt.NDArray[np.bool_]:
        """Categories that the person ever had to do with, shape (categories,)."""
        kinds = state.kinds[state.diversity]
        met = self.category_age_days < NEVER_DAYS
        met[0] = True  # an item of no category is never something new
        for value in self.profile.interests.get(state.diversity, ()):
            met[kinds.numbers.get(value, 0)] = True
        met[kinds.of[self.own.numbers]] = True
        return met


def had_before(keys: npt.NDArray[np.uint32], had: Had) -> npt.NDArray[np.bool_]:
    """Which of some items (``State.keys``) were had longer ago, shape (n,)."""
    if not had:
        return np.zeros(len(keys), dtype=bool)
    known = np.sort(np.frombuffer(b"".join(had.values()), dtype=np.uint32))
    place = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    found: npt.NDArray[np.bool_] = known[place] == keys
    return found


def turned_down(own: OwnItem) -> bool:
    """Whether the last thing that the person did with the item speaks against it."""
    return own.rejected_s > 0 and own.rejected_s >= own.last_s


def _shares(weights: dict[str, float]) -> dict[str, float]:
    """Positive interests as shares of their sum."""
    positive = {value: weight for value, weight in weights.items() if weight > 0}
    total = sum(positive.values())
    return {value: weight / total for value, weight in positive.items()} if total > 0 else {}
