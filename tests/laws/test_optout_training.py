"""A model trained beside the rows of people who opted out is the one that is trained without them."""

from __future__ import annotations

from benchmarks import optouttraining


def test_the_models_are_the_same_byte_for_byte() -> None:
    """And with their rows it would have been another one."""
    found = optouttraining.run(events=2_500)
    assert found["rows_of_theirs"] > 500
    assert found["equal"]
    assert found["control_differs"]
    assert found["lessons"] == found["lessons_without"] < found["lessons_of_everybody"]
