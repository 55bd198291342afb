"""The shop of the demo: it replays real trips through the public HTTP API, and keeps score.

For each basket, in the order of the year and at the pace of the simulated clock: ask what to show,
report it as seen, send the order through the published Segment client, ask again. The second answer
must have seen the order; the time in between is the latency of the loop.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from zlib import crc32

import httpx
from requests import RequestException
from segment.analytics.client import Client
from segment.analytics.request import APIError

from germane.cli.demo.journey import Basket, Journey

WORKERS = 4
REPORT_S = 1.0
SURFACE = "home-grid"
SLATE = 10
WEEK_MS = 7 * 86_400_000
ATTEMPTS, RETRY_S = 20, 0.25
REFUSED = (httpx.HTTPStatusError, APIError)
"""What a call ends with when the server is there and says no."""
Answer = TypeVar("Answer")


class Bestsellers:
    """The honest rival: what sold most so far, counted by the shop itself."""

    def __init__(self) -> None:
        self._sold: Counter[str] = Counter()
        self._top: list[str] = []
        self._since = 0
        self._lock = threading.Lock()

    def learn(self, basket: Basket) -> None:
        """Count a basket, after it was bought."""
        with self._lock:
            self._sold.update(product for product, _, _ in basket.products)
            self._since += 1
            if self._since % 200 == 0 or not self._top:
                self._top = [product for product, _ in self._sold.most_common(SLATE)]

    def slate(self) -> list[str]:
        """The ten that sold most."""
        with self._lock:
            return list(self._top)


@dataclass(frozen=True, slots=True)
class Trip:
    """What was shown to a household, and what came of it."""

    basket: Basket
    before: list[dict[str, Any]]
    best: list[str]
    after: list[dict[str, Any]]
    took_ms: float
    unseen: bool
    """Whether the second answer did not know of the order."""
    again: bool
    """Whether an earlier run had begun it already."""

    def slate(self) -> list[str]:
        """The items that were shown."""
        return [each["itemId"] for each in self.before]

    def shown(self) -> dict[str, Any]:
        """For the page."""
        return {
            "household": self.basket.household,
            "atMs": self.basket.at_ms,
            "shown": self.before,
            "bought": [product for product, _, _ in self.basket.products],
            "next": [each["itemId"] for each in self.after],
        }


class Score:
    """How often a slate held something that was then bought, ours beside the best-sellers'."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.slates = self.hits = self.best_hits = 0
        self.weeks: dict[int, list[int]] = {}
        self.recent: deque[tuple[int, int]] = deque(maxlen=1000)
        self.latencies_ms: deque[float] = deque(maxlen=5000)
        self.pairs = self.unseen = 0
        self.trips: deque[dict[str, Any]] = deque(maxlen=60)
        """Trips since the last report, for the page."""
        self.done = 0

    def add(self, trip: Trip) -> None:
        """The next trip in the order of the year: scored and done at once, so that reports agree.

        One that an earlier run had begun is done, but not scored: its slate may know its own order.
        """
        with self.lock:
            self.done += 1
            self.trips.append(trip.shown())
            if not trip.again:
                self._scored(trip)

    def _scored(self, trip: Trip) -> None:
        bought = {product for product, _, _ in trip.basket.products}
        hit, best_hit = (int(not bought.isdisjoint(each)) for each in (trip.slate(), trip.best))
        self.slates += 1
        self.hits += hit
        self.best_hits += best_hit
        self.recent.append((hit, best_hit))
        week = self.weeks.setdefault(trip.basket.at_ms // WEEK_MS, [0, 0, 0])
        for place, value in enumerate((1, hit, best_hit)):
            week[place] += value
        self.pairs += 1
        self.latencies_ms.append(trip.took_ms)
        self.unseen += trip.unseen

    def report(self, total: int) -> dict[str, Any]:
        """For the live page."""
        with self.lock:
            times = sorted(self.latencies_ms)
            return {
                "slates": self.slates,
                "hits": self.hits,
                "bestHits": self.best_hits,
                "recent": [
                    sum(x for x, _ in self.recent),
                    sum(y for _, y in self.recent),
                    len(self.recent),
                ],
                "weeks": [[week * WEEK_MS, *counts] for week, counts in sorted(self.weeks.items())],
                "loop": {
                    "p50": _quantile(times, 0.5),
                    "p99": _quantile(times, 0.99),
                    "pairs": self.pairs,
                    "unseen": self.unseen,
                },
                "trips": self._taken(),
                "done": self.done,
                "total": total,
            }

    def _taken(self) -> list[dict[str, Any]]:
        taken = list(self.trips)
        self.trips.clear()
        return taken


def _quantile(ordered: list[float], share: float) -> float | None:
    return round(ordered[min(int(share * len(ordered)), len(ordered) - 1)], 2) if ordered else None


class Gone(Exception):
    """The server is not there any more."""


class Shop:
    """Talks to the server as a shop would."""

    def __init__(self, url: str, write_key: str, server_key: str) -> None:
        self.api = httpx.Client(base_url=url, auth=(server_key, ""), timeout=30)
        self._url, self._write_key = url, write_key
        self._local = threading.local()
        self.score = Score()
        self.best = Bestsellers()
        self.stopped = threading.Event()
        self.lost = False
        """The server went away without having told us to stop."""

    def again(self, call: Callable[[], Answer]) -> Answer:
        """Try until the server answers: all that is sent has an id, so sending twice counts once.

        Raises:
            Gone: the demo stops, or the server has not answered for a while.
        """
        for _ in range(ATTEMPTS):
            try:
                return call()
            except (httpx.TransportError, RequestException):
                if self.stopped.wait(RETRY_S):
                    raise Gone from None
        self.lost = True
        self.stopped.set()
        raise Gone

    def _tracker(self) -> Client:
        """The published client, one a thread, unchanged but for the host."""
        tracker = getattr(self._local, "tracker", None)
        if tracker is None:
            tracker = self._local.tracker = Client(
                self._write_key, host=self._url, sync_mode=True, max_retries=3, timeout=30
            )
        return tracker

    def trip(self, basket: Basket) -> Trip:
        """One trip: shown, bought, learned."""
        before = self._decide(basket.household)
        shown, best = before["items"], self.best.slate()
        seen = self.again(lambda: self._seen(before["decisionId"], len(shown), basket))
        started = time.perf_counter()
        self.again(lambda: self._bought(basket))
        after = self._decide(basket.household)
        took_ms = (time.perf_counter() - started) * 1000
        self.best.learn(basket)
        unseen = after["personOffset"] <= seen["offset"]  # the order came behind the impression
        again = bool(seen["duplicates"])
        return Trip(basket, shown, best, after["items"], took_ms, unseen, again)

    def _seen(self, decision_id: str, count: int, basket: Basket) -> dict[str, Any]:
        """The slate was on the household's screen."""
        answer = self.api.post(
            "/v1/impressions",
            json={
                "decisionId": decision_id,
                "positions": list(range(count)),
                "messageId": f"seen-{basket.basket_id}",
            },
        )
        receipt: dict[str, Any] = answer.raise_for_status().json()
        return receipt

    def _bought(self, basket: Basket) -> None:
        """The order, by the published client."""
        self._tracker().track(
            user_id=basket.household,
            event="Order Completed",
            properties=basket.properties(),
            timestamp=datetime.fromtimestamp(basket.at_ms / 1000, UTC),
            message_id=f"basket-{basket.basket_id}",
        )

    def _decide(self, household: str) -> dict[str, Any]:
        question = {
            "person": {"userId": household},
            "surfaces": [{"surface": SURFACE}],
            "explain": True,
        }
        answer = self.again(lambda: self.api.post("/v1/decide", json=question))
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()["decisions"][0]
        return found


class Replay:
    """Sends the baskets at the pace of the server's simulated clock."""

    def __init__(self, shop: Shop, journey: Journey) -> None:
        self._shop = shop
        self._journey = journey
        self._stop = shop.stopped
        self.total = len(journey) - journey.first_live

    def stop(self, *_: object) -> None:
        """End after the trips that are under way."""
        self._stop.set()

    def run(self) -> None:
        """Replay what the server has not got yet."""
        self._catch_up()
        reporter = threading.Thread(target=self._report, daemon=True)
        reporter.start()
        lanes = [ThreadPoolExecutor(1) for _ in range(WORKERS)]  # a household keeps its lane
        try:
            self._replay(lanes)
        finally:
            self._stop.set()
            for lane in lanes:
                lane.shutdown(cancel_futures=True)
            reporter.join()
            if not self._shop.lost:
                self._send()

    def _replay(self, lanes: list[ThreadPoolExecutor]) -> None:
        waiting: deque[Future[Trip]] = deque()
        first = self._journey.first_live + self._shop.score.done
        for basket in self._journey.baskets(first):
            if not self._wait_for(basket.at_ms):
                break
            lane = lanes[crc32(basket.household.encode()) % WORKERS]
            waiting.append(lane.submit(self._shop.trip, basket))
            while len(waiting) > 2 * WORKERS or (waiting and waiting[0].done()):
                self._finish(waiting.popleft())
        for each in waiting:
            self._finish(each)

    def _finish(self, trip: Future[Trip]) -> None:
        """Trips are counted in their order: the next start goes on behind the last whole one."""
        self._shop.score.add(trip.result())

    def _catch_up(self) -> None:
        """Best-sellers from history, and how far an earlier run came: the server says."""
        state = self._shop.again(self._progress)
        self._shop.score.done = state["replayed"]
        last = self._journey.first_live + state["replayed"]
        for basket in self._journey.baskets(0, last):
            self._shop.best.learn(basket)
        earlier = state.get("report") or {}
        with self._shop.score.lock:
            score = self._shop.score
            score.slates, score.hits = earlier.get("slates", 0), earlier.get("hits", 0)
            score.best_hits = earlier.get("bestHits", 0)
            score.weeks = {row[0] // WEEK_MS: row[1:] for row in earlier.get("weeks", [])}

    def _progress(self) -> dict[str, Any]:
        """What the server says of its clock and of the replay."""
        found: dict[str, Any] = (
            self._shop.api.get("/console/live/progress").raise_for_status().json()
        )
        return found

    def _wait_for(self, at_ms: int) -> bool:
        """Until the simulated clock reaches the trip; false when it is time to stop."""
        while not self._stop.is_set():
            if self._clock() >= at_ms:
                return True
            self._stop.wait(0.02)
        return False

    def _clock(self) -> float:
        """The server's simulated time, asked once a second and carried on in between."""
        now = time.monotonic()
        known = getattr(self, "_known", None)
        if known is None or now - known[0] > 1.0:
            state = self._shop.again(self._progress)
            known = self._known = (now, state["nowMs"], state["speed"])
        clock: float = known[1] + (now - known[0]) * 1000 * known[2]
        return clock

    def _report(self) -> None:
        while not self._stop.wait(REPORT_S):
            self._send()

    def _send(self) -> None:
        report = self._shop.score.report(self.total)
        with contextlib.suppress(Gone):
            self._shop.again(lambda: self._shop.api.post("/console/live/report", json=report))


def main() -> None:
    """Run until the year is over or someone says stop."""
    environment = os.environ
    shop = Shop(
        environment["GERMANE_URL"],
        environment["GERMANE_WRITE_KEY"],
        environment["GERMANE_SERVER_KEY"],
    )
    replay = Replay(shop, Journey())
    signal.signal(signal.SIGTERM, replay.stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's: it tells us
    try:
        shop.again(lambda: shop.api.get("/readyz"))
        replay.run()
    except Gone:
        if shop.lost:
            sys.stderr.write("The replay ended: the server does not answer any more.\n")
            sys.exit(1)
    except REFUSED as error:
        sys.stderr.write(f"The replay ended: {' '.join(str(error).split())[:300]}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
