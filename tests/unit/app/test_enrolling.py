"""Campaigns in the fold: an event lets somebody in, a message goes out, and the log tells it all again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from germane.app.composing import Composer
from germane.app.delivery import Delivery
from germane.app.engine import Engine
from germane.app.enrolling import key_of
from germane.app.opening import open_engine
from germane.app.rebuild import rebuild
from germane.domain.campaign import Campaign, Enter, Leave, Step, Wait
from germane.domain.content import Content, Slot, Variant
from germane.domain.enrolment import Enrolment
from germane.domain.event import Event
from germane.domain.message import Message, Why
from germane.domain.moves import (
    CampaignPut,
    CampaignTurned,
    ContentPut,
    Invited,
    Stated,
    Switched,
    Ticked,
)
from germane.domain.sending import Channel
from germane.domain.settings import DeliverySpec, Settings
from germane.testing import FakeWorld, an_event, an_order
from germane.testing.builders import an_item
from germane.testing.world import START_MS
from tests.unit.app.test_composing import a_content
from tests.unit.app.test_posting import FakeChannel, written

SAID = Why(START_MS, "test", "Because.")
DAY_S = 86_400
AT_ONCE = DeliverySpec(quiet_hours=None, caps=(), spread_s=0)


@pytest.fixture
def engine(tmp_path: Path, shop: Settings) -> Iterator[Engine]:
    """Nothing holds a message back."""
    made = open_engine(
        replace(shop, delivery=AT_ONCE), tmp_path / "data", world=FakeWorld(START_MS)
    )
    with made.importer() as importer:
        importer.add_items([an_item(n) for n in range(10)])
    yield made
    made.store.close()


def abandoned(**changed: Any) -> Campaign:
    """An hour after a view without an order."""
    campaign = Campaign(
        "abandoned",
        enter=Enter(event="Product Viewed", per="person+item"),
        steps=(Step("mail", "picks", wait=Wait(for_s=3600)),),
        goal=Leave(event="Order Completed"),
    )
    return replace(campaign, **changed)


def live(engine: Engine, campaign: Campaign) -> None:
    """Written, and live."""
    engine.put_moves(
        [
            ContentPut(a_content()),
            CampaignPut(campaign),
            CampaignTurned(campaign.name, "live", SAID),
        ]
    )


def known(engine: Engine, user: str = "u1") -> None:
    """Somebody who may be written to."""
    told: Event = an_event("", kind="identify", user=user, traits={"email": f"{user}@example.org"})
    engine.accept_now([told])
    engine.put_moves([Stated(f"u:{user}", "email_marketing", True, "test")])


def worked(engine: Engine, channel: FakeChannel, hours: float = 0) -> None:
    """Everything that is due is done, ``hours`` from now."""
    engine.world.advance(seconds=hours * 3600)  # type: ignore[attr-defined]

    async def run() -> None:
        delivery = Delivery(engine, {"email": channel}, written)
        await delivery.idle()

    asyncio.run(run())


def state_of(engine: Engine, campaign: str, subject: str) -> Enrolment:
    """How an enrolment stands."""
    found = engine.entries.get(engine.tenant, "enrolment", key_of(campaign, subject))
    assert found is not None
    from msgspec.msgpack import decode

    return decode(found.body, type=Enrolment)


def messages(engine: Engine, user: str = "u1") -> list[Message]:
    """Of a person."""
    from germane.app.sends import messages_of

    return list(messages_of(engine.entries, engine.tenant, f"u:{user}"))


def test_from_an_event_to_a_message_that_is_sent(engine: Engine) -> None:
    """In after an hour; out once; and the same from the log alone."""
    live(engine, abandoned())
    known(engine)
    channel = FakeChannel()
    engine.accept_now([an_event(item="i1")])
    worked(engine, channel)
    assert channel.sent == []
    worked(engine, channel, hours=1)
    assert [each.to for each in channel.sent] == ["u1@example.org"]
    (message,) = messages(engine)
    assert (message.status, message.item, message.campaign) == ("sent", "i1", "abandoned")
    state = state_of(engine, "abandoned", "u:u1|item:i1")
    assert (state.phase, state.sent, state.message) == ("done", ("mail",), "")
    worked(engine, channel, hours=200)
    assert len(channel.sent) == 1
    assert rebuild(engine).equal


def test_reaching_the_goal_takes_a_waiting_message_back(engine: Engine) -> None:
    """Before it is made, and after."""
    live(engine, abandoned())
    known(engine)
    channel = FakeChannel()
    engine.accept_now([an_event(item="i1"), an_event(item="i2")])
    engine.world.advance(seconds=3600)  # type: ignore[attr-defined]
    engine.accept_now([an_order(["i1", "i2"], at_ms=engine.world.now_ms())])
    worked(engine, channel)
    assert channel.sent == []
    assert rebuild(engine).equal


def test_what_was_made_is_cancelled(engine: Engine) -> None:
    """A message in the outbox whose reason is gone."""
    live(engine, abandoned())
    known(engine)
    engine.accept_now([an_event(item="i1")])
    engine.world.advance(seconds=3600)  # type: ignore[attr-defined]
    Delivery(engine, {}, written).tick()
    for each in Composer(engine).drafts():
        Composer(engine).make(each)
    (message,) = messages(engine)
    assert message.status == "queued"
    engine.accept_now([an_order(["i1"], at_ms=engine.world.now_ms())])
    (message,) = messages(engine)
    assert (message.status, message.whys[-1].code) == ("cancelled", "goal")
    assert state_of(engine, "abandoned", "u:u1|item:i1").phase == "done"
    assert rebuild(engine).equal


def test_back_in_stock(engine: Engine) -> None:
    """For those who looked twice at what was gone."""
    live(
        engine,
        abandoned(
            name="back",
            enter=Enter(
                event="Product Viewed",
                count=2,
                within_s=30 * DAY_S,
                per="person+item",
                item="back_in_stock",
            ),
            steps=(Step("mail", "picks"),),
        ),
    )
    channel = FakeChannel()
    for user, views in (("u1", 2), ("u2", 1)):
        known(engine, user)
        engine.accept_now([an_event(user=user, item="i1") for _ in range(views)])
    gone = replace(an_item(1), in_stock=False)
    engine.commit(engine.fold_item(gone))
    worked(engine, channel)
    assert channel.sent == []
    engine.world.advance(days=2)  # type: ignore[attr-defined]
    engine.commit(engine.fold_item(an_item(1)))
    worked(engine, channel)
    assert [each.person for each in channel.sent] == ["u:u1"]
    engine.commit(engine.fold_item(gone))
    engine.commit(engine.fold_item(an_item(1)))
    worked(engine, channel)
    assert len(channel.sent) == 1
    assert rebuild(engine).equal


def test_an_audience(engine: Engine) -> None:
    """Whoever fits, once, also who was known before the campaign was written."""
    for user in ("u1", "u2", "u3"):
        known(engine, user)
        engine.accept_now([an_event(user=user, item="i1")])
    live(
        engine,
        Campaign(
            "sale",
            enter=Enter(audience="profile.evidence >= 1.0", at="2025-11-24T09:00"),
            steps=(Step("mail", "plain"),),
        ),
    )
    plain = replace(
        a_content(), content_id="plain", slots=(a_content().slots[0], a_content().slots[1])
    )
    from tests.unit.app.test_composing import said

    body = replace(
        plain.slots[1], variants=(replace(plain.slots[1].variants[0], texts=said("Hello.")),)
    )
    engine.put_moves([ContentPut(replace(plain, slots=(plain.slots[0], body)))])
    channel = FakeChannel()
    worked(engine, channel)
    assert sorted(each.person for each in channel.sent) == ["u:u1", "u:u2", "u:u3"]
    worked(engine, channel, hours=30)
    assert len(channel.sent) == 3
    assert rebuild(engine).equal


def test_two_who_turn_out_to_be_one_get_one_message(engine: Engine) -> None:
    """Both came in; one message."""
    live(engine, abandoned(enter=Enter(event="Product Viewed")))
    known(engine)
    channel = FakeChannel()
    engine.accept_now([an_event(item="i1"), an_event(user="", anonymous_id="device", item="i2")])
    joined = an_event("", kind="identify", anonymous_id="device", traits={})
    engine.accept_now([joined])
    worked(engine, channel, hours=1)
    assert len(channel.sent) == 1
    assert rebuild(engine).equal


def test_it_goes_on_after_a_restart(engine: Engine, tmp_path: Path, shop: Settings) -> None:
    """Who waits is in the data folder."""
    live(engine, abandoned())
    known(engine)
    engine.accept_now([an_event(item="i1")])
    engine.store.close()
    again = open_engine(
        replace(shop, delivery=AT_ONCE),
        tmp_path / "data",
        world=FakeWorld(START_MS + 3600 * 1000),
    )
    channel = FakeChannel()
    worked(again, channel)
    assert len(channel.sent) == 1
    again.store.close()


def of_picks() -> Any:
    """Content with a subject that varies, and picks from a grid."""
    from germane.domain.content import Slot, Variant

    content = a_content()
    picks = Slot("picks", "items", (Variant("grid", {"en": {}}),), surface="home", size=3)
    return replace(content, slots=(content.slots[0], picks))


def answer(name: str, message: Message, **properties: Any) -> Event:
    """What came back about a message."""
    return an_event(name, properties={"message_id": message.message_id, **properties})


def sent_picks(engine: Engine) -> Message:
    """A message with picks that went out."""
    live(engine, abandoned(enter=Enter(event="Product Viewed"), steps=(Step("mail", "picks"),)))
    engine.put_moves([ContentPut(of_picks())])
    known(engine)
    engine.accept_now([an_event(item="i1")])
    worked(engine, FakeChannel())
    (message,) = messages(engine)
    assert message.status == "sent"
    return message


def test_a_click_teaches_the_choice(engine: Engine) -> None:
    """Once, however often it is clicked."""
    message = sent_picks(engine)
    for _ in range(3):
        engine.accept_now([answer("Email Link Clicked", message)])
    engine.world.advance(days=10)  # type: ignore[attr-defined]
    standing = engine.standing("content:picks:subject")
    assert sum(each.responses for each in standing.choice.arms) == pytest.approx(1.0, abs=0.1)
    (message,) = messages(engine)
    assert message.clicked_ms == message.opened_ms == START_MS
    assert rebuild(engine).equal


def test_a_machine_teaches_nothing(engine: Engine) -> None:
    """A scanner's clicks and a proxy's openings are kept and count for nothing; nor do somebody else's."""
    message = sent_picks(engine)
    engine.accept_now(
        [
            answer("Email Link Clicked", message, machine=True),
            answer("Email Opened", message, machine=True),
            replace(answer("Email Link Clicked", message), user_id="somebody"),
        ]
    )
    engine.world.advance(days=10)  # type: ignore[attr-defined]
    standing = engine.standing("content:picks:subject")
    assert sum(each.responses for each in standing.choice.arms) == 0
    (message,) = messages(engine)
    assert (message.opened_ms, message.clicked_ms, message.machines) == (0, 0, 2)
    profile = engine.store.profile("main", "u:u1")
    assert profile is not None
    assert profile.exposures == ()
    assert rebuild(engine).equal


