"""60 times kill -9 under load: nothing acknowledged is lost, nothing counts twice."""

from __future__ import annotations

from benchmarks import kills


def test_kills() -> None:
    """Acknowledged events are all there, once each, and the state equals the rebuilt one; so it is in copies
    that were made right after a kill."""
    found = kills.run(60)
    assert found["acked"] > 5_000
    assert (found["lost"], found["double"]) == (0, 0)
    assert found["integrity"] == "ok"
    assert found["rebuild_equal"] is True
    assert found["samples"] >= 1
    assert kills.holds(found), found
