"""Nothing begins after somebody's no was acknowledged, and nothing that is known of them is seen (law 8)."""

from __future__ import annotations

from benchmarks import consentraces


def test_no_effect_begins_after_the_no_was_acknowledged() -> None:
    """Some of the races that the benchmark runs by the hundred thousand; many begin before it."""
    found = consentraces.run(1_000, seed=7)
    assert (found["late"], found["by_kind"]) == (0, {})
    assert 0.05 < found["refused"] / found["events"] < 0.95


def test_the_races_see_an_effect_that_begins_too_late() -> None:
    """The control: behind a gate that lets everything pass some do, of each kind."""
    found = consentraces.run(500, seed=7, blind=True)["by_kind"]
    assert {"kept", "learned", "impression"} <= {*found}


def test_a_decision_for_who_opted_out_is_one_for_nobody() -> None:
    """Whatever is known of them."""
    assert consentraces.mismatches(400)["mismatches"] == 0
