"""The laws of the design, as properties of the whole engine."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from germane.app.engine import Engine
from germane.app.opening import open_engine
from germane.app.rebuild import Rebuild, rebuild
from germane.domain.decision import Ask, Context, Decision
from germane.domain.event import Event
from germane.domain.ids import SLOTS, slot_of
from germane.domain.outcome import Impression, Outcome
from germane.domain.record import Txn
from germane.testing import FakeWorld, a_shop, an_event, an_item, an_order


def busy(engine: Engine, world: FakeWorld, steps: int, seed: int = 1) -> list[Decision]:
    """A random life: visits, orders, refunds, merges, decisions, impressions, outcomes, re-sent events."""
    chance, made, sent = random.Random(seed), [], []

    async def live() -> None:
        await engine.start()
        for step in range(steps):
            world.advance(seconds=chance.randrange(1, 20_000))
            now, user = world.now_ms(), f"u{chance.randrange(6)}"
            items = [f"i{chance.randrange(60)}" for _ in range(chance.randrange(1, 4))]
            late = now - chance.randrange(0, 40) * 86_400_000
            event = chance.choice(
                [
                    an_event(user=user, item=items[0], at_ms=late),
                    an_event(
                        user="", anonymous_id=f"x{chance.randrange(4)}", item=items[0], at_ms=now
                    ),
                    an_order(items, user=user, at_ms=now, order_id=f"o{chance.randrange(30)}"),
                    an_event("Product Dismissed", user=user, item=items[0], at_ms=now),
                    Event(
                        f"id{step}",
                        "identify",
                        now,
                        user_id=user,
                        traits={"likes": "c1"},
                        anonymous_id=f"x{chance.randrange(4)}",
                    ),
                ]
            )
            sent.append(event)
            await engine.accept([event, chance.choice(sent)])
            if step % 3 == 0:
                decisions, _ = engine.decide(user, "", "", [Ask("home")])
                decision = decisions[0]
                made.append(decision)
                await engine.impressions(
                    [
                        Impression(
                            f"imp{step}",
                            decision.decision_id,
                            tuple(range(len(decision.items))),
                            now,
                        )
                    ]
                )
                if step % 9 == 0 and decision.items:
                    await engine.outcomes(
                        [
                            Outcome(
                                f"out{step}",
                                decision.decision_id,
                                decision.items[0].item_id,
                                "purchase",
                                0.0,
                                now,
                            )
                        ]
                    )
        await engine.stop()

    asyncio.run(live())
    return made


def test_law_1_acknowledged_is_durable(engine: Engine, tmp_path: Path) -> None:
    """When ``accept`` returns, another process reads the events from the disk."""
    from germane.storage.sqlite import SqliteStore

    async def live() -> None:
        await engine.start()
        for number in range(20):
            await engine.accept([an_event(message_id=f"law1-{number}")])
            beside = SqliteStore.open(tmp_path / "data", mode="read")
            assert beside.seen("main", [f"law1-{number}"]) == {f"law1-{number}"}
            beside.close()
        await engine.stop()

    asyncio.run(live())


@pytest.mark.parametrize("where", ["stage", "sync"])
def test_law_1_a_failed_commit_is_never_acknowledged(engine: Engine, where: str) -> None:
    """If the disk refuses, the caller gets the error, and so does everyone after."""
    from germane.domain.errors import StorageFailed

    def refuse(*_: Txn) -> None:
        raise StorageFailed("the disk is gone")

    async def live() -> None:
        await engine.start()
        setattr(engine.store, where, refuse)
        with pytest.raises(StorageFailed):
            await engine.accept([an_event()])
        with pytest.raises(StorageFailed):
            await engine.accept([an_event()])
        assert engine.health()["ready"] is False
        await engine.stop()

    asyncio.run(live())


@given(order=st.lists(st.integers(0, 14), min_size=1, max_size=60), cut=st.integers(1, 5))
def test_law_2_at_least_once_in_exactly_once_state(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], cut: int
) -> None:
    """However often and in whatever batches events are re-sent, each counts once."""
    events = [an_order([f"i{n}"], message_id=f"e{n}", order_id=f"o{n}") for n in range(15)]
    engine = open_engine(a_shop(), tmp_path_factory.mktemp("d"), world=FakeWorld())
    for start in range(0, len(order), cut):
        engine.accept_now([events[n] for n in order[start : start + cut]])
    profile = engine.store.profile("main", "u:u1")
    assert profile is not None
    distinct = set(order)
    assert profile.evidence == len(distinct)
    assert {key: own.count for key, own in profile.own_items.items()} == {
        f"i{n}": 1 for n in distinct
    }
    assert engine.store.counts()["records"] == len(distinct)
    engine.store.close()


def test_law_3_read_your_writes(engine: Engine) -> None:
    """After the acknowledgement the decision has seen the event, every time (200 pairs)."""

    async def live() -> None:
        await engine.start()
        for number in range(200):
            user = f"u{number % 5}"
            receipt = await engine.accept([an_order([f"i{number % 60}"], user=user)])
            (decision,), _ = engine.decide(user, "", "", [Ask("home")])
            assert decision.personal_seq >= receipt.seq
        await engine.stop()

    asyncio.run(live())


def test_law_5_decisions_can_be_replayed_bit_for_bit(engine: Engine, world: FakeWorld) -> None:
    """From the log up to a decision, its seed and its time, the very same decision comes again."""
    made = {each.decision_id: each for each in busy(engine, world, 120)}
    assert len(made) == 40
    work, replayed = Rebuild(engine.settings, engine.key), 0
    for record in engine.store.read(0):
        if record.kind == "decision":
            logged = msgspec.msgpack.decode(record.body, type=Decision)
            assert logged == made[logged.decision_id]
            assert work.decide_again(logged) == logged
            replayed += 1
        work.step(record)
    assert replayed == 40


def test_law_6_decisions_say_how_they_were_made(engine: Engine, world: FakeWorld) -> None:
    """Each logged decision has candidates with scores and sources, propensities, versions, arm, reasons."""
    made = busy(engine, world, 90)
    assert made
    for decision in made:
        logged = engine.store.decision("main", decision.decision_id)
        assert logged == decision
        assert logged.arm == "personalised"
        assert logged.model_version == engine.model.version
        assert logged.candidate_count >= len(logged.items) == 5
        assert logged.candidates
        assert all(each.sources for each in logged.candidates if each.score != 0)
        for item in logged.items:
            assert 0 < item.propensity <= 1
            assert item.reasons
            assert sum(item.sources.values()) == pytest.approx(item.score, abs=1e-9)
            assert (item.slot == "explore") == (item.propensity < 0.5)


@pytest.mark.parametrize("seed", range(5))
def test_law_7_live_equals_rebuilt_equals_reopened(tmp_path: Path, shop: object, seed: int) -> None:
    """State and model are equal live, rebuilt from the log, from a snapshot plus tail, and without one."""
    world = FakeWorld(seed=seed)
    engine = open_engine(a_shop(), tmp_path, world=world)
    with engine.importer() as importer:
        importer.add_items([an_item(n) for n in range(60)])
    busy(engine, world, 150, seed)
    report = rebuild(engine)
    assert report.records > 250
    assert report.equal
    live = engine.model.digest()
    engine.store.close()
    fresh = open_engine(a_shop(), tmp_path, world=world)
    assert fresh.model.digest() == live
    fresh.store.close()


def test_law_7_snapshot_and_tail(engine: Engine, world: FakeWorld, tmp_path: Path) -> None:
    """A snapshot in the middle and the log after it give the model that has seen everything."""
    from germane.app.opening import save_snapshot

    busy(engine, world, 60)
    save_snapshot(engine, tmp_path / "data")
    engine.accept_now([an_order([f"i{n}"], user=f"u{n}") for n in range(40)])
    live = engine.model.digest()
    engine.store.close()
    fresh = open_engine(engine.settings, tmp_path / "data", world=world)
    assert fresh.model.digest() == live
    fresh.store.close()


@given(st.text(max_size=30), st.text(max_size=30))
def test_law_9_slots_are_fixed(tenant: str, person: str) -> None:
    """A person's slot depends on tenant and person alone, and is in range."""
    slot = slot_of(tenant, person)  # type: ignore[arg-type]
    assert 0 <= slot < SLOTS
    assert slot == slot_of(tenant, person)  # type: ignore[arg-type]


def test_law_9_slots_are_fixed_for_ever() -> None:
    """These values may never change: data is partitioned by them."""
    known = {("main", "u:1"): 4091, ("main", "u:alice"): 3687, ("other", "a:x"): 3664}
    assert {key: slot_of(*key) for key in known} == known  # type: ignore[arg-type]


def test_law_9_a_decision_reads_one_profile(engine: Engine, world: FakeWorld) -> None:
    """Deciding for one person reads no other person's state."""
    busy(engine, world, 30)
    read: list[str] = []
    inner = engine._memory.profile

    def watch(tenant: str, person: str) -> object:
        read.append(person)
        return inner(tenant, person)

    engine._memory.profile = watch  # type: ignore[method-assign,assignment]
    engine.decide("u1", "", "", [Ask("home"), Ask("together", context=Context(item="i1"))])
    assert set(read) == {"u:u1"}
