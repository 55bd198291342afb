"""Approval on a real engine: what is asked, released, cancelled, taught; and what a crash leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from germane.app.approving import Approving
from germane.app.composing import Composer
from germane.app.delivery import Delivery
from germane.app.demanding import contents_of
from germane.app.engine import Engine
from germane.app.opening import open_engine
from germane.app.operators import Operators
from germane.app.rebuild import rebuild
from germane.app.rewording import Edit
from germane.deliver import outbox
from germane.domain.approval import Approval, ApprovalPolicy
from germane.domain.campaign import Campaign, Enter, Step
from germane.domain.content import Content, Slot, Variant
from germane.domain.decision import Ask
from germane.domain.errors import (
    ApprovalClosed,
    BadEdit,
    BadOperator,
    GermaneError,
    NotApprover,
    TooFewOpened,
    Unapproved,
    UnknownApproval,
    WrongMove,
)
from germane.domain.message import Message, Why
from germane.domain.moves import (
    AnyMove,
    Asked,
    CampaignPut,
    CampaignTurned,
    ContentPut,
    Held,
    Planned,
    Rewritten,
    Stated,
)
from germane.domain.operator import Operator
from germane.domain.outcome import Outcome
from germane.domain.sending import Outgoing, Sent
from germane.domain.settings import OutcomeSpec, Settings
from germane.testing import FakeWorld, a_shop, an_event, an_item
from germane.testing import a_campaign as a_choice
from germane.testing.approvals import a_message, a_text, planned
from germane.testing.world import START_MS

SAID = Why(START_MS, "test", "By the test.")
EACH = {"": ApprovalPolicy()}
Work = Callable[["Office"], Coroutine[Any, Any, None]]


class Office:
    """An engine that serves, with operators ``ann``, ``bob`` (approvers), ``cem`` (editor), ``dot`` (admin)."""

    def __init__(self, engine: Engine, **more: Any) -> None:
        self.engine = engine
        self.reminded: list[Approval] = []
        self.approving = Approving(engine, remind=self.remind, **more)

    def remind(self, approval: Approval) -> list[AnyMove]:
        self.reminded.append(approval)
        return []

    async def appoint(self) -> None:
        roles = {"ann": "approver", "bob": "approver", "cem": "editor", "dot": "admin"}
        for name, role in roles.items():
            await Operators(self.engine).add(name, [role], by="test")

    def operator(self, name: str) -> Operator:
        return Operators(self.engine).named(name)

    async def plan(self, number: int = 1, **changed: Any) -> Message:
        message, data = a_message(number, **changed)
        await self.engine.move(planned(self.approving.demands, message, data))
        return self.message(message)

    def message(self, message: Message) -> Message:
        found = self.engine.moving.message(self.engine.tenant, message.message_id)
        assert found is not None
        return found

    async def says(self, name: str, answer: Any, approval_id: str, reason: str = "") -> Approval:
        digest = self.approving.find(approval_id).digest
        return await self.approving.judge(
            approval_id, self.operator(name), answer, digest, reason=reason
        )


def settings(policies: dict[str, ApprovalPolicy] | None = None) -> Settings:
    return replace(a_shop(), approvals=EACH if policies is None else policies)


def in_office(
    folder: Path, declared: Settings, work: Work, world: FakeWorld | None = None, **more: Any
) -> None:
    """Open, serve, work, close; and a rebuild gives the same."""
    world = world or FakeWorld()
    engine = open_engine(declared, folder, world=world)

    async def run() -> None:
        await engine.start()
        office = Office(engine, **more)
        if not Operators(engine).all():
            await office.appoint()
        try:
            await work(office)
        finally:
            await engine.stop()

    asyncio.run(run())
    engine.store.close()
    again = open_engine(declared, folder, world=world)
    assert rebuild(again).equal
    again.store.close()


def test_approved_it_is_queued_for_its_time(tmp_path: Path) -> None:
    async def work(office: Office) -> None:
        message = await office.plan(due_ms=START_MS + 5_000)
        assert (message.status, message.demands) == ("approval", (message.message_id,))
        assert office.engine.entries.due("main", "message", START_MS + 10_000) == []
        after = await office.says("ann", "approve", message.message_id)
        assert after.status == "approved"
        queued = office.message(message)
        assert (queued.status, queued.due_ms) == ("queued", START_MS + 5_000)
        assert queued.whys[-1].text == "Approved by ann."

    in_office(tmp_path, settings(), work)


def test_without_a_policy_nothing_waits(tmp_path: Path) -> None:
    async def work(office: Office) -> None:
        message = await office.plan()
        assert (message.status, message.demands) == ("queued", ())
        high = await office.plan(2, amounts={"discount": 30.0})
        assert high.status == "queued"

    in_office(tmp_path, settings({}), work)


def test_transactional_mail_is_held_up_by_no_channel(tmp_path: Path) -> None:
    async def work(office: Office) -> None:
        assert (await office.plan(purpose="transactional")).status == "queued"

    in_office(tmp_path, settings(), work)


def test_no_move_but_its_release_lets_it_out(tmp_path: Path) -> None:
    async def work(office: Office) -> None:
        message = await office.plan()
        with pytest.raises(WrongMove, match="queued by nothing but its approval"):
            await office.engine.move([Held(message.message_id, "queued", 1, SAID)])
        message2, data = a_message(2, status="queued", demands=("gone",))
        with pytest.raises(Unapproved, match="not asked for"):
            await office.engine.move([Planned(message2, data)])
        lying, data = a_message(3, digest="0" * 64, demands=("gone",), status="approval")
        with pytest.raises(WrongMove, match="digest"):
            await office.engine.move([Planned(lying, data)])
        with pytest.raises(WrongMove, match="no message that could wait"):
            await office.engine.move([Asked("nothing", (ApprovalPolicy(),), "germane")])

    in_office(tmp_path, settings(), work)


def test_an_edit_asks_anew_and_its_editor_may_not_approve(tmp_path: Path) -> None:
    async def work(office: Office) -> None:
        message = await office.plan()
        await office.says("ann", "approve", message.message_id)
        edit = Edit(subject="Dear", html="<p>Dear</p>", text="Dear")
        bob, name = office.operator("bob"), message.message_id
        await Operators(office.engine).add("eve", ["analyst"], by="test")
        with pytest.raises(NotApprover, match="may not change"):
            await office.approving.edit(name, office.operator("eve"), message.digest, edit)
        after = await office.approving.edit(name, bob, message.digest, edit)
        now = office.message(message)
        assert (now.status, now.edited_by, after.status) == ("approval", "bob", "pending")
        found = office.approving.rendered(now)
        assert found is not None
        assert (found.subject, found.text) == ("Dear", "Dear")
        with pytest.raises(NotApprover):
            await office.says("bob", "approve", name)
        await office.says("ann", "approve", name)
        assert office.message(message).status == "queued"

    in_office(tmp_path, settings(), work)


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (Edit(subject="a\r\nBcc: x@example.org"), "one line"),
        (Edit(subject=" "), "1 to 500"),
        (Edit(html="<p>x</p>"), "Only one of html and text"),
        (Edit(html="<p>x</p>", text=" "), "empty"),
        (Edit(html="<img src=x onerror=x()>", text="x"), "onerror="),
        (Edit(payload={}), "no payload"),
        (Edit(subject="Hello"), "text that it has"),
    ],
)
def test_what_cannot_be_said(tmp_path: Path, edit: Edit, says: str) -> None:
    async def work(office: Office) -> None:
        message = await office.plan()
        with pytest.raises(BadEdit, match=says):
            await office.approving.edit(
                message.message_id, office.operator("cem"), message.digest, edit
            )

    in_office(tmp_path, settings(), work)


def test_a_rejection_cancels_and_is_counted(tmp_path: Path) -> None:
    async def work(office: Office) -> None:
        message = await office.plan()
        await office.says("ann", "reject", message.message_id, "Too dear.")
        now = office.message(message)
        assert (now.status, now.whys[-1].text) == ("cancelled", "Rejected by ann: Too dear.")
        with pytest.raises(ApprovalClosed):
            await office.says("bob", "approve", message.message_id)
        (found,) = office.approving.stats()
        assert (found.statuses, found.reasons) == ({"rejected": 1}, [("Too dear.", 1)])
        other = await office.plan(2)
        await office.says("ann", "approve", other.message_id)
        await office.says("ann", "reject", other.message_id, "I was wrong.")
        assert office.message(other).status == "cancelled"

    in_office(tmp_path, settings(), work)


def test_a_rejection_teaches_the_choice(tmp_path: Path) -> None:
    """A surface that declares the outcome ``rejected`` learns it as any other."""
    outcomes = (
        OutcomeSpec("purchase", "purchase", 2 * 86_400),
        OutcomeSpec("rejected", "", 2 * 86_400, value=-1.0),
    )
    declared = replace(a_choice(outcomes=outcomes), approvals=EACH)

    async def work(office: Office) -> None:
        await office.engine.accept([an_event(user="u1")])
        (decision,), _ = office.engine.decide("u1", "", "", [Ask("mail")])
        message = await office.plan(decisions=(decision.decision_id,))
        await office.says("ann", "reject", message.message_id, "Not to them.")
        (choice,) = office.engine.profile_of("u:u1").choices
        assert choice.value == -1.0
        again = Outcome(
            f"approval:{message.message_id}:{decision.decision_id}",
            decision.decision_id,
            "",
            "rejected",
            None,
            START_MS,
        )
        assert (await office.engine.outcomes([again])).duplicates == 1

    in_office(tmp_path, declared, work)


def test_nobody_answers(tmp_path: Path) -> None:
    world = FakeWorld()
    policy = ApprovalPolicy(expires_s=3 * 86_400, remind_s=86_400)

    async def work(office: Office) -> None:
        message = await office.plan()
        assert await office.approving.queue.round() == 0
        world.advance(days=1)
        assert await office.approving.queue.round() == 1
        assert [each.approval_id for each in office.reminded] == [message.message_id]
        assert await office.approving.queue.round() == 0, "reminded once"
        world.advance(days=30)
        await office.approving.queue.round()
        now = office.message(message)
        assert (now.status, now.whys[-1].code) == ("expired", "approval.expired")
        assert office.approving.find(message.message_id).status == "expired"
        assert await office.approving.queue.round() == 0

    in_office(tmp_path, settings({"": policy}), work, world)


def test_many_at_once_are_not_approved_unread(tmp_path: Path) -> None:
    async def work(office: Office) -> None:
        made = [await office.plan(n, words=f"Text {n}") for n in range(12)]
        those = [(each.message_id, each.digest) for each in made]
        ann = office.operator("ann")
        with pytest.raises(TooFewOpened, match="at least 2 must be opened; ann opened 0"):
            await office.approving.judge_many(those, ann, "approve")
        for each in made[:2]:
            await office.approving.open(each.message_id, ann)
        those[3] = (those[3][0], "another")
        found = await office.approving.judge_many([*those, ("gone", "x")], ann, "approve")
        failed = {name: error.code for name, error in found.items() if error is not None}
        assert failed == {those[3][0]: "approval.stale", "gone": "approval.unknown"}
        statuses = [office.message(each).status for each in made]
        assert statuses.count("queued") == 11
        done = await office.approving.judge_many(those[3:4], ann, "reject", reason="No.")
        assert isinstance(done[those[3][0]], GermaneError)

    in_office(tmp_path, settings(), work)


def test_the_last_step_is_made_up_for_after_a_crash(tmp_path: Path) -> None:
    """The verdict is durable, and the process ends before the message is released."""
    from germane.domain.approval import Verdict
    from germane.domain.moves import Judged

    async def work(office: Office) -> None:
        message = await office.plan()
        verdict = Verdict("ann", "approve", message.digest, 0)
        await office.engine.move([Judged(message.message_id, verdict)])
        unasked, data = a_message(2, status="approval", demands=(a_message(2)[0].message_id,))
        await office.engine.move([Planned(unasked, data)])
        assert office.message(message).status == "approval"

    async def later(office: Office) -> None:
        assert await office.approving.queue.recover() == 2
        one, two = (office.message(a_message(n)[0]) for n in (1, 2))
        assert (one.status, two.status) == ("queued", "approval")
        assert office.approving.find(two.message_id).status == "pending"

    in_office(tmp_path, settings(), work)
    in_office(tmp_path, settings(), later)


def test_what_is_demanded_by_now_counts(tmp_path: Path) -> None:
    """A policy that came after a message was planned holds at its release; a quorum that grew, too."""
    policies: list[ApprovalPolicy] = []

    async def work(office: Office) -> None:
        check, person = office.approving.demands.check, office.engine.profile_of("u:u1")
        message = await office.plan()
        assert check(message, person, START_MS) is None
        policies.append(ApprovalPolicy())
        never = check(message, person, START_MS)
        assert never is not None
        await office.engine.move([Held(message.message_id, never.status, 0, never.why)])
        await office.approving.queue.round()
        await office.says("ann", "approve", message.message_id)
        message = office.message(message)
        assert (message.status, check(message, person, START_MS)) == ("queued", None)
        policies[:] = [ApprovalPolicy(quorum=2)]
        never = check(message, person, START_MS)
        assert never is not None
        assert never.why.text == "More is demanded by now than was approved."
        await office.engine.move([Held(message.message_id, never.status, 0, never.why)])
        await office.approving.queue.round()
        await office.says("bob", "approve", message.message_id)
        assert office.message(message).status == "queued", "ann's verdict is of the same text"

    in_office(tmp_path, settings({}), work, policies=lambda _: policies)


def test_an_operator_who_is_disabled_takes_their_approvals_along(tmp_path: Path) -> None:
    async def work(office: Office) -> None:
        message = await office.plan()
        await office.says("ann", "approve", message.message_id)
        await Operators(office.engine).disable("ann", by="test")
        message = office.message(message)
        never = office.approving.demands.check(message, office.engine.profile_of("u:u1"), START_MS)
        assert never is not None
        await office.engine.move([Held(message.message_id, never.status, 0, never.why)])
        assert office.approving.find(message.message_id).status == "pending"
        await office.approving.queue.round()
        await office.says("bob", "approve", message.message_id)
        assert office.message(message).status == "queued"

    in_office(tmp_path, settings(), work)


def test_a_merge_takes_approvals_along(tmp_path: Path) -> None:
    async def work(office: Office) -> None:
        await office.engine.accept([an_event(user="", anonymous_id="x")])
        message = await office.plan(person="a:x")
        told = an_event("", kind="identify", user="u9", anonymous_id="x", traits={})
        await office.engine.accept([told])
        assert office.message(message).person == "u:u9"
        assert office.approving.find(message.message_id).person == "u:u9"
        await office.says("ann", "approve", message.message_id)
        assert office.message(message).status == "queued"

    in_office(tmp_path, settings(), work)


# -- whole campaigns -------------------------------------------------------------------------------


def a_content(words: str = "News") -> Content:
    said = {"en": {"text": words}}
    slots = (
        Slot("subject", "subject", (Variant("one", said),)),
        Slot("body", "text", (Variant("one", said),)),
    )
    return Content("picks", "email", slots=slots)


def the_campaign(**changed: Any) -> Campaign:
    made = Campaign(
        "weekly",
        enter=Enter(event="Product Viewed"),
        steps=(Step("mail", "picks"),),
        reentry="always",
        approval={"of": "campaign", "approvers": ["ann", "bob"]},
    )
    return replace(made, **changed)


class Sink:
    """Takes everything."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    async def send(self, outgoing: Outgoing) -> Sent:
        self.sent.append(outgoing.subject)
        return Sent("ok")

    async def close(self) -> None:
        """Nothing to close."""


