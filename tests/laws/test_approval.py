"""Nothing goes out without an approval of exactly its text, by so many people who may give it: whatever is
done to messages, operators, policies, the clock and the process, in whatever order."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from msgspec.structs import replace

from germane.app.approving import Approving
from germane.app.opening import open_engine
from germane.app.operators import Operators
from germane.app.posting import Postman
from germane.app.rebuild import rebuild
from germane.app.release import Release
from germane.app.rewording import Edit
from germane.deliver import outbox
from germane.domain.approval import ApprovalPolicy
from germane.domain.errors import GermaneError
from germane.domain.message import Message, Why
from germane.domain.moves import Claimed, Held, Released, Rewritten, Stated
from germane.domain.sending import Outgoing, Sent
from germane.testing import FakeWorld, a_shop, an_event
from germane.testing.approvals import a_message, a_text, planned

NAMES = ("ann", "bob", "cem", "dot")
ROLES = ("approver", "editor", "admin", "approver")
OTHER_ROLES = ("approver", "approver", "editor", "admin", "analyst")
DAY_S = 86_400
MEMORY = "/dev/shm"  # noqa: S108 - no disk, no waiting: what it keeps is tested elsewhere
POLICIES: tuple[tuple[ApprovalPolicy, ...], ...] = (
    (),
    (ApprovalPolicy(expires_s=2 * DAY_S),),
    (ApprovalPolicy(quorum=2, four_eyes=False, expires_s=DAY_S),),
    (ApprovalPolicy(approvers=("ann", "role:admin"), amount="discount", over=10.0),),
    (ApprovalPolicy(amount="discount", limits={"approver": 20.0, "admin": 100.0}),),
    (ApprovalPolicy(quorum=2), ApprovalPolicy(approvers=("role:admin",))),
    (
        ApprovalPolicy(of="campaign", approvers=("ann", "bob")),
        ApprovalPolicy(amount="discount", over=50),
    ),
)
SAID = Why(0, "test", "By the test.")


@dataclass
class Person:
    """An operator as the test knows them."""

    role: str
    limit: float | None = None
    disabled: bool = False


@dataclass
class Mail:
    """A message as the test knows it: its digest, and who said what of which digest."""

    discount: float | None
    digest: str
    policies: tuple[ApprovalPolicy, ...] = ()
    """Under which it was made."""
    editor: str = ""
    yes: dict[tuple[str, str], bool] = field(default_factory=dict)
    """(subject digest, operator) -> approved."""


class Channel:
    """Takes everything."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    async def send(self, outgoing: Outgoing) -> Sent:
        """Noted."""
        self.sent.append(outgoing.message_id)
        return Sent("ok")

    async def close(self) -> None:
        """Nothing to close."""


