"""Content and campaigns as the engine knows them, and the choices that content brings."""

from __future__ import annotations

import logging

import msgspec
from msgspec.structs import replace

from germane.app.entries import Entries
from germane.app.replies import ANSWERS
from germane.deliver.compiled import Compiled, compiled, is_called, named_in
from germane.deliver.conditions import Conditions
from germane.domain.answer import EVENT_NAMES
from germane.domain.campaign import Campaign, Status
from germane.domain.content import Content, as_choice, choice_surface
from germane.domain.errors import GermaneError, NotFound, UnknownCampaign, UnknownContent
from germane.domain.event import Event
from germane.domain.ids import DEFAULT_TENANT
from germane.domain.ledger import Entry
from germane.domain.moves import CampaignPut, CampaignTurned, ContentGone, ContentPut
from germane.domain.near import did_you_mean
from germane.domain.ports import Store
from germane.domain.record import Txn
from germane.domain.settings import OutcomeSpec, Settings, SurfaceSpec

CLICK = OutcomeSpec("click", "", 7 * 86_400)
"""What every choice of content is rewarded with: somebody followed a link of the message within a week."""
REJECTED = OutcomeSpec("rejected", "", 7 * 86_400, value=-1.0)
"""Somebody who was to approve the message said no: as bad as a click is good (``app.approving``)."""
EXPLORATION_SHARE = 0.1
FEATURES = ("known", "readiness", "idle_days")
PREFIX = "content:"
"""Surfaces that content brings have names that begin so; no declared one has."""
PUSH_CAMPAIGN = (
    "Write campaigns/NAME.toml and run `germane campaign push`, or PUT /v1/campaigns/{name}."
)
PUSH_CONTENT = "Write content/NAME.toml and run `germane content push`, or PUT /v1/content/{id}."
_ANSWERS = ANSWERS.union(EVENT_NAMES.values())
_log = logging.getLogger(__name__)
_encode = msgspec.msgpack.Encoder().encode


def prefix_of(content_id: str) -> str:
    """How the names of all surfaces of a content item begin."""
    return choice_surface(content_id, "")


def surfaces_of(content: Content) -> list[SurfaceSpec]:
    """The choices of a content item: one for each slot with several approved variants."""
    return [
        as_choice(
            content.content_id,
            slot,
            outcomes=(CLICK, REJECTED),
            features=FEATURES,
            exploration_share=EXPLORATION_SHARE,
        )
        for slot in content.slots
        if len(slot.open) > 1
    ]


def written(settings: Settings, store: Store) -> Library:
    """What is committed, for whoever only reads; ``settings`` stay as they are."""
    found = Library(replace(settings, surfaces=dict(settings.surfaces)), Entries(store))
    found.read(DEFAULT_TENANT)
    return found


