"""Approval at work: asking for it, taking verdicts and edits, reminding, expiring, releasing.

Every act is a batch of moves (``domain.moves``); whether one may be made is decided where it is folded. So
nothing here can let a message out that the fold would not.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec.structs import replace

from germane.app.engine import Engine
from germane.app.release import Never
from germane.app.rewording import Edit, reworded, words_of
from germane.deliver import approving, outbox
from germane.domain.approval import (
    BY_ITSELF,
    Answer,
    Approval,
    ApprovalPolicy,
    Verdict,
    campaign_approval,
    campaign_digest,
    demanded,
)
from germane.domain.content import Rendered
from germane.domain.errors import (
    ApprovalStale,
    GermaneError,
    NotApprover,
    TooFewOpened,
    UnknownApproval,
)
from germane.domain.message import Message, Why
from germane.domain.moves import AnyMove, Asked, Held, Judged, Lapsed, Opened, Reminded, Rewritten
from germane.domain.operator import Operator
from germane.domain.outcome import Outcome
from germane.domain.profile import Profile
from germane.domain.sending import TRANSACTIONAL
from germane.domain.settings import Settings

PAGE = 500
"""Messages looked at in one go."""
BULK_MAX = 1_000
REJECTED = "rejected"
"""The outcome that a rejection reports for the decisions of a message, where their surface declares it."""
Policies = Callable[[Message], Sequence[ApprovalPolicy]]
"""The policies that hold for a message now, whether or not its amounts are above them."""
Remind = Callable[[Approval], None]
_log = logging.getLogger(__name__)


def policies_of(settings: Settings) -> Policies:
    """Those of ``[delivery.approval]`` and of the message's channel. Transactional mail is not held up by
    them; a campaign's own policy is added by whoever knows the campaign."""

    def found(message: Message) -> list[ApprovalPolicy]:
        if message.purpose == TRANSACTIONAL:
            return []
        names = ("", message.channel)
        return [settings.approvals[each] for each in names if each in settings.approvals]

    return found


