"""What is sent again counts once, however, whenever and by whomever (laws 2 and 7)."""

from __future__ import annotations

from pathlib import Path

from tests.laws.resending import Plan, oracle, resend, send_once


def test_sent_again_is_as_sent_once(tmp_path: Path) -> None:
    """20,000 events and 6,000 copies, out of order, at the same time and across restarts."""
    plan = Plan(events=20_000, again=6_000, rounds=40, lives=6)
    found = resend(plan, tmp_path / "again")
    assert (found.sent, found.accepted, found.duplicates) == (26_000, 20_000, 6_000)
    assert found.rejected == 0
    assert found.sealed > 5_000
    assert found.counted == oracle(plan)
    once = send_once(tmp_path / "again", tmp_path / "once")
    assert (once.sent, once.accepted, once.duplicates) == (20_000, 20_000, 0)
    assert (once.state, once.model) == (found.state, found.model)
    assert once.counted == found.counted
