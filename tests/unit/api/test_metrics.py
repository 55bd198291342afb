"""The metrics page is what a Prometheus server can read."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families

from germane.api.ops import EngineMetrics
from germane.app import Engine
from germane.app.stats import Latencies
from germane.domain.decision import Ask
from germane.domain.errors import StorageFailed
from germane.domain.event import Rejection
from germane.domain.outcome import Impression, Outcome
from germane.testing import an_event, an_order


def families(engine: Engine) -> list[Metric]:
    """The page, read again."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(EngineMetrics(engine))
    return list(text_string_to_metric_families(generate_latest(registry).decode()))


def test_latencies_are_histograms(engine: Engine) -> None:
    """Buckets are cumulative and end with all of them; the sum is in seconds."""
    for seconds in (0.0004, 0.001, 0.004, 3.0):
        engine.counters.ack.add(seconds)
    (found,) = [each for each in families(engine) if each.name == "germane_ack_seconds"]
    assert found.type == "histogram"
    buckets = {x.labels["le"]: x.value for x in found.samples if x.name.endswith("_bucket")}
    assert (buckets["0.001"], buckets["0.0025"], buckets["0.005"]) == (2, 2, 3)
    assert (buckets["1"], buckets["+Inf"]) == (3, 4)
    values = {x.name: x.value for x in found.samples if "le" not in x.labels}
    assert values["germane_ack_seconds_count"] == 4
    assert abs(values["germane_ack_seconds_sum"] - 3.0054) < 1e-9


def test_outcomes_by_how_they_found_their_decision(engine: Engine) -> None:
    """Reported, by an event that names it, by an event in its window; a refund is none."""
    decided = [engine.decide("u1", "", "", [Ask("home")])[0][0] for _ in range(2)]
    first, second = decided
    seen = [Impression(f"s{n}", x.decision_id, (0, 1), x.at_ms) for n, x in enumerate(decided)]
    one, two = (each.item_id for each in second.items[:2])

    async def live() -> None:
        await engine.start()
        await engine.impressions(seen)
        at_ms = engine.world.now_ms()
        named = an_order([one], at_ms=at_ms, order_id="o1")
        named.properties["decision_id"] = first.decision_id
        await engine.accept([named, an_order([two], at_ms=at_ms, order_id="o2")])
        said = Outcome("r1", second.decision_id, one, "purchase", None, at_ms)
        await engine.outcomes([said, replace(said, message_id="r2")])
        refund = {"order_id": "o2", "products": [{"product_id": two}]}
        await engine.accept([an_event("Order Refunded", at_ms=at_ms, properties=refund)])
        await engine.stop()

    asyncio.run(live())
    (found,) = [x for x in families(engine) if x.name == "germane_outcomes"]
    values = {x.labels["how"]: x.value for x in found.samples if x.name.endswith("_total")}
    assert values == {"reported": 1, "id": 1, "window": 1}
    assert engine.stats()["outcomes_total"] == 3


def test_dead_letters_that_wait(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gauge: it goes down when one is settled; what cannot be read takes nothing else off the page."""
    engine.accept_now([], [Rejection("event.invalid", f"No. {n}", b"{}") for n in range(3)])
    engine.dismiss_letter(1)
    (found,) = [x for x in families(engine) if x.name == "germane_dead_letters_pending"]
    assert (found.type, found.samples[0].value) == ("gauge", 2)

    def broken() -> int:
        raise StorageFailed

    monkeypatch.setattr(engine.store, "pending_letters", broken)
    names = {x.name for x in families(engine)}
    assert "germane_ready" in names
    assert "germane_dead_letters_pending" not in names


def test_quantiles_are_of_the_latest() -> None:
    """The live page's p50 and p99."""
    latencies = Latencies()
    assert latencies.quantile(0.5) == 0.0
    for number in range(100):
        latencies.add(number / 100)
    assert (latencies.quantile(0.5), latencies.quantile(0.99)) == (0.5, 0.99)
