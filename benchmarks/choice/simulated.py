"""A shop whose truth is known, through the whole engine: decide, buy (or not), learn, decide again.

People come at random, one every few minutes; each is asked about, and buys with a chance that depends on
the action and on what kind of person they are. Nothing names its decision: purchases are attributed by
window. Where acting per person pays, kinds differ in what works; where it does not, they differ only in
how much they buy. What each decision was worth is computed from the truth and the stored propensities,
so regret has no noise from purchases.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from germane.app.engine import Engine
from germane.config import load_text
from germane.domain.decision import Ask
from germane.domain.event import Event
from germane.measure import ope
from germane.measure.intervals import bootstrap_t, by_person
from germane.measure.ope import Logged
from germane.predict.model import SharedModel
from germane.storage.memory import MemoryStore
from germane.testing import FakeWorld

Floats = npt.NDArray[np.float64]

ARMS = ("sale", "new", "guide", "")
KINDS = ("bargain", "fashion", "reader")
PERSONAL = np.array([[0.16, 0.06, 0.06, 0.05], [0.07, 0.13, 0.06, 0.05], [0.06, 0.05, 0.11, 0.05]])
"""Chance to buy by kind and action, in ARMS' order."""
SAME = np.array([[0.14, 0.10, 0.08, 0.06], [0.10, 0.06, 0.04, 0.02], [0.12, 0.08, 0.06, 0.04]])
DECISIONS = 20_000
GAP_S = 300
SLICES = 10
CONFIG = """
[project]
name = "simulated"
[signals.purchase]
event = "Order Completed"
item = "properties.products[].product_id"
order = "properties.order_id"
repeat = true
[traits.kind]
[traits.age]
[surfaces.offer]
kind = "choice"
nothing = true
default = ["guide"]
features = ["trait:kind=bargain", "trait:kind=fashion", "trait:age"]
[[surfaces.offer.actions]]
id = "sale"
[[surfaces.offer.actions]]
id = "new"
[[surfaces.offer.actions]]
id = "guide"
[[surfaces.offer.outcomes]]
name = "purchase"
signal = "purchase"
window = "1d"
"""


