"""Quality on real purchases: `just bench shop`.

Complete Journey, the last three months, prequential: before each trip to the shop the home grid is
asked for its ten products, then the basket is learned. Nothing of a basket, or of another at the same
moment, is known when it is predicted. Against: best-sellers, recent best-sellers (the best of three
half-lives) and buy-again (the better of most often, and most often with decay), on the same baskets.
All households are predicted, and all are learned. Means are per household first, then over households;
intervals by bootstrap over households (paired).
The engine runs in its default configuration, with diversity quota and exploration as the demo has them,
and is trained as a server would train it by itself (`training.TrainingSpec`): when the three months
begin, and again when there are enough new lessons; only from what it had folded by then.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections import Counter, defaultdict
from importlib.resources import files
from itertools import groupby
from typing import Any
from zlib import crc32

import numpy as np
from msgspec.structs import replace

from benchmarks.figures import record, write_result
from germane.app.beside import Beside
from germane.app.engine import Engine
from germane.cli.demo.journey import SPLIT_MS, Basket, Journey
from germane.config import load_text
from germane.domain.decision import Ask
from germane.domain.settings import Settings
from germane.predict.model import SharedModel
from germane.storage.memory import MemoryStore
from germane.testing import FakeWorld

COMMAND = "just bench shop"
SIZE = 10
DAY_MS = 86_400_000
HALF_LIVES = (7, 14, 28)
AGAIN_HALF_LIFE_DAYS = 60
GAIN = [1 / math.log2(place + 2) for place in range(SIZE)]
IDEAL = np.cumsum(GAIN)
BOOTSTRAP = 2_000
SAMPLE = int(os.environ.get("GERMANE_SAMPLE", "1"))
"""For a quick look: one household of so many is predicted, chosen by a hash of its id; all are learned."""


def settings() -> Settings:
    """The demo's, with two more surfaces: relevance alone, and only what the household never bought."""
    loaded = load_text(files("germane.cli.demo").joinpath("shop.toml").read_text("utf-8"), {})
    grid = loaded.settings.surfaces["home-grid"]
    plain = replace(grid, name="plain", diversity_quota=0.0, exploration_share=0.0)
    new = replace(plain, name="new", already_bought="exclude")
    return replace(loaded.settings, surfaces={"home-grid": grid, "plain": plain, "new": new})


class Rivals:
    """The lists everyone knows, learned from the same baskets."""

    def __init__(self) -> None:
        self.sold: Counter[str] = Counter()
        self.recent: dict[int, Counter[str]] = {days: Counter() for days in HALF_LIVES}
        self.count: dict[str, dict[str, int]] = defaultdict(dict)
        self.last: dict[str, dict[str, int]] = defaultdict(dict)
        self.faded: dict[str, dict[str, float]] = defaultdict(dict)
        self._tops: dict[str, tuple[int, list[str]]] = {}

    def learn(self, basket: Basket) -> None:
        """Count a basket."""
        count, last = self.count[basket.household], self.last[basket.household]
        faded = self.faded[basket.household]
        for product, _, _ in basket.products:
            self.sold[product] += 1
            for days, counter in self.recent.items():
                counter[product] += 2.0 ** ((basket.at_ms - SPLIT_MS) / DAY_MS / days)
            age = (basket.at_ms - last.get(product, basket.at_ms)) / DAY_MS
            faded[product] = faded.get(product, 0.0) * 2 ** -(age / AGAIN_HALF_LIFE_DAYS) + 1
            count[product] = count.get(product, 0) + 1
            last[product] = basket.at_ms

    def slates(self, household: str, at_ms: int) -> dict[str, list[str]]:
        """Every rival's ten products."""
        count, last = self.count[household], self.last[household]
        faded = self.faded[household]
        found = {"best-sellers": self._top("best", self.sold, at_ms)[:SIZE]}
        for days, counter in self.recent.items():
            found[f"recent best-sellers ({days} d)"] = self._top(str(days), counter, at_ms)[:SIZE]
        found["buy again"] = sorted(count, key=lambda x: (-count[x], -last[x]))[:SIZE]
        found["buy again (decayed)"] = sorted(
            faded,
            key=lambda x: -faded[x] * 2 ** -((at_ms - last[x]) / DAY_MS / AGAIN_HALF_LIFE_DAYS),
        )[:SIZE]
        return found

    def new(self, household: str, at_ms: int) -> dict[str, list[str]]:
        """The lists that do not depend on the household, without what it ever bought."""
        had = self.count[household]
        tops = {"best-sellers": self._top("best", self.sold, at_ms)}
        for days, counter in self.recent.items():
            tops[f"recent best-sellers ({days} d)"] = self._top(str(days), counter, at_ms)
        return {name: [x for x in top if x not in had][:SIZE] for name, top in tops.items()}

    def _top(self, name: str, counter: Counter[str], at_ms: int) -> list[str]:
        day = at_ms // DAY_MS
        known = self._tops.get(name)
        if known is None or known[0] != day:
            known = self._tops[name] = (day, [x for x, _ in counter.most_common(3_000)])
        return known[1]


