"""Open Bandit: the value of Bernoulli Thompson sampling (bts), from the log of the random policy."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from benchmarks.quality.data import table
from germane.measure import ope
from germane.measure.intervals import bootstrap_t, by_person
from germane.measure.ope import Logged, Value

Floats = npt.NDArray[np.float64]

ITEMS = 80
POSITIONS = 3
FOLDS = 5
PRIOR_ROWS = 2_000.0
"""Rows that the common click rate counts for, in an item's own: clicks are rare."""
RUNS = 300


def logs() -> tuple[dict[str, Any], dict[str, Any]]:
    """The random policy's log and that of bts: item, position (from 0), click, propensity, time."""
    whole = table("open-bandit", "impressions")
    policy = np.array(whole["policy"])
    columns = {
        "item": np.array([int(x) for x in whole["item_id"]]),
        "position": np.array(whole["position"]) - 1,
        "click": np.array(whole["click"], dtype=float),
        "propensity": np.array(whole["propensity_score"]),
        "at": np.array([x.timestamp() for x in whole["timestamp"]]),
    }
    found = [{k: v[policy == name] for k, v in columns.items()} for name in ("random", "bts")]
    return found[0], found[1]


def shares(log: dict[str, Any]) -> Floats:
    """How often the policy showed each item at each position, shape (positions, items).

    bts looks at no context; it changed with time. Its average over the week is what its click rate is
    the value of, if the items' click rates stay the same over the week.
    """
    found = np.zeros((POSITIONS, ITEMS))
    np.add.at(found, (log["position"], log["item"]), 1.0)
    shared: Floats = found / found.sum(axis=1, keepdims=True)
    return shared


def nearest(log: dict[str, Any], of: dict[str, Any]) -> Floats:
    """The propensity that ``of``'s policy logged for the same item and place at the nearest time.

    Too high on average, since an item is logged most when it is likely: a check, not the estimate.
    """
    out = np.zeros(len(log["item"]))
    for item in range(ITEMS):
        for position in range(POSITIONS):
            mine = (log["item"] == item) & (log["position"] == position)
            theirs = (of["item"] == item) & (of["position"] == position)
            if theirs.any() and mine.any():
                order = np.argsort(of["at"][theirs])
                times = of["at"][theirs][order]
                place = np.searchsorted(times, log["at"][mine]).clip(1, max(len(times) - 1, 1))
                left = place - 1
                place = place.clip(0, len(times) - 1)
                closer = np.abs(times[left] - log["at"][mine]) <= np.abs(
                    times[place] - log["at"][mine]
                )
                out[mine] = of["propensity"][theirs][order][np.where(closer, left, place)]
    return out


def predicted(log: Logged, position: npt.NDArray[np.int64]) -> Floats:
    """Click rates by item, cross-fitted and shrunk to the common one, shape (rows, items)."""

    def learn(rest: npt.NDArray[np.intp]) -> Any:
        clicks = np.bincount(log.action[rest], log.reward[rest], minlength=ITEMS)
        shown = np.bincount(log.action[rest], minlength=ITEMS)
        common = log.reward[rest].mean()
        rates = (clicks + PRIOR_ROWS * common) / (shown + PRIOR_ROWS)
        return lambda held: (np.tile(rates, (len(held), 1)),)

    return ope.cross_fitted(log, FOLDS, learn)[0]


def estimates(log: dict[str, Any], target: Floats) -> dict[str, Value]:
    """IPS, SNIPS and DR of a policy given by its shares, shape (positions, items)."""
    known = Logged(log["item"], log["click"], log["propensity"])
    probabilities = target[log["position"]]
    row = probabilities[np.arange(len(row_of(log))), log["item"]]
    return {
        "ips": ope.ips(known, row),
        "snips": ope.snips(known, row),
        "dr": ope.dr(known, probabilities, predicted(known, log["position"])),
    }


def row_of(log: dict[str, Any]) -> Floats:
    """Clicks, for their number."""
    clicks: Floats = log["click"]
    return clicks


def rate(log: dict[str, Any]) -> dict[str, float]:
    """A policy's own click rate, with its interval."""
    clicks = row_of(log)
    sample = by_person(clicks, np.ones(len(clicks)), None)
    low, high = bootstrap_t(sample)
    return {"value": sample.value, "low": low, "high": high, "clicks": float(clicks.sum())}


def coverage(random: dict[str, Any], target: Floats) -> dict[str, float]:
    """How often the intervals hold a known truth, on logs like this one.

    Click rates by item are taken for true (shrunk a tenth as much as for DR, so that they differ), and
    the random policy's log is drawn anew from them.
    """
    clicks = np.bincount(random["item"], random["click"], minlength=ITEMS)
    shown = np.bincount(random["item"], minlength=ITEMS)
    rates = (clicks + 200 * random["click"].mean()) / (shown + 200)
    truth = float((target @ rates) @ (np.bincount(random["position"]) / len(random["position"])))
    held = dict.fromkeys(("ips", "snips", "dr"), 0)
    for run in range(RUNS):
        chance = np.random.default_rng(run)
        item = chance.integers(ITEMS, size=len(random["item"]))
        log = random | {"item": item, "click": (chance.random(len(item)) < rates[item]) * 1.0}
        for name, found in estimates(log, target).items():
            held[name] += found.holds(truth)
    return {name: count / RUNS for name, count in held.items()} | {"runs": RUNS, "truth": truth}


def measure() -> dict[str, Any]:
    """Everything of this data set."""
    random, bts = logs()
    target = shares(bts)
    forwards = estimates(random, target)
    truth = rate(bts)
    known = Logged(random["item"], random["click"], random["propensity"])
    timed = ope.snips(known, nearest(random, bts))
    even = np.full((POSITIONS, ITEMS), 1 / ITEMS)
    backwards = estimates(bts, even)
    on_random = rate(random)
    return {
        "rows": {"random": len(random["item"]), "bts": len(bts["item"])},
        "bts_from_random": {k: _view(v, truth["value"]) for k, v in forwards.items()},
        "bts_own_rate": truth,
        "bts_from_random_by_nearest_propensity": _view(timed, truth["value"]),
        "random_from_bts": {k: _view(v, on_random["value"]) for k, v in backwards.items()},
        "random_own_rate": on_random,
        "coverage_simulated": coverage(random, target),
        "covers": all(each.holds(truth["value"]) for each in forwards.values()),
    }


def _view(found: Value, truth: float) -> dict[str, Any]:
    view: dict[str, Any] = msgspec.to_builtins(found)
    view["clipped_at"] = None if found.clipped_at == np.inf else found.clipped_at
    width = found.high - found.low
    return view | {"holds": found.holds(truth), "width": width, "enough": found.enough}
