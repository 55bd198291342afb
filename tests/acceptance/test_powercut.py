"""The power fails at any write of a server: nothing acknowledged is lost, nothing is half there.

How a disk may look after a power cut: ``powercut/disk.py``; what is looked at there: ``powercut/replay.py``.
"""

from __future__ import annotations

import os

import pytest

from tests.acceptance.powercut import rounds
from tests.acceptance.powercut.recording import Hole

STATES = int(os.environ.get("GERMANE_STATES", "5000"))


def test_power_cuts() -> None:
    """Of a recorded story with everything in it that moves data."""
    found = rounds.a_round(STATES)
    assert found["states"] == STATES
    assert {"event", "impression", "outcome", "item", "opt-out", "letter", "erasure"} == {
        *found["kinds"]
    }
    assert (found["lost"], found["corrupt"], found["half"]) == (0, 0, 0), found["examples"]
    assert found["servers_wrong"] == []


@pytest.mark.parametrize(("hole", "kind"), [("commits", "lost"), ("history", "corrupt")])
def test_a_program_with_a_hole_is_caught(hole: Hole, kind: str) -> None:
    """SQLite that does not sync each commit; sealed files that are named and never synced."""
    found = rounds.control(hole)
    assert found[kind] > 0, found