def gain(slate: list[str], bought: set[str]) -> tuple[float, float]:
    """NDCG@10 and hit@10 of a slate."""
    reached = sum(GAIN[place] for place, each in enumerate(slate[:SIZE]) if each in bought)
    return reached / IDEAL[min(len(bought), SIZE) - 1], float(not bought.isdisjoint(slate))


class Run:
    """One pass over the year."""

    def __init__(self) -> None:
        self.journey = Journey()
        self.world = FakeWorld(0)
        wanted = settings()
        self.engine = Engine(wanted, MemoryStore(), SharedModel(wanted), self.world, key=b"b" * 32)
        self.rivals = Rivals()
        self.beside = Beside(self.engine)
        self.all: dict[str, dict[str, list[tuple[float, float]]]] = defaultdict(
            lambda: defaultdict(list)
        )
        self.parts: dict[str, dict[str, list[tuple[float, float]]]] = defaultdict(
            lambda: defaultdict(list)
        )
        self.new: dict[str, dict[str, list[tuple[float, float]]]] = defaultdict(
            lambda: defaultdict(list)
        )
        self.decide_s: list[float] = []
        self.fold_s = 0.0
        self.lines = 0

    def go(self) -> None:
        """Learn nine months; predict, then learn, the rest."""
        for item in self.journey.items():
            self.engine.fold_item(item)
        for person in self.journey.people():
            self.engine.fold_events([person])
        done = 0
        for at_ms, group in groupby(self.journey.baskets(), key=lambda each: each.at_ms):
            baskets = list(group)
            self.world._now_ms = at_ms
            self.train(at_ms)
            if at_ms >= SPLIT_MS:
                for basket in baskets:
                    if crc32(basket.household.encode()) % SAMPLE == 0:
                        self._predict(basket)
            for basket in baskets:
                self._learn(basket)
            done += len(baskets)
            if done % 10_000 < len(baskets):
                sys.stderr.write(f"{done:,} of {len(self.journey):,} baskets\n")

    def train(self, at_ms: int) -> None:
        """When it is time, as the server does it."""
        report = self.beside.train(at_ms) if at_ms >= SPLIT_MS else None
        if report is not None:
            sys.stderr.write(f"{report}\n")

    def _learn(self, basket: Basket) -> None:
        started = time.perf_counter()
        txn, _, _ = self.engine.fold_events([basket.event()])
        self.fold_s += time.perf_counter() - started
        self.beside.folded(txn)
        self.lines += len(basket.products)
        self.rivals.learn(basket)

    def _predict(self, basket: Basket) -> None:
        home, bought = basket.household, {product for product, _, _ in basket.products}
        had = set(self.rivals.count[home])
        started = time.perf_counter()
        (decision,), _ = self.engine.decide(home, "", "", [Ask("home-grid")])
        self.decide_s.append(time.perf_counter() - started)
        slates = self.rivals.slates(home, basket.at_ms)
        slates["Germane"] = [each.item_id for each in decision.items]
        (plain,), _ = self.engine.decide(home, "", "", [Ask("plain")])
        slates["Germane (no quota, no exploration)"] = [each.item_id for each in plain.items]
        for name, slate in slates.items():
            self.all[name][home].append(gain(slate, bought))
            for part, wanted in (("seen", bought & had), ("new", bought - had)):
                if wanted:
                    self.parts[f"{name}|{part}"][home].append(gain(slate, wanted))
        if bought - had:
            ask = Ask("new", exclude=tuple(had))
            (fresh,), _ = self.engine.decide(home, "", "", [ask])
            only = self.rivals.new(home, basket.at_ms)
            only["Germane"] = [each.item_id for each in fresh.items]
            for name, slate in only.items():
                self.new[name][home].append(gain(slate, bought - had))


