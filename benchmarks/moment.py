"""When people are there, foreseen a day ahead: `python -m benchmarks.moment`.

Two sets of real times: the shopping trips of the Complete Journey (2,469 households, 2017; judged on
its last three months) and the clicks of a Moodle course (130 students, seven weeks; judged on the last
third of its events). Every event goes through the engine: the personal fold, the observation, the
shared fold. All events of a date are judged before any of that date is folded, so that nobody's visit
predicts itself, and what is learned only comes from earlier dates.

What is judged is an *active hour*: a person, a date, an hour with at least one event. Many clicks in an
hour are one chance to reach somebody. (The same weighted by events is reported beside it.)

* `day`: the date is given; is the hour among the three best of that day? Log likelihood of the hour
  among 24. The figure is this hit rate, divided by that of the global histogram.
* `week`: nothing is given; is the slot among the three best of the week? Log likelihood among 168.

Against: the global histogram of active hours (168 slots, add one), the person's own histogram (168 slots
or 24 hours, add one), and the own one without smoothing (ties in the order of the global one; it has no
finite likelihood). Intervals: 95 %, bootstrap over people, the same people for both sides of a ratio.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.figures import record, write_result
from benchmarks.moment_plot import draw
from germane.app.engine import Engine
from germane.cli.demo.journey import SPLIT_MS, Journey
from germane.domain.event import Event
from germane.domain.hours import HOUR_MS, HOURS, SLOTS, known_zone, local_hour, slot_of_week
from germane.domain.profile import Profile
from germane.domain.settings import Settings
from germane.predict.model import SharedModel
from germane.profile.rhythm import hours_of
from germane.storage.memory import MemoryStore
from germane.testing import FakeWorld

COMMAND = "python -m benchmarks.moment"
PICTURE = Path(__file__).parent.parent / "docs" / "images" / "moment.svg"
TOP, RESAMPLES = 3, 2_000
NAMES = ("germane", "global", "own_week", "own_day", "own_raw")
KNOWN = ((0, 0), (1, 9), (10, 29), (30, 59), (60, 10**9))
"""Groups by how many active hours of the person were known."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Times:
    """Who was there when: one row an event, in order of time."""

    name: str
    zone: str
    split: int
    """First local date that is judged, in days since 1970."""
    people: list[str]
    at_ms: list[int]


@dataclass
class Judged:
    """Every judged active hour."""

    person: list[str] = field(default_factory=list)
    events: list[int] = field(default_factory=list)
    known: list[int] = field(default_factory=list)
    hits: dict[str, list[list[float]]] = field(default_factory=dict)
    """Question -> one row an active hour, one column a predictor."""
    logs: dict[str, list[list[float]]] = field(default_factory=dict)


def journey() -> Times:
    """Shopping trips; the shop's own zone."""
    baskets = list(Journey().baskets())
    return Times(
        "completejourney",
        "America/New_York",
        SPLIT_MS // (HOURS * HOUR_MS),
        [each.household for each in baskets],
        [each.at_ms for each in baskets],
    )


