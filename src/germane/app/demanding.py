"""Which approvals a message demands, as things are now, and the moves that ask for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec.structs import replace

from germane.app.engine import Engine
from germane.app.release import Never
from germane.config.approvals import stored
from germane.deliver import approving
from germane.domain.approval import (
    BY_ITSELF,
    Approval,
    ApprovalPolicy,
    campaign_approval,
    campaign_digest,
    demanded,
)
from germane.domain.campaign import Campaign
from germane.domain.content import Content
from germane.domain.message import Message, Why
from germane.domain.moves import AnyMove, Asked
from germane.domain.profile import Profile
from germane.domain.sending import TRANSACTIONAL
from germane.domain.settings import Settings

Policies = Callable[[Message], Sequence[ApprovalPolicy]]
"""The policies that hold for a message now, whether or not its amounts are above them."""


def policies_of(engine: Engine) -> Policies:
    """Those of the message's campaign, of its channel and of ``[delivery.approval]``. Transactional mail is
    held up by its campaign's alone."""

    def found(message: Message) -> list[ApprovalPolicy]:
        campaign = engine.library.campaigns.get(message.campaign)
        return policies_under(engine.settings, campaign, message.purpose, message.channel)

    return found


def policies_under(
    settings: Settings, campaign: Campaign | None, purpose: str, channel: str
) -> list[ApprovalPolicy]:
    """Those of a campaign (``None``: it is gone), of a channel, and of ``[delivery.approval]``."""
    names = () if purpose == TRANSACTIONAL else ("", channel)
    policies = [settings.approvals[each] for each in names if each in settings.approvals]
    own = stored(campaign.approval) if campaign is not None else None
    return [own, *policies] if own is not None else policies


def contents_of(engine: Engine, campaign: str) -> dict[str, str]:
    """Content id -> version, of all that a campaign may send as it is now."""
    known = engine.library.campaigns.get(campaign)
    steps = known.steps if known is not None else ()
    contents = engine.library.contents
    return {x.content: contents[x.content].version for x in steps if x.content in contents}


def authors_of(engine: Engine, campaign: str, contents: Iterable[str]) -> tuple[str, ...]:
    """Whose work a campaign and some contents are, as they are now: whom their files name, and who put them
    here. Empty: nobody was named."""
    library = engine.library
    works: list[Campaign | Content | None] = [library.campaigns.get(campaign)]
    works += [library.contents.get(each) for each in contents]
    names = (name for x in works if x is not None for name in (x.author, x.put_by))
    return tuple(dict.fromkeys(name for name in names if name))


def of_campaign(
    campaign: str,
    version: str,
    contents: Mapping[str, str],
    policies: Sequence[ApprovalPolicy],
    authors: Sequence[str] = (),
    by: str = BY_ITSELF,
) -> Asked:
    """The move that asks for approval of a campaign in one form. Another form that still waits is not asked
    for any more."""
    approval_id = campaign_approval(campaign, campaign_digest(version, contents))
    whole = tuple(policies)
    return Asked(approval_id, whole, by, tuple(authors), campaign, version, dict(contents))


