"""Ten times what it can do, for half a minute: it does what it can, refuses the rest, and recovers.

How much it still does, and how soon it is as before, is measured by the benchmark, on a machine of its own."""

from __future__ import annotations

from benchmarks import overload


def test_overload() -> None:
    """As the benchmark, for a shorter time, beside whatever else the machine does."""
    found = overload.run(30.0, capacity_s=5.0, calm_s=6.0)
    assert found["times_capacity"] > 2, "the generator could not keep up"
    assert found["lost"] == 0
    assert found["acked"] > 2_000
    assert set(found["answers"]) <= {"200", "429", "503", "unsent"}, found["answers"]
    assert found["answers"]["429"] > found["answers"]["200"]
    assert found["refusals_without_retry_after"] == 0
    assert found["rss_mib"]["max"] < overload.RSS_LIMIT_MIB
    assert set(found["answers_else"]["after"]) == {"200"}, "calm again, and something is refused"
