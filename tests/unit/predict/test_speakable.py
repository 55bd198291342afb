"""What is not speakable is used, and never named: in slates, choices, profiles and on the live page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from germane.app.engine import Engine
from germane.app.opening import open_engine
from germane.console.live import Live
from germane.domain.decision import Ask, SlateItem
from germane.domain.event import Event
from germane.domain.profile import Mass, OwnItem, Profile, Trait
from germane.domain.settings import AttributeSpec, Settings
from germane.domain.speaking import NEUTRAL, Speech
from germane.predict.bandit import words
from germane.predict.bandit.features import Features
from germane.profile.view import view
from germane.testing import FakeWorld, a_campaign, a_shop, an_event, an_item, an_order
from germane.testing.world import START_MS
from tests.unit.profile.people import ITEMS, folded

PERSONAL = ("You ", "Goes with", "Often comes next", "Fits what", "In your usual")


def silent(*names: str, shop: Settings | None = None) -> Settings:
    """The shop where these signals may not be spoken of."""
    shop = shop or a_shop(surface={"diversity_quota": 0.0, "exploration_share": 0.0})
    changed = {name: replace(shop.signals[name], speakable=False) for name in names}
    return replace(shop, signals=shop.signals | changed)


def opened(settings: Settings, where: Path) -> Engine:
    """Sixty items, thirty others who bought, and one person who viewed i1 and bought i2 three times."""
    engine = open_engine(settings, where, world=FakeWorld())
    with engine.importer() as importer:
        importer.add_items([an_item(n) for n in range(60)])
    for n in range(30):
        engine.accept_now(
            [
                an_order(
                    [f"i{n % 9}", f"i{(n + 1) % 9}"],
                    user=f"o{n}",
                    order_id=f"x{n}",
                    message_id=f"x{n}",
                )
            ]
        )
    for n in range(3):
        past = START_MS - (n + 1) * 7 * 86_400_000
        engine.accept_now([an_order(["i2"], at_ms=past, order_id=f"y{n}", message_id=f"y{n}")])
        engine.accept_now([an_event(item="i1", at_ms=START_MS - n * 1000, message_id=f"z{n}")])
    engine.world.advance(seconds=60)  # type: ignore[attr-defined]
    return engine


def slate(engine: Engine) -> tuple[SlateItem, ...]:
    (decision,), _ = engine.decide("u1", "", "", [Ask("home", size=20)])
    assert decision.arm == "personalised"
    return decision.items


def said(items: tuple[SlateItem, ...]) -> set[str]:
    return {reason.text for each in items for reason in each.reasons}


def test_what_is_not_speakable_is_used_and_not_named(tmp_path: Path) -> None:
    """The same slate with the same scores; its reasons are neutral where they would have told."""
    loud, still = (
        opened(silent(), tmp_path / "a"),
        opened(silent("view", "purchase"), tmp_path / "b"),
    )
    told, kept = slate(loud), slate(still)
    assert [(x.item_id, x.score, x.sources) for x in kept] == [
        (x.item_id, x.score, x.sources) for x in told
    ]
    assert any(text.startswith("You have had this 3 times") for text in said(told))
    assert any(text.startswith("Goes with") for text in said(told))
    assert not [text for text in said(kept) if text.startswith(PERSONAL)]
    (again,) = [each for each in kept if each.item_id == "i2"]
    neutral = [reason for reason in again.reasons if reason.code == "neutral"]
    assert [reason.text for reason in neutral] == [NEUTRAL]
    assert neutral[0].contribution == max(again.sources.values())
    for engine in (loud, still):
        engine.store.close()


def test_what_is_speakable_is_still_said(tmp_path: Path) -> None:
    """Without views, what was bought is told; without purchases, what was looked at."""
    bought = opened(silent("view"), tmp_path / "a")
    looked = opened(silent("purchase"), tmp_path / "b")
    texts, others = said(slate(bought)), said(slate(looked))
    assert any(text.startswith("You have had this 3 times, last 7 days ago") for text in texts)
    assert "Goes with Item 1" not in texts
    assert not [text for text in others if "had this" in text or text == "Goes with Item 2"]
    assert "Goes with Item 1" in others
    for engine in (bought, looked):
        engine.store.close()


def test_an_interest_needs_one_speakable_signal() -> None:
    """One that two signals carry may be named if one of them may; a value of a silent attribute never."""
    masses = (Mass(671, "purchase", 2, 2.0), Mass(671, "dismiss", 1, 1.0))
    profile = Profile("u:1", interests={"category": {"c1": masses}, "brand": {"b1": masses}})
    may = Speech(profile, silent("purchase"), START_MS)
    assert not may.interest("category", "c1")
    assert may.interest("category", "c1", liked=False)
    assert Speech(profile, silent("view"), START_MS).interest("category", "c1")
    shop = a_shop()
    hushed = AttributeSpec("brand", interest=True, speakable=False)
    shop = replace(shop, attributes=shop.attributes | {"brand": hushed})
    assert not Speech(profile, shop, START_MS).interest("brand", "b1")
    assert Speech(profile, shop, START_MS).interest("category", "c1")


def test_a_purchase_that_left_the_ring_is_not_told() -> None:
    """Nobody knows any more which signal it was; where all of them are speakable that does not matter."""
    profile = Profile("u:1", own_items={"i1": OwnItem(1, (START_MS // 1000,))})
    assert Speech(profile, silent("purchase"), START_MS).times_s("i1") == ()
    assert not Speech(profile, silent("purchase"), START_MS).repeats("i1")
    assert Speech(profile, silent("view"), START_MS).times_s("i1") == (START_MS // 1000,)


@pytest.mark.parametrize("speakable", [True, False])
def test_a_trait_is_told_only_if_it_may_be(tmp_path: Path, speakable: bool) -> None:
    """What somebody declared guides the slate either way."""
    shop = a_shop(surface={"diversity_quota": 0.0, "exploration_share": 0.0})
    trait = replace(shop.traits["likes"], speakable=speakable)
    engine = opened(replace(shop, traits={"likes": trait}), tmp_path)
    engine.accept_now([Event("t", "identify", START_MS, user_id="new", traits={"likes": "c4"})])
    (decision,), _ = engine.decide("new", "", "", [Ask("home")])
    assert any(each.sources.get("declared", 0) > 0 for each in decision.items)
    assert ("Fits what you told us about yourself" in said(decision.items)) is speakable
    engine.store.close()


def test_a_choice_names_no_silent_feature() -> None:
    """Its other reasons stay; what the silent features add is told as one."""
    shop = a_campaign()
    trait = replace(shop.traits["likes"], speakable=False)
    shop = silent("purchase", shop=replace(shop, traits={"likes": trait}))
    names = ("trait:likes=c1", "interest:category=c1", "known", "context:device=phone")
    interests = {"category": {"c1": (Mass(671, "purchase", 2, 2.0),)}}
    profile = Profile("u:1", interests=interests, traits={"likes": Trait("c1", START_MS)})
    features, speech = Features(names, shop), Speech(profile, shop, START_MS)
    assert [features.may_say(name, speech) for name in names] == [False, False, True, True]
    found = words.features_said(names, [0.5, 0.25, 0.1, 0.0], lambda n: features.may_say(n, speech))
    assert [(each.code, each.text) for each in found] == [("neutral", f"{NEUTRAL}.")]
    assert found[0].contribution == 0.75
    free = words.features_said(names, [0.5, 0.25, 0.1, 0.0], lambda _: True)
    assert [each.text for each in free] == [f"Speaks for it: {name}." for name in names[:2]]


def test_the_profile_in_words_and_the_live_page(tmp_path: Path) -> None:
    """The data of a person is whole; its sentences name no silent signal, and the page shows none."""
    engine = opened(silent("purchase"), tmp_path)
    person: dict[str, Any] = engine.person("u1") or {}
    rows = {row["value"]: row for row in person["interests"]["category"]}
    assert rows["c2"]["from"]["text"] == "3 other signs, last 2025-11"
    assert (rows["c2"]["speakable"], rows["c1"]["speakable"]) == (False, True)
    (own,) = person["ownItems"]
    assert (own["itemId"], own["text"], own["speakable"]) == ("i2", "not to be mentioned", False)
    live = Live(engine, keys=None, started_ms=0)  # type: ignore[arg-type]
    shown = live._household("u1")
    assert shown is not None
    assert [row["value"] for row in shown["interests"]] == ["c1"]
    assert shown["own"] == []
    engine.store.close()


@given(
    st.lists(st.sampled_from(["view", "dismiss", "purchase", "refund"]), unique=True),
    st.lists(st.tuples(st.sampled_from(["view", "purchase"]), st.integers(0, 3)), max_size=8),
)
def test_no_sentence_names_a_silent_signal(hushed: list[str], acts: list[tuple[str, int]]) -> None:
    """Whatever is hushed and whatever was done."""
    shop = silent(*hushed)
    events = [an_event(item=f"i{n}") if what == "view" else an_order([f"i{n}"]) for what, n in acts]
    found = view(folded(events, shop=shop), shop, ITEMS.get, START_MS)
    texts = [row["from"]["text"] for rows in found["interests"].values() for row in rows]
    assert not [text for text in texts for name in hushed if name in text]
    assert len(texts) == 2 * len({n for _, n in acts}) - _shared({n for _, n in acts})


def _shared(numbers: set[int]) -> int:
    """Brands are three: of items 0 and 3 there is one."""
    return int({0, 3} <= numbers)
