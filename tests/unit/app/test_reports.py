"""What becomes of reports: ids by kind, lost records, accounts that were dropped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from germane.app.engine import Engine
from germane.app.rebuild import rebuild
from germane.domain.decision import Ask, Decision
from germane.domain.outcome import Impression, Outcome, Verdict
from germane.domain.profile import Profile
from germane.testing import FakeWorld, an_event

DAY_S = 86_400


def live(engine: Engine, act: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """While it serves."""

    async def all_of_it() -> None:
        await engine.start()
        await act()
        await engine.stop()

    asyncio.run(all_of_it())


def decided(engine: Engine) -> Decision:
    """A slate for the first user."""
    (decision,), _ = engine.decide("u1", "", "", [Ask("home")])
    return decision


async def said(engine: Engine, decision: Decision, name: str, at_ms: int) -> Verdict:
    """The verdict of a purchase of the first item."""
    outcome = Outcome(name, decision.decision_id, decision.items[0].item_id, "purchase", 1.0, at_ms)
    (verdict,) = (await engine.outcomes([outcome])).verdicts
    return verdict


async def seen(engine: Engine, decision: Decision, name: str, at_ms: int) -> int:
    """How many impressions are new."""
    report = Impression(name, decision.decision_id, (0, 1), at_ms)
    return (await engine.impressions([report])).accepted


def test_message_ids_are_apart_by_kind(engine: Engine, world: FakeWorld) -> None:
    """An event, an impression and an outcome may have the same; each kind once."""
    engine.accept_now([an_event(at_ms=world.now_ms(), message_id="click-7")])

    async def act() -> None:
        slate, now_ms = decided(engine), world.now_ms()
        assert await seen(engine, slate, "click-7", now_ms) == 1
        assert await seen(engine, slate, "click-7", now_ms) == 0
        assert await said(engine, slate, "click-7", now_ms) == "counted"
        assert await said(engine, slate, "click-7", now_ms) == "duplicate"
        event = an_event(at_ms=now_ms, message_id="click-7")
        assert (await engine.accept([event])).duplicates == 1

    live(engine, act)
    assert rebuild(engine).equal


def test_nothing_counts_again_once_its_account_was_dropped(
    engine: Engine, world: FakeWorld
) -> None:
    """A newer slate was seen after the windows were over: what counted for the older is not known."""
    engine.accept_now([an_event(at_ms=world.now_ms())])

    async def act() -> None:
        slate = decided(engine)
        await seen(engine, slate, "i1", world.now_ms())
        world.advance(days=1)
        then_ms = world.now_ms()
        assert await said(engine, slate, "o1", then_ms) == "counted"
        world.advance(days=19)
        await seen(engine, decided(engine), "i2", world.now_ms())
        assert await said(engine, slate, "o2", then_ms) == "forgotten"

    live(engine, act)
    assert rebuild(engine).equal


def test_an_outcome_of_a_slate_whose_record_was_lost(engine: Engine, world: FakeWorld) -> None:
    """It is kept and counts for nothing: nobody keeps account of it."""
    lost = engine._deciding.decide(
        "main", Profile("u:u1"), Ask("home"), at_ms=world.now_ms(), seed=7
    )

    async def act() -> None:
        for name in ("o1", "o2"):
            assert await said(engine, lost, name, world.now_ms()) == "untaught"

    live(engine, act)
    assert engine.counters.outcomes["reported"] == 0
