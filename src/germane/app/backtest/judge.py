"""From the rows of a replay to findings."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from germane.app.backtest.findings import (
    Answer,
    Bin,
    Kind,
    Newcomers,
    Quota,
    Row,
    Source,
    Step,
    Verdict,
)
from germane.app.backtest.plan import QUOTAS
from germane.app.backtest.replay import (
    ALONE,
    BLEND,
    NO_TRAITS,
    OF_NEW,
    OF_SEEN,
    PERSONAL,
    QUOTA,
    WITHOUT,
    Replay,
)
from germane.measure.bootstrap import Estimate, Floats, Mask, People
from germane.measure.sheet import Sheet
from germane.predict.parts import NATURAL
from germane.train.rivals import BROADCAST, RULES

STEPS: tuple[tuple[int, int | None], ...] = (
    (0, 0),
    (1, 1),
    (2, 4),
    (5, 9),
    (10, 19),
    (20, None),
)
"""Earlier interactions, from and to."""
MARGIN = 0.01
"""A gain below one more hit in a hundred is no reason to personalise ..."""
MARGIN_SHARE = 0.05
"""... nor one below a twentieth of what the best list for everyone has."""
ENOUGH_ROWS = 100
BINS = 8


class Judge:
    """Reads one replay."""

    def __init__(self, replay: Replay) -> None:
        self.replay = replay
        self.sheet: Sheet = replay.sheet
        self.people = People(self.sheet.people)

    # -- reading ---------------------------------------------------------------------------------

    def mean(self, name: str, metric: str, among: Mask | None = None) -> Estimate:
        """Mean of a list's metric."""
        return self.people.mean(self.sheet.score(name, metric), among)

    def less(self, name: str, other: str, metric: str, among: Mask | None = None) -> Estimate:
        """Mean difference of two lists, paired."""
        values = self.sheet.score(name, metric) - self.sheet.score(other, metric)
        return self.people.mean(values, among)

    def best(self, names: Sequence[str], metric: str, among: Mask | None = None) -> str:
        """The list with the highest mean; the first of equals."""
        return max(names, key=lambda name: self.mean(name, metric, among).value)

    # -- findings --------------------------------------------------------------------------------

    def answer(self) -> Answer:
        """Personal or not."""
        broadcast, rule = self.best(BROADCAST, "hit"), self.best(RULES, "hit")
        difference = self.less(PERSONAL, broadcast, "hit")
        base = self.mean(broadcast, "hit")
        return Answer(
            verdict=verdict(difference, base.value),
            personal=self.mean(PERSONAL, "hit"),
            broadcast=base,
            difference=difference,
            broadcast_name=broadcast,
            rule=self.mean(rule, "hit"),
            rule_name=rule,
            rule_difference=self.less(PERSONAL, rule, "hit"),
        )

    def steps(self) -> tuple[Step, ...]:
        """The readiness curve."""
        earlier = self.sheet.fact("earlier")
        useful = self.sheet.fact("useful_traits") > 0
        found = []
        for low, high in STEPS:
            among = (earlier >= low) & (earlier <= (np.inf if high is None else high))
            if among.any():
                found.append(self._step(low, high, among, among & useful))
        return tuple(found)

    def _step(self, low: int, high: int | None, among: Mask, told: Mask) -> Step:
        broadcast = self.best(BROADCAST, "hit", among)
        part = self.best(self.part_names(), "ndcg", among)
        label = str(low) if high == low else f"{low}+" if high is None else f"{low}–{high}"
        return Step(
            label=label,
            earlier_min=low,
            earlier_max=high,
            personal=self.mean(PERSONAL, "hit", among),
            broadcast=self.mean(broadcast, "hit", among),
            broadcast_name=broadcast,
            difference=self.less(PERSONAL, broadcast, "hit", among),
            ndcg=self.mean(PERSONAL, "ndcg", among),
            part_name=part,
            part_ndcg=self.mean(part, "ndcg", among),
            part_difference=self.less(PERSONAL, part, "ndcg", among),
            with_traits=self.mean(PERSONAL, "ndcg", told),
            traits_gain=self.less(PERSONAL, NO_TRAITS, "ndcg", told),
        )

    def part_names(self) -> list[str]:
        """What the blend is made of and must not be worse than: single sources, and simple lists."""
        return [*(ALONE + source for source in NATURAL), *BROADCAST, *RULES]

    def lists(self) -> tuple[Row, ...]:
        """Every whole list, best first."""
        names = (PERSONAL, *BROADCAST, *RULES)
        rows = [
            Row(
                name,
                self.mean(name, "hit"),
                self.mean(name, "ndcg"),
                self.mean(name, "mrr"),
                self.less(PERSONAL, name, "ndcg"),
            )
            for name in names
        ]
        return tuple(sorted(rows, key=lambda row: -row.ndcg.value))

    def sources(self) -> tuple[Source, ...]:
        """What each source carries, the most first."""
        parts = self.replay.tally.sources
        total = sum(parts.values()) or 1.0
        found = [
            Source(
                name,
                parts[name] / total,
                self.mean(ALONE + name, "ndcg"),
                self.less(BLEND, ALONE + name, "ndcg"),
                self.less(BLEND, WITHOUT + name, "ndcg"),
            )
            for name in NATURAL
        ]
        return tuple(sorted(found, key=lambda each: -each.share))

    def kinds(self) -> tuple[Kind, ...]:
        """Choices of what people had, and of what was new to them."""
        new, chosen = self.sheet.fact("new").sum(), self.sheet.fact("chosen").sum()
        share = float(new / chosen) if chosen else 0.0
        found = []
        for name, ending, part in (
            ("had before", OF_SEEN, 1 - share),
            ("new to the person", OF_NEW, share),
        ):
            if part > 0:
                broadcast = self.best([each + ending for each in BROADCAST], "hit")
                rule = self.best([each + ending for each in RULES], "hit")
                found.append(
                    Kind(
                        name,
                        part,
                        self.mean(PERSONAL + ending, "hit"),
                        self.mean(broadcast, "hit"),
                        self.mean(rule, "hit"),
                        rule.removesuffix(ending),
                    )
                )
        return tuple(found)

    def only_new(self) -> tuple[Estimate, Estimate] | None:
        """Lists of new things only."""
        personal = self.mean("new/personal", "hit")
        if not personal.n:
            return None
        best = self.best([f"new/{each}" for each in BROADCAST], "hit")
        return personal, self.mean(best, "hit")

    def quotas(self) -> tuple[Quota, ...]:
        """What each quota costs and brings."""
        found, tally, plain = [], self.replay.tally, f"{QUOTA}0"
        for quota in (0.0, *QUOTAS):
            name = f"{QUOTA}{round(100 * quota)}"
            places = tally.places[name]
            if places:
                kinds = tally.new_kind[name]
                found.append(
                    Quota(
                        quota,
                        self.mean(name, "hit"),
                        self.mean(name, "ndcg"),
                        self.less(plain, name, "ndcg"),
                        kinds / places,
                        tally.new_kind_hits[name] / max(kinds, 1),
                        tally.short[name] / places,
                    )
                )
        return tuple(found)

    def newcomers(self) -> Newcomers:
        """Young items."""
        tally, best = self.replay.tally, self.best(BROADCAST, "hit")
        hits = float(np.nansum(self.sheet.score(PERSONAL, "share") * self.sheet.fact("chosen")))
        young = tally.young[PERSONAL]
        return Newcomers(
            choices=tally.young_choices / max(tally.choices, 1),
            places=young / max(tally.places[PERSONAL], 1),
            places_broadcast=tally.young[best] / max(tally.places[best], 1),
            hit_rate=tally.young_hits[PERSONAL] / max(young, 1),
            hit_rate_all=hits / max(tally.places[PERSONAL], 1),
            unknown=tally.unknown_choices / max(tally.choices, 1),
            n=tally.choices,
        )

    def calibration(self) -> tuple[Bin, ...]:
        """How much of what people chose was in their list, where the blend expected so much."""
        mass, share = self.sheet.fact("mass"), self.sheet.score(PERSONAL, "share")
        if len(mass) < ENOUGH_ROWS:
            return ()
        edges = np.unique(np.quantile(mass, np.linspace(0, 1, BINS + 1)))
        found = []
        for low, high in pairwise(edges.tolist()):
            among = (mass >= low) & ((mass < high) | (high == edges[-1]))
            found.append(Bin(float(mass[among].mean()), self.people.mean(share, among)))
        return tuple(found)

    def coverage(self, name: str) -> float:
        """Share of the catalogue that anybody was shown."""
        return len(self.replay.tally.shown.get(name, ())) / max(
            len(self.replay.engine.catalogue), 1
        )


def verdict(difference: Estimate, base: float) -> Verdict:
    """What may be said of a difference of hit@10.

    ``yes``: clearly better than nothing, and not by a trifle. ``no``: any gain that is still possible
    is a trifle (below 1 in 100, or below a twentieth of ``base``). Else it is not clear.
    """
    if difference.n < ENOUGH_ROWS or not difference.enough:
        return "too little"
    trifle = max(MARGIN, MARGIN_SHARE * base)
    if difference.low > 0 and difference.value >= trifle:
        return "yes"
    return "no" if difference.high < trifle else "unclear"


def crossing(steps: Sequence[Step]) -> int | None:
    """From how many interactions on personal lists are clearly better, then and ever after; steps with
    too few people decide nothing."""
    found = None
    for step in reversed(steps):
        if not step.difference.enough:
            continue
        if not step.difference.above:
            break
        found = step.earlier_min
    return found


def worse(steps: Sequence[Step]) -> tuple[str, ...]:
    """Steps where the blend is clearly worse than its best part."""
    return tuple(step.label for step in steps if step.part_difference.below)


Values = npt.NDArray[np.float64]
__all__ = ["STEPS", "Floats", "Judge", "Values", "crossing", "verdict", "worse"]