class Demands:
    """Looks at what holds now, whatever held when a message was made. Changes nothing."""

    def __init__(self, engine: Engine, policies: Policies | None = None) -> None:
        self._engine = engine
        self._tenant = engine.tenant
        self._approvals = engine.moving.approvals
        self._policies = policies or policies_of(engine)
        self.noticed: set[str] = set()
        """Messages that were held at their release: approval of them is to be asked for."""

    def prepared(
        self,
        message: Message,
        *,
        contents: Mapping[str, str] | None = None,
        authors: Sequence[str] | None = None,
    ) -> tuple[Message, list[AnyMove]]:
        """A message as it is to be planned, with what it demands, and the moves that ask for it: they come
        right after ``Planned``.

        Args:
            message: Decided, rendered and queued; its digest, content version and amounts are filled in.
            contents: Content id -> version, of all that its campaign may send; by default as they are now.
            authors: Operators who wrote the campaign or its contents; by default as they are known now.
        """
        policies = self._policies(message)
        demands: list[str] = []
        asks: list[AnyMove] = []
        whole = [each for each in policies if each.of == "campaign"]
        if whole:
            known = contents_of(self._engine, message.campaign) if contents is None else contents
            wrote = self._authors(message.campaign, known) if authors is None else authors
            ask = of_campaign(message.campaign, message.version, known, whole, wrote)
            demands.append(ask.approval_id)
            asks += self._unasked(ask)
        single = tuple(x for x in policies if x.of == "each" and demanded(x, message.amounts))
        if single:
            demands.append(message.message_id)
            wrote = self._wrote(message) if authors is None else authors
            asks.append(Asked(message.message_id, single, BY_ITSELF, tuple(wrote)))
        if not demands:
            return message, []
        return replace(message, demands=tuple(demands), status="approval"), asks

    def of_live_campaigns(self) -> list[AnyMove]:
        """Moves that ask for approval of live campaigns, as they and their contents are now, where it was not
        asked for: so that people need not wait for the first message to see what they are to approve."""
        asks: list[AnyMove] = []
        for campaign in self._engine.library.campaigns.values():
            if campaign.status != "live":
                continue
            whole = [each for each in self._policies(_first_of(campaign)) if each.of == "campaign"]
            if not whole:
                continue
            contents = contents_of(self._engine, campaign.name)
            wrote = self._authors(campaign.name, contents)
            asks += self._unasked(
                of_campaign(campaign.name, campaign.version, contents, whole, wrote)
            )
        return asks

    def _authors(self, campaign: str, contents: Iterable[str]) -> tuple[str, ...]:
        return authors_of(self._engine, campaign, contents)

    def _wrote(self, message: Message) -> tuple[str, ...]:
        """Whose work a message is."""
        return self._authors(message.campaign, (message.content,))

    def _unasked(self, ask: Asked) -> list[AnyMove]:
        """The same, where it is to be asked for: it is new, it is what holds again after another form, or
        somebody else turned out to have written it, whose approval does not count."""
        found = self._approvals.find(self._tenant, ask.approval_id)
        if found is None or found.status == "stale":
            return [ask]
        more = set(ask.authors) - set(found.authors)
        return [ask] if more and found.status not in approving.CLOSED else []

    def check(self, message: Message, person: Profile, now_ms: int) -> Never | None:
        """For the release of a message (``app.release.Check``): whether it waits for a person (again)."""
        why = self._lacks(message)
        if not why:
            return None
        self.noticed.add(message.message_id)
        return Never("approval", Why(now_ms, "approval.demanded", why))

    def _lacks(self, message: Message) -> str:
        against = self._approvals.against(self._tenant, message)
        policies = () if against else self.each(message)
        if not policies:
            return against
        own = self._approvals.find(self._tenant, message.message_id)
        if own is None or message.message_id not in message.demands:
            return "Approval is demanded by now."
        today = replace(own, policies=policies)
        if approving.standing(today, self._approvals.who(self._tenant)) == "approved":
            return ""
        return "More is demanded by now than was approved."

    def each(self, message: Message) -> tuple[ApprovalPolicy, ...]:
        """Policies that demand approval of this very message now. Of a whole campaign it is demanded before
        its messages are made: those that were made before it was demanded are approved one by one, and so
        are those that a person wrote into, since then they are not what was approved."""
        of_campaign = not message.edited_by and any("@" in each for each in message.demands)
        return tuple(
            each
            for each in self._policies(message)
            if demanded(each, message.amounts) and (each.of == "each" or not of_campaign)
        )

    def today(self, approval: Approval) -> tuple[ApprovalPolicy, ...]:
        """The policies that hold now for what an approval is of; those that it was asked under, where none
        does any more."""
        message = self._engine.moving.message(self._tenant, approval.approval_id)
        campaign = self._engine.library.campaigns.get(approval.campaign)
        found: tuple[ApprovalPolicy, ...] = ()
        if message is not None:
            found = self.each(message)
        elif campaign is not None:
            found = tuple(x for x in self._policies(_first_of(campaign)) if x.of == "campaign")
        return found or approval.policies

    def asks_again(self, message: Message) -> list[AnyMove]:
        """For a message that waits, and whose own approval is not asked for as it is demanded now. Where
        nothing is demanded any more, what was asked for still is."""
        policies = self.each(message)
        own = self._approvals.find(self._tenant, message.message_id)
        if own is None and not policies and message.message_id in message.demands:
            whole = [self._approvals.find(self._tenant, each) for each in message.demands]
            policies = tuple(p for each in whole if each is not None for p in each.policies)
        if not policies or (own is not None and own.policies == policies):
            return []
        now_ms = self._engine.world.now_ms()
        if own is not None and own.status == "pending" and 0 < own.expires_ms <= now_ms:
            return []  # it is too late: other policies give it no more time
        return [Asked(message.message_id, policies, BY_ITSELF, self._wrote(message))]


def _first_of(campaign: Campaign) -> Message:
    """A message that the campaign would make, as far as policies look at it."""
    return Message(
        message_id="",
        person="",
        channel=campaign.channel,
        campaign=campaign.name,
        version=campaign.version,
        content="",
        purpose=campaign.purpose,
        kind=campaign.delivery,
        priority=campaign.priority,
        created_ms=0,
        status="making",
    )