def test_a_campaign_is_approved_in_one_form(tmp_path: Path) -> None:
    """Its messages wait for the approval of campaign and contents as they are; an edited content is another
    form, which the old approval does not let out."""
    world = FakeWorld()
    declared = settings({})
    declared = replace(
        declared, delivery=replace(declared.delivery, caps=(), quiet_hours=None, spread_s=0)
    )

    async def work(office: Office) -> None:
        engine, sink = office.engine, Sink()

        def write(message: Message) -> Outgoing:
            found = office.approving.rendered(message)
            assert found is not None
            return Outgoing(
                message_id=message.message_id, person=message.person, subject=found.subject
            )

        delivery = Delivery(engine, {"email": sink}, write)
        campaign = the_campaign()
        moves: list[AnyMove] = [
            ContentPut(a_content()),
            CampaignPut(campaign),
            CampaignTurned("weekly", "live", SAID),
        ]
        await engine.move(moves)
        for user in ("u1", "u2"):
            told = {"email": f"{user}@example.org"}
            await engine.accept([an_event("", kind="identify", user=user, traits=told)])
            await engine.move([Stated(f"u:{user}", "email_marketing", True, "test")])

        async def viewed(user: str = "u1") -> None:
            world.advance(seconds=60)
            await engine.accept([an_event(user=user, at_ms=world.now_ms())])
            await delivery.idle()

        await delivery.idle()
        (asked,) = office.approving.listed(status="pending")  # before there is any message
        await viewed()
        (first,) = office.approving.listed(status="pending")
        assert first == asked
        assert first.approval_id == f"weekly@{first.digest[:16]}"
        assert first.contents == contents_of(engine, "weekly")
        assert sink.sent == []
        await office.says("ann", "approve", first.approval_id)
        await delivery.idle()
        assert sink.sent == ["News"]
        await viewed()
        assert sink.sent == ["News", "News"], "the same form needs no other approval"
        await engine.move([ContentPut(a_content("Other news"))])
        await viewed()
        assert sink.sent == ["News", "News"]
        (second,) = office.approving.listed(status="pending")
        assert second.approval_id != first.approval_id
        await engine.move([ContentPut(a_content("Third"))])
        await viewed("u2")
        assert office.approving.find(second.approval_id).status == "stale"
        with pytest.raises(ApprovalClosed):
            await office.says("ann", "approve", second.approval_id)
        await office.approving.queue.recover()
        (third,) = office.approving.listed(status="pending")
        await office.says("bob", "approve", third.approval_id)
        await delivery.idle()
        assert sink.sent == ["News", "News", "Third"]

    in_office(tmp_path, declared, work, world)


