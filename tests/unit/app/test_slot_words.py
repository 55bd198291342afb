"""A person's words in single slots of a message that waits: rendered anew, looked at, and no credit."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from germane.app.delivery import Delivery
from germane.app.rewording import Edit
from germane.domain.approval import Approval
from germane.domain.content import Content, Slot, Variant, choice_surface
from germane.domain.errors import BadEdit, NotApprover
from germane.domain.message import Message
from germane.domain.moves import CampaignPut, CampaignTurned, ContentPut, Stated
from germane.domain.sending import Outgoing
from germane.domain.settings import ContentSpec, Settings, TraitSpec
from germane.testing import FakeWorld, an_event, an_item
from tests.unit.app.test_approving import SAID, Office, Sink, in_office, settings, the_campaign

OPENING = choice_surface("picks", "opening")
BUTTON = choice_surface("picks", "button")
SPEC = ContentSpec(link_hosts=("shop.example",), banned_words=("guaranteed",))
Act = Callable[[Office, Delivery, Sink, Approval], Coroutine[Any, Any, None]]


def said(text: str, **more: str) -> dict[str, dict[str, str]]:
    return {"en": {"text": text, **more}}


def a_content() -> Content:
    """Two of its slots are choices; one names the person, one the price."""
    opening = (
        Variant("calm", said("Hello {{ person.first_name }},", fallback="Hello,")),
        Variant("brisk", said("Look at this")),
    )
    url = "https://shop.example/x"
    button = (
        Variant("look", said("Take a look", url=url)),
        Variant("buy", said("Buy it", url=url)),
    )
    price = (Variant("one", said("{{ item.title }} for {{ item.price }}")),)
    slots = (
        Slot("subject", "subject", (Variant("one", said("News")),)),
        Slot("opening", "text", opening),
        Slot("offer", "text", price),
        Slot("button", "button", button),
    )
    return Content("picks", "email", slots=slots)


def declared() -> Settings:
    """With a trait that may not be mentioned."""
    made = settings({})
    delivery = replace(made.delivery, caps=(), quiet_hours=None, spread_s=0)
    traits = {**made.traits, "income": TraitSpec("income", speakable=False)}
    return replace(made, delivery=delivery, traits=traits)


def with_one_that_waits(tmp_path: Path, act: Act, world: FakeWorld | None = None) -> None:
    """A message of a live campaign, made by a real engine; ``act``, and the same by a rebuild."""
    world = world or FakeWorld()

    async def work(office: Office) -> None:
        engine, sink = office.engine, Sink()

        def write(message: Message) -> Outgoing:
            found = office.approving.rendered(message)
            assert found is not None
            return Outgoing(
                message_id=message.message_id, person=message.person, subject=found.text
            )

        delivery = Delivery(engine, {"email": sink}, write, spec=SPEC)
        office.approving._composer = delivery.composer
        await engine.put_items([an_item(1, price=10.0)])
        await engine.move(
            [
                ContentPut(a_content()),
                CampaignPut(the_campaign(approval={"approvers": ["ann", "bob", "cem"]})),
                CampaignTurned("weekly", "live", SAID),
            ]
        )
        told = {"email": "u1@example.org"}
        await engine.accept([an_event("", kind="identify", user="u1", traits=told)])
        await engine.move([Stated("u:u1", "email_marketing", True, "test")])
        await engine.accept([an_event(user="u1", at_ms=world.now_ms())])
        await delivery.idle()
        (waits,) = office.approving.listed(status="pending")
        await act(office, delivery, sink, waits)

    in_office(tmp_path, declared(), work, world)


async def edited(office: Office, waits: Approval, **slots: Any) -> Approval:
    """By cem; a text, or the fields."""
    found = {k: v if isinstance(v, dict) else {"text": v} for k, v in slots.items()}
    digest = office.approving.find(waits.approval_id).digest
    cem = office.operator("cem")
    return await office.approving.edit(waits.approval_id, cem, digest, Edit(slots=found))


def now(office: Office, waits: Approval) -> Message:
    found = office.engine.moving.message("main", waits.approval_id)
    assert found is not None
    return found


def test_one_slot_is_said_otherwise(tmp_path: Path) -> None:
    """The rest stays as it was chosen; another digest, and somebody else approves it."""

    async def act(office: Office, delivery: Delivery, sink: Sink, waits: Approval) -> None:
        await office.says("ann", "approve", waits.approval_id)
        before = office.approving.rendered(now(office, waits))
        after = await edited(office, waits, opening="Good to see you")
        message = now(office, waits)
        rendered = office.approving.rendered(message)
        assert before is not None
        assert rendered is not None
        assert rendered.text.startswith("Good to see you")
        assert "for 10" in rendered.text
        assert "Good to see you" in rendered.html
        assert (rendered.version, rendered.claims) == (before.version, before.claims)
        assert (after.status, after.digest) == ("pending", message.digest)
        assert (message.status, message.edited_by) == ("approval", "cem")
        with pytest.raises(NotApprover):
            await office.says("cem", "approve", waits.approval_id)
        await office.says("ann", "approve", waits.approval_id)
        await delivery.idle()
        assert sink.sent == [rendered.text]

    with_one_that_waits(tmp_path, act)


def test_a_second_slot_keeps_the_first(tmp_path: Path) -> None:
    """Words are templates; a field that is not named stays."""

    async def act(office: Office, delivery: Delivery, sink: Sink, waits: Approval) -> None:
        await edited(office, waits, opening="Good to see you")
        await edited(office, waits, button="See it", subject="{{ item.title }} waits")
        message = now(office, waits)
        rendered = office.approving.rendered(message)
        assert rendered is not None
        assert "Good to see you" in rendered.text
        assert "See it" in rendered.text
        assert rendered.links == ("https://shop.example/x",)
        assert rendered.subject.endswith(" waits")
        assert set(message.words) == {"opening", "button", "subject"}

    with_one_that_waits(tmp_path, act)


def test_the_choice_gets_no_credit_for_other_words(tmp_path: Path) -> None:
    """A click rewards the choice that is still said, and not the one whose words were replaced."""

    async def act(office: Office, delivery: Delivery, sink: Sink, waits: Approval) -> None:
        engine = office.engine
        await edited(office, waits, opening="Good to see you")
        message = now(office, waits)
        surfaces = {x: engine.decision(x).surface for x in message.decisions}  # type: ignore[union-attr]
        assert sorted(surfaces.values()) == [BUTTON, OPENING]
        assert [surfaces[each] for each in message.credited] == [BUTTON]
        await office.says("ann", "approve", waits.approval_id)
        await delivery.idle()
        clicked = an_event(
            "Email Link Clicked", user="u1", properties={"email_id": message.message_id}
        )
        await engine.accept([clicked])
        values = {each.surface: each.value for each in engine.profile_of("u:u1").choices}
        assert values == {BUTTON: 1.0, OPENING: 0.0}

    with_one_that_waits(tmp_path, act)


def test_a_rejection_teaches_nothing_of_other_words(tmp_path: Path) -> None:
    async def act(office: Office, delivery: Delivery, sink: Sink, waits: Approval) -> None:
        await edited(office, waits, opening="Good to see you")
        await office.says("ann", "reject", waits.approval_id, "Not like that.")
        values = {x.surface: x.value for x in office.engine.profile_of("u:u1").choices}
        assert values == {BUTTON: -1.0, OPENING: 0.0}

    with_one_that_waits(tmp_path, act)


def test_whole_texts_take_the_credit_of_all_that_they_replace(tmp_path: Path) -> None:
    """And slots cannot be changed any more."""

    async def act(office: Office, delivery: Delivery, sink: Sink, waits: Approval) -> None:
        cem, name = office.operator("cem"), waits.approval_id
        await edited(office, waits, opening="Good to see you")
        digest = office.approving.find(name).digest
        await office.approving.edit(name, cem, digest, Edit(subject="Mine"))
        message = now(office, waits)
        assert (len(message.credited), message.words) == (1, {})
        await office.approving.edit(name, cem, message.digest, Edit(html="<p>x</p>", text="x"))
        assert now(office, waits).credited == ()
        with pytest.raises(BadEdit, match="whole text"):
            await edited(office, waits, opening="Again")

    with_one_that_waits(tmp_path, act)


@pytest.mark.parametrize(
    ("slots", "says"),
    [
        ({"openning": "x"}, "no slot 'openning'"),
        ({"opening": " "}, "empty"),
        ({"opening": {"texts": "x"}}, "no such field"),
        ({"opening": "{{ person.first_name"}, "opening.text"),
        ({"opening": "{{ person.income }} a year"}, "income"),
        ({"opening": "It is guaranteed"}, "banned word"),
        ({"offer": "{{ item.title }} for € 9"}, "is typed"),
        ({"button": {"url": "https://evil.example/"}}, "evil.example"),
        ({"opening": "Hello {{ person.first_name }},"}, "left out"),
        ({"subject": "News"}, "text that it has"),
        ({"subject": "{{ person.first_name }}"}, "subject needs"),
    ],
)
def test_what_may_not_be_said(tmp_path: Path, slots: dict[str, Any], says: str) -> None:
    """The guardrails of content hold for a person's words; and none of them is left out in silence."""

    async def act(office: Office, delivery: Delivery, sink: Sink, waits: Approval) -> None:
        with pytest.raises(BadEdit, match=says):
            await edited(office, waits, **slots)
        assert now(office, waits).edited_by == ""

    with_one_that_waits(tmp_path, act)


