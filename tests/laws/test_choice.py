"""The laws, for surfaces that choose one of a few actions."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from germane.app.engine import Engine
from germane.app.opening import open_engine, save_snapshot
from germane.app.rebuild import Rebuild, rebuild
from germane.domain.decision import Ask, Context, Decision
from germane.domain.event import Event
from germane.domain.outcome import Impression, Outcome, Trial
from germane.predict.bandit.arms import Arms, Sums
from germane.predict.bandit.features import layout_of
from germane.testing import FakeWorld, a_campaign, an_event, an_order

DAY_MS = 86_400_000


def campaign_life(engine: Engine, world: FakeWorld, steps: int, seed: int = 1) -> list[Decision]:
    """Choices for known and unknown people, orders, refunds, named outcomes, late events, merges."""
    chance, made = random.Random(seed), []

    async def live() -> None:
        await engine.start()
        for step in range(steps):
            world.advance(seconds=chance.randrange(1, 9_000))
            now, user = world.now_ms(), f"u{chance.randrange(8)}"
            anonymous = f"x{chance.randrange(5)}"
            late = now - chance.randrange(0, 3) * DAY_MS // 2
            order = f"o{chance.randrange(40)}"
            item = f"i{chance.randrange(20)}"
            context = Context(device=chance.choice(["phone", "desk"]))
            asked = (user, "") if chance.random() < 0.7 else ("", anonymous)
            (decision,), _ = engine.decide(*asked, "", [Ask("mail", context=context)])
            made.append(decision)
            kind = chance.randrange(6)
            if kind == 0:
                await engine.accept([an_order([item], user=user, at_ms=late, order_id=order)])
            elif kind == 1:
                await engine.accept(
                    [an_event("Order Refunded", user=user, at_ms=now, properties=_products(item))]
                )
            elif kind == 2:
                named = chance.choice(made[-20:]).decision_id
                properties = {
                    **_products(item),
                    "decision_id": named,
                    "order_id": f"n{seed}-{step}",
                }
                await engine.accept([an_order([item], user=user, at_ms=now, properties=properties)])
            elif kind == 3:
                named = chance.choice(made[-20:]).decision_id
                await engine.outcomes([Outcome(f"r{seed}-{step}", named, "", "purchase", 0.0, now)])
            elif kind == 4:
                link = Event(
                    f"id{seed}-{step}", "identify", now, user_id=user, anonymous_id=anonymous
                )
                await engine.accept([link])
            else:
                await engine.impressions(
                    [Impression(f"s{seed}-{step}", decision.decision_id, (0,), now)]
                )
        await engine.stop()

    asyncio.run(live())
    return made


def _products(item: str) -> dict[str, object]:
    return {"products": [{"product_id": item, "price": 9.5, "quantity": 1}]}


@pytest.mark.parametrize("seed", range(4))
def test_law_7_live_equals_rebuilt_equals_reopened(tmp_path: Path, seed: int) -> None:
    """What choices taught is the same live, rebuilt from the log, and from a snapshot and the rest."""
    world = FakeWorld(seed=seed)
    engine = open_engine(a_campaign(), tmp_path, world=world)
    campaign_life(engine, world, 150, seed)
    save_snapshot(engine, tmp_path)
    engine.store.close()
    engine = open_engine(a_campaign(), tmp_path, world=world)
    campaign_life(engine, world, 50, seed + 100)
    known = engine.standing("mail")
    assert sum(known.made.values()) == 200
    assert sum(arm.decisions for arm in known.choice.arms) > 50
    assert sum(arm.responses for arm in known.choice.arms) > 5
    assert rebuild(engine).equal
    live = engine.model.digest()
    engine.store.close()
    fresh = open_engine(a_campaign(), tmp_path, world=world)
    assert fresh.model.digest() == live
    assert fresh.standing("mail") == known
    fresh.store.close()


def test_law_5_choices_can_be_replayed_bit_for_bit(tmp_path: Path) -> None:
    """Also when only every seventh decision is made again: nothing hangs on what was asked before."""
    world = FakeWorld()
    engine = open_engine(a_campaign(), tmp_path, world=world)
    campaign_life(engine, world, 200)
    work, again, count = Rebuild(engine.settings, engine.key), 0, 0
    for record in engine.store.read(0):
        if record.kind == "decision":
            logged = msgspec.msgpack.decode(record.body, type=Decision)
            count += 1
            if count % 7 == 0:
                assert work.decide_again(logged) == logged
                again += 1
        work.step(record)
    assert again == 28
    engine.store.close()


def test_law_6_propensities_are_those_of_the_policy(tmp_path: Path) -> None:
    """The same question with 4,000 seeds: each action comes as often as its stored propensity says."""
    world = FakeWorld()
    engine = open_engine(a_campaign(), tmp_path, world=world)
    campaign_life(engine, world, 120)
    world.advance(days=4)
    taken: dict[str, int] = {}
    for _ in range(4_000):
        profile = engine.whose("u1")
        decision = engine._deciding.decide(
            "main", profile, Ask("mail"), at_ms=world.now_ms(), seed=world.seed()
        )
        choice = decision.choice
        assert choice is not None
        stored = {arm.action: arm.propensity for arm in choice.arms}
        assert choice.propensity == stored[choice.action]
        assert sum(stored.values()) == pytest.approx(1.0)
        assert [item.propensity for item in decision.items] == [choice.propensity] * bool(
            choice.action
        )
        taken[choice.action] = taken.get(choice.action, 0) + 1
    for action, propensity in stored.items():
        spread = (propensity * (1 - propensity) / 4_000) ** 0.5
        assert taken.get(action, 0) / 4_000 == pytest.approx(propensity, abs=4 * spread)
    engine.store.close()


def test_law_8_who_opted_out_gets_the_default_and_teaches_nothing(tmp_path: Path) -> None:
    """Nothing of them is read, kept or learned."""
    world = FakeWorld()
    engine = open_engine(a_campaign(default=("womens",)), tmp_path, world=world)
    engine.accept_now([an_event(user="u1")])
    known = engine.store.profile("main", "u:u1")
    assert known is not None
    profile = msgspec.structs.replace(known, consent={"personalisation": False})
    before = engine.model.digest()
    decision = engine._deciding.decide(
        "main", profile, Ask("mail"), at_ms=world.now_ms(), seed=world.seed()
    )
    assert (decision.arm, decision.choice.action, decision.choice.propensity) == (  # type: ignore[union-attr]
        "opted_out",
        "womens",
        1.0,
    )
    assert decision.choice.features == ()  # type: ignore[union-attr]
    engine._log_decision(decision)
    after = engine.store.profile("main", "u:u1")
    assert after is not None
    assert after.choices == ()
    assert engine.model.digest() == before
    engine.store.close()


def _surface() -> Arms:
    surface = a_campaign().surfaces["mail"]
    return Arms.of(surface, layout_of(surface.features))


def _trials(chance: random.Random, count: int) -> list[Trial]:
    """Decisions with none, one or two rewards each, and some taken back."""
    layout, found = layout_of(a_campaign().surfaces["mail"].features), []
    for _ in range(count):
        at_ms = chance.randrange(30 * DAY_MS)
        action = chance.choice(["mens", "womens", ""])
        x = (chance.random(), chance.random(), 1.0)
        found.append(Trial("mail", action, at_ms, layout, x, made=True, how="constant"))
        before = 0.0
        for reward in chance.choice([(), (), (1.0,), (1.0, 2.5), (2.0, -2.0)]):
            found.append(
                Trial("mail", action, at_ms, layout, x, made=False, reward=reward, before=before)
            )
            before += reward
    return found


@given(seed=st.integers(0, 10_000))
def test_the_order_of_arrival_does_not_matter_once_windows_are_closed(seed: int) -> None:
    """The same decisions and rewards in any order, seen when all windows are over, are the same sums.

    Rewards may come before their decision, and long after older buckets were put together.
    """
    chance = random.Random(seed)
    trials = _trials(chance, 60)
    one, two = _surface(), _surface()
    for trial in trials:
        one.learn(trial)
    chance.shuffle(trials)
    for trial in trials:
        two.learn(trial)
    at_ms = 33 * DAY_MS
    first, second = one.known(at_ms), two.known(at_ms)
    assert first.keys() == second.keys()
    for action, sums in first.items():
        assert _flat(sums) == pytest.approx(_flat(second[action]), rel=1e-9, abs=1e-9)
    assert one.sampled(at_ms) == two.sampled(at_ms)
    assert one.made == two.made
    assert one.waiting(at_ms) == two.waiting(at_ms) == 0


def _flat(sums: Sums) -> list[float]:
    rest = np.concatenate((sums.xr, sums.xx.reshape(-1))).tolist()
    return [sums.count, sums.responses, sums.rr, *rest]


@given(seed=st.integers(0, 10_000))
def test_an_open_window_is_neither_a_failure_nor_a_success(seed: int) -> None:
    """Until the last window of a bucket is over, its decisions and rewards change nothing that is known."""
    chance = random.Random(seed)
    arms = _surface()
    for trial in _trials(chance, 40):
        arms.learn(trial)
    at_ms = 33 * DAY_MS
    before = {action: _flat(sums) for action, sums in arms.known(at_ms).items()}
    young = at_ms - chance.randrange(1, arms.window_ms)
    for trial in _trials(chance, 10):
        arms.learn(msgspec.structs.replace(trial, at_ms=young))
    assert {action: _flat(sums) for action, sums in arms.known(at_ms).items()} == before
    assert arms.waiting(at_ms) == 10
    later = arms.known(young + arms.window_ms + arms.step_ms)
    assert sum(sums.count for sums in later.values()) > sum(row[0] for row in before.values())