def test_a_price_that_changed_is_approved_anew(tmp_path: Path) -> None:
    """What is rendered anew is another text; what a person wrote is not replaced, but skipped."""
    world = FakeWorld()
    declared = settings({})
    spec = replace(declared.delivery, caps=(), quiet_hours=None, spread_s=0)
    words = {"en": {"text": "{{ item.title }} for {{ item.price }}"}}
    slots = (
        Slot("subject", "subject", (Variant("one", words),)),
        Slot("body", "text", (Variant("one", words),)),
    )

    async def work(office: Office) -> None:
        engine, sink = office.engine, Sink()

        def write(message: Message) -> Outgoing:
            found = office.approving.rendered(message)
            assert found is not None
            return Outgoing(
                message_id=message.message_id, person=message.person, subject=found.subject
            )

        delivery = Delivery(engine, {"email": sink}, write)
        await engine.put_items([an_item(1, price=10.0)])
        await engine.move(
            [
                ContentPut(Content("picks", "email", slots=slots)),
                CampaignPut(the_campaign(approval={"amount": "price", "over": 5.0})),
                CampaignTurned("weekly", "live", SAID),
            ]
        )
        for user in ("u1", "u2"):
            told = {"email": f"{user}@example.org"}
            await engine.accept([an_event("", kind="identify", user=user, traits=told)])
            await engine.move([Stated(f"u:{user}", "email_marketing", True, "test")])
            await engine.accept([an_event(user=user, at_ms=world.now_ms())])
        await delivery.idle()
        one, two = office.approving.listed(status="pending")
        assert one.amounts == {"price": 10.0}
        await engine.put_items([an_item(1, price=12.0)])
        await office.says("ann", "approve", one.approval_id)
        edit = Edit(subject="Yours", html="<p>Yours for 10.0</p>", text="Yours for 10.0")
        await office.approving.edit(two.approval_id, office.operator("cem"), two.digest, edit)
        await office.says("ann", "approve", two.approval_id)
        world.advance(seconds=60)
        await delivery.idle()
        assert sink.sent == []
        again = office.approving.find(one.approval_id)
        assert (again.status, again.amounts, again.past[-1].why) == (
            "pending",
            {"price": 12.0},
            "rendered anew",
        )
        theirs = engine.moving.message("main", two.approval_id)
        assert theirs is not None
        assert (theirs.status, theirs.whys[-1].code) == ("skipped", "claim.changed")
        await office.says("ann", "approve", one.approval_id)
        await delivery.idle()
        (sent,) = sink.sent
        assert "12" in sent

    in_office(tmp_path, replace(declared, delivery=spec), work, world)