def test_what_a_mail_showed_is_seen_when_it_is_opened(engine: Engine) -> None:
    """Then an order is credited to its picks."""
    message = sent_picks(engine)
    engine.accept_now([answer("Email Opened", message)])
    profile = engine.store.profile("main", "u:u1")
    assert profile is not None
    (shown,) = profile.exposures
    assert shown.decision_id in message.decisions
    assert len(shown.items) == 3
    engine.accept_now([an_order([shown.items[0]], at_ms=START_MS + 1000)])
    profile = engine.store.profile("main", "u:u1")
    assert profile is not None
    assert profile.exposures[0].credited == (f"{shown.items[0]}|purchase",)
    assert rebuild(engine).equal


@pytest.mark.parametrize(
    ("name", "properties", "marketing", "transactional"),
    [
        ("Email Bounced", {"permanent": True}, True, True),
        ("Email Bounced", {"permanent": False}, False, False),
        ("Email Marked as Spam", {}, True, False),
    ],
)
def test_bounces_and_complaints_bar_the_address(
    engine: Engine, name: str, properties: dict[str, Any], marketing: bool, transactional: bool
) -> None:
    """Whoever has it."""
    message = sent_picks(engine)
    engine.accept_now([answer(name, message, **properties)])
    barred = [
        engine.moving.suppressed("main", "email", "U1@example.org", purpose) is not None
        for purpose in ("email_marketing", "transactional")
    ]
    assert barred == [marketing, transactional]
    assert rebuild(engine).equal