def run(chances: Floats, seed: int, decisions: int = DECISIONS) -> dict[str, Any]:
    """One life of the shop; regret by tenths of it, propensities, and off-policy estimates of its log."""
    settings = load_text(CONFIG, {}).settings
    world = FakeWorld(seed=seed)
    engine = Engine(settings, MemoryStore(), SharedModel(settings), world, key=b"benchmark")
    chance = np.random.default_rng(seed)
    kinds, taken, probabilities, rewards, predicted = [], [], [], [], []
    how: dict[str, list[int]] = {}
    for n in range(decisions):
        kind, user = int(chance.integers(3)), f"u{n}"
        world.advance(seconds=GAP_S)
        now = world.now_ms()
        traits = {"kind": KINDS[kind], "age": int(chance.integers(18, 80))}
        engine.commit(
            engine.fold_events([Event(f"i{n}", "identify", now, user_id=user, traits=traits)])[0]
        )
        (decision,), _ = engine.decide(user, "", "", [Ask("offer")])
        choice = decision.choice
        assert choice is not None
        action = ARMS.index(choice.action)
        bought = chance.random() < chances[kind, action]
        if bought:
            products = [{"product_id": "x"}]
            event = Event(
                f"b{n}",
                "track",
                now + 1000 * int(chance.integers(1, 60)),
                name="Order Completed",
                user_id=user,
                properties={"order_id": f"o{n}", "products": products},
            )
            engine.commit(engine.fold_events([event])[0])
        kinds.append(kind)
        taken.append(action)
        probabilities.append([arm.propensity for arm in choice.arms])
        predicted.append([arm.mean for arm in choice.arms])
        rewards.append(float(bought))
        how.setdefault(choice.how, [0] * SLICES)[n * SLICES // decisions] += 1
    log = Logged(
        np.array(taken), np.array(rewards), np.array(probabilities)[np.arange(decisions), taken]
    )
    return _judged(
        chances[kinds], log, np.array(probabilities), np.array(predicted), how, np.array(kinds)
    )


def _judged(
    worth: Floats,
    log: Logged,
    probabilities: Floats,
    predicted: Floats,
    how: dict[str, list[int]],
    kinds: npt.NDArray[np.int64],
) -> dict[str, Any]:
    """``worth``: true chance to buy by decision and action."""
    acted = (probabilities * worth).sum(axis=1)
    best_single = worth.mean(axis=0).argmax()
    return {
        "decisions": len(worth),
        "kinds": np.bincount(kinds).tolist(),
        "oracle": float(worth.max(axis=1).mean()),
        "best_constant": float(worth[:, best_single].mean()),
        "even": float(worth.mean()),
        "acted": float(acted.mean()),
        "regret_to_oracle_by_tenth": _tenths(worth.max(axis=1) - acted),
        "gain_over_constant_by_tenth": _tenths(acted - worth[:, best_single]),
        "how_by_tenth": how,
        "calibration": _calibration(log.action, probabilities),
        "constants_from_the_log": _constants(log, predicted, worth),
    }


def _tenths(values: Floats) -> list[float]:
    return [round(float(each.mean()), 5) for each in np.array_split(values, SLICES)]


def _calibration(taken: npt.NDArray[np.int64], probabilities: Floats) -> dict[str, Any]:
    """By propensity as stored: how often the action was taken. ``z`` is the difference in its own standard
    errors: about N(0, 1) where propensities are exact, so squares are 1 on average."""
    hit = np.zeros_like(probabilities)
    hit[np.arange(len(taken)), taken] = 1.0
    rows = []
    edges = (0.0, 0.01, 0.03, 0.1, 0.3, 0.7, 0.95, 1.0)
    for low, high in pairwise(edges):
        inside = (probabilities > low) & (probabilities <= high)
        if inside.any():
            spread = float((probabilities[inside] * (1 - probabilities[inside])).sum()) ** 0.5
            miss = float((hit[inside] - probabilities[inside]).sum())
            rows.append(
                {
                    "stored": round(float(probabilities[inside].mean()), 5),
                    "taken": round(float(hit[inside].mean()), 5),
                    "n": int(inside.sum()),
                    "z": round(miss / spread, 2) if spread else 0.0,
                }
            )
    squares = sum(row["z"] ** 2 for row in rows) / len(rows)
    return {"bins": rows, "largest_z": max(abs(row["z"]) for row in rows), "mean_z2": squares}


def _constants(log: Logged, predicted: Floats, worth: Floats) -> dict[str, Any]:
    """Each constant action, valued from the engine's own log by the propensities and predictions it stored:
    those were made before the reward, so they need no cross-fitting."""
    found = {}
    for n, name in enumerate(ARMS):
        truth = float(worth[:, n].mean())
        row, whole = (log.action == n) * 1.0, np.zeros_like(worth)
        whole[:, n] = 1.0
        values = {
            "ips": ope.ips(log, row),
            "snips": ope.snips(log, row),
            "dr": ope.dr(log, whole, predicted),
        }
        found[name or "nothing"] = {"truth": truth} | {
            key: {
                "value": each.value,
                "low": each.low,
                "high": each.high,
                "responses": each.responses,
                "enough": each.enough,
                "holds": each.holds(truth),
            }
            for key, each in values.items()
        }
    return found


def own_log(lives: int = 20, decisions: int = 8_000) -> dict[str, Any]:
    """How often 95 % intervals from the engine's own log hold the truth, by estimator: the log is not drawn
    from one policy but from one that learns, and nearly always takes what it thinks best."""
    rows = [
        each
        for seed in range(101, 101 + lives)
        for each in run(PERSONAL, seed, decisions)["constants_from_the_log"].values()
    ]
    found: dict[str, Any] = {"lives": lives, "decisions": decisions, "intervals": len(rows)}
    for name in ("ips", "snips", "dr"):
        enough = [row[name]["holds"] for row in rows if row[name]["enough"]]
        found[name] = {
            "holds": float(np.mean([row[name]["holds"] for row in rows])),
            "holds_where_enough": float(np.mean(enough)) if enough else None,
            "enough": len(enough),
        }
    return found


def measure(seeds: int = 5, decisions: int = DECISIONS) -> dict[str, Any]:
    """Both shops, several lives each."""
    found: dict[str, Any] = {}
    for name, chances in (("personal_pays", PERSONAL), ("personal_does_not_pay", SAME)):
        lives = [run(chances, seed, decisions) for seed in range(1, seeds + 1)]
        last = np.array([life["gain_over_constant_by_tenth"][-1] for life in lives])
        sample = by_person(last, np.ones(len(last)), None)
        found[name] = {
            "lives": lives,
            "gain_over_constant_last_tenth": {
                "value": sample.value,
                "lives": last.tolist(),
                "interval_over_lives": list(bootstrap_t(sample)) if len(last) > 4 else None,
            },
            "regret_to_oracle_last_tenth": float(
                np.mean([life["regret_to_oracle_by_tenth"][-1] for life in lives])
            ),
            "personal_in_last_tenth": float(
                np.mean([life["how_by_tenth"].get("personal", [0])[-1] for life in lives])
            )
            / (decisions / SLICES),
            "largest_z": max(life["calibration"]["largest_z"] for life in lives),
            "opened_for_a_person": sum(
                sum(life["how_by_tenth"].get("personal", [])) for life in lives
            ),
            "mean_z2": float(np.mean([life["calibration"]["mean_z2"] for life in lives])),
        }
    found["own_log"] = own_log()
    return found