def test_a_message_of_an_approved_campaign_that_somebody_edits(tmp_path: Path) -> None:
    """Their words are not what was approved."""
    policy = ApprovalPolicy(of="campaign", approvers=("ann", "bob"))

    async def work(office: Office) -> None:
        message, data = a_message()
        moves = planned(office.approving.demands, message, data, contents={"picks": "c1"})
        await office.engine.move(moves)
        (approval,) = office.approving.listed()
        await office.says("ann", "approve", approval.approval_id)
        message = office.message(message)
        assert message.status == "queued"
        other, digest = outbox.packed(a_text("Mine"))
        edited = replace(message, digest=digest, edited_by="bob")
        await office.engine.move([Rewritten(edited, other, SAID)])
        now = office.message(message)
        assert (now.status, len(now.demands)) == ("approval", 2)
        with pytest.raises(NotApprover):
            await office.says("bob", "approve", message.message_id)
        await office.says("ann", "approve", message.message_id)
        assert office.message(message).status == "queued"
        with pytest.raises(BadEdit, match="not changed here"):
            await office.approving.edit(
                approval.approval_id, office.operator("dot"), approval.digest, Edit(subject="x")
            )

    in_office(tmp_path, settings({"email": policy}), work)


def test_an_edit_answers_to_every_policy_that_held_for_the_campaign(tmp_path: Path) -> None:
    """Also where the message has an approval of its own already: whoever approves by the one policy does not
    stand in for those whom the other names."""
    policies = {
        "": ApprovalPolicy(of="campaign", approvers=("ann",)),
        "email": ApprovalPolicy(amount="discount", over=50),
    }

    async def work(office: Office) -> None:
        message, data = a_message(amounts={"discount": 60.0})
        moves = planned(office.approving.demands, message, data, contents={"picks": "c1"})
        await office.engine.move(moves)
        (whole,) = (x for x in office.approving.listed() if x.subject == "campaign")
        await office.says("ann", "approve", whole.approval_id)
        edit = Edit(subject="Mine", html="<p>Mine</p>", text="Mine")
        own = office.approving.find(message.message_id)
        await office.approving.edit(own.approval_id, office.operator("cem"), own.digest, edit)
        after = await office.says("dot", "approve", own.approval_id)
        assert (after.status, len(after.policies)) == ("pending", 2)
        assert office.message(message).status == "approval"
        await office.says("ann", "approve", own.approval_id)
        assert office.message(message).status == "queued"

    in_office(tmp_path, settings(policies), work)


