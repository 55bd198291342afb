"""Less like this, not for this reason, opt-out: the next decision obeys, and nobody else's changes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from germane.app.engine import Engine
from germane.app.feedback import Feedback, take
from germane.app.opening import open_engine
from germane.app.rebuild import rebuild
from germane.domain.decision import Ask, Decision
from germane.domain.errors import BadRequest, NotAReason, NotShown, UnknownDecision
from germane.domain.moves import Disliked
from germane.domain.muting import FACTOR, ITEM_MS, source_of
from germane.predict.features import NAMES, SOURCE_OF
from germane.profile.bounds import MUTED_ITEMS
from germane.testing import FakeWorld, a_campaign, an_event, an_item, an_order

PLAIN = {"exploration_share": 0.0, "diversity_quota": 0.0}


def opened(folder: Path, **surface: Any) -> Engine:
    """Sixty items, thirty who bought, and two people who are alike: they like c1 and had i2 three times."""
    shop = a_campaign()
    home = replace(shop.surfaces["home"], **{"size": 8, **surface})
    settings = replace(shop, surfaces={**shop.surfaces, "home": home})
    engine = open_engine(settings, folder, world=FakeWorld())
    with engine.importer() as importer:
        importer.add_items([an_item(n) for n in range(60)])
    events = [
        an_order([f"i{n % 9}", f"i{(n + 1) % 9}"], user=f"o{n}", order_id=f"x{n}")
        for n in range(30)
    ]
    for user in ("u1", "u2"):
        events += [an_order(["i2"], user=user, order_id=f"{user}{n}") for n in range(3)]
        events += [an_event(item=each, user=user) for each in ("i1", "i8", "i15", "i1")]
    engine.accept_now(events)
    engine.world.advance(seconds=60)  # type: ignore[attr-defined]
    return engine


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = opened(tmp_path, **PLAIN)
    yield made
    made.store.close()


def decide(engine: Engine, user: str = "u1", surface: str = "home", **ask: Any) -> Decision:
    (decision,), _ = engine.decide(user, "", "", [Ask(surface, **ask)])
    return decision


def say(engine: Engine, decision: Decision, kind: str, **more: Any) -> None:
    said = Feedback(kind, decision.decision_id, **more)  # type: ignore[arg-type]
    asyncio.run(take(engine, engine.decided_for(decision.decision_id), said))


def items(decision: Decision) -> list[str]:
    return [each.item_id for each in decision.items]


def categories(engine: Engine, decision: Decision) -> list[str]:
    return [engine.catalogue[each].category for each in items(decision)]


def codes(decision: Decision) -> set[str]:
    return {reason.code for each in decision.items for reason in each.reasons}


def test_less_like_this(engine: Engine) -> None:
    """The item is gone, its category is behind by the stated factor; a second person is untouched, and a
    rebuild changes nothing."""
    before, other = decide(engine), decide(engine, "u2")
    assert items(before) == items(other), "they are alike"
    category = categories(engine, before)[0]
    say(engine, before, "less_like_this", item_id=items(before)[0])
    after = decide(engine)
    assert items(before)[0] not in items(after)
    kept = [c for c in categories(engine, after) if c == category]
    assert len(kept) < categories(engine, before).count(category)
    assert items(decide(engine, "u2")) == items(other)
    lowered = decide(engine, size=60)
    assert items(before)[0] not in items(lowered)
    for each in lowered.items:
        muted = engine.catalogue[each.item_id].category == category
        assert each.sources.get("muted", 0.0) == pytest.approx(log(FACTOR) if muted else 0.0)
        assert sum(each.sources.values()) == pytest.approx(each.score)
    assert rebuild(engine).equal
    assert items(decide(engine)) == items(after)


def test_a_position_names_the_item_as_well(engine: Engine) -> None:
    """Either, or both if they agree."""
    before = decide(engine)
    say(engine, before, "less_like_this", position=2)
    assert items(before)[2] not in items(decide(engine))
    with pytest.raises(NotShown):
        say(engine, before, "less_like_this", position=2, item_id=items(before)[3])
    with pytest.raises(BadRequest, match="itemId or position is needed") as none:
        say(engine, before, "less_like_this")
    assert "its position, from 0" in none.value.hint


def test_a_muted_category_fills_no_quota_and_is_not_explored(tmp_path: Path) -> None:
    """Nothing of it in a diverse or exploring slot, ever."""
    engine = opened(tmp_path, diversity_quota=0.5, exploration_share=0.5, explore_from=0)
    slots = ("diverse", "explore")
    found = {
        (engine.catalogue[each.item_id].category, each.item_id, made.decision_id)
        for made in (decide(engine) for _ in range(20))
        for each in made.items
        if each.slot in slots
    }
    category, item_id, decision_id = min(found)
    said = Feedback("less_like_this", decision_id, item_id)
    asyncio.run(take(engine, "u:u1", said))
    for _ in range(30):
        made = decide(engine)
        spared = [x for x in made.items if engine.catalogue[x.item_id].category == category]
        assert all(each.slot not in slots for each in spared)
    engine.store.close()


def test_not_for_this_reason(engine: Engine) -> None:
    """Whatever reason is muted, its source adds nothing any more and is never named again."""
    muted: set[str] = set()
    for _ in range(12):
        made = decide(engine, size=30)
        left = sorted(code for code in codes(made) if source_of(code))
        assert not {source_of(code) for code in left} & muted
        for each in made.items:
            assert not each.sources.keys() & muted
            assert sum(each.sources.values()) == pytest.approx(each.score)
            row = np.frombuffer(each.features, dtype="<f2")
            assert not any(row[n] for n, name in enumerate(NAMES) if SOURCE_OF[name] in muted)
        assert not {x for each in made.candidates for x in each.sources} & muted
        if not left:
            break
        say(engine, made, "not_this_reason", reason=left[0])
        muted.add(source_of(left[0]))
    assert {"interests", "repeat", "covisitation"} <= muted
    assert not left
    assert made.items, "a list comes all the same"
    other = decide(engine, "u2", size=30)
    assert {"source.interests", "source.repeat"} <= codes(other)
    assert rebuild(engine).equal
    assert items(decide(engine, size=30)) == items(made)


def test_trees_name_no_muted_source(engine: Engine) -> None:
    """What they split by counts for no source that is muted, and the parts add up."""
    from tests.laws.lives import TREES

    engine.model.use(next(iter(TREES.values())))
    made = decide(engine, size=20)
    for code in sorted(codes(made)):
        if source_of(code):
            say(engine, made, "not_this_reason", reason=code)
    gone = {source_of(code) for code in codes(made)} - {""}
    for each in decide(engine, size=20).items:
        assert not each.sources.keys() & gone
        assert sum(each.sources.values()) == pytest.approx(each.score)


def test_the_reasons_of_a_slot_can_be_muted(tmp_path: Path) -> None:
    """Whoever wants nothing tried out on them, or nothing new, gets none of it, with true propensities."""
    engine = opened(tmp_path, diversity_quota=0.4, exploration_share=0.5, explore_from=0)
    for code, slot in (("explore", "explore"), ("quota.diverse", "diverse")):
        made = decide(engine)
        while code not in codes(made):
            made = decide(engine)
        say(engine, made, "not_this_reason", reason=code)
        for _ in range(20):
            made = decide(engine)
            assert slot not in {each.slot for each in made.items}
    assert {each.propensity for each in made.items} == {1.0}
    assert made.quota_short, "what the quota could not get is counted"
    engine.store.close()


def test_opt_out_and_in_again(engine: Engine) -> None:
    """The next decision's arm says so."""
    made = decide(engine)
    say(engine, made, "opt_out", method="why page")
    out = decide(engine)
    assert out.arm == "opted_out"
    assert decide(engine, "u2").arm == "personalised"
    assert out.person == ""
    say(engine, made, "opt_in", method="why page")
    assert decide(engine).arm == "personalised"
    assert rebuild(engine).equal


