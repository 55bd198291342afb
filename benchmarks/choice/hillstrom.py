"""Hillstrom's e-mail test: which e-mail, or none, by the engine's own code, judged on held-out people.

Each customer is told to an engine (`identify`), so the features are those the engine reads from a
profile. The test's random assignments of the other folds are folded into a model as its log would have
them, and the model is asked about each customer of the fold that is left out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.quality.data import table
from germane.app.engine import Engine
from germane.config import load_text
from germane.domain.decision import Ask, Context
from germane.domain.event import Event
from germane.domain.outcome import Observation, Trial
from germane.domain.profile import Profile
from germane.domain.settings import Settings
from germane.measure import ope
from germane.measure.intervals import bootstrap_t, by_person
from germane.measure.ope import Logged
from germane.predict.bandit.features import Features
from germane.predict.model import SharedModel
from germane.storage.memory import MemoryStore
from germane.testing import FakeWorld
from germane.testing.world import START_MS

Floats = npt.NDArray[np.float64]

ARMS = ("mens", "womens", "")
SEGMENTS = {"Mens E-Mail": 0, "Womens E-Mail": 1, "No E-Mail": 2}
FOLDS, SEEDS = 5, 5
WINDOW_MS = 14 * 86_400_000
CONFIG = """
[project]
name = "hillstrom"
[signals.visit]
event = "Visited"
item = "properties.page"
[traits.recency]
[traits.history]
[traits.mens]
[traits.womens]
[traits.newbie]
[traits.zip_code]
[traits.channel]
[surfaces.campaign]
kind = "choice"
nothing = true
features = [
  "trait:recency", "trait:history", "trait:mens", "trait:womens", "trait:newbie",
  "trait:zip_code=Urban", "trait:zip_code=Rural", "trait:channel=Web", "trait:channel=Phone",
]
[[surfaces.campaign.actions]]
id = "mens"
attributes = { by = "mail" }
[[surfaces.campaign.actions]]
id = "womens"
attributes = { by = "mail" }
[[surfaces.campaign.outcomes]]
name = "visit"
signal = "visit"
window = "14d"
"""
TRAITS = ("recency", "history", "mens", "womens", "newbie", "zip_code", "channel")


class Customers:
    """Their profiles and features, what they were sent, and whether they came."""

    def __init__(self, limit: int | None = None) -> None:
        self.settings: Settings = load_text(CONFIG, {}).settings
        users, outcomes = table("hillstrom", "users"), table("hillstrom", "campaign_outcomes")
        assert users["user_id"] == outcomes["user_id"]
        rows, came = _rows(users)[:limit], _rows(outcomes)[:limit]
        engine = Engine(
            self.settings,
            MemoryStore(),
            SharedModel(self.settings),
            FakeWorld(),
            key=b"benchmark",
        )
        events = [
            Event(
                f"m{n}",
                "identify",
                START_MS - 1,
                user_id=row["user_id"],
                traits={name: row[name] for name in TRAITS},
            )
            for n, row in enumerate(rows)
        ]
        engine.commit(engine.fold_events(events)[0])
        self.profiles: list[Profile] = [engine.whose(row["user_id"]) for row in rows]
        self.features = Features(self.settings.surfaces["campaign"].features, self.settings)
        self.x = [
            self.features.of(each, Context(), at_ms=START_MS, readiness=0.0)
            for each in self.profiles
        ]
        action = np.array([SEGMENTS[row["segment"]] for row in came])
        visit = np.array([float(row["visit"]) for row in came])
        self.log = Logged(action, visit, np.full(len(action), 1 / 3))

    def taught(self, rows: npt.NDArray[np.intp]) -> SharedModel:
        """A model that folded these customers' part of the log."""
        model = SharedModel(self.settings)
        layout = self.features.layout
        for n in rows.tolist():
            action, reward = ARMS[self.log.action[n]], float(self.log.reward[n])
            told = [
                Trial("campaign", action, START_MS, layout, self.x[n], made=True, how="exploring")
            ]
            if reward:
                told.append(
                    Trial(
                        "campaign", action, START_MS, layout, self.x[n], made=False, reward=reward
                    )
                )
            model.fold(n + 1, Observation(START_MS, trials=tuple(told)))
        return model

    def asked(self, model: SharedModel, rows: npt.NDArray[np.intp]) -> tuple[Floats, ...]:
        """For each customer: probabilities as the engine acts, without exploring, predicted rewards,
        the constant that was believed best, and whether it acted per person."""
        surface, now_ms = self.settings.surfaces["campaign"], START_MS + 2 * WINDOW_MS
        acting, best = np.zeros((len(rows), 3)), np.zeros((len(rows), 3))
        predicted, constant = np.zeros((len(rows), 3)), np.zeros((len(rows), 3))
        personal = np.zeros(len(rows))
        for place, n in enumerate(rows.tolist()):
            ranked = model.rank(
                self.profiles[n], surface, Ask("campaign"), at_ms=now_ms, seed=n, readiness=0.0
            )
            choice = ranked.choice
            assert choice is not None
            acting[place] = [arm.propensity for arm in choice.arms]
            predicted[place] = [arm.mean for arm in choice.arms]
            best[place, int(acting[place].argmax())] = 1.0
            constant[place, ARMS.index(choice.constant)] = 1.0
            personal[place] = float(not np.array_equal(best[place], constant[place]))
        return acting, best, predicted, constant, personal