def test_an_event_without_items_ends_what_is_about_an_item(engine: Engine) -> None:
    """The goal may name no item: everybody who waits for it is through."""
    live(engine, abandoned(goal=Leave(event="Bought Elsewhere")))
    known(engine)
    channel = FakeChannel()
    engine.accept_now([an_event(item="i1"), an_event(item="i2")])
    engine.accept_now([an_event("Bought Elsewhere", properties={})])
    worked(engine, channel, hours=2)
    assert channel.sent == []
    assert state_of(engine, "abandoned", "u:u1|item:i2").reason == (
        state_of(engine, "abandoned", "u:u1|item:i1").reason
    )
    assert rebuild(engine).equal


@pytest.mark.parametrize("way", ["stated", "event"])
def test_who_says_no_leaves_at_once(engine: Engine, way: str) -> None:
    """What waits is taken back, and they do not come in again."""
    live(engine, abandoned())
    known(engine)
    engine.accept_now([an_event(item="i1")])
    if way == "stated":
        engine.put_moves([Stated("u:u1", "email_marketing", False, "test")])
    else:
        engine.accept_now([an_event("Unsubscribed", properties={})])
    state = state_of(engine, "abandoned", "u:u1|item:i1")
    assert state.phase == "done"
    assert state.reason is not None
    assert state.reason.code == "consent_withdrawn"
    channel = FakeChannel()
    worked(engine, channel, hours=2)
    assert channel.sent == []
    assert rebuild(engine).equal


