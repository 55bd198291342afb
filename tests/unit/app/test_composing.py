"""From an occasion to a message in the outbox."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from germane.app.composing import Composer
from germane.app.engine import Engine
from germane.app.ledgers import message_counts
from germane.app.opening import open_engine, save_snapshot
from germane.app.rebuild import rebuild
from germane.app.sends import messages_with
from germane.deliver import outbox
from germane.domain.campaign import Campaign, Enter, SendSpec, Step
from germane.domain.content import Content, Slot, Variant
from germane.domain.ledger import Entry
from germane.domain.message import Message, Why
from germane.domain.moves import CampaignPut, CampaignTurned, ContentGone, ContentPut, Stated
from germane.domain.outcome import Outcome
from germane.domain.record import Txn
from germane.domain.settings import CapSpec, DeliverySpec, Settings
from germane.testing import FakeWorld, an_event
from germane.testing.world import START_MS

SAID = Why(START_MS, "test", "Because.")


def said(text: str) -> dict[str, dict[str, str]]:
    """In English."""
    return {"en": {"text": text}}


def a_content(**changed: Any) -> Content:
    """A mail about an item, whose subject can be said in two ways."""
    made = Content(
        "picks",
        "email",
        slots=(
            Slot(
                "subject",
                "subject",
                (
                    Variant("plain", said("News for you"), attributes={"tone": "plain"}),
                    Variant("warm", said("Something nice"), attributes={"tone": "warm"}),
                ),
            ),
            Slot("body", "text", (Variant("one", said("{{ item.title }} is here.")),)),
        ),
    )
    return replace(made, **changed)


def a_campaign(**changed: Any) -> Campaign:
    """A mail after a view."""
    made = Campaign(
        "weekly",
        enter=Enter(event="Product Viewed"),
        steps=(Step("mail", "picks"),),
        send=SendSpec(),
    )
    return replace(made, **changed)


def a_draft(user: str = "u1", **changed: Any) -> Message:
    """What a campaign asks for."""
    made = Message(
        message_id=outbox.message_id(START_MS, f"weekly/u:{user}/1/mail"),
        person=f"u:{user}",
        channel="email",
        campaign="weekly",
        version="v1",
        content="picks",
        purpose="email_marketing",
        kind="never_twice",
        priority="normal",
        created_ms=START_MS,
        status="making",
        due_ms=START_MS,
        step="mail",
        item="i1",
        asked_ms=START_MS,
    )
    return replace(made, **changed)


def asked_for(engine: Engine, draft: Message) -> None:
    """As the fold of a campaign leaves it."""
    entry = outbox.entry(draft)
    drafted = Entry("draft", entry.key, entry.body, entry.person, entry.topic, "", START_MS)
    txn = Txn(entries={(engine.tenant, "draft", entry.key): drafted})
    engine.store.commit(txn)


def live(engine: Engine, content: Content, campaign: Campaign) -> None:
    """Written, and live."""
    engine.put_moves(
        [
            ContentPut(content),
            CampaignPut(campaign),
            CampaignTurned(campaign.name, "live", SAID),
        ]
    )


def made(engine: Engine, draft: Message) -> Message:
    """The message that becomes of a draft."""
    asked_for(engine, draft)
    composer = Composer(engine)
    assert [each.message_id for each in composer.drafts()] == [draft.message_id]
    composer.make(composer.drafts()[0])
    assert composer.drafts() == []
    found = engine.moving.message(engine.tenant, draft.message_id)
    assert found is not None
    return found


def text_of(engine: Engine, message: Message) -> str:
    """What it says."""
    record = engine.record(message.rendered_seq)
    assert record is not None
    from msgspec.msgpack import decode

    from germane.domain.moves import Planned

    return outbox.unpacked(decode(record.body, type=Planned).rendered).text


def test_what_is_asked_for_is_decided_rendered_and_queued(engine: Engine) -> None:
    """Each slot that can vary is a logged choice with its propensity."""
    live(engine, a_content(), a_campaign())
    message = made(engine, a_draft())
    assert message.status == "queued"
    assert message.due_ms == START_MS
    assert set(message.chosen) == {"subject", "body"}
    (decision_id,) = message.decisions
    decision = engine.store.decision(engine.tenant, decision_id)
    assert decision is not None
    assert decision.choice is not None
    assert decision.choice.action == message.chosen["subject"]
    assert 0 < decision.choice.propensity <= 1
    title = engine.catalogue["i1"].title
    assert f"{title} is here." in text_of(engine, message)
    assert rebuild(engine).equal


def test_content_learns_from_clicks(engine: Engine) -> None:
    """A reward of the choice that a message rests on is learned; content that goes takes it along."""
    live(engine, a_content(), a_campaign(send=SendSpec(ignore_caps=True)))
    message = made(engine, a_draft())
    surface = "content:picks:subject"

    async def click() -> None:
        await engine.start()
        await engine.outcomes(
            [Outcome("r1", message.decisions[0], "", "click", None, START_MS + 5)]
        )
        await engine.stop()

    asyncio.run(click())
    engine.world.advance(days=10)  # type: ignore[attr-defined]
    arms = {each.action: each for each in engine.standing(surface).choice.arms}
    assert arms[message.chosen["subject"]].responses == pytest.approx(1.0, abs=0.05)
    three = (*a_content().slots[0].variants, Variant("short", said("Hi")))
    engine.put_moves([ContentPut(a_content(slots=(Slot("subject", "subject", three),)))])
    again = {each.action: each for each in engine.standing(surface).choice.arms}
    assert again[message.chosen["subject"]].responses == arms[message.chosen["subject"]].responses
    assert again["short"].decisions == 0
    assert rebuild(engine).equal
    engine.put_moves([ContentGone("picks")])
    assert surface not in engine.settings.surfaces
    assert rebuild(engine).equal


def test_choices_of_content_outlive_a_restart(
    engine: Engine, shop: Settings, tmp_path: Path
) -> None:
    """With the snapshot, and without it."""
    live(engine, a_content(), a_campaign())
    made(engine, a_draft())
    before = engine.model.digest()
    engine.store.close()
    for _ in range(2):
        again = open_engine(shop, tmp_path / "data", world=FakeWorld(START_MS))
        assert again.model.digest() == before
        assert again.library.contents == {"picks": a_content()}
        assert again.library.campaigns["weekly"].status == "live"
        assert "content:picks:subject" in again.settings.surfaces
        save_snapshot(again, tmp_path / "data")
        again.store.close()


@pytest.mark.parametrize(
    ("content", "campaign", "draft", "code"),
    [
        (a_content(), a_campaign(holdout_share=1.0), {}, "holdout"),
        (a_content(), a_campaign(steps=(Step("other", "picks"),)), {}, "campaign.gone"),
        (a_content(content_id="another"), a_campaign(), {}, "content.unknown"),
        (a_content(), a_campaign(), {"item": "nothing"}, "content.incomplete"),
    ],
)
def test_what_cannot_go_out_says_why(
    engine: Engine, content: Content, campaign: Campaign, draft: dict[str, Any], code: str
) -> None:
    """Each is kept, with its reason, and is not asked for again."""
    live(engine, content, campaign)
    message = made(engine, a_draft(**draft))
    assert (message.status, message.due_ms) == ("skipped", 0)
    assert message.whys[-1].code == code
    assert rebuild(engine).equal


@pytest.mark.parametrize(
    ("address", "consent", "approval", "code", "says"),
    [
        ("u1@x.example", True, {}, "campaign.dry", "would have gone out"),
        ("u1@x.example", True, {"of": "each"}, "campaign.dry", "would have waited for approval"),
        ("u1@x.example", False, {}, "consent.none", "was never given"),
        ("", True, {}, "address.none", "No address is known"),
        ("u1@", True, {"of": "campaign"}, "address.bad", "is none"),
        (["u1@x.example"], True, {}, "address.bad", "is none"),
    ],
)
def test_a_dry_campaign_sends_nothing(
    engine: Engine, address: Any, consent: bool, approval: dict[str, Any], code: str, says: str
) -> None:
    """But shows what it would have sent, and apart from that to whom it would not."""
    told = an_event("", kind="identify", user="u1", traits={"email": address})
    engine.accept_now([told])
    engine.put_moves([ContentPut(a_content()), CampaignPut(a_campaign(approval=approval))])
    if consent:
        engine.put_moves([Stated("u:u1", "email_marketing", True, "test")])
    message = made(engine, a_draft())
    status = "dry" if code == "campaign.dry" else "skipped"
    assert (message.status, message.whys[-1].code) == (status, code)
    assert message_counts(engine)[message.campaign] == {status: 1}
    assert [each.status for each in messages_with(engine, "", status)] == [status]
    assert says in message.whys[-1].text
    assert (message.due_ms, message.demands) == (0, ())
    assert "is here." in text_of(engine, message)
    assert not engine.entries.counts(engine.tenant, "approval")
    assert rebuild(engine).equal


@pytest.mark.parametrize(
    ("address", "consent", "code"),
    [
        ("u1@x.example", True, ""),
        ("u1@x.example", False, "consent.none"),
        ("", True, "address.none"),
        ("u1@", True, "address.bad"),
    ],
)
def test_nobody_is_asked_about_a_message_that_cannot_reach_its_person(
    engine: Engine, address: str, consent: bool, code: str
) -> None:
    told = an_event("", kind="identify", user="u1", traits={"email": address})
    engine.accept_now([told])
    live(engine, a_content(), a_campaign(approval={"of": "each"}))
    if consent:
        engine.put_moves([Stated("u:u1", "email_marketing", True, "test")])
    message = made(engine, a_draft())
    if code:
        assert (message.status, message.due_ms, message.demands) == ("skipped", 0, ())
        assert message.whys[-1].code == code
    else:
        assert message.status == "approval"
    assert bool(engine.entries.counts(engine.tenant, "approval")) == (not code)
    assert rebuild(engine).equal


def test_a_more_urgent_message_takes_the_place_of_another(shop: Settings, tmp_path: Path) -> None:
    """The one that waits gets another time."""
    caps = DeliverySpec(quiet_hours=None, caps=(CapSpec(1, 86_400, "email"),), spread_s=0)
    engine = open_engine(
        replace(shop, delivery=caps), tmp_path / "other", world=FakeWorld(START_MS)
    )
    engine.accept_now([an_event()])
    from germane.testing.builders import an_item

    for number in range(1, 3):
        engine.commit(engine.fold_item(an_item(number)))
    live(engine, a_content(), a_campaign())
    live(engine, a_content(), a_campaign(name="urgent", priority="high"))
    first = made(engine, a_draft())
    assert first.due_ms == START_MS
    key = outbox.message_id(START_MS, "urgent/u:u1/1/mail")
    second = made(engine, a_draft(message_id=key, campaign="urgent", priority="high"))
    assert (second.status, second.due_ms) == ("queued", START_MS)
    waits = engine.moving.message(engine.tenant, first.message_id)
    assert waits is not None
    assert (waits.status, waits.whys[-1].code) == ("queued", "gave_way")
    assert waits.due_ms >= START_MS + 86_400_000
    assert rebuild(engine).equal
    engine.store.close()


def test_a_version_does_not_depend_on_how_it_was_read() -> None:
    """Equal definitions have equal versions, whether a value was written or is the default."""
    from msgspec import json, msgpack

    campaign, content = a_campaign(), a_content()
    for kind, made in ((Campaign, campaign), (Content, content)):
        again = json.decode(json.encode(made), type=kind)
        once_more = msgpack.decode(msgpack.encode(again), type=kind)
        assert again == once_more == made
        assert again.version == once_more.version == made.version
        assert msgpack.encode(again) == msgpack.encode(once_more) == msgpack.encode(made)


def test_an_account_chooses_and_speaks(engine: Engine) -> None:
    """What a group call told of it may decide what is said, and be said."""
    engine.accept_now(
        [
            an_event(
                "", kind="group", group_id="acme", traits={"plan": "Starter", "employees": 200}
            ),
            an_event(user="u2"),
        ]
    )
    variants = (
        Variant(
            "big",
            said("For {{ account.plan }} with many employees"),
            when="account.traits.employees > 100",
        ),
        Variant("small", said("For you"), when="!(account.traits.employees > 100)"),
        Variant("none", said("Hello"), when="!has(account.id)"),
    )
    slots = (
        Slot("subject", "subject", variants),
        Slot("body", "text", (Variant("one", said("Hi")),)),
    )
    live(engine, a_content(slots=slots), a_campaign(send=SendSpec(ignore_caps=True)))
    assert made(engine, a_draft("u1")).chosen["subject"] == "big"
    key = outbox.message_id(START_MS, "weekly/u:u2/1/mail")
    assert made(engine, a_draft("u2", message_id=key)).chosen["subject"] == "none"