def test_undo(engine: Engine) -> None:
    """All that was muted counts again."""
    before = decide(engine)
    say(engine, before, "less_like_this", item_id=items(before)[0])
    say(engine, before, "not_this_reason", reason="source.interests")
    assert items(decide(engine)) != items(before)
    say(engine, before, "undo")
    assert items(decide(engine)) == items(before)
    assert rebuild(engine).equal


def test_an_end(engine: Engine) -> None:
    """It holds for a time."""
    before = decide(engine)
    say(engine, before, "less_like_this", item_id=items(before)[0])
    engine.world.advance(seconds=ITEM_MS / 1000 - 60)  # type: ignore[attr-defined]
    assert items(before)[0] not in items(decide(engine, size=60))
    engine.world.advance(seconds=61)  # type: ignore[attr-defined]
    assert items(before)[0] in items(decide(engine, size=60))


def test_the_broadcast_arm_obeys_too(tmp_path: Path) -> None:
    """Who is in the holdout does not see what they do not want to see; who opted out gets what all get."""
    engine = opened(tmp_path, holdout_share=1.0)
    before = decide(engine)
    assert before.arm == "broadcast"
    say(engine, before, "less_like_this", item_id=items(before)[0])
    assert items(before)[0] not in items(decide(engine))
    assert items(decide(engine, "u2")) == items(before)
    say(engine, before, "opt_out")
    assert items(decide(engine)) == items(before)
    engine.store.close()