class Approving:
    """One for a server; commands open one on the data folder. Lives in the engine's event loop."""

    def __init__(
        self,
        engine: Engine,
        *,
        policies: Policies | None = None,
        remind: Remind | None = None,
    ) -> None:
        """
        Args:
            engine: Serving.
            policies: See ``Policies``; by default ``policies_of`` the settings.
            remind: Told of each approval that waits too long (a webhook); must not raise.
        """
        self._engine = engine
        self._tenant = engine.tenant
        self._approvals = engine.moving.approvals
        self._policies = policies or policies_of(engine.settings)
        self._remind = remind
        self._to_ask: set[str] = set()

    # -- reading -----------------------------------------------------------------------------------

    def find(self, approval_id: str) -> Approval:
        """An approval as it stands, counted with the operators as they are now.

        Raises:
            UnknownApproval: no approval has that id.
        """
        found = self._approvals.find(self._tenant, approval_id)
        if found is None:
            raise UnknownApproval(f"There is no approval {approval_id[:80]!r}.")
        return approving.counted(found, self._who, self._engine.world.now_ms())

    def message(self, approval: Approval) -> Message | None:
        """The message that it is of; ``None``: it is of a campaign."""
        if approval.subject != "message":
            return None
        return self._engine.moving.message(self._tenant, approval.approval_id)

    def rendered(self, message: Message) -> Rendered | None:
        """What would go out; ``None``: it is gone."""
        return words_of(self._engine.record(message.rendered_seq))

    def listed(
        self, *, status: str = "", campaign: str = "", after: str = "", limit: int = 100
    ) -> list[Approval]:
        """A page in order of the id: of a message, those that were made first come first."""
        found: list[Approval] = []
        for each in self._every(campaign, status, after):
            found.append(each)
            if len(found) == limit:
                break
        return found

    def _every(self, campaign: str, status: str, after: str = "") -> Iterator[Approval]:
        entries = self._engine.entries
        by_status = status if campaign else ""  # the store finds a status inside a topic
        while page := entries.page(
            self._tenant, "approval", topic=campaign, status=by_status, after=after, limit=PAGE
        ):
            yield from (approving.read(each) for each in page if status in ("", each.status))
            after = page[-1].key

    def check(self, message: Message, person: Profile, now_ms: int) -> Never | None:
        """For the release of a message (``app.release.Check``): whether it waits for a person (again). What
        holds now is looked at, whatever held when it was planned."""
        why = self._lacks(message)
        if not why:
            return None
        self._to_ask.add(message.message_id)
        return Never("approval", Why(now_ms, "approval.demanded", why))

    def _lacks(self, message: Message) -> str:
        against = self._approvals.against(self._tenant, message)
        if against:
            return against
        policies = self._each(message)
        if not policies:
            return ""
        own = self._approvals.find(self._tenant, message.message_id)
        if own is None or message.message_id not in message.demands:
            return "Approval is demanded by now."
        current = replace(own, policies=policies, status="pending")
        return (
            ""
            if approving.standing(current, self._who) == "approved"
            else ("More is demanded by now than was approved.")
        )

    def _each(self, message: Message) -> tuple[ApprovalPolicy, ...]:
        """Policies that demand approval of this very message now. Of a whole campaign it is demanded before
        its messages are made: those that were made before it was demanded are approved one by one."""
        of_campaign = any("@" in each for each in message.demands)
        return tuple(
            each
            for each in self._policies(message)
            if demanded(each, message.amounts) and (each.of == "each" or not of_campaign)
        )

    # -- asking ------------------------------------------------------------------------------------

    def prepared(
        self,
        message: Message,
        *,
        contents: Mapping[str, str] | None = None,
        authors: Sequence[str] = (),
    ) -> tuple[Message, list[AnyMove]]:
        """A message as it is to be planned, with what it demands, and the moves that ask for it: they come
        right after ``Planned``.

        Args:
            message: Decided, rendered, its digest and amounts filled in.
            contents: Content id -> version, of all that its campaign may send.
            authors: Operators who wrote the campaign or its contents.
        """
        policies = self._policies(message)
        demands: list[str] = []
        asks: list[AnyMove] = []
        whole = [each for each in policies if each.of == "campaign"]
        if whole:
            known = contents or {}
            digest = campaign_digest(message.version, known)
            demands.append(campaign_approval(message.campaign, digest))
            if self._approvals.find(self._tenant, demands[0]) is None:
                asks.append(
                    self.of_campaign(message.campaign, message.version, known, whole, authors)
                )
        single = tuple(x for x in policies if x.of == "each" and demanded(x, message.amounts))
        if single:
            demands.append(message.message_id)
            asks.append(Asked(message.message_id, single, BY_ITSELF, tuple(authors)))
        if not demands:
            return message, []
        waiting = replace(message, demands=tuple(demands), status="approval")
        if not asks and not self._approvals.against(self._tenant, waiting):
            return replace(waiting, status="queued"), []
        return waiting, asks

    @staticmethod
    def of_campaign(
        campaign: str,
        version: str,
        contents: Mapping[str, str],
        policies: Sequence[ApprovalPolicy],
        authors: Sequence[str] = (),
        by: str = BY_ITSELF,
    ) -> Asked:
        """The move that asks for approval of a campaign in one form. Another form that still waits is not
        asked for any more."""
        approval_id = campaign_approval(campaign, campaign_digest(version, contents))
        whole = tuple(policies)
        return Asked(approval_id, whole, by, tuple(authors), campaign, version, dict(contents))

    async def ask_campaign(
        self,
        campaign: str,
        version: str,
        contents: Mapping[str, str],
        *,
        authors: Sequence[str] = (),
        by: str = BY_ITSELF,
        policies: Sequence[ApprovalPolicy],
    ) -> Approval:
        """Ask for approval of a campaign in one form; messages of another form that was not approved are
        cancelled.

        Raises:
            WrongMove: no policy is named.
        """
        move = self.of_campaign(campaign, version, contents, policies, authors, by)
        await self._engine.move([move])
        await self._sweep(campaign)
        return self.find(move.approval_id)

    # -- answering ---------------------------------------------------------------------------------

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
        by it is released, what is rejected is cancelled, before this returns.

        Raises:
            UnknownApproval: no approval has that id.
            ApprovalStale: it has another digest by now.
            ApprovalClosed: it is rejected, expired or stale already.
            NotApprover: the operator may not.
            ReasonNeeded: a rejection without a reason.
        """
        await self._by_todays_policies([self.find(approval_id)])
        verdict = Verdict(operator.name, answer, digest, 0, reason.strip(), how)
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
        known: list[Approval] = []
        for approval_id, _ in those:
            try:
                known.append(self.find(approval_id))
            except UnknownApproval as error:
                found[approval_id] = error
        if answer == "approve":
            check_sample(known, operator)
        await self._by_todays_policies(known)
        now_ms = self._engine.world.now_ms()
        moves: list[AnyMove] = []
        for approval_id, digest in dict(those).items():
            if approval_id in found:
                continue
            verdict = Verdict(operator.name, answer, digest, now_ms, reason.strip(), how)
            try:
                approving.judged(self.find(approval_id), verdict, self._who, now_ms)
            except GermaneError as error:
                found[approval_id] = error
            else:
                found[approval_id] = None
                moves.append(Judged(approval_id, verdict))
        await self._engine.move(moves)
        await self._after([each for each, error in found.items() if error is None])
        return found

    async def edit(
        self, approval_id: str, operator: Operator, digest: str, edit: Edit, *, how: str = "API"
    ) -> Approval:
        """An operator changes the text of a message that waits. It has another digest then: what was said
        of the old one counts no longer, and somebody else must approve the new one.

        Raises:
            UnknownApproval: no approval has that id.
            NotApprover: the operator may not write.
            ApprovalStale: it has another digest by now.
            BadEdit: the text cannot be like that, or it is of a campaign.
            WrongMove: the message does not wait any more.
        """
        if not operator.writes:
            raise NotApprover(
                f"{operator.name} may not change texts.",
                hint="It takes the role editor, approver or admin.",
            )
        approval = self.find(approval_id)
        approving.check_open(approval, self._engine.world.now_ms())
        if digest != approval.digest:
            raise ApprovalStale(digest=approval.digest)
        message = self.message(approval)
        rendered = self.rendered(message) if message is not None else None
        data, after = outbox.packed(reworded(message, rendered, edit))
        assert message is not None, "or it could not be reworded"
        text = f"Changed by {operator.name} ({how})."
        changed = replace(message, digest=after, edited_by=operator.name)
        why = Why(self._engine.world.now_ms(), "approval.edited", text)
        await self._engine.move([Rewritten(changed, data, why)])
        return self.find(approval_id)

    async def _by_todays_policies(self, approvals: Iterable[Approval]) -> None:
        """What is demanded now counts, not what was when it was asked for; where nothing is demanded any
        more, what was asked for still is."""
        moves: list[AnyMove] = []
        for each in approvals:
            message = self.message(each)
            if message is None or each.status != "pending" or message.status != "approval":
                continue
            policies = self._each(message)
            if policies and policies != each.policies:
                moves.append(Asked(each.approval_id, policies, BY_ITSELF))
        if moves:
            await self._engine.move(moves)

    async def _after(self, approval_ids: Sequence[str]) -> None:
        """What follows from verdicts: messages are released or cancelled, decisions learn."""
        moves: list[AnyMove] = []
        for approval_id in approval_ids:
            approval = self.find(approval_id)
            message = self.message(approval)
            if message is None:
                await self._sweep(approval.campaign)
            else:
                moves += self._follows(message)
                await self._taught(approval, message)
        if moves:
            await self._engine.move(moves)

    def _follows(self, message: Message) -> list[AnyMove]:
        """What is to be done about a message now, as its approvals stand."""
        now_ms = self._engine.world.now_ms()
        if message.status == "queued" and message.demands:  # somebody took their approval back
            taken = replace(message, status="approval")
            found = approving.settled(taken, self._find, self._who, now_ms)
            return [found] if isinstance(found, Held) else []
        found = approving.settled(message, self._find, self._who, now_ms)
        return [found] if found is not None else []

    async def _taught(self, approval: Approval, message: Message) -> None:
        """A rejection is an answer to the decisions that chose what was rejected: to choices whose surface
        has an outcome ``rejected``."""
        if approval.status != "rejected":
            return
        surfaces = self._engine.settings.surfaces
        now_ms = self._engine.world.now_ms()
        outcomes = []
        for decision_id in message.decisions:
            decision = self._engine.decision(decision_id)
            spec = surfaces.get(decision.surface) if decision is not None else None
            if decision is None or decision.choice is None or spec is None:
                continue
            if any(each.name == REJECTED for each in spec.outcomes):
                key = f"approval:{approval.approval_id}:{decision_id}"
                outcomes.append(Outcome(key, decision_id, "", REJECTED, None, now_ms))
        if outcomes:
            await self._engine.outcomes(outcomes)

    # -- the clock ---------------------------------------------------------------------------------

    async def round(self) -> int:
        """What is due: questions that came up at the release, reminders, what nobody answered in time. How
        much there was to do. Called again and again."""
        done = await self._asked()
        now_ms = self._engine.world.now_ms()
        for each in self._engine.entries.due(self._tenant, "approval", now_ms, limit=PAGE):
            await self._due(approving.read(each), now_ms)
            done += 1
        return done

    async def _due(self, approval: Approval, now_ms: int) -> None:
        if 0 < approval.expires_ms <= now_ms:
            await self._engine.move([Lapsed(approval.approval_id)])
            await self._after([approval.approval_id])
            return
        await self._engine.move([Reminded(approval.approval_id)])
        hours = (now_ms - approval.asked_ms) / 3_600_000
        _log.warning(
            "approval %s of campaign %s waits for %.1f hours",
            approval.approval_id,
            approval.campaign,
            hours,
        )
        if self._remind is not None:
            self._remind(approval)

    async def _asked(self) -> int:
        waiting, self._to_ask = self._to_ask, set()
        await self._settle([each for each in map(self._now, sorted(waiting)) if each is not None])
        return len(waiting)

    async def _settle(self, messages: Sequence[Message]) -> None:
        """Messages that wait: asked for as it is demanded now, then released, cancelled or left to wait."""
        still = [each for each in messages if each.status == "approval"]
        asks = [move for each in still for move in self._asks_again(each)]
        if asks:
            await self._engine.move(asks)
        now = [self._now(each.message_id) for each in still]
        moves = [move for each in now if each is not None for move in self._follows(each)]
        if moves:
            await self._engine.move(moves)

    def _asks_again(self, message: Message) -> list[AnyMove]:
        """For a message that waits, and whose own approval is not asked for as it is demanded now."""
        policies = self._each(message)
        own = self._approvals.find(self._tenant, message.message_id)
        if own is None and not policies and message.message_id in message.demands:
            whole = [self._approvals.find(self._tenant, each) for each in message.demands]
            policies = tuple(p for each in whole if each is not None for p in each.policies)
        if not policies or (own is not None and own.policies == policies):
            return []
        return [Asked(message.message_id, policies, BY_ITSELF)]

    async def recover(self) -> int:
        """Once at the start: what the last process left half done; how many messages were looked at."""
        counts = self._engine.entries.counts(self._tenant, "message")
        topics = sorted(topic for topic, status in counts if status == "approval")
        return sum([await self._sweep(each) for each in topics])

    async def _sweep(self, campaign: str) -> int:
        """Every message of a campaign that waits: asked for, released, cancelled, or left to wait."""
        after, looked = "", 0
        while page := self._engine.entries.page(
            self._tenant, "message", topic=campaign, status="approval", after=after, limit=PAGE
        ):
            after = page[-1].key
            looked += len(page)
            await self._settle([outbox.read(each) for each in page])
        return looked

    def _now(self, message_id: str) -> Message | None:
        return self._engine.moving.message(self._tenant, message_id)

    # -- ledger ------------------------------------------------------------------------------------

    def _find(self, approval_id: str) -> Approval | None:
        return self._approvals.find(self._tenant, approval_id)

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
