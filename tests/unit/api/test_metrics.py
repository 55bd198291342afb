"""The metrics page is what a Prometheus server can read."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from germane.api.ops import EngineMetrics
from germane.app import Engine
from germane.app.stats import Latencies


def test_latencies_are_histograms(engine: Engine) -> None:
    """Buckets are cumulative and end with all of them; the sum is in seconds."""
    for seconds in (0.0004, 0.001, 0.004, 3.0):
        engine.counters.ack.add(seconds)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(EngineMetrics(engine))
    text = generate_latest(registry).decode()
    families = {each.name: each for each in text_string_to_metric_families(text)}
    found = families["germane_ack_seconds"]
    assert found.type == "histogram"
    buckets = {x.labels["le"]: x.value for x in found.samples if x.name.endswith("_bucket")}
    assert (buckets["0.001"], buckets["0.0025"], buckets["0.005"]) == (2, 2, 3)
    assert (buckets["1"], buckets["+Inf"]) == (3, 4)
    values = {x.name: x.value for x in found.samples if "le" not in x.labels}
    assert values["germane_ack_seconds_count"] == 4
    assert abs(values["germane_ack_seconds_sum"] - 3.0054) < 1e-9


def test_quantiles_are_of_the_latest() -> None:
    """The live page's p50 and p99."""
    latencies = Latencies()
    assert latencies.quantile(0.5) == 0.0
    for number in range(100):
        latencies.add(number / 100)
    assert (latencies.quantile(0.5), latencies.quantile(0.99)) == (0.5, 0.99)