def test_an_action_of_a_choice(engine: Engine) -> None:
    """It is left out there, and an item that is called the same is not."""
    for user in ("u1", "u2"):
        made = decide(engine, user, "mail")
        while not made.items:
            made = decide(engine, user, "mail")
        if user == "u1":
            action = made.items[0].item_id
            say(engine, made, "less_like_this", item_id=action)
    taken = {
        each.item_id
        for made in (decide(engine, "u1", "mail") for _ in range(30))
        for each in made.items
    }
    assert action not in taken
    with engine.importer() as importer:
        importer.add_items([an_item(99, item_id=action)])
    assert action in {x.item_id for x in decide(engine, size=61).items}


def test_of_somebody_nobody_knew(engine: Engine) -> None:
    """They are kept for as long as something is muted, and the record is theirs."""
    before = decide(engine, "new")
    say(engine, before, "less_like_this", item_id=items(before)[0])
    found = engine.person("new")
    assert found is not None
    assert [each["itemId"] for each in found["muted"]["items"]] == [items(before)[0]]
    assert rebuild(engine).equal
    engine.world.advance(days=400)  # type: ignore[attr-defined]
    assert engine.person("new") is None
    assert rebuild(engine).equal


def test_two_ids_of_one_person(engine: Engine) -> None:
    """What the visitor muted stays muted when they log in."""
    (before,), _ = engine.decide("", "v1", "", [Ask("home")])
    say(engine, before, "less_like_this", position=0)
    engine.accept_now(
        [an_event(kind="identify", name="", user="u1", anonymous_id="v1", properties={})]
    )
    assert items(before)[0] not in items(decide(engine, size=60))
    assert items(before)[0] in items(decide(engine, "u2", size=60))
    assert rebuild(engine).equal


def test_what_is_refused(engine: Engine) -> None:
    """Items and reasons that the decision did not have."""
    made = decide(engine)
    with pytest.raises(NotShown):
        say(engine, made, "less_like_this", item_id="nothing")
    for code in ("source.curated", "rule.pinned", "neutral", "source.person", ""):
        with pytest.raises(NotAReason):
            say(engine, made, "not_this_reason", reason=code)
    with pytest.raises(UnknownDecision):
        asyncio.run(take(engine, "u:u1", Feedback("less_like_this", "none", "i1")))


def test_it_stays_small(engine: Engine) -> None:
    """The latest are kept."""
    made = decide(engine)
    for number in range(MUTED_ITEMS + 10):
        engine.world.advance(seconds=1)  # type: ignore[attr-defined]
        engine.put_moves([Disliked("u:u1", (f"x{number}",), method="test")])
    kept = engine.profile_of("u:u1").muted.items
    assert len(kept) == MUTED_ITEMS
    assert f"x{MUTED_ITEMS + 9}" in kept
    assert "x0" not in kept
    assert made.items
