"""The laws on generated histories: whatever happens, in whatever order, on whatever storage."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from germane.app import strangers
from germane.app.rebuild import Rebuild, fold_anew, rebuild
from germane.domain import muting
from germane.domain.decision import Ask, Decision
from germane.domain.ids import DEFAULT_TENANT
from germane.domain.profile import Profile
from germane.predict.slate import MAX_POOL
from germane.profile import bounds
from germane.testing import a_campaign
from tests.laws.lives import (
    EXPLORATION,
    EXPLORE_FROM,
    LIMITS,
    TREES,
    Act,
    Life,
    Step,
    acts,
    event_of,
    lives,
)
from tests.laws.test_profile_fold import assert_same


@contextmanager
def lived(
    steps: Sequence[Step], folder: Path | None = None, *, duplicates: bool = True
) -> Iterator[Life]:
    """A life, at its end."""
    life = Life(folder, duplicates)
    try:
        asyncio.run(life.live(steps))
        yield life
    finally:
        life.close()


def state_of(life: Life) -> tuple[str, str]:
    """Digests of all state: profiles, identities and catalogue; the shared model."""
    return life.engine.store.state_hash(), life.engine.model.digest()


@given(lives())
def test_laws_2_5_7_one_log_one_state(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Step]
) -> None:
    """On disk, in memory, and without what is sent again: the same decisions, the same state, to the
    bit. Opened again, and rebuilt from the log: that state."""
    with (
        lived(steps, tmp_path_factory.mktemp("life")) as kept,
        lived(steps) as beside,
        lived(steps, duplicates=False) as once,
    ):
        state = state_of(kept)
        assert state_of(beside) == state
        assert state_of(once) == state
        assert beside.made == kept.made == once.made
        kept.reopen()
        assert state_of(kept) == state
        for life in (kept, beside):
            engine, now_ms = life.engine, life.world.now_ms()
            strangers.drop_all(engine.store, engine.tenant, engine.settings, now_ms)
            known = state_of(life)
            report = rebuild(engine)
            assert (report.state_hash_after, report.model_after) == known


@settings(max_examples=8)
@given(lives())
def test_law_7_folded_anew_in_parts(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Step]
) -> None:
    """By two processes, in small groups, with next to nobody in memory: the same state, and the same log with
    what was learned."""
    with (
        pytest.MonkeyPatch.context() as patch,
        lived(steps, tmp_path_factory.mktemp("life")) as kept,
        lived(steps) as beside,
    ):
        patch.setattr(import_module(fold_anew.__module__), "GROUP", 7)
        for life in (kept, beside):
            engine = life.engine
            kept_by = engine.store, engine.tenant, engine.settings, life.world.now_ms()
            strangers.drop_all(*kept_by)
            known, log = state_of(life), list(engine.store.read(0))
            small: dict[str, Any] = {"people_in_memory": 1, "apart_from": 0}
            work = fold_anew(engine.settings, engine.store, engine.key, **small)
            strangers.drop_all(*kept_by)  # of what became old meanwhile the log knows nothing
            assert (engine.store.state_hash(), work.model.digest()) == known
            assert work.model.seq == engine.model.seq
            assert list(engine.store.read(0)) == log


@given(lives())
def test_law_5_every_decision_can_be_replayed(steps: list[Step]) -> None:
    """From the log up to it, with its seed, its time and the trees it names: the very same again."""
    with lived(steps) as life:
        _replay(life)


def _replay(life: Life) -> None:
    work = Rebuild(life.settings, life.engine.key, lambda v: TREES.get(v.partition("+")[2]))
    replayed = []
    for record in life.engine.store.read(0):
        if record.kind == "decision":
            logged = msgspec.msgpack.decode(record.body, type=Decision)
            assert work.decide_again(logged) == logged
            replayed.append(logged)
        work.step(record)
    assert replayed == life.made


@given(lives())
def test_law_6_propensities_are_exact_and_profiles_are_small(steps: list[Step]) -> None:
    """Each position's chance is the policy's own, by its slot; no collection outgrows its bound."""
    with lived(steps) as life:
        for decision in life.made:
            _check_decision(decision)
        for profile in life.engine.store.profiles(DEFAULT_TENANT):
            _check_bounds(profile)


def _check_decision(decision: Decision) -> None:
    if decision.choice is not None:
        _check_choice(decision)
    elif decision.arm == "personalised" and decision.surface == "home":
        _check_slate(decision)
    else:
        assert all(each.propensity == 1.0 for each in decision.items)


def _check_choice(decision: Decision) -> None:
    choice = decision.choice
    assert choice is not None
    assert 0 < choice.propensity <= 1
    if choice.arms:
        chances = {each.action: each.propensity for each in choice.arms}
        assert sum(chances.values()) == pytest.approx(1.0, abs=1e-12)
        assert all(0 <= each <= 1 for each in chances.values())
        assert chances[choice.action] == choice.propensity


def _check_slate(decision: Decision) -> None:
    """With ``k`` explored before it, the pool of a position has ``k`` items less than the first's."""
    pools = set()
    explored = 0
    for each in decision.items:
        explorable = each.position >= EXPLORE_FROM
        match each.slot:
            case "explore":
                assert explorable
                pools.add(round(EXPLORATION / each.propensity) + explored)
                assert EXPLORATION / each.propensity == pytest.approx(
                    round(EXPLORATION / each.propensity)
                )
                explored += 1
            case "relevant":
                assert each.propensity in ({1 - EXPLORATION, 1.0} if explorable else {1.0})
            case _:
                assert each.propensity == 1.0
    assert len(pools) <= 1  # all of one slate
    assert all(explored <= pool <= MAX_POOL for pool in pools)
    assert [each.position for each in decision.items] == list(range(len(decision.items)))
    assert len({each.item_id for each in decision.items}) == len(decision.items)


