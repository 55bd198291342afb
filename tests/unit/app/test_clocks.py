"""Phones with a wrong clock: an event of 1970, or of ten years ahead, harms nobody else."""

from __future__ import annotations

import pytest

from germane.app.engine import Engine
from germane.domain.decision import Ask
from germane.testing import FakeWorld, an_event

DAY_MS = 86_400_000


def decided(engine: Engine) -> list[str]:
    (decision,), _ = engine.decide("u1", "", "", [Ask("home")])
    assert decision.arm == "personalised"
    return [each.item_id for each in decision.items]


@pytest.mark.parametrize("days", [1, 300, 3_650])
def test_an_event_ahead_of_the_clock(engine: Engine, world: FakeWorld, days: int) -> None:
    """It counts as one of now, for everyone: decisions go on, and what sold before still counts."""
    now = world.now_ms()
    for n in range(20):
        engine.accept_now([an_event(item="i1", at_ms=now, message_id=f"a{n}")])
    ahead = an_event(item="i2", at_ms=now + days * DAY_MS, user="u2", message_id="b")
    assert engine.accept_now([ahead]).rejected == 0
    assert decided(engine)[0] == "i1"
    state = engine.model.state  # type: ignore[attr-defined]
    assert state.mid.sums[state.index["i1"]] == pytest.approx(
        20 * state.mid.sums[state.index["i2"]]
    )


def test_events_of_1970_teach_and_are_no_dead_letters(engine: Engine, world: FakeWorld) -> None:
    """A hundred of them, some of which become lessons."""
    engine.accept_now([an_event(item="i1", at_ms=world.now_ms())])
    old = [an_event(item="i2", at_ms=0, user="u3", message_id=f"c{n}") for n in range(100)]
    receipt = engine.accept_now(old)
    assert (receipt.accepted, receipt.rejected) == (100, 0)
    assert engine.letters() == []
    assert decided(engine)[0] == "i1"
