"""Choices beside slates in one engine: what counts for which, and what is lost with a record."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from germane.app.engine import Engine
from germane.app.opening import open_engine
from germane.app.rebuild import rebuild
from germane.domain.decision import Ask, Decision
from germane.domain.errors import NotShown
from germane.domain.event import Event
from germane.domain.muting import Muted, item_key
from germane.domain.outcome import Impression, Outcome
from germane.domain.profile import Exposure, Profile
from germane.predict.model import SharedModel
from germane.testing import FakeWorld, a_campaign, an_event, an_item, an_order
from germane.testing.world import START_MS


@pytest.fixture
def campaign(tmp_path: Path, world: FakeWorld) -> Iterator[Engine]:
    """An engine with a grid and a choice surface, and 20 items."""
    opened = open_engine(a_campaign(), tmp_path / "data", world=world)
    with opened.importer() as importer:
        importer.add_items([an_item(n) for n in range(20)])
    yield opened
    opened.store.close()


def decided(engine: Engine, *surfaces: str, user: str = "u1") -> list[Decision]:
    """One decision for each."""
    return engine.decide(user, "", "", [Ask(each) for each in surfaces])[0]


def known(engine: Engine, user: str = "u1") -> Profile:
    """The stored profile."""
    found = engine.store.profile("main", f"u:{user}")
    assert found is not None
    return found


def test_a_choice_is_an_exposure_and_a_slate_is_not_yet(campaign: Engine, world: FakeWorld) -> None:
    """Somebody unknown is known from a choice on, but not from a slate that was never seen."""
    decided(campaign, "home", user="grid")
    assert campaign.store.profile("main", "u:grid") is None
    (mail,) = decided(campaign, "mail")
    assert [x.decision_id for x in known(campaign).choices] == [mail.decision_id]
    assert known(campaign).exposures == ()
    assert known(campaign).quotas == {}


def test_a_stranger_is_forgotten_when_nobody_may_answer(campaign: Engine, world: FakeWorld) -> None:
    """Known to nobody once the window is over, dropped by the housekeeping; a rebuild finds the same.
    Whoever answered stays."""
    for user in ("shy", "ann", "late"):
        decided(campaign, "mail", user=user)
    campaign.accept_now([an_order(["i1"], user="ann", at_ms=world.now_ms(), order_id="a")])
    assert campaign.person("shy") is not None, "while the window is open, a purchase may answer"
    world.advance(days=3)
    assert campaign.person("shy") is None
    assert [each["personId"] for each in campaign.people()] == ["u:ann"]
    assert campaign.store.profile("main", "u:shy") is not None, "not dropped yet"
    campaign.accept_now([an_order(["i2"], user="late", at_ms=world.now_ms(), order_id="l")])
    assert known(campaign, "late").choices == (), "begins anew"
    assert known(campaign, "late").first_seen_ms == world.now_ms()
    (again,) = decided(campaign, "home", user="shy")
    assert again.personal_seq == 0
    campaign._keeping.forget()
    assert campaign.store.profile("main", "u:shy") is None
    assert len(known(campaign, "ann").choices) == 1
    report = rebuild(campaign)
    assert report.equal
    assert campaign.store.profile("main", "u:shy") is None


def test_an_answer_that_comes_late_counts_for_a_dropped_stranger_as_for_a_kept_one(
    campaign: Engine, world: FakeWorld
) -> None:
    """By window, for nothing: it arrived when the profile said nothing any more, dropped or not."""
    sent = world.now_ms() + 60_000
    for user in ("kept", "dropped"):
        decided(campaign, "mail", user=user)
        world.advance(days=3)
        if user == "dropped":
            campaign._keeping.forget()
        campaign.accept_now([an_order(["i1"], user=user, at_ms=sent, order_id=user)])
        assert known(campaign, user).choices == ()
        sent = world.now_ms() + 60_000
    assert rebuild(campaign).equal


@pytest.mark.parametrize("surface", ["home", "mail"])
def test_a_look_leaves_no_trace(campaign: Engine, world: FakeWorld, surface: str) -> None:
    """Whatever the kind: no record, no profile, no trial, no count; and no id to report anything for."""
    campaign.accept_now([an_order(["i1"], at_ms=world.now_ms())])
    before = (campaign.seq, campaign.model.digest(), campaign.store.state_hash())
    (looked,), _ = campaign.decide("u1", "", "", [Ask(surface)], record=False)
    assert looked.items or looked.choice
    assert looked.decision_id == ""
    assert (campaign.seq, campaign.model.digest(), campaign.store.state_hash()) == before
    assert campaign.stats()["decisions_total"] == 0
    decided(campaign, surface)
    assert campaign.seq == before[0] + 1, "asked for real, it is recorded"


def test_one_purchase_counts_for_the_slate_and_for_the_choice(
    campaign: Engine, world: FakeWorld
) -> None:
    """By window for both, whichever of them the event names; and once for each."""

    async def live() -> tuple[Decision, Decision]:
        await campaign.start()
        campaign_events = [an_order(["i1"], at_ms=world.now_ms())]
        await campaign.accept(campaign_events)
        slate, mail = decided(campaign, "home", "mail")
        now = world.now_ms()
        await campaign.impressions(
            [
                Impression("seen1", slate.decision_id, (0,), now),
                Impression("seen2", mail.decision_id, (0,), now),
            ]
        )
        shown = slate.items[0].item_id
        for n, named in enumerate((slate, mail)):
            world.advance(seconds=60)
            order = an_order([shown], at_ms=world.now_ms(), order_id=f"n{n}")
            order.properties["decision_id"] = named.decision_id
            await campaign.accept([order])
        await campaign.stop()
        return slate, mail

    slate, mail = asyncio.run(live())
    (exposure,) = known(campaign).exposures
    (choice,) = known(campaign).choices
    shown = slate.items[0].item_id
    assert (exposure.decision_id, exposure.credited) == (slate.decision_id, (f"{shown}|purchase",))
    assert (choice.decision_id, choice.credited, choice.value) == (
        mail.decision_id,
        (f"{shown}|purchase",),
        1.0,
    )


def test_an_outcome_of_a_choice_whose_record_was_lost(campaign: Engine, world: FakeWorld) -> None:
    """It is accepted by its signed id, and teaches nothing: its decision was not learned either."""
    lost = campaign._deciding.decide(
        "main", Profile("u:u1"), Ask("mail"), at_ms=world.now_ms(), seed=7
    )
    before = campaign.standing("mail")

    async def live() -> None:
        await campaign.start()
        await campaign.outcomes(
            [Outcome("o1", lost.decision_id, "", "purchase", 0.0, world.now_ms())]
        )
        await campaign.stop()

    asyncio.run(live())
    world.advance(days=5)
    after = campaign.standing("mail")
    assert after.made == before.made == {}
    assert sum(arm.responses for arm in after.choice.arms) == 0


def test_only_a_choice_takes_an_outcome_of_anything(campaign: Engine, world: FakeWorld) -> None:
    """The slate still wants one of its own items."""
    (slate,) = decided(campaign, "home")

    async def live() -> None:
        with pytest.raises(NotShown):
            await campaign.outcomes(
                [Outcome("o1", slate.decision_id, "", "purchase", 0.0, world.now_ms())]
            )

    asyncio.run(live())


def test_the_holdout_gets_the_default(tmp_path: Path, world: FakeWorld) -> None:
    """Always the same, with propensity 1, and nothing is learned from it."""
    settings = a_campaign(holdout_share=0.5, default=("womens",))
    engine = open_engine(settings, tmp_path / "held", world=world)
    arms = {}
    for n in range(40):
        (made,) = decided(engine, "mail", user=f"p{n}")
        assert made.choice is not None
        arms.setdefault(made.arm, []).append(made.choice)
    assert {each.action for each in arms["broadcast"]} == {"womens"}
    assert {each.propensity for each in arms["broadcast"]} == {1.0}
    assert len({each.action for each in arms["personalised"]}) == 3
    assert sum(engine.standing("mail").made.values()) == len(arms["personalised"])
    engine.store.close()


@pytest.mark.parametrize("surface", [{}, {"outcomes": ()}])
def test_what_a_person_muted_is_not_the_default_either(surface: dict[str, Any]) -> None:
    """Where nothing else is allowed, or nothing is learned: then nothing is done."""
    shop = a_campaign(nothing=False, default=("mens",), **surface)
    model = SharedModel(shop)
    until_ms = START_MS + 1

    def chosen(*muted: str) -> str:
        person = Profile("u:u1", muted=Muted({item_key(x, "mail"): until_ms for x in muted}))
        where, ask = shop.surfaces["mail"], Ask("mail")
        made = model.rank(person, where, ask, at_ms=START_MS, seed=1, readiness=0.0).choice
        assert made is not None
        return made.action

    assert chosen("mens") == "womens"
    assert chosen("womens") == "mens"
    assert chosen("mens", "womens") == ""


def test_a_decision_counts_for_the_person_it_was_made_for_alone(
    campaign: Engine, world: FakeWorld
) -> None:
    """A mail that was passed on, or an id that was copied: the others' purchases are not its own."""
    (mail,) = decided(campaign, "mail")
    for user in ("u2", "u3", "u1"):
        world.advance(seconds=60)
        order = an_order(["i1"], user=user, at_ms=world.now_ms())
        properties = order.properties | {"decision_id": mail.decision_id}
        campaign.accept_now([replace(order, properties=properties)])
    assert [each.value for each in known(campaign).choices] == [1.0]
    assert known(campaign, "u2").choices == known(campaign, "u3").choices == ()
    world.advance(days=20)
    arms = campaign.standing("mail").choice.arms
    assert max(each.responses for each in arms) <= 1.0