def test_a_person_on_two_devices_is_in_once(engine: Engine) -> None:
    """A step that went out for one of them does not go out for the other."""
    campaign = abandoned(
        enter=Enter(event="Product Viewed"),
        steps=(Step("first", "picks"), Step("second", "picks", wait=Wait(for_s=3600))),
    )
    live(engine, campaign)
    engine.put_moves([ContentPut(of_picks())])
    known(engine)
    channel = FakeChannel()
    engine.accept_now([an_event(item="i1")])
    worked(engine, channel)
    engine.accept_now([an_event(user="", anonymous_id="device", item="i2")])
    engine.accept_now([an_event("", kind="identify", anonymous_id="device", traits={})])
    worked(engine, channel, hours=2)
    steps = [each.step for each in messages(engine) if each.status == "sent"]
    assert sorted(steps) == ["first", "second"]
    assert rebuild(engine).equal


def test_what_must_still_hold_is_asked_as_it_goes_out(engine: Engine) -> None:
    """A message that waits in the outbox is not sent when its reason is gone and no event said so."""
    from germane.deliver import outbox
    from germane.domain.moves import Held

    live(
        engine,
        abandoned(
            steps=(
                Step("mail", "picks", wait=Wait(for_s=60, still="profile.traits.likes != 'gold'")),
            )
        ),
    )
    known(engine)
    engine.accept_now([an_event("", kind="identify", traits={"likes": "basic"})])
    engine.accept_now([an_event(item="i1")])
    engine.world.advance(seconds=60)  # type: ignore[attr-defined]
    Delivery(engine, {}, written).tick()
    for each in Composer(engine).drafts():
        Composer(engine).make(each)
    (message,) = messages(engine)
    later = engine.world.now_ms() + 3_600_000
    engine.put_moves([Held(message.message_id, "queued", later, SAID)])
    engine.accept_now([an_event("", kind="identify", traits={"likes": "gold"})])
    channel = FakeChannel()
    worked(engine, channel, hours=2)
    (message,) = messages(engine)
    assert (message.status, message.whys[-1].code) == ("cancelled", "still_false")
    assert channel.sent == []
    assert outbox.read(engine.entries.of(engine.tenant, "u:u1", "message")[0]) == message


