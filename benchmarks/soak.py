"""A long life: `just bench soak`.

A real server, at a steady pace and for two hours (`GERMANE_SOAK_S` seconds): events one by one and in
batches, orders, decisions, their impressions and outcomes, decisions for many, opt-outs and opt-ins, people
who are never seen again, and training anew beside it all as often as it may. Memory and open files are
looked at once a second, each answer to an event or a decision is timed. After a warm-up of a third, a line
is laid through each (least squares): nothing may grow.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from msgspec.json import decode, encode
from rich.progress import track

from benchmarks.figures import record, write_result
from benchmarks.loop import ITEMS, Wire, head_of, quantile
from benchmarks.process import descriptors, rss_mib
from germane.app.entries import KEPT
from tests.acceptance.conftest import Server, a_project

COMMAND = "just bench soak"
SECONDS = float(os.environ.get("GERMANE_SOAK_S", "7200"))
WARM = 1 / 3
PACE_S = 0.04
PEOPLE = 30
FULL = 400
"""Events after which a profile does not become larger."""
STATES = ("withdrawn", "granted")
STRANGERS = 50_000
RSS_MIB_H = 1.0
DRIFT = 0.1
TRAINING = {"GERMANE_TRAINING__LESSONS_MIN": "200", "GERMANE_TRAINING__LESSONS_NEW": "100"}


class Sample(NamedTuple):
    """One second."""

    at_s: float
    rss_mib: float
    descriptors: int


class Trend(NamedTuple):
    """A line through samples."""

    slope: float
    """A second."""
    error: float
    """One standard error of the slope."""
    start: float
    end: float
    """Values of the line."""

    @classmethod
    def of(cls, at_s: list[float], values: list[float]) -> Trend:
        """By least squares."""
        x, y = np.asarray(at_s), np.asarray(values)
        (slope, base), left, *_ = np.polyfit(x, y, 1, full=True)
        spread = float(((x - x.mean()) ** 2).sum())
        error = (float(left[0] if len(left) else 0.0) / max(len(x) - 2, 1) / spread) ** 0.5
        return cls(float(slope), error, float(base + slope * x[0]), float(base + slope * x[-1]))


class Life:
    """What a shop sends, a step at a time."""

    def __init__(self, server: Server, *, strangers: bool) -> None:
        """``strangers``: whether there are people who are never seen again."""
        self._strangers = strangers
        self._server, self._wire = server, Wire(server.port)
        write, key = server.write_key, server.server_key
        heads = {each: head_of(f"/v1/{each}", write) for each in ("track", "batch")}
        others = ("decide", "impressions", "outcomes", "consent")
        self._heads = heads | {each: head_of(f"/v1/{each}", key) for each in others}
        self._chance = random.Random(11)
        self._step = self._said = 0
        self.timed: list[tuple[float, float]] = []
        """When, and milliseconds: events and decisions."""

    def _post(self, path: str, body: dict[str, Any]) -> bytes:
        return self._wire.post(self._heads[path], encode(body))

    def _timed(self, path: str, body: dict[str, Any]) -> bytes:
        started = time.perf_counter()
        found = self._post(path, body)
        done = time.perf_counter()
        self.timed.append((done, (done - started) * 1000))
        return found

    def fill(self, strangers: int) -> None:
        """What is kept of a person's events, of late decisions (5,000), of people (50,000) and of what was said
        lately (20,000 lines of the ledger) has bounds: reach them before memory is looked at."""
        people = [f"filled-{each}" for each in range(strangers)]
        people += [f"s{each % PEOPLE}" for each in range(FULL * PEOPLE)]
        for first in track(range(0, len(people), 500), "filling"):
            batch = [self._event(each) for each in people[first : first + 500]]
            self._post("batch", {"batch": batch})
        for _ in track(range(12), "deciding"):
            self._decided(500)
        for _ in track(range(KEPT if strangers else 0), "saying"):
            self._say("email_marketing")

    def _say(self, purpose: str) -> None:
        """Somebody withdraws a consent, and gives it again the next time; then the next one."""
        who, turn = divmod(self._said, len(STATES))
        self._said += 1
        said = {"userId": f"s{who % PEOPLE}", "purpose": purpose, "state": STATES[turn]}
        self._post("consent", said)

    def _decided(self, people: int) -> None:
        asked = {
            "people": [{"userId": f"s{each % PEOPLE}"} for each in range(people)],
            "surfaces": [{"surface": "home-grid"}],
        }
        answer = self._server.api.post("/v1/decide/batch", json=asked, timeout=120)
        assert answer.status_code == 200

    def step(self) -> None:
        """The next one."""
        self._step += 1
        kind = self._step % 10
        who = f"s{self._chance.randrange(PEOPLE)}"
        if kind < 4:
            self._timed("track", self._event(who))
        elif kind == 4:
            self._post("batch", {"batch": [self._event(who) for _ in range(20)]})
        elif kind == 5:
            self._say("personalisation")
        elif kind == 6:
            self._decided(20)
        elif kind == 7:
            new = f"once-{self._step}" if self._strangers else who
            self._timed("track", self._event(new))
        else:
            self._answered(who)

    def _event(self, who: str) -> dict[str, Any]:
        self._step += 10  # so that ids differ, and kinds follow each other as before
        product = {"product_id": self._chance.choice(ITEMS), "price": 10}
        common = {"type": "track", "userId": who, "messageId": f"soak-{self._step}"}
        if self._chance.random() < 0.1:
            order = {"order_id": f"o-{self._step}", "products": [product], "revenue": 10}
            return {**common, "event": "Order Completed", "properties": order}
        return {**common, "event": "Product Viewed", "properties": product}

    def _answered(self, who: str) -> None:
        asked = {"person": {"userId": who}, "surfaces": [{"surface": "home-grid"}]}
        (decision,) = decode(self._timed("decide", asked))["decisions"]
        shown = [each["itemId"] for each in decision["items"]]
        decision_id = decision["decisionId"]
        self._post("impressions", {"decisionId": decision_id, "positions": list(range(len(shown)))})
        said = {"decisionId": decision_id, "outcome": "click", "itemId": self._chance.choice(shown)}
        self._post("outcomes", said)

    def close(self) -> None:
        """Hang up."""
        self._wire.close()


def live(
    server: Server, seconds: float, strangers: int
) -> tuple[list[Sample], list[tuple[float, float]], int]:
    """Samples, times of answers since the start, and how many models were trained."""
    assert server._process is not None
    pid, life = server._process.pid, Life(server, strangers=bool(strangers))
    life.fill(strangers)
    started, samples = time.perf_counter(), []
    due = started
    for second in track(range(int(seconds)), "soak"):
        while due < started + second + 1:
            time.sleep(max(0.0, due - time.perf_counter()))
            life.step()
            due = max(due + PACE_S, time.perf_counter() - 1.0)  # a pause is not made up for
        at_s = time.perf_counter() - started
        samples.append(Sample(at_s, rss_mib(pid), descriptors(pid)))
    life.close()
    trained = len(list((server.data_dir / "models").glob("trees/*")))
    return samples, [(at - started, ms) for at, ms in life.timed], trained


def p99_by_window(timed: list[tuple[float, float]], count: int) -> tuple[list[float], list[float]]:
    """In so many windows of time: their middles, and the p99 of each in milliseconds."""
    first, last = timed[0][0], timed[-1][0]
    windows: list[list[float]] = [[] for _ in range(count)]
    for at, ms in timed:
        windows[min(int((at - first) / (last - first) * count), count - 1)].append(ms)
    middles = [first + (last - first) * (each + 0.5) / count for each in range(count)]
    return middles, [quantile(sorted(each), 0.99) for each in windows]


def run(seconds: float, strangers: int = STRANGERS) -> dict[str, Any]:
    """The whole check; ``strangers``: so many are there before, and more come; 0: none at all."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(a_project(Path(folder) / "shop"), **TRAINING).start()
        try:
            samples, timed, trained = live(server, seconds, strangers)
        finally:
            server.close()
    late = [each for each in samples if each.at_s > WARM * seconds]
    times = [each for each in timed if each[0] > WARM * seconds]
    at_s = [each.at_s for each in late]
    rss = Trend.of(at_s, [each.rss_mib for each in late])
    files = Trend.of(at_s, [float(each.descriptors) for each in late])
    p99 = Trend.of(*p99_by_window(times, 20))
    return {
        "seconds": seconds,
        "answers": len(timed),
        "trained": trained,
        "rss_mib": {"start": round(rss.start, 1), "end": round(rss.end, 1)},
        "rss_mib_per_h": [round(3600 * rss.slope, 2), round(3600 * 2 * rss.error, 2)],
        "descriptors": {
            "start": round(files.start, 2),
            "end": round(files.end, 2),
            "max": max(each.descriptors for each in late),
        },
        "p99_ms": {"start": round(p99.start, 2), "end": round(p99.end, 2)},
        "p99_drift": round((p99.end - p99.start) / p99.start, 3),
        "p99_drift_noise": round(2 * p99.error * (times[-1][0] - times[0][0]) / p99.start, 3),
        "samples": [[round(s.at_s), round(s.rss_mib, 1), s.descriptors] for s in _thin(samples)],
    }


def _thin(samples: list[Sample]) -> list[Sample]:
    return samples[:: max(1, len(samples) // 120)]


def main() -> None:
    """Run, print, write."""
    result = run(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS)
    print(json.dumps({**result, "samples": len(result["samples"])}, indent=2))
    write_result("soak", {"protocol": __doc__, **result})
    n = result["answers"]
    record("soak.rss_mib_per_h", result["rss_mib_per_h"][0], n=n, command=COMMAND)
    record("soak.p99_drift", result["p99_drift"], n=n, command=COMMAND)
    growth, noise = result["rss_mib_per_h"]
    assert growth - noise < RSS_MIB_H, result
    assert result["descriptors"]["end"] - result["descriptors"]["start"] < 1, result
    assert result["p99_drift"] - result["p99_drift_noise"] < DRIFT, result


if __name__ == "__main__":
    main()
