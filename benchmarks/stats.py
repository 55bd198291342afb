"""Whether `germane lift` tells the truth: `just bench stats`.

Simulated experiments with a known answer, judged by what judges the real ones (`germane.measure.holdout`), and
looked at every day: people come in one after another, a tenth to a half of them held out, two to thirty in a
hundred answer, and what they bring is one each, or money with a heavy tail.

* Without any difference (A/A): how many ever name a winner, on any day. At most 5 % may.
* With a known one, of a tenth less to a half more: in how many the true difference and the true ratio are
  inside their intervals on every day. At least 95 % must.

Experiments in which there were never enough people to be judged do not count.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from rich.progress import track

from benchmarks.figures import record, write_result
from germane.measure.holdout import Floats, Lift, compare

COMMAND = "just bench stats"
ALIKE = int(os.environ.get("GERMANE_ALIKE", "10000"))
KNOWN = int(os.environ.get("GERMANE_KNOWN", "1000"))
DAYS, A_DAY = 60, 150
SHARES, RATES = (0.1, 0.2, 0.5), (0.02, 0.1, 0.3)
LIFTS = (-0.1, 0.1, 0.25, 0.5)
SPREADS = (0.0, 0.5, 1.0, 1.5)
"""Of the logarithm of what an answer brings; 0: one each."""


class World(NamedTuple):
    """What an experiment is like."""

    share: float
    rate: float
    spread: float
    lift: float

    @property
    def worth(self) -> float:
        """Mean of what an answer brings."""
        return float(np.exp(self.spread**2 / 2))

    @property
    def difference(self) -> float:
        """Of the means, as it truly is."""
        return self.rate * self.lift * self.worth


def drawn(chance: np.random.Generator, lifts: tuple[float, ...]) -> World:
    """Any world."""
    share, rate, spread, lift = (
        float(chance.choice(each)) for each in (SHARES, RATES, SPREADS, lifts)
    )
    return World(share, rate, spread, lift)


def looks(chance: np.random.Generator, world: World) -> list[Lift]:
    """The comparison as it stands at the end of each day."""
    count = DAYS * A_DAY
    held = chance.random(count) < world.share
    rate = np.where(held, world.rate, world.rate * (1 + world.lift))
    values: Floats = (chance.random(count) < rate) * chance.lognormal(0.0, world.spread, count)
    ends = range(A_DAY, count + 1, A_DAY)
    return [compare(values[:end][~held[:end]], values[:end][held[:end]]) for end in ends]


def judged(count: int, seed: int, lifts: tuple[float, ...]) -> Iterator[tuple[World, list[Lift]]]:
    """So many experiments, with the days on which there was enough to judge them by."""
    chance = np.random.default_rng(seed)
    for _ in track(
        range(count), "with a known difference" if any(lifts) else "without a difference"
    ):
        seen: list[Lift] = []
        while not seen:
            world = drawn(chance, lifts)
            seen = [each for each in looks(chance, world) if each.difference is not None]
        yield world, seen


def alike(count: int) -> dict[str, Any]:
    """Experiments without a difference."""
    alarms = sum(
        any(each.verdict != "unknown" for each in seen) for _, seen in judged(count, 1, (0.0,))
    )
    return {"experiments": count, "alarms": alarms, "share": alarms / count}


def known(count: int) -> dict[str, Any]:
    """Experiments with one."""
    inside = found = wrong = 0
    for world, seen in judged(count, 2, LIFTS):
        inside += all(_inside(each, world) for each in seen)
        verdicts = {each.verdict for each in seen}
        found += ("more" if world.lift > 0 else "less") in verdicts
        wrong += ("less" if world.lift > 0 else "more") in verdicts
    return {
        "experiments": count,
        "inside": inside,
        "share": inside / count,
        "found": found,
        "the_wrong_way_round": wrong,
    }


def _inside(lift: Lift, world: World) -> bool:
    assert lift.difference is not None
    ratio = lift.ratio
    return lift.difference.low <= world.difference <= lift.difference.high and (
        ratio is None or ratio.low <= 1 + world.lift <= ratio.high
    )


def main() -> None:
    """Run, print, write."""
    result = {"alike": alike(ALIKE), "known": known(KNOWN)}
    print(json.dumps(result, indent=2))
    write_result("stats", {"protocol": __doc__, "days": DAYS, "people_a_day": A_DAY, **result})
    alarms, coverage = result["alike"], result["known"]
    record(
        "stats.aa_false_alarm_share",
        round(alarms["share"], 5),
        n=alarms["experiments"],
        command=COMMAND,
    )
    record(
        "stats.coverage", round(coverage["share"], 4), n=coverage["experiments"], command=COMMAND
    )


if __name__ == "__main__":
    main()