def _check_bounds(profile: Profile) -> None:
    assert len(profile.recent) <= LIMITS.recent
    assert len(profile.own_items) <= LIMITS.own_items + LIMITS.own_items // 10
    assert len(profile.exposures) <= LIMITS.exposures
    most = LIMITS.values_per_attribute + LIMITS.values_per_attribute // 10
    assert all(len(values) <= most for values in profile.interests.values())
    assert all(len(own.times_s) <= bounds.TIMES for own in profile.own_items.values())
    assert len(profile.orders) <= bounds.ORDERS
    assert len(profile.traits) <= bounds.TRAITS
    assert len(profile.rhythm) <= bounds.ACTIVE_HOURS
    assert len(profile.anonymous_ids) <= bounds.ANONYMOUS_IDS
    assert len(profile.muted.items) <= bounds.MUTED_ITEMS
    assert profile.muted.sources.keys() <= muting.SOURCES.keys()


@given(lives())
def test_what_was_muted_is_not_shown(steps: list[Step]) -> None:
    """At each decision, by what the log says until then: no item that its person muted, and no source."""
    with lived(steps) as life:
        work = Rebuild(life.settings, life.engine.key, lambda v: TREES.get(v.partition("+")[2]))
        for record in life.engine.store.read(0):
            if record.kind == "decision":
                decision = msgspec.msgpack.decode(record.body, type=Decision)
                person = work.scratch.profile(DEFAULT_TENANT, decision.person)
                if person is not None and decision.arm != "opted_out":
                    _check_muted(decision, person.muted.now(decision.at_ms))
            work.step(record)


def _check_muted(decision: Decision, muted: muting.Muted) -> None:
    of = decision.surface if decision.choice is not None else ""
    assert not {x for each in decision.candidates for x in each.sources} & muted.sources.keys()
    for each in decision.items:
        assert muting.item_key(each.item_id, of) not in muted.items
        if decision.choice is None:
            assert not each.sources.keys() & muted.sources.keys()
            assert not {muting.source_of(x.code) for x in each.reasons} & muted.sources.keys()


@given(st.lists(acts(("view", "dismiss", "order", "refund", "page", "group")), max_size=12))
def test_law_3_a_decision_has_seen_what_was_acknowledged(history: list[Act]) -> None:
    """After each batch, the very next decision rests on it, and on the whole of it."""

    async def live(life: Life) -> None:
        await life.engine.start()
        for number, act in enumerate(history, 1):
            event = event_of(act, number, life.world.now_ms())
            receipt = await life.engine.accept([event])
            (made,), _ = life.engine.decide(event.user_id, event.anonymous_id, "", [Ask("home")])
            whose = life.engine.whose(event.user_id, event.anonymous_id)
            assert made.person == whose.person
            assert made.arm == "broadcast" or made.personal_seq == receipt.seq
        await life.engine.stop()

    life = Life()
    asyncio.run(live(life))
    life.close()


@given(
    st.lists(
        acts(("view", "dismiss", "order", "part", "refund", "group")),
        max_size=10,
        unique_by=lambda act: None if act.age_s is None else max(act.age_s, 0),
    ),
    st.randoms(use_true_random=False),
)
def test_the_order_of_arrival_does_not_matter_to_a_profile(
    history: list[Act], chance: Random
) -> None:
    """The same events in another order, through the engine: profiles that are the same but for rounding.

    Refunds, late events, those of the seventies and of the future among them, no two at once; all of one
    user: two identities are the subject of test_profile_fold. A time zone that is told half-way does
    matter (hours before it are counted on the project's clock), so that none is told.
    """
    life, other = (Life(settings=a_campaign()) for _ in range(2))
    events = [
        event_of(_of_one(act), number, life.world.now_ms()) for number, act in enumerate(history, 1)
    ]
    shuffled = list(events)
    chance.shuffle(shuffled)
    for each, some in ((life, events), (other, shuffled)):
        each.engine.accept_now(some)
    assert_same(life.engine.whose("u0"), other.engine.whose("u0"))


def _of_one(act: Act) -> Act:
    """Of the first user; what is of 1970 is of 1971: the time 0 stands for *never* in a profile."""
    return replace(act, who=0, age_s=54 * 365 * 86_400 if act.age_s is None else act.age_s)