def measure(limit: int | None = None, seeds: int = SEEDS) -> dict[str, Any]:
    """Cross-fitted, several divisions; intervals over customers."""
    people = Customers(limit)
    log = people.log
    runs: list[dict[str, Any]] = []
    sums: dict[str, Floats] = {}
    gates: list[dict[str, Any]] = []
    for seed in range(seeds):

        def learn(rest: npt.NDArray[np.intp]) -> Any:
            model = people.taught(rest)
            gate = model.state.choosers.of["campaign"].known(START_MS + 2 * WINDOW_MS).gate
            gates.append({"differs": gate.differs, "gain": gate.gain, "low": gate.low})
            return lambda held: people.asked(model, held)

        acting, best, predicted, constant, personal = ope.cross_fitted(log, FOLDS, learn, seed=seed)
        hindsight = np.zeros_like(acting)
        means = [log.reward[log.action == n].mean() for n in range(3)]
        hindsight[:, int(np.argmax(means))] = 1.0
        policies = {
            "personal": best,
            "acting": acting,
            "constant": constant,
            "hindsight": hindsight,
        }
        said = {k: ope.rows_of(log, v, predicted) for k, v in policies.items()}
        weights = {
            f"{k}_ips": v[np.arange(len(v)), log.action] * 3 * log.reward
            for k, v in policies.items()
        }
        for name, rows in (said | weights).items():
            sums[name] = sums.get(name, 0.0) + rows / seeds
        runs.append(
            {
                "seed": seed,
                "acted_per_person": float(personal.mean()),
                "constants": sorted({ARMS[n] or "nothing" for n in constant.argmax(axis=1)}),
                "loss_dr": float((said["hindsight"] - said["personal"]).mean()),
                "loss_ips": float((weights["hindsight_ips"] - weights["personal_ips"]).mean()),
            }
        )
    gaps = {
        "loss_vs_hindsight": ("hindsight", "personal"),
        "loss_vs_trained_constant": ("constant", "personal"),
        "loss_acting_vs_hindsight": ("hindsight", "acting"),
    }
    found: dict[str, Any] = {
        "customers": len(log.action),
        "folds": FOLDS,
        "seeds": seeds,
        "visit_rates": {
            (ARMS[n] or "nothing"): float(log.reward[log.action == n].mean()) for n in range(3)
        },
        "runs": runs,
        "per_person_as_a_whole": gates,
        "proven_in": sum(each["low"] > 0 for each in gates),
        "values": {
            name: _interval(rows) for name, rows in sums.items() if not name.endswith("_ips")
        },
    }
    for name, (one, two) in gaps.items():
        found[name] = {
            "dr": _interval(sums[one] - sums[two]),
            "ips": _interval(sums[f"{one}_ips"] - sums[f"{two}_ips"]),
        }
    return found


def _rows(columns: dict[str, list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _interval(rows: Floats) -> dict[str, float]:
    sample = by_person(rows, np.ones(len(rows)), None)
    low, high = bootstrap_t(sample)
    return {"value": sample.value, "low": low, "high": high, "n": len(rows)}