# -- operators -------------------------------------------------------------------------------------


def test_tokens(tmp_path: Path) -> None:
    """Shown once, kept as a hash; a new one ends the old; nobody disabled has one."""

    async def work(office: Office) -> None:
        operators = Operators(office.engine)
        made, token = await operators.add("eve", ["privacy-officer", "analyst"], by="test")
        assert made.roles == ("analyst", "privacy officer")
        assert token not in repr(office.engine.entries.get("main", "operator", "eve"))
        found = operators.by_token(token)
        assert found is not None
        assert found.name == "eve"
        assert operators.by_token(token[:-1]) is None
        _, other = await operators.renew("eve", by="test")
        assert (operators.by_token(token), operators.by_token(other)) == (
            None,
            operators.named("eve"),
        )
        await operators.disable("eve", by="test")
        assert operators.by_token(other) is None

    in_office(tmp_path, settings(), work)


@pytest.mark.parametrize(
    ("name", "roles", "limit"),
    [("a b", ["admin"], None), ("germane", ["admin"], None), ("x", ["boss"], None), ("x", [], None),
     ("x", ["admin"], -1.0), ("x" * 65, ["admin"], None)],
)  # fmt: skip
def test_operators_that_cannot_be(
    tmp_path: Path, name: str, roles: list[str], limit: float | None
) -> None:
    async def work(office: Office) -> None:
        with pytest.raises(BadOperator):
            await Operators(office.engine).add(name, roles, limit=limit, by="test")

    in_office(tmp_path, settings(), work)


def test_there_is_no_such_approval(tmp_path: Path) -> None:
    async def work(office: Office) -> None:
        with pytest.raises(UnknownApproval):
            await office.says("ann", "approve", "gone")
        assert Composer(office.engine).drafts() == []
        assert office.engine.item("i1") is None
        await office.engine.put_items([an_item(1)])

    in_office(tmp_path, settings(), work)