class Library:
    """What was written: kept in the ledger, and here as it is now."""

    def __init__(self, settings: Settings, entries: Entries) -> None:
        """``settings.surfaces`` is changed: it has to be a dictionary of the engine's own."""
        self._settings = settings
        self._entries = entries
        self.contents: dict[str, Content] = {}
        self.campaigns: dict[str, Campaign] = {}
        self._conditions = Conditions(settings, stored=True)
        self._compiled: dict[str, tuple[Campaign, Compiled | None]] = {}
        self._names: frozenset[str] | None = None

    def read(self, tenant: str) -> None:
        """Everything that is committed."""
        for each in self._all(tenant, "content"):
            content = msgspec.msgpack.decode(each.body, type=Content)
            self.contents[content.content_id] = content
            self._bring(content.content_id, surfaces_of(content))
        for each in self._all(tenant, "campaign"):
            campaign = msgspec.msgpack.decode(each.body, type=Campaign)
            self.campaigns[campaign.name] = campaign

    def content(self, name: str) -> Content:
        """One content item.

        Raises:
            UnknownContent: there is none of that id.
        """
        if name not in self.contents:
            hint = did_you_mean(name, self.contents) if self.contents else PUSH_CONTENT
            raise UnknownContent(f"There is no content {name!r}.", hint=hint)
        return self.contents[name]

    def campaign(self, name: str) -> Campaign:
        """One campaign.

        Raises:
            UnknownCampaign: there is none of that name.
        """
        if name not in self.campaigns:
            hint = did_you_mean(name, self.campaigns) if self.campaigns else PUSH_CAMPAIGN
            raise UnknownCampaign(f"There is no campaign {name!r}.", hint=hint)
        return self.campaigns[name]

    def compiled(self, name: str) -> Compiled | None:
        """A campaign that can be carried out; ``None``: there is none of that name, or a condition of it
        cannot be read any more (the declaration has changed)."""
        campaign = self.campaigns.get(name)
        if campaign is None:
            return None
        known = self._compiled.get(name)
        if known is None or known[0] is not campaign:
            known = self._compiled[name] = (campaign, self._compile(campaign))
        return known[1]

    def stands_still(self, name: str) -> bool:
        """Whether nobody moves in a campaign for now: it is paused, or cannot be carried out as it is. One
        that is gone does not stand still: who waits in it is let go."""
        campaign = self.campaigns.get(name)
        return campaign is not None and (campaign.status == "paused" or self.compiled(name) is None)

    def _compile(self, campaign: Campaign) -> Compiled | None:
        try:
            return compiled(campaign, self._conditions)
        except GermaneError as error:
            _log.warning("campaign %s stands still: %s", campaign.name, error)
            return None

    def purposes(self, channel: str) -> frozenset[str]:
        """Those that campaigns send for by a channel, however they stand; what people must have aside."""
        return frozenset(
            each.purpose
            for each in self.campaigns.values()
            if not each.transactional
            and any(each.channel_of(step) == channel for step in each.steps)
        )

    def uses(self, event: Event) -> bool:
        """Whether a campaign speaks of events of that name, or they are answers to messages."""
        if event.kind == "track" and event.name in _ANSWERS:
            return True
        return any(is_called(event, name) for name in self._named())

    def _named(self) -> frozenset[str]:
        """Names of the events that campaigns speak of, however these stand."""
        if self._names is None:
            named = (named_in(each) for each in self.campaigns.values())
            self._names = frozenset(name for names in named for name in names)
        return self._names

    @property
    def writes(self) -> bool:
        """Whether a transactional campaign is live."""
        return any(each.transactional and each.status == "live" for each in self.campaigns.values())

    def serves(self, event: Event) -> bool:
        """Whether an event lets people into a transactional campaign that is live: what they must have, they
        get whatever they said no to."""
        return any(
            each.transactional
            and each.status == "live"
            and bool(each.enter.event)
            and is_called(event, each.enter.event)
            for each in self.campaigns.values()
        )

    def fold(
        self,
        tenant: str,
        move: ContentPut | ContentGone | CampaignPut | CampaignTurned,
        txn: Txn,
    ) -> tuple[str, list[SurfaceSpec]] | None:
        """Something was written; the surfaces that there are in place of all whose names begin so, if any
        changed.

        Raises:
            NotFound, UnknownCampaign: there is none of that name.
        """
        match move:
            case ContentPut():
                name = move.content.content_id
                return prefix_of(name), self.put_content(tenant, move.content, txn, by=move.by)
            case ContentGone():
                self.drop_content(tenant, move.content_id, txn)
                return prefix_of(move.content_id), []
            case CampaignPut():
                self.put_campaign(tenant, move.campaign, txn, by=move.by)
            case CampaignTurned():
                self.turn_campaign(tenant, move.campaign, move.status, txn)
        return None

    def put_content(
        self, tenant: str, content: Content, txn: Txn, *, by: str = ""
    ) -> list[SurfaceSpec]:
        """Content was written, or changed, by an operator; the surfaces that it brings."""
        content = replace(
            content, put_by=_putter(content, self.contents.get(content.content_id), by)
        )
        self.contents[content.content_id] = content
        body = _encode(content)
        _put(txn, tenant, Entry("content", content.content_id, body, topic=content.channel))
        return self._bring(content.content_id, surfaces_of(content))

    def drop_content(self, tenant: str, content_id: str, txn: Txn) -> None:
        """Content was taken away.

        Raises:
            NotFound: there is none of that id.
        """
        if self.contents.pop(content_id, None) is None:
            raise NotFound(f"There is no content {content_id!r}.")
        self._bring(content_id, [])
        txn.entries[tenant, "content", content_id] = None

    def put_campaign(self, tenant: str, campaign: Campaign, txn: Txn, *, by: str = "") -> None:
        """A campaign was written, or changed, by an operator: its standing stays as it was, and a new one
        is dry."""
        known = self.campaigns.get(campaign.name)
        status, put_by = known.status if known else "dry", _putter(campaign, known, by)
        self._keep(tenant, replace(campaign, status=status, put_by=put_by), txn)

    def turn_campaign(self, tenant: str, name: str, status: Status, txn: Txn) -> None:
        """A campaign goes live, pauses, ends.

        Raises:
            UnknownCampaign: there is none of that name.
        """
        self._keep(tenant, replace(self.campaign(name), status=status), txn)

    def _keep(self, tenant: str, campaign: Campaign, txn: Txn) -> None:
        self.campaigns[campaign.name] = campaign
        self._names = None
        body = _encode(campaign)
        entry = Entry(
            "campaign", campaign.name, body, topic=campaign.channel, status=campaign.status
        )
        _put(txn, tenant, entry)

    def _bring(self, content_id: str, surfaces: list[SurfaceSpec]) -> list[SurfaceSpec]:
        known, prefix = self._settings.surfaces, prefix_of(content_id)
        for name in [each for each in known if each.startswith(prefix)]:
            del known[name]
        known |= {each.name: each for each in surfaces}
        return surfaces

    def _all(self, tenant: str, kind: str) -> list[Entry]:
        found: list[Entry] = []
        while page := self._entries.page(tenant, kind, after=found[-1].key if found else ""):
            found += page
        return found


def _putter(new: Content | Campaign, known: Content | Campaign | None, by: str) -> str:
    """Whose work a form is: of whoever brought it. Who puts the same again has changed nothing."""
    if known is None or known.version != new.version:
        return by
    return known.put_by or by


def _put(txn: Txn, tenant: str, entry: Entry) -> None:
    txn.entries[tenant, entry.kind, entry.key] = entry