def summary(results: dict[str, dict[str, list[tuple[float, float]]]], ours: str) -> dict[str, Any]:
    """Means over households with 95 % intervals, and the ratio of ours to each."""
    homes = sorted(set.intersection(*[set(each) for each in results.values()]))
    means = {
        name: np.array([np.mean(each[home], axis=0) for home in homes])
        for name, each in results.items()
    }
    draws = np.random.default_rng(0).integers(0, len(homes), (BOOTSTRAP, len(homes)))
    out: dict[str, Any] = {}
    for name, values in sorted(means.items(), key=lambda pair: -pair[1][:, 0].mean()):
        row: dict[str, Any] = {
            "households": len(homes),
            "slates": sum(len(results[name][home]) for home in homes),
        }
        for column, metric in enumerate(("ndcg10", "hit10")):
            boot = values[draws, column].mean(axis=1)
            ratio = means[ours][draws, column].mean(axis=1) / boot
            row[metric] = round(float(values[:, column].mean()), 5)
            row[f"{metric}_95"] = [round(float(x), 5) for x in np.quantile(boot, (0.025, 0.975))]
            row[f"ratio_{metric}"] = round(
                float(means[ours][:, column].mean() / values[:, column].mean()), 4
            )
            row[f"ratio_{metric}_95"] = [
                round(float(x), 4) for x in np.quantile(ratio, (0.025, 0.975))
            ]
        out[name] = row
    return out


def main() -> None:
    """Run, print, write."""
    run = Run()
    started = time.perf_counter()
    run.go()
    overall, new = summary(run.all, "Germane"), summary(run.new, "Germane")
    times = np.array(run.decide_s) * 1000
    result = {
        "protocol": __doc__,
        "overall": overall,
        "only_new": new,
        "parts": {
            part: {
                name.split("|")[0]: {
                    "ndcg10": round(
                        float(np.mean([np.mean(x, axis=0)[0] for x in homes.values()])), 5
                    ),
                    "hit10": round(
                        float(np.mean([np.mean(x, axis=0)[1] for x in homes.values()])), 5
                    ),
                    "households": len(homes),
                }
                for name, homes in run.parts.items()
                if name.endswith(part)
            }
            for part in ("seen", "new")
        },
        "decide_ms": {
            "p50": round(float(np.median(times)), 3),
            "p99": round(float(np.quantile(times, 0.99)), 3),
            "n": len(times),
        },
        "fold_us_per_line": round(1e6 * run.fold_s / run.lines, 1),
        "lessons": run.engine.model.lessons,
        "trainings": run.beside.reports,
        "seconds": round(time.perf_counter() - started, 1),
    }
    for name, row in overall.items():
        print(
            f"{name:36} NDCG@10 {row['ndcg10']:.4f}  hit {row['hit10']:.4f}  "
            f"ours / this {row['ratio_ndcg10']:.3f} {row['ratio_ndcg10_95']}"
        )
    for name, row in new.items():
        print(
            f"only new: {name:26} NDCG@10 {row['ndcg10']:.4f}  hit {row['hit10']:.4f}  "
            f"ours / this, hits {row['ratio_hit10']:.3f} {row['ratio_hit10_95']}"
        )
    print({key: result[key] for key in ("decide_ms", "fold_us_per_line", "lessons", "seconds")})
    if os.environ.get("GERMANE_DEMO_HOUSEHOLDS") or SAMPLE > 1:
        return  # a cut is for looking, not for the record
    write_result("shop", result)
    rivals = {name: row for name, row in overall.items() if not name.startswith("Germane")}
    best = max(rivals, key=lambda name: rivals[name]["ndcg10"])
    n = overall["Germane"]["slates"]
    record("shop.ndcg10_ratio_vs_best_baseline", rivals[best]["ratio_ndcg10"], n=n, command=COMMAND)
    record("shop.ndcg10_ratio_lower95", rivals[best]["ratio_ndcg10_95"][0], n=n, command=COMMAND)
    record(
        "shop.new_items_hit_ratio_vs_bestsellers",
        new["best-sellers"]["ratio_hit10"],
        n=new["Germane"]["slates"],
        command=COMMAND,
    )


if __name__ == "__main__":
    main()
