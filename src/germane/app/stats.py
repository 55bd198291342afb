"""Counters and latencies of a running engine, for the metrics page and the live page."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable
from itertools import accumulate

from germane.domain.outcome import Reward

WINDOW = 20_000
"""Latencies kept for quantiles."""
BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
RATE_S = 5.0
"""Seconds that a rate is averaged over."""
HOW = ("reported", "id", "window")
"""How an outcome found its decision: reported for it, an event that names it, an event inside its window."""


class Latencies:
    """Measurements of one latency, in seconds: the latest ones whole, all of them by bucket."""

    def __init__(self) -> None:
        self._values: deque[float] = deque(maxlen=WINDOW)
        self._buckets = [0] * (len(BUCKETS_S) + 1)
        self.count = 0
        self.sum_s = 0.0

    def add(self, seconds: float) -> None:
        """One measurement."""
        self._values.append(seconds)
        self._buckets[bisect_left(BUCKETS_S, seconds)] += 1
        self.count += 1
        self.sum_s += seconds

    def cumulative(self) -> list[tuple[str, float]]:
        """(upper bound, measurements up to it) for each bucket, as Prometheus wants them."""
        bounds = [f"{bound:g}" for bound in BUCKETS_S] + ["+Inf"]
        return list(zip(bounds, map(float, accumulate(self._buckets)), strict=True))

    def quantile(self, share: float) -> float:
        """The value below which ``share`` of the kept ones lie, in seconds; 0 when there are none."""
        if not self._values:
            return 0.0
        ordered = sorted(self._values)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


class Rate:
    """Events per second over the last few seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._marks: deque[tuple[float, int]] = deque()
        self.total = 0

    def add(self, count: int) -> None:
        """``count`` events now."""
        if count:
            now = self._clock()
            self._marks.append((now, count))
            self.total += count
            self._forget(now)

    def per_second(self) -> float:
        """Average over the last ``RATE_S`` seconds."""
        self._forget(self._clock())
        return sum(count for _, count in self._marks) / RATE_S

    def _forget(self, now: float) -> None:
        while self._marks and self._marks[0][0] < now - RATE_S:
            self._marks.popleft()


class Stats:
    """Everything a running engine counts."""

    def __init__(self) -> None:
        self.events = Rate()
        self.decisions = Rate()
        self.duplicates = 0
        self.rejected = 0
        self.dead_letters = 0
        """What could not be used, in whole or in part, and is kept to be tried again."""
        self.unkept = 0
        """Events of which nothing may be kept."""
        self.undeclared = 0
        """Of these, events whose name nothing declares."""
        self.callers_refused = 0
        self.overloaded = 0
        """Requests that were refused because there was too much to do."""
        self.impressions = 0
        self.outcomes = dict.fromkeys(HOW, 0)
        self.quota_short = 0
        self.ack = Latencies()
        self.decide = Latencies()

    def credited(self, rewards: Iterable[Reward]) -> None:
        """Outcomes that an event was credited with; what a refund takes back is none."""
        for each in rewards:
            if each.rule in self.outcomes:
                self.outcomes[each.rule] += 1

    def snapshot(self) -> dict[str, float]:
        """All of it by name; latencies in seconds."""
        return {
            "events_total": self.events.total,
            "events_per_second": self.events.per_second(),
            "decisions_total": self.decisions.total,
            "decisions_per_second": self.decisions.per_second(),
            "duplicates_total": self.duplicates,
            "rejected_total": self.rejected,
            "dead_letters_total": self.dead_letters,
            "callers_refused_total": self.callers_refused,
            "overloaded_total": self.overloaded,
            "impressions_total": self.impressions,
            "outcomes_total": sum(self.outcomes.values()),
            "quota_short_total": self.quota_short,
            "ack_p50_seconds": self.ack.quantile(0.5),
            "ack_p99_seconds": self.ack.quantile(0.99),
            "decide_p50_seconds": self.decide.quantile(0.5),
            "decide_p99_seconds": self.decide.quantile(0.99),
        }