def test_who_waits_in_a_paused_campaign_waits_on(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is recorded of them meanwhile, nobody else waits for them, and it goes on where it stood."""
    monkeypatch.setattr("germane.app.delivery.BATCH", 2)
    live(engine, abandoned())
    known(engine)
    known(engine, "u2")
    engine.accept_now([an_event(item=f"i{n}") for n in range(5)])
    engine.put_moves([CampaignTurned("abandoned", "paused", SAID)])
    live(engine, abandoned(name="second"))
    engine.accept_now([an_event(user="u2", item="i1")])
    engine.world.advance(seconds=3600)  # type: ignore[attr-defined]
    delivery = Delivery(engine, {}, written)
    assert delivery.tick()
    assert state_of(engine, "second", "u:u2|item:i1").phase != "waiting"
    before = engine.seq
    assert not delivery.tick()
    assert engine.seq == before
    engine.put_moves([CampaignTurned("abandoned", "live", SAID)])
    channel = FakeChannel()
    worked(engine, channel)
    assert {each.person for each in channel.sent} == {"u:u1", "u:u2"}
    assert rebuild(engine).equal


def for_all(at: str) -> Campaign:
    """To everybody, at an hour of theirs."""
    enter = Enter(audience="profile.evidence >= 0.0", at=at)
    return Campaign("news", enter=enter, steps=(Step("mail", "picks"),))


def test_whose_hour_has_come_is_in_as_soon_as_they_are_looked_at(engine: Engine) -> None:
    """In one step, not in two. It is one draft, and the log tells the same."""
    known(engine)
    known(engine, "u2")
    live(engine, for_all("2025-11-24T00:00"))
    before = engine.seq
    assert Delivery(engine, {}, written).tick()
    assert engine.seq == before + 2
    assert state_of(engine, "news", "u:u1").phase == "sending"
    assert len(Composer(engine).drafts()) == 2
    assert not Delivery(engine, {}, written).tick()
    assert rebuild(engine).equal


def test_whose_hour_has_not_come_is_in_when_it_does(engine: Engine) -> None:
    known(engine)
    live(engine, for_all("2125-11-24T00:00"))
    Delivery(engine, {}, written).tick()
    assert (state_of(engine, "news", "u:u1").phase, Composer(engine).drafts()) == ("outside", [])
    assert rebuild(engine).equal


def no_item() -> Content:
    """It is about nothing."""
    body = Slot("body", "text", (Variant("one", {"en": {"text": "Hello."}}),))
    return replace(a_content(), slots=(a_content().slots[0], body))


def test_what_a_dry_audience_saw_keeps_nobody_out_when_it_is_live(engine: Engine) -> None:
    """Its time came while it was dry: the dry run says who would have got it, and then they do. Once."""
    known(engine)
    engine.put_moves([ContentPut(no_item()), CampaignPut(for_all("2025-11-24T00:00"))])
    channel = FakeChannel()
    delivery = Delivery(engine, {"email": channel}, written)
    asyncio.run(delivery.idle())
    (dry,) = messages(engine)
    assert (dry.status, dry.whys[-1].code) == ("dry", "campaign.dry")
    engine.world.advance(seconds=60)  # type: ignore[attr-defined]
    engine.put_moves([CampaignTurned("news", "live", SAID)])
    asyncio.run(delivery.idle())
    assert [each.to for each in channel.sent] == ["u1@example.org"]
    for status in ("dry", "live", "paused", "live"):
        engine.put_moves([CampaignTurned("news", status, SAID)])  # type: ignore[arg-type]
        asyncio.run(delivery.idle())
        worked(engine, channel, hours=1)
    assert len(channel.sent) == 1
    assert rebuild(engine).equal


def test_a_dry_audience_gets_another_time(engine: Engine) -> None:
    """Pushed while it is dry, after its first one came; or earlier than the first, while it is live."""
    known(engine)
    engine.put_moves([ContentPut(no_item()), CampaignPut(for_all("2025-11-24T00:00"))])
    channel = FakeChannel()
    delivery = Delivery(engine, {"email": channel}, written)

    def after(hours: float = 0) -> int:
        engine.world.advance(seconds=hours * 3600)  # type: ignore[attr-defined]
        asyncio.run(delivery.idle())
        return len(channel.sent)

    after()
    engine.put_moves([CampaignPut(for_all("2025-11-26T00:00"))])
    engine.put_moves([CampaignTurned("news", "live", SAID)])
    assert after() == 0
    engine.put_moves([CampaignPut(for_all("2025-11-24T20:00"))])
    assert after() == 0
    assert after(hours=10) == 1
    assert after(hours=48) == 1
    assert rebuild(engine).equal


def test_an_earlier_time_while_it_is_dry(engine: Engine) -> None:
    """It holds, although the later one has not come."""
    known(engine)
    engine.put_moves([ContentPut(no_item()), CampaignPut(for_all("2025-11-30T00:00"))])
    channel = FakeChannel()
    delivery = Delivery(engine, {"email": channel}, written)
    asyncio.run(delivery.idle())
    engine.put_moves([CampaignPut(for_all("2025-11-24T20:00"))])
    engine.put_moves([CampaignTurned("news", "live", SAID)])
    asyncio.run(delivery.idle())
    assert channel.sent == []
    engine.world.advance(seconds=11 * 3600)  # type: ignore[attr-defined]
    asyncio.run(delivery.idle())
    assert len(channel.sent) == 1
    assert rebuild(engine).equal


def test_an_invitation_of_an_older_log_lets_nobody_in_by_itself(engine: Engine) -> None:
    """As it was when it was recorded: the tick that follows it does."""
    known(engine)
    live(engine, for_all("2025-11-24T00:00"))
    engine.put_moves([Invited("news", "u:u1")])
    assert state_of(engine, "news", "u:u1").phase == "outside"
    engine.put_moves([Ticked("news", "u:u1")])
    assert state_of(engine, "news", "u:u1").phase == "sending"
    assert rebuild(engine).equal


def test_no_more_is_asked_for_than_is_made_in_a_round(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is in already comes first."""
    monkeypatch.setattr("germane.app.delivery.BATCH", 3)
    for n in range(7):
        known(engine, f"u{n}")
    live(engine, abandoned())
    engine.accept_now([an_event(user="u0", item=f"i{n}") for n in range(4)])
    engine.world.advance(seconds=3600)  # type: ignore[attr-defined]
    live(engine, for_all("2025-11-24T00:00"))
    delivery, composer = Delivery(engine, {}, written), Composer(engine)
    asked = []
    while delivery.tick():
        asked.append(sorted(each.campaign for each in composer.drafts(1_000)))
        for each in composer.drafts(1_000):
            composer.make(each)
    assert asked[0] == ["abandoned"] * 3
    assert asked[1] == ["abandoned", "news", "news", "news"]
    assert [len(each) for each in asked if each] == [3, 4, 3, 1]


def test_each_step_goes_by_the_webhook_it_names(engine: Engine) -> None:
    """A switch of one webhook holds that one back alone; one of webhooks holds back all."""
    to_push, to_chat = (
        Step(name, "picks", channel="webhook", webhook=name) for name in ("push", "chat")
    )
    live(engine, abandoned(steps=(to_push, to_chat), enter=Enter(event="Product Viewed")))
    engine.put_moves([ContentPut(replace(a_content(), channel="webhook"))])
    known(engine)
    push, chat = FakeChannel(), FakeChannel()

    def worked_by(hours: float = 0) -> list[int]:
        engine.world.advance(seconds=hours * 3600)  # type: ignore[attr-defined]
        ways: dict[str, Channel] = {"webhook:push": push, "webhook:chat": chat}
        asyncio.run(Delivery(engine, ways, written).idle())
        return [len(push.sent), len(chat.sent)]

    engine.put_moves([Switched("channel", "webhook:chat", True, SAID)])
    engine.accept_now([an_event(item="i1")])
    assert worked_by() == [1, 0]
    assert worked_by(hours=1) == [1, 0]
    assert {each.way for each in messages(engine)} == {"webhook:push", "webhook:chat"}
    engine.put_moves([Switched("channel", "webhook:chat", False, SAID)])
    engine.put_moves([Switched("channel", "webhook", True, SAID)])
    assert worked_by(hours=1) == [1, 0]
    engine.put_moves([Switched("channel", "webhook", False, SAID)])
    assert worked_by(hours=1) == [1, 1]
    assert rebuild(engine).equal


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ("psuh", "There is no channel 'webhook:psuh'."),
        ("", "does not say by which"),
        ("team", "for reminders of approvals alone"),
    ],
)
def test_a_message_waits_for_a_way_that_is_not_there(engine: Engine, named: str, says: str) -> None:
    """It is not lost: it goes by the webhook that its campaign names when that is mended."""
    step = Step("one", "picks", channel="webhook", webhook=named)
    campaign = abandoned(steps=(step,), enter=Enter(event="Product Viewed"))
    live(engine, campaign)
    engine.put_moves([ContentPut(replace(a_content(), channel="webhook"))])
    known(engine)
    push, team = FakeChannel(), FakeChannel()
    ways: dict[str, Channel] = {"webhook:push": push, "webhook:chat": push, "webhook:team": team}
    delivery = Delivery(engine, ways, written, reserved=["webhook:team"])
    engine.accept_now([an_event(item="i1")])
    asyncio.run(delivery.idle())
    (message,) = messages(engine)
    assert (message.status, message.whys[-1].code) == ("queued", "channel.missing")
    assert says in message.whys[-1].text
    engine.put_moves([CampaignPut(replace(campaign, steps=(replace(step, webhook="push"),)))])
    engine.world.advance(seconds=3600)  # type: ignore[attr-defined]
    asyncio.run(delivery.idle())
    (message,) = messages(engine)
    assert (message.status, message.way, len(push.sent), team.sent) == (
        "sent",
        "webhook:push",
        1,
        [],
    )
    assert rebuild(engine).equal


