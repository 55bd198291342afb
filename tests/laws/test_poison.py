"""A poisonous message costs itself: what it does to the others, and what a replay makes of it (law 10)."""

from __future__ import annotations

from pathlib import Path

from tests.laws.poisoning import WRONG, different_people, expected, poisoned, whole
from tests.laws.resending import Plan


def test_a_poisonous_message_costs_itself(tmp_path: Path) -> None:
    """56 poisonous ones among 5,600, four of each kind: all are dead letters; the others are not touched; after
    the mending and a replay everything is as if nothing had been broken."""
    plan = Plan(events=6_223, again=0, rounds=1, lives=1, people=150)
    found = poisoned(plan, tmp_path / "broken")
    assert (found.accepted, found.rejected) == (5_544, 56)
    assert found.letters == expected(plan)
    assert found.still == dict.fromkeys(WRONG, 4)
    late = whole(plan, tmp_path / "late", found.order)
    assert (late.accepted, late.rejected) == (5_576, 0)
    assert late.before == found.before, "something of it stayed behind"
    assert late.after == found.after
    assert found.rebuilds
    turn = whole(plan, tmp_path / "turn")
    assert turn.accepted == 5_576
    assert turn.after != found.after, "offsets tell when each came"
    assert different_people(tmp_path / "broken", tmp_path / "turn") == []
