"""Nobody who has said no is sent anything, however close the two were (law 4)."""

from __future__ import annotations

from benchmarks import sendraces
from germane.app.release import Later, Never, Release
from germane.domain.message import Message


class BlindAtTheEnd(Release):
    """Asks when it claims, and never again: what is said in between is not heard."""

    def withdrawn(self, message: Message) -> Later | Never | None:
        """Only of what is not claimed yet."""
        return None if message.status == "claimed" else super().withdrawn(message)


def test_no_message_begins_after_the_no_was_acknowledged() -> None:
    """Two thousand of the races that the benchmark runs by the hundred thousand; half are ended by the
    kill switch."""
    found = sendraces.run(2_000, seed=7, switch_every=2)
    assert found["late"] == 0
    assert 0.05 < found["sent"] / found["races"] < 0.95


def test_the_races_see_a_message_that_begins_too_late() -> None:
    """The control: without the last look some do."""
    assert sendraces.run(2_000, seed=7, release=BlindAtTheEnd)["late"] > 0