def test_a_slate_counts_for_the_person_it_was_made_for_alone(
    campaign: Engine, world: FakeWorld
) -> None:
    """The same for items: who passes an id on gets no credit for it, who was merged keeps theirs."""
    campaign.accept_now([an_order(["i1"], at_ms=world.now_ms())])
    (slate,) = decided(campaign, "home")
    shown = slate.items[0].item_id

    def buys(user: str) -> tuple[Exposure, ...]:
        world.advance(seconds=60)
        order = an_order([shown], user=user, at_ms=world.now_ms(), order_id=f"of-{user}")
        properties = order.properties | {"decision_id": slate.decision_id}
        campaign.accept_now([replace(order, properties=properties)])
        return known(campaign, user).exposures

    assert buys("u2") == ()
    alias = Event("m1", "alias", world.now_ms(), user_id="u3", previous_id="u1")
    campaign.accept_now([alias])
    assert [each.credited for each in buys("u3")] == [(f"{shown}|purchase",)]


def test_the_best_for_everyone_is_told_alike_to_everyone(
    campaign: Engine, world: FakeWorld
) -> None:
    """Under the words for everyone stands what holds for everyone, whoever asks."""
    for n in range(60):
        (made,) = decided(campaign, "mail", user=f"p{n}")
        if made.choice is not None and made.choice.action and n % 3:
            bought = an_order(["i1"], user=f"p{n}", at_ms=world.now_ms(), order_id=f"o{n}")
            campaign.accept_now([bought])
        seen = [an_event(user=f"p{n}", at_ms=world.now_ms()) for _ in range(n % 9)]
        campaign.accept_now(seen)
        decided(campaign, "mail", user=f"p{n}")
    world.advance(days=5)
    told = campaign.standing("mail").choice.reasons[0].text
    assert "so far" in told
    for user in ("p1", "p7", "somebody new"):
        (made,) = decided(campaign, "mail", user=user)
        assert made.choice is not None
        assert made.choice.reasons[0].text == told