class NothingUnapproved(RuleBasedStateMachine):
    """A server, its operators, and a test that keeps books of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(dir=MEMORY if Path(MEMORY).is_dir() else None)
        self.runner = asyncio.Runner()
        self.world = FakeWorld()
        self.people = {name: Person(role) for name, role in zip(NAMES, ROLES, strict=True)}
        self.mails: dict[str, Mail] = {}
        self.campaign_yes: dict[str, bool] = {}
        self.policies: tuple[ApprovalPolicy, ...] = POLICIES[1]
        self.allowed: dict[str, bool] = {}
        """Whether the books allowed a message at the moment of its claim."""
        self.open()
        self.run(self.introduce())

    # -- the process -------------------------------------------------------------------------------

    def run(self, coroutine: object) -> object:
        return self.runner.run(coroutine)  # type: ignore[arg-type]

    def open(self) -> None:
        self.engine = open_engine(a_shop(), Path(self.folder.name) / "data", world=self.world)
        self.channel = Channel()
        self.approving = Approving(self.engine, policies=lambda _: self.policies)
        release = Release.of(self.engine, [self.approving.demands.check])
        self.postman = Postman(release, {"email": self.channel}, self.engine, written)
        self.run(self.engine.start())
        self.run(self.approving.queue.recover())

    def shut(self) -> None:
        self.run(self.engine.stop())
        self.engine.store.close()

    async def introduce(self) -> None:
        told = an_event("", kind="identify", user="u1", traits={"email": "u1@example.org"})
        await self.engine.accept([told])
        await self.engine.move([Stated("u:u1", "email_marketing", True, "test")])
        operators = Operators(self.engine)
        for name, person in self.people.items():
            await operators.add(name, [person.role], by="test")

    def teardown(self) -> None:
        self.the_postman_comes()
        self.nothing_unapproved_went_out()
        self.shut()
        engine = open_engine(a_shop(), Path(self.folder.name) / "data", world=self.world)
        assert rebuild(engine).equal
        engine.store.close()
        self.runner.close()
        self.folder.cleanup()

    # -- the books ---------------------------------------------------------------------------------

    def eligible(self, name: str, policy: ApprovalPolicy, mail: Mail, *, single: bool) -> bool:
        person = self.people[name]
        allowed = policy.approvers or ("role:approver", "role:admin")
        if person.disabled or not {name, f"role:{person.role}"} & set(allowed):
            return False
        strict = policy.four_eyes or (policy.of == "each" and policy.over is not None)
        if single and strict and name == mail.editor:
            return False
        if policy.amount:
            bounds = [x for x in (person.limit,) if x is not None]
            if policy.limits:
                bounds.append(policy.limits.get(person.role, 0.0))
            if bounds and (mail.discount is None or mail.discount > min(bounds)):
                return False
        return True

    def may_go(self, mail: Mail) -> bool:
        """By the books: every policy that holds now has its quorum, of this very text."""
        for policy in self.policies:
            high = policy.over is None or mail.discount is None or mail.discount > policy.over
            if not high:
                continue
            whole = policy.of == "campaign" and policy in mail.policies and not mail.editor
            book = (
                dict(self.campaign_yes)
                if whole
                else {
                    name: yes for (digest, name), yes in mail.yes.items() if digest == mail.digest
                }
            )
            if not all(book.values()):
                return False
            counted = [name for name in book if self.eligible(name, policy, mail, single=not whole)]
            if len(counted) < policy.quorum:
                return False
        return True

    def message(self, message_id: str) -> Message:
        found = self.engine.moving.message(self.engine.tenant, message_id)
        assert found is not None
        return found

    # -- what happens ------------------------------------------------------------------------------

    @initialize(policies=st.sampled_from(POLICIES[1:]), discount=st.sampled_from([5.0, 15.0, 60.0]))
    def something_waits(self, policies: tuple[ApprovalPolicy, ...], discount: float) -> None:
        self.policies = policies
        for _ in range(3):
            self.a_message_is_made(discount=discount)

    @precondition(lambda self: len(self.mails) < 8)
    @rule(discount=st.sampled_from([None, 5.0, 15.0, 60.0]))
    def a_message_is_made(self, discount: float | None) -> None:
        amounts = {} if discount is None else {"discount": discount}
        message, data = a_message(len(self.mails), words=f"Text {len(self.mails)}", amounts=amounts)
        moves = planned(self.approving.demands, message, data, contents={"picks": "c1"})
        self.run(self.engine.move(moves))
        self.mails[message.message_id] = Mail(discount, message.digest, self.policies)

    @precondition(lambda self: self.mails)
    @rule(data=st.data(), name=st.sampled_from(NAMES), yes=st.booleans(), old=st.booleans())
    def somebody_judges(self, data: st.DataObject, name: str, yes: bool, old: bool) -> None:
        waiting = self.approving.listed(status="pending") + self.approving.listed(status="approved")
        if not waiting:
            return
        approval = data.draw(st.sampled_from(waiting))
        digest = approval.past[-1].digest if old and approval.past else approval.digest
        operator = Operators(self.engine).named(name)
        answer = "approve" if yes or data.draw(st.integers(0, 3)) else "reject"
        try:
            self.run(
                self.approving.judge(approval.approval_id, operator, answer, digest, reason="No.")  # type: ignore[arg-type]
            )
        except GermaneError:
            return
        assert digest == approval.digest, "a verdict on another text was taken"
        assert not self.people[name].disabled
        lives = approval.status == "approved" or self.world.now_ms() < approval.expires_ms
        assert lives, "a verdict came too late, and was taken"
        if approval.subject == "campaign":
            self.campaign_yes[name] = answer == "approve"
        else:
            self.mails[approval.approval_id].yes[digest, name] = answer == "approve"

    @precondition(lambda self: self.mails)
    @rule(data=st.data(), name=st.sampled_from(NAMES), words=st.sampled_from(["A", "B", "C"]))
    def somebody_edits(self, data: st.DataObject, name: str, words: str) -> None:
        message_id = data.draw(st.sampled_from(sorted(self.mails)))
        mail = self.mails[message_id]
        operator = Operators(self.engine).named(name)
        edit = Edit(subject=words, html=f"<p>{words}</p>", text=words)
        try:
            self.run(self.approving.edit(message_id, operator, mail.digest, edit))
        except GermaneError:
            return
        mail.digest, mail.editor = self.message(message_id).digest, name
        mail.yes = {key: yes for key, yes in mail.yes.items() if key[0] != mail.digest}

    @precondition(lambda self: self.mails)
    @rule(data=st.data(), words=st.sampled_from(["X", "Y"]))
    def the_engine_renders_anew(self, data: st.DataObject, words: str) -> None:
        message_id = data.draw(st.sampled_from(sorted(self.mails)))
        packed, digest = outbox.packed(a_text(words))
        message = self.message(message_id)
        try:
            self.run(self.engine.move([Rewritten(replace(message, digest=digest), packed, SAID)]))
        except GermaneError:
            return
        mail = self.mails[message_id]
        if digest != mail.digest:
            mail.yes = {key: yes for key, yes in mail.yes.items() if key[0] != digest}
        mail.digest = digest

    @precondition(lambda self: self.mails)
    @rule(data=st.data(), names=st.permutations(NAMES), count=st.integers(1, len(NAMES)))
    def several_approve(self, data: st.DataObject, names: list[str], count: int) -> None:
        """Whoever of them may: so that messages do go out."""
        waiting = self.approving.listed(status="pending")
        if not waiting:
            return
        approval = data.draw(st.sampled_from(waiting))
        for name in names[:count]:
            operator = Operators(self.engine).named(name)
            try:
                self.run(
                    self.approving.judge(approval.approval_id, operator, "approve", approval.digest)
                )
            except GermaneError:
                continue
            if approval.subject == "campaign":
                self.campaign_yes[name] = True
            else:
                self.mails[approval.approval_id].yes[approval.digest, name] = True

    @rule(name=st.sampled_from(NAMES), disabled=st.sampled_from([False, False, True]))
    def an_operator_goes_or_comes(self, name: str, disabled: bool) -> None:
        self.run(Operators(self.engine).disable(name, by="test", disabled=disabled))
        self.people[name].disabled = disabled

    @rule(
        name=st.sampled_from(NAMES),
        role=st.sampled_from(OTHER_ROLES),
        limit=st.sampled_from([None, 10.0, 1e6]),
    )
    def an_operator_changes(self, name: str, role: str, limit: float | None) -> None:
        self.run(Operators(self.engine).add(name, [role], limit=limit, by="test"))
        self.people[name] = Person(role, limit)

    @rule(policies=st.sampled_from(POLICIES))
    def the_policy_changes(self, policies: tuple[ApprovalPolicy, ...]) -> None:
        self.policies = policies

    @rule(days=st.sampled_from([0.001, 0.01, 0.01, 0.3, 1.1, 8.0]))
    def time_passes(self, days: float) -> None:
        self.world.advance(days=days)

    @rule()
    def the_clock_is_looked_at(self) -> None:
        self.run(self.approving.queue.round())

    @rule()
    def the_process_ends_and_begins(self) -> None:
        self.shut()
        self.open()

    @precondition(lambda self: self.mails)
    @rule(data=st.data())
    def somebody_tries_the_back_door(self, data: st.DataObject) -> None:
        """What waits for approval is not queued or claimed by any move but its release."""
        message = self.message(data.draw(st.sampled_from(sorted(self.mails))))
        name = message.message_id
        against = self.engine.moving.approvals.against(self.engine.tenant, message)
        if message.status != "approval":
            return
        moves = [
            Held(name, "queued", 1, SAID),
            Held(name, "claimed", 1, SAID),
            Claimed(name, "a", SAID),
        ]
        for move in moves + ([Released(name, 1, SAID)] if against else []):
            with pytest.raises(GermaneError):
                self.run(self.engine.move([move]))

    @rule()
    def the_postman_comes(self) -> None:
        before = {name: self.may_go(mail) for name, mail in self.mails.items()}
        self.run(self.deliver())
        for name in self.channel.sent:
            if name not in self.allowed:
                self.allowed[name] = before[name]

    async def deliver(self) -> None:
        while await self.postman.round():
            await self.postman.landed()

    @invariant()
    def nothing_unapproved_went_out(self) -> None:
        assert all(self.allowed.values())


def written(message: Message) -> Outgoing:
    """As a channel gets it."""
    return Outgoing(message_id=message.message_id, person=message.person, to=message.address)


NothingUnapproved.TestCase.settings = settings(stateful_step_count=40)
TestNothingUnapproved = NothingUnapproved.TestCase