def test_who_waits_in_a_campaign_that_cannot_be_read_is_not_forgotten(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistake in the declaration holds a campaign up; mended, it goes on."""
    live(engine, abandoned())
    known(engine)
    engine.accept_now([an_event(item="i1")])
    engine.world.advance(seconds=3600)  # type: ignore[attr-defined]
    with monkeypatch.context() as broken:
        broken.setattr(type(engine.library), "compiled", lambda *_: None)
        before = engine.seq
        assert not Delivery(engine, {}, written).tick()
        assert engine.seq == before
        engine.put_moves([Ticked("abandoned", "u:u1|item:i1")])
    channel = FakeChannel()
    worked(engine, channel)
    assert [each.person for each in channel.sent] == ["u:u1"]


def test_a_bug_in_one_look_does_not_end_the_making_of_messages(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("germane.app.delivery.IDLE_S", 0.001)
    looks, again = [RuntimeError("a bug")], asyncio.Event()

    async def look(self: Delivery) -> bool:
        if looks:
            raise looks.pop()
        again.set()
        return False

    monkeypatch.setattr(Delivery, "_look", look)

    async def run() -> None:
        await engine.start()
        delivery = Delivery(engine, {"email": FakeChannel()}, written)
        delivery.start()
        async with asyncio.timeout(30):
            await again.wait()
        await delivery.stop()
        await engine.stop()

    asyncio.run(run())
    assert [each.exc_text for each in caplog.records if "a bug" in (each.exc_text or "")]