def moodle() -> Times:
    """Clicks of a course; its file has local times."""
    path = Path(os.environ["GERMANE_DATASETS"]) / "moodle-course" / "events.parquet"
    table = pq.read_table(path, columns=["user_id", "timestamp"]).sort_by("timestamp")
    at_ms = pc.cast(pc.cast(table["timestamp"], pa.timestamp("ms")), pa.int64()).to_pylist()
    split = at_ms[2 * len(at_ms) // 3] // (HOURS * HOUR_MS)
    return Times("moodle-course", "UTC", split, table["user_id"].to_pylist(), at_ms)


class Histograms:
    """The plain counts that Germane is compared with: active hours, undecayed."""

    def __init__(self) -> None:
        self.all = np.ones(SLOTS)
        self.own: dict[str, Floats] = {}

    def shares(self, person: str) -> dict[str, Floats]:
        """Probability of each slot, by predictor."""
        own = self.own.get(person, np.zeros(SLOTS))
        by_hour = np.tile(own.reshape(7, HOURS).sum(axis=0), 7)
        everyone = self.all / self.all.sum()
        return {
            "global": everyone,
            "own_week": (own + 1) / (own + 1).sum(),
            "own_day": (by_hour + 1) / (by_hour + 1).sum(),
            "own_raw": own + everyone * 1e-9,
        }

    def add(self, person: str, slot: int) -> None:
        """Count an active hour."""
        self.all[slot] += 1
        self.own.setdefault(person, np.zeros(SLOTS))[slot] += 1


def replay(times: Times) -> tuple[Judged, Engine]:
    """Date by date: judge all of it, then fold all of it."""
    zone = known_zone(times.zone)
    assert zone is not None
    settings = Settings(project=times.name, timezone=times.zone)
    engine = Engine(settings, MemoryStore(), SharedModel(settings), FakeWorld(), key=b"benchmark")
    histograms, judged = Histograms(), Judged()
    rows = [
        (local_hour(at_ms, zone), person, at_ms)
        for person, at_ms in zip(times.people, times.at_ms, strict=True)
    ]
    rows.sort()
    number = 0
    for date, of_date in groupby(rows, key=lambda row: row[0] // HOURS):
        today = list(of_date)
        counts = Counter((hour, person) for hour, person, _ in today)
        first_ms = min(at_ms for _, _, at_ms in today)
        if date >= times.split:
            for (hour, person), events in counts.items():
                judge(judged, engine, histograms, person, hour, events, first_ms)
        for hour, person in counts:
            histograms.add(person, slot_of_week(hour))
        for _, person, at_ms in sorted(today, key=lambda row: row[2]):
            number += 1
            engine.world = FakeWorld(at_ms)
            event = Event(f"m{number}", "page", at_ms, name="visit", user_id=person)
            engine.commit(engine.fold_events([event])[0])
    return judged, engine


def judge(
    judged: Judged,
    engine: Engine,
    histograms: Histograms,
    person: str,
    hour: int,
    events: int,
    at_ms: int,
) -> None:
    """One active hour, by every predictor, with what was known before its date."""
    profile = engine.store.profile(engine.tenant, f"u:{person}") or Profile(person)
    hours = hours_of(profile)
    shares = histograms.shares(person)
    shares["germane"] = np.array(engine.model.week(hours, at_ms=at_ms).shares)
    slot = slot_of_week(hour)
    first = slot - slot % HOURS
    judged.person.append(person)
    judged.events.append(events)
    judged.known.append(len(hours))
    for question, start, size in (("day", first, HOURS), ("week", 0, SLOTS)):
        asked = [shares[name][start : start + size] for name in NAMES]
        hits = [float(slot - start in np.argsort(-x, kind="stable")[:TOP]) for x in asked]
        logs = [float(np.log(x[slot - start] / x.sum())) for x in asked]
        judged.hits.setdefault(question, []).append(hits)
        judged.logs.setdefault(question, []).append(logs)


def summed(judged: Judged, values: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Weighted sums of each column, and of the weights, by person."""
    _, who = np.unique(judged.person, return_inverse=True)
    sums = np.zeros((who.max() + 1, values.shape[1]))
    np.add.at(sums, who, values * weights[:, None])
    return sums, np.bincount(who, weights).astype(float)


def bootstrap(
    sums: Floats, sizes: Floats, of: Callable[[Floats], Floats]
) -> tuple[Floats, Floats, Floats]:
    """A statistic of the means and its 95 % interval over people; ``of`` takes (..., predictors)."""
    chance = np.random.default_rng(20171001)
    drawn = chance.multinomial(len(sizes), np.full(len(sizes), 1 / len(sizes)), RESAMPLES)
    means = (drawn @ sums) / (drawn @ sizes)[:, None]
    low, high = np.quantile(of(means), [0.025, 0.975], axis=0)
    return of(sums.sum(axis=0) / sizes.sum()), low, high


def interval(found: tuple[Floats, Floats, Floats], place: int) -> dict[str, float]:
    """One of a row of statistics."""
    value, low, high = (round(float(each[..., place]), 4) for each in found)
    return {"value": value, "low": low, "high": high}


def table(judged: Judged, weights: Floats) -> dict[str, Any]:
    """Hit rates, ratios to the global histogram and log likelihoods of every predictor."""
    out: dict[str, Any] = {}
    base = NAMES.index("global")
    for question in ("day", "week"):
        hits = summed(judged, np.array(judged.hits[question]), weights)
        logs = summed(judged, np.array(judged.logs[question]), weights)
        rates = bootstrap(*hits, lambda x: x)
        ratios = bootstrap(*hits, lambda x: x / x[..., base : base + 1])
        likely = bootstrap(*logs, lambda x: x)
        gains = bootstrap(*logs, lambda x: x - x[..., base : base + 1])
        out[question] = {
            name: {
                "hit_rate": interval(rates, n),
                "ratio_to_global": interval(ratios, n),
            }
            | (
                {}
                if name == "own_raw"
                else {"log_likelihood": interval(likely, n), "over_global": interval(gains, n)}
            )
            for n, name in enumerate(NAMES)
        }
    return out


def by_known(judged: Judged) -> list[dict[str, Any]]:
    """The day's question, by how much was known of the person."""
    hits, known = np.array(judged.hits["day"]), np.array(judged.known)
    rows = []
    for least, most in KNOWN:
        inside = (known >= least) & (known <= most)
        if inside.any():
            means = hits[inside].mean(axis=0)
            rows.append(
                {
                    "known_hours": f"{least} or more" if most >= 10**9 else f"{least} to {most}",
                    "n": int(inside.sum()),
                    "germane": round(float(means[0]), 4),
                    "global": round(float(means[1]), 4),
                }
            )
    return rows


def measure(times: Times) -> dict[str, Any]:
    """All of one data set."""
    judged, engine = replay(times)
    moment = engine.model.state.moment  # type: ignore[attr-defined]
    events = np.array(judged.events, dtype=float)
    return {
        "events": len(times.at_ms),
        "people": len(set(times.people)),
        "judged_from": datetime.fromtimestamp(times.split * 86_400, UTC).date().isoformat(),
        "judged_hours": len(judged.person),
        "judged_people": len(set(judged.person)),
        "judged_events": int(events.sum()),
        "learned": {
            "width_h": moment.setting[0],
            "strength": moment.setting[1],
            "lessons": moment.lessons,
        },
        "active_hours": table(judged, np.ones(len(events))),
        "events_weighted": table(judged, events),
        "by_known_hours": by_known(judged),
    }


def main() -> None:
    """Measure both, keep the results, draw the picture, record the figure."""
    found = {times.name: measure(times) for times in (journey(), moodle())}
    ratios = {
        name: each["active_hours"]["day"]["germane"]["ratio_to_global"]
        for name, each in found.items()
    }
    least = min(ratios, key=lambda name: ratios[name]["value"])
    write_result(
        "moment",
        {
            "protocol": __doc__,
            "top3_hour_ratio": ratios[least] | {"data": least},
            "data": found,
        },
    )
    PICTURE.write_text(draw(found), "utf-8")
    for name, each in found.items():
        print(name, ratios[name], each["learned"])
    n = found[least]["judged_hours"]
    record("moment.top3_hour_ratio", ratios[least]["value"], n=n, command=COMMAND)


if __name__ == "__main__":
    main()
