"""Clients that send and take a byte a second do no harm to one that does not."""

from __future__ import annotations

from benchmarks import slowclients


def test_slow_clients() -> None:
    """300 of them beside an honest one: it is answered as before, and heads that take too long are cut."""
    found = slowclients.run(300, rounds=1, seconds=12.0)
    assert found["answers"]["200"] > 1_000
    assert set(found["answers"]) <= {"200", "429"}, found["answers"]
    assert found["cut"]["head"] >= 90
    (held,) = found["server"]
    assert held["descriptors"] < 300 + 200
    (alone,), (beside,) = found["p99_alone_ms"], found["p99_beside_ms"]
    assert beside <= max(3 * alone, alone + 400), found  # by how much, the benchmark tells
