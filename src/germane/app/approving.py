"""Approval at work: showing what waits, taking verdicts and edits.

Every act is moves (``domain.moves``), and whether one may be made is decided where it is folded: nothing here
can let a message out that the fold would not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from germane.app.approval_queue import PAGE, ApprovalQueue, Remind
from germane.app.composing import Composer
from germane.app.demanding import Demands, Policies, of_campaign
from germane.app.engine import Engine
from germane.app.reminding import Reminders
from germane.app.rewording import Edit, reworded, words_of
from germane.app.slot_words import foreign, in_slots, slots_changed
from germane.deliver import approving, outbox
from germane.deliver.approval_stats import CampaignApprovals, by_campaign
from germane.domain.approval import BY_ITSELF, Answer, Approval, ApprovalPolicy, Verdict
from germane.domain.content import Rendered
from germane.domain.errors import (
    ApprovalClosed,
    ApprovalStale,
    BadEdit,
    GermaneError,
    NotApprover,
    TooFewOpened,
    UnknownApproval,
)
from germane.domain.message import Message, Why
from germane.domain.moves import AnyMove, Judged, Opened, Rewritten
from germane.domain.operator import Operator
from germane.domain.outcome import Outcome

REJECTED = "rejected"
"""The outcome that a rejection reports for the choices of a message, where their surface declares it."""


class Approving:
    """One for a server; commands open one on the data folder. Lives in the engine's event loop.

    ``demands`` is asked when a message is made (``prepared``) and when it is released (``check``);
    ``queue`` is called again and again (``round``), and once at the start (``recover``).
    """

    def __init__(
        self,
        engine: Engine,
        *,
        policies: Policies | None = None,
        remind: Remind | None = None,
        composer: Composer | None = None,
    ) -> None:
        """
        Args:
            engine: Serving.
            policies: Which policies hold; by default those of campaign, channel and ``[delivery.approval]``.
            remind: Makes what carries a reminder of an approval; by default ``Reminders``.
            composer: Renders what is changed in its slots; by default one that knows no addresses of our own.
        """
        self._engine = engine
        self._tenant = engine.tenant
        self._approvals = engine.moving.approvals
        self.demands = Demands(engine, policies)
        self._composer = composer or Composer(engine, demands=self.demands)
        self.queue = ApprovalQueue(engine, self.demands, remind or Reminders(engine, self.demands))

    # -- reading -----------------------------------------------------------------------------------

    def find(self, approval_id: str) -> Approval:
        """An approval as it stands, counted with the operators as they are now.

        Raises:
            UnknownApproval: no approval has that id.
        """
        found = self._approvals.find(self._tenant, approval_id)
        if found is None:
            raise UnknownApproval(f"There is no approval {approval_id[:80]!r}.")
        return self._by_now(approving.counted(found, self._who, self._now()))

    def message(self, approval: Approval) -> Message | None:
        """The message that it is of; ``None``: it is of a campaign."""
        if approval.subject != "message":
            return None
        return self.queue.message(approval.approval_id)

    def rendered(self, message: Message) -> Rendered | None:
        """What would go out; ``None``: it is gone."""
        return words_of(self._engine.record(message.rendered_seq))

    def listed(
        self, *, status: str = "", campaign: str = "", after: str = "", limit: int = 100
    ) -> list[Approval]:
        """A page in order of the id: of messages, those that were made first come first."""
        found: list[Approval] = []
        for each in self._every(campaign, status, after):
            found.append(each)
            if len(found) == limit:
                break
        return found

    def stats(self, campaign: str = "") -> list[CampaignApprovals]:
        """What became of approvals, by campaign; of one, or of all."""
        return by_campaign(self._every(campaign, ""))

    def _every(self, campaign: str, status: str, after: str = "") -> Iterator[Approval]:
        entries = self._engine.entries
        inside = campaign and status != "stale"  # the store finds a status inside a topic
        by_status = status if inside else ""
        while page := entries.page(
            self._tenant,
            "approval",
            topic=campaign or None,
            status=by_status,
            after=after,
            limit=PAGE,
        ):
            found = (self._by_now(approving.read(each)) for each in page)
            yield from (each for each in found if status in ("", each.status))
            after = page[-1].key

    def _by_now(self, approval: Approval) -> Approval:
        """As it stands if its campaign has ended, which is written down a moment later."""
        if approval.status != "pending" or not self._approvals.over(self._tenant, approval):
            return approval
        return approving.superseded(approval, self._now())

    # -- acting ------------------------------------------------------------------------------------

    async def ask_campaign(
        self,
        campaign: str,
        version: str,
        contents: Mapping[str, str],
        *,
        policies: Sequence[ApprovalPolicy],
        authors: Sequence[str] = (),
        by: str = BY_ITSELF,
    ) -> Approval:
        """Ask for approval of a campaign in one form; messages of another form that was not approved are
        cancelled.

        Raises:
            WrongMove: no policy is named.
        """
        move = of_campaign(campaign, version, contents, policies, authors, by)
        await self._engine.move([move])
        await self.queue.sweep(campaign)
        return self.find(move.approval_id)

    async def open(self, approval_id: str, operator: Operator | None) -> Approval:
        """Somebody looks at it; that is recorded once for each form of it.

        Raises:
            UnknownApproval: no approval has that id.
        """
        approval = self.find(approval_id)
        if operator is None or approval.status != "pending" or operator.name in approval.opened:
            return approval
        await self._engine.move([Opened(approval_id, operator.name, approval.digest)])
        return self.find(approval_id)

    async def judge(
        self,
        approval_id: str,
        operator: Operator,
        answer: Answer,
        digest: str,
        *,
        reason: str = "",
        how: str = "API",
    ) -> Approval:
        """One operator's verdict on exactly what has this digest; the approval after it. What is approved
        by it is released, and what is rejected is cancelled, before this returns.

        Raises:
            UnknownApproval: no approval has that id.
            ApprovalStale: it has another digest by now.
            ApprovalClosed: it is rejected, expired or stale already, its campaign has ended, or the message
                is gone.
            NotApprover: the operator may not.
            ReasonNeeded: a rejection without a reason.
        """
        self._check_running(approval_id)
        await self._by_todays_policies([self.find(approval_id)])
        verdict = Verdict(operator.name, answer, digest, self._now(), reason.strip(), how)
        await self._engine.move([Judged(approval_id, verdict)])
        await self._after([approval_id])
        return self.find(approval_id)

    async def judge_many(
        self,
        those: Sequence[tuple[str, str]],
        operator: Operator,
        answer: Answer,
        *,
        reason: str = "",
        how: str = "API",
    ) -> dict[str, GermaneError | None]:
        """The same verdict on many (id, digest); id -> what spoke against it. One that cannot be given does
        not stop the others.

        Raises:
            TooFewOpened: so many are not approved unread (``sample_over`` and ``sample`` of their policies).
        """
        found: dict[str, GermaneError | None] = {}
        known: dict[str, Approval] = {}
        for approval_id, _ in those:
            try:
                known[approval_id] = self.find(approval_id)
            except UnknownApproval as error:
                found[approval_id] = error
        if answer == "approve":
            check_sample(list(known.values()), operator)
        await self._by_todays_policies(list(known.values()))
        moves: list[AnyMove] = []
        for approval_id, digest in dict(those).items():
            if approval_id not in known:
                continue
            verdict = Verdict(operator.name, answer, digest, self._now(), reason.strip(), how)
            found[approval_id] = self._against(approval_id, verdict)
            if found[approval_id] is None:
                moves.append(Judged(approval_id, verdict))
        await self._engine.move(moves)
        await self._after([each for each, error in found.items() if error is None])
        return found

    def _against(self, approval_id: str, verdict: Verdict) -> GermaneError | None:
        try:
            self._check_running(approval_id)
            approval = self.find(approval_id)
            self._approvals.check_waits(self._tenant, approval)
            approving.judged(approval, verdict, self._who, verdict.at_ms)
        except GermaneError as error:
            return error
        return None

    def _check_running(self, approval_id: str) -> None:
        """Raises ApprovalClosed where it was not answered before its campaign ended."""
        approval = self.find(approval_id)
        if approval.status != "stale" or not self._approvals.over(self._tenant, approval):
            return
        name = approval.campaign
        raise ApprovalClosed(
            f"Campaign {name} has ended: nothing of it goes out any more.",
            hint=f"If it is to: `germane campaign live {name}`. Approval is asked for anew then.",
        )

    async def edit(
        self, approval_id: str, operator: Operator, digest: str, edit: Edit, *, how: str = "API"
    ) -> Approval:
        """An operator changes the text of a message that waits, as a whole or in single slots. It has another
        digest then: what was said of the old one counts no longer, and somebody else must approve the new
        one. Choices whose words they replaced get no credit for what comes of it.

        Raises:
            UnknownApproval: no approval has that id.
            NotApprover: the operator may not write.
            ApprovalClosed: nothing can be said of it any more.
            ApprovalStale: it has another digest by now.
            BadEdit: the text cannot be like that, or it is of a campaign.
        """
        if not operator.writes:
            raise NotApprover(
                f"{operator.name} may not change texts.",
                hint="It takes the role editor, approver or admin.",
            )
        self._check_running(approval_id)
        approval = self.find(approval_id)
        approving.check_open(approval, self._now())
        self._approvals.check_waits(self._tenant, approval)
        if digest != approval.digest:
            raise ApprovalStale(digest=approval.digest)
        message = self.message(approval)
        if message is None:
            raise BadEdit(
                "A campaign is not changed here.",
                hint="Change it and its contents, and push them: approval is asked for anew.",
            )
        changed, rendered = self._edited(message, edit)
        data, after = outbox.packed(rendered)
        if after == message.digest:
            raise BadEdit("That is the text that it has.", hint="Change something, or approve it.")
        changed = replace(changed, digest=after, edited_by=operator.name)
        why = Why(self._now(), "approval.edited", f"Changed by {operator.name} ({how}).")
        await self._engine.move([Rewritten(changed, data, why)])
        await self._by_todays_policies([self.find(approval_id)])
        return self.find(approval_id)

    def _edited(self, message: Message, edit: Edit) -> tuple[Message, Rendered]:
        """The message after an edit, but for its digest, and its text."""
        rendered = self.rendered(message)
        if rendered is None:
            raise BadEdit("Its text is gone.", hint="Reject it: there is nothing to be sent.")
        whole = (edit.subject, edit.html, edit.text, edit.payload)
        if edit.slots is not None:
            if any(each is not None for each in whole):
                raise BadEdit("Slots and whole texts are not changed at once.", hint="Do the one.")
            return in_slots(self._engine, self._composer, message, edit)
        content = self._engine.library.contents.get(message.content)
        slots = slots_changed(edit, content) if content is not None else set(message.chosen)
        after = replace(message, words={}, foreign=foreign(self._engine, message, slots))
        return after, reworded(message, rendered, edit)

    async def _by_todays_policies(self, approvals: Sequence[Approval]) -> None:
        """What is demanded now counts, not what was when it was asked for."""
        moves: list[AnyMove] = []
        for each in approvals:
            message = self.message(each)
            if message is not None and message.status == "approval" and each.status == "pending":
                moves += self.demands.asks_again(message)
        if moves:
            await self._engine.move(moves)

    async def _after(self, approval_ids: Sequence[str]) -> None:
        """What follows from verdicts: messages are released or cancelled, decisions learn."""
        messages = []
        for approval_id in approval_ids:
            approval = self.find(approval_id)
            message = self.message(approval)
            if message is None:
                await self.queue.after(approval)
            else:
                messages.append(message)
                await self._taught(approval, message)
        await self.queue.settle(messages)

    async def _taught(self, approval: Approval, message: Message) -> None:
        """A rejection is an answer to the decisions that chose what was rejected: to choices whose surface
        has an outcome ``rejected``."""
        if approval.status != "rejected":
            return
        surfaces = self._engine.settings.surfaces
        outcomes = []
        for decision_id in message.credited:
            decision = self._engine.decision(decision_id)
            spec = surfaces.get(decision.surface) if decision is not None else None
            if decision is None or decision.choice is None or spec is None:
                continue
            if any(each.name == REJECTED for each in spec.outcomes):
                key = f"approval:{approval.approval_id}:{decision_id}"
                outcomes.append(Outcome(key, decision_id, "", REJECTED, None, self._now()))
        if outcomes:
            await self._engine.outcomes(outcomes)

    def _now(self) -> int:
        return self._engine.world.now_ms()

    def _who(self, name: str) -> Operator | None:
        return self._approvals.operator(self._tenant, name)


def check_sample(approvals: Sequence[Approval], operator: Operator) -> None:
    """Raises TooFewOpened when more are approved together than may be unread, and too few of them were
    opened in the form that they have now."""
    policies = [policy for each in approvals for policy in each.policies]
    if not policies or len(approvals) <= min(each.sample_over for each in policies):
        return
    share = max(each.sample for each in policies)
    wanted = max(1, -int(-share * len(approvals) // 1))
    done = sum(operator.name in each.opened for each in approvals)
    if done < wanted:
        raise TooFewOpened(
            f"Of {len(approvals)} that are approved together at least {wanted} must be opened; "
            f"{operator.name} opened {done}.",
            needed=wanted,
            opened=done,
        )