def test_not_with_whole_texts_at_once(tmp_path: Path) -> None:
    async def act(office: Office, delivery: Delivery, sink: Sink, waits: Approval) -> None:
        edit = Edit(subject="Mine", slots={"opening": {"text": "x"}})
        with pytest.raises(BadEdit, match="not changed at once"):
            await office.approving.edit(
                waits.approval_id, office.operator("cem"), waits.digest, edit
            )

    with_one_that_waits(tmp_path, act)


def test_a_price_that_changes_beside_their_words(tmp_path: Path) -> None:
    """It is rendered anew with the words of the person, and approved anew."""
    world = FakeWorld()

    async def act(office: Office, delivery: Delivery, sink: Sink, waits: Approval) -> None:
        await edited(office, waits, opening="Good to see you")
        await office.engine.put_items([an_item(1, price=12.0)])
        await office.says("ann", "approve", waits.approval_id)
        world.advance(seconds=60)
        await delivery.idle()
        assert sink.sent == []
        again = office.approving.find(waits.approval_id)
        assert (again.status, again.amounts["price"]) == ("pending", 12.0)
        await office.says("ann", "approve", waits.approval_id)
        await delivery.idle()
        (sent,) = sink.sent
        assert sent.startswith("Good to see you")
        assert "for 12" in sent

    with_one_that_waits(tmp_path, act, world)


def test_content_that_changed_since(tmp_path: Path) -> None:
    """What waits is bound to the content that it was made from."""

    async def act(office: Office, delivery: Delivery, sink: Sink, waits: Approval) -> None:
        await office.engine.move([ContentPut(replace(a_content(), title="Other"))])
        with pytest.raises(BadEdit, match="content has changed"):
            await edited(office, waits, opening="x")

    with_one_that_waits(tmp_path, act)
