"""Watching a campaign: until everybody who is meant has a message, or nothing moves any more."""

from __future__ import annotations

from typing import Any

from germane.cli.desk import Desk
from germane.cli.watching import EVERY_S, STILL_S, _watched


def a_desk(
    *looks: dict[str, int], reached: int, enters: str = "audience", status: str = "live"
) -> Desk:
    """Answers one look after the other; the last one for ever."""
    left = list(looks)

    def ask(_: str, path: str, __: Any) -> dict[str, Any]:
        if path.endswith("/audience"):
            return {"counts": {"reached": reached}}
        messages = left.pop(0) if len(left) > 1 else left[0]
        return {"campaign": "news", "entersBy": enters, "status": status, "messages": messages}

    return Desk(ask, served=True)


def watched(desk: Desk) -> tuple[dict[str, int], float]:
    """How they stand in the end, and how long it was watched."""
    slept: list[float] = []
    found = _watched(desk, "news", quiet=True, sleep=slept.append)
    return found["messages"], sum(slept)


def test_it_ends_when_all_are_made() -> None:
    looks = ({}, {"making": 2, "queued": 1}, {"queued": 3})
    assert watched(a_desk(*looks, reached=3)) == ({"queued": 3}, 2 * EVERY_S)


def test_it_ends_when_nothing_moves() -> None:
    """Fewer came in than were counted."""
    messages, waited_s = watched(a_desk({}, {"queued": 2}, reached=3))
    assert messages == {"queued": 2}
    assert waited_s == EVERY_S + STILL_S


def test_a_dry_run_counts_nobody_twice() -> None:
    """Whom it made something for would come in when it is live, too."""
    desk = a_desk({"skipped": 2, "making": 1}, {"skipped": 3}, reached=3, status="dry")
    assert watched(desk) == ({"skipped": 3}, EVERY_S)


def test_what_is_being_made_is_waited_for() -> None:
    looks = ({"making": 5}, *({"making": 5} for _ in range(20)), {"sent": 5})
    assert watched(a_desk(*looks, reached=0, enters="event"))[0] == {"sent": 5}
