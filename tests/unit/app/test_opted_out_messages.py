"""Messages to people who have opted out of personalisation: what they agreed to, or must have, filled from
nothing that was learned."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from germane.app.audiences import audience
from germane.app.delivery import Delivery
from germane.app.engine import Engine
from germane.app.opening import open_engine
from germane.app.rebuild import rebuild
from germane.app.sends import messages_of
from germane.app.writing import rendered_of
from germane.domain.campaign import Campaign, Enter, SendSpec, Step
from germane.domain.content import Content, Rendered, Slot, Variant
from germane.domain.event import Event
from germane.domain.message import Message, Why
from germane.domain.moves import CampaignPut, CampaignTurned, ContentPut, Stated
from germane.domain.purposes import EMAIL_MARKETING, PERSONALISATION, TRANSACTIONAL
from germane.domain.settings import DeliverySpec
from germane.testing import FakeWorld, a_shop, an_event, an_item
from germane.testing.world import START_MS
from tests.unit.app.test_posting import FakeChannel, written


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """Ann and Bob look at the same things, and have agreed to letters; Bob has opted out since."""
    at_once = DeliverySpec(quiet_hours=None, caps=(), spread_s=0)
    shop = replace(a_shop(), delivery=at_once)
    made = open_engine(shop, tmp_path / "data", world=FakeWorld(START_MS))
    with made.importer() as importer:
        importer.add_items([an_item(n) for n in range(10)])
    for user in ("ann", "bob"):
        traits = {"email": f"{user}@example.org", "firstName": user.title(), "likes": "c1"}
        made.accept_now(
            [
                Event(f"told-{user}", "identify", START_MS, user_id=user, traits=traits),
                *(an_event(user=user, item="i1") for _ in range(3)),
            ]
        )
        made.put_moves([Stated(f"u:{user}", EMAIL_MARKETING, True, "test")])
    made.put_moves([Stated("u:bob", PERSONALISATION, False, "test")])
    yield made
    made.store.close()


def letter() -> Content:
    """A subject that varies, and a line from the profile."""
    line = (
        "Dear {{ person.first_name | default: 'you' }}, more of "
        "{{ interest.category | default: 'the shop' }}."
    )

    def said(text: str) -> dict[str, dict[str, Any]]:
        return {"en": {"text": text}}

    return Content(
        "letter",
        "email",
        slots=(
            Slot("subject", "subject", (Variant("a", said("One")), Variant("b", said("Two")))),
            Slot("line", "text", (Variant("one", said(line)),)),
        ),
    )


def live(engine: Engine, **campaign: Any) -> None:
    """A campaign with that letter."""
    why = Why(START_MS, "test", "Because.")
    made = Campaign("news", steps=(Step("mail", "letter"),), **campaign)
    engine.put_moves([ContentPut(letter()), CampaignPut(made), CampaignTurned("news", "live", why)])


def sent(engine: Engine) -> dict[str, tuple[Message, Rendered]]:
    """Everything that is due is done; the messages by person."""

    async def run() -> None:
        await Delivery(engine, {"email": FakeChannel()}, written).idle()

    asyncio.run(run())
    found = {}
    for person in ("u:ann", "u:bob"):
        for each in messages_of(engine.entries, engine.tenant, person):
            assert each.status == "sent", each.whys
            found[person] = (each, rendered_of(engine, each))
    return found


def test_a_letter_that_they_agreed_to_is_the_default_one(engine: Engine) -> None:
    """No name, no interest, no decision about them; the other one's has all of it."""
    engine.world.advance(days=1)  # type: ignore[attr-defined]
    live(engine, enter=Enter(audience="profile.evidence >= 0.0", at="2025-11-25T09:00"))
    found = sent(engine)
    (message, text), (_, other) = found["u:bob"], found["u:ann"]
    assert "Dear Ann, more of c1." in other.text
    assert "Dear you, more of the shop." in text.text
    (decision,) = (engine.decision(each) for each in message.decisions)
    assert decision is not None
    assert (decision.arm, decision.person) == ("opted_out", "")
    assert rebuild(engine).equal


def test_a_condition_reads_nothing_of_them(engine: Engine) -> None:
    """They are not meant by what they did; neither in the preview nor in the campaign."""
    engine.world.advance(days=1)  # type: ignore[attr-defined]
    live(engine, enter=Enter(audience="profile.evidence > 1.0", at="2025-11-25T09:00"))
    preview = asyncio.run(audience(engine, engine.library.campaign("news")))
    assert (preview.people, preview.counts["no_match"], preview.counts["reached"]) == (2, 1, 1)
    assert set(sent(engine)) == {"u:ann"}


def test_an_event_of_theirs_lets_them_into_nothing(engine: Engine) -> None:
    """But into what people must have: that comes, and is learned from no more than the rest."""
    live(engine, enter=Enter(event="Order Completed"))
    model = engine.model.digest()
    engine.accept_now([an_event("Order Completed", user="bob", properties={"order_id": "7"})])
    assert sent(engine) == {}
    assert engine.model.digest() == model


def test_what_they_must_have_reaches_them(engine: Engine) -> None:
    """The order is confirmed; the profile has not read it."""
    live(engine, enter=Enter(event="Order Completed"), purpose=TRANSACTIONAL)
    before, model = engine.profile_of("u:bob"), engine.model.digest()
    order = {"order_id": "7", "products": [{"product_id": "i3", "price": 3.0}]}
    engine.accept_now([an_event("Order Completed", user="bob", properties=order)])
    after = engine.profile_of("u:bob")
    assert (after.own_items, after.evidence, after.recent) == (
        before.own_items,
        before.evidence,
        before.recent,
    )
    assert "Dear you" in sent(engine)["u:bob"][1].text
    assert engine.model.digest() == model
    assert rebuild(engine).equal


def test_what_was_written_before_they_opted_out_is_not_sent(engine: Engine) -> None:
    """Ann's letter waits for its hour, and she opts out meanwhile: it knew too much."""
    engine.world.advance(days=1)  # type: ignore[attr-defined]
    live(
        engine,
        enter=Enter(audience="profile.evidence >= 0.0", at="2025-11-25T09:00"),
        send=SendSpec(window=(14 * 60, 15 * 60)),
    )
    asyncio.run(Delivery(engine, {"email": FakeChannel()}, written).idle())
    (waits,) = messages_of(engine.entries, engine.tenant, "u:ann")
    assert waits.status == "queued", waits.whys
    engine.put_moves([Stated("u:ann", PERSONALISATION, False, "test")])
    engine.world.advance(days=0.2)  # type: ignore[attr-defined]
    asyncio.run(Delivery(engine, {"email": FakeChannel()}, written).idle())
    (after,) = messages_of(engine.entries, engine.tenant, "u:ann")
    assert (after.status, after.whys[-1].code) == ("skipped", "consent.opted_out")
    (other,) = messages_of(engine.entries, engine.tenant, "u:bob")
    assert other.status == "sent", other.whys
