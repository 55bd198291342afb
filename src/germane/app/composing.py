"""From an occasion to a message in the outbox: decide what it says, render it, and give it its time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec.structs import replace

from germane.app.accounts import Accounts
from germane.app.demanding import Demands
from germane.app.engine import Engine
from germane.app.release import Release
from germane.app.rendering import Printed, Spoiled, Start, Work, facts_of, print_one, written
from germane.app.sends import sends_of
from germane.app.stakes import amounts_of
from germane.deliver import outbox, planning
from germane.deliver.policy import policy_of
from germane.domain.campaign import Campaign, Step, held_out
from germane.domain.content import Chosen, Content, Rendered, choice_surface
from germane.domain.decision import Ask as Question
from germane.domain.decision import Context, Decision
from germane.domain.errors import BadEdit, GermaneError, UnknownContent
from germane.domain.event import Event
from germane.domain.ledger import Entry
from germane.domain.message import Message, Status, Why
from germane.domain.moves import AnyMove, Held, Planned
from germane.domain.plan import Ask, Plan, Reason
from germane.domain.profile import Profile
from germane.domain.settings import ContentSpec
from germane.generate import eligible
from germane.generate.facts import Links
from germane.generate.own_words import EDITED, with_words
from germane.profile.rhythm import hours_of

BATCH = 200
Addresses = Callable[[Message], Links]
"""Of a message: the addresses that Germane itself answers."""
_log = logging.getLogger(__name__)


def no_addresses(_: Message) -> Links:
    """Nothing of our own."""
    return Links()


class CampaignGone(GermaneError):
    """What asked for a message is not there any more."""

    code = "campaign.gone"


@dataclass(frozen=True, slots=True)
class Begun:
    """A message that is decided, and not rendered yet."""

    draft: Message
    asked: Entry | None
    """The draft in the ledger."""
    message: Message
    campaign: Campaign
    content: Content
    profile: Profile
    decisions: list[Decision]
    work: Work


class Composer:
    """Makes the messages that campaigns ask for."""

    def __init__(
        self,
        engine: Engine,
        addresses: Addresses = no_addresses,
        spec: ContentSpec | None = None,
        demands: Demands | None = None,
        named: Callable[[Campaign, Message], Message] = lambda _, message: message,
    ) -> None:
        """``named``: a message with its way out, as a form of its campaign has it."""
        self._named = named
        self._engine = engine
        self._demands = demands or Demands(engine)
        self.spec = spec or ContentSpec()
        self.start = Start(engine.settings, self.spec)
        self._accounts = Accounts(engine.entries)
        self._addresses = addresses

    def drafts(self, limit: int = BATCH, without: Collection[str] = frozenset()) -> list[Message]:
        """What was asked for and is not made yet, the longest waiting first; but not those ids."""
        now_ms = self._engine.world.now_ms()
        most = limit + len(without)
        found = self._engine.entries.due(self._engine.tenant, "draft", now_ms, limit=most)
        drafts = [outbox.read(each) for each in found if each.key not in without][:limit]
        self._prepare(drafts)
        return drafts

    def make(self, draft: Message) -> None:
        """Make one, and put it into the outbox: waiting, or with the reason why it will not go out."""
        begun = self.begin(draft)
        if begun is not None:
            self.finish(begun, self.rendered(begun))

    def begin(self, draft: Message) -> Begun | None:
        """Decide what one says; None: it will not go out, and the outbox has the reason."""
        try:
            return self._decided_all(draft)
        except GermaneError as error:
            why = Why(self._now(), error.code, error.message)
        except Exception as error:  # a bug in one message must not stop the others
            _log.exception("a message of %s could not be made", draft.campaign)
            why = Why(self._now(), "internal", f"It could not be made: {error!r}")
        self._engine.put_moves([_dropped(draft, why)])
        return None

    def rendered(self, begun: Begun) -> Printed | Spoiled:
        """Render one in this process."""
        return print_one(begun.content, begun.work, self.start)

    def stands(self, begun: Begun) -> bool:
        """Whether a message is still asked for as it was when it was begun."""
        library = self._engine.library
        entry = self._asked_by(begun.draft)
        return (
            entry is not None
            and entry == begun.asked
            and library.contents.get(begun.content.content_id) is begun.content
            and library.campaigns.get(begun.campaign.name) is begun.campaign
        )

    def finish(self, begun: Begun, found: Printed | Spoiled) -> None:
        """Give one its time, and put it into the outbox."""
        takes: tuple[str, ...] = ()
        if isinstance(found, Spoiled):
            move = _dropped(begun.draft, Why(self._now(), found.code, found.message))
        else:
            step = begun.campaign.steps[begun.campaign.step_at(begun.draft.step) or 0]
            plan = self._plan(begun.message, begun.campaign, step, begun.profile)
            move, takes = self._planned(begun, found, plan), plan.takes
        asks: list[AnyMove] = []
        if move.message.status == "queued":
            waiting, asks = self._demands.prepared(move.message)
            if begun.campaign.status == "dry":
                waiting, asks = self._dry(waiting, begun.profile), []
            elif waiting.message_id in waiting.demands:
                waiting, asks = self._worth_asking(waiting, asks)
            move = Planned(waiting, move.rendered)
        self._engine.put_moves([move, *asks])
        for message_id in takes:
            self.give_way(message_id)

    def again(self, message: Message) -> Rendered:
        """The same choices, and what a person wrote into its slots, rendered from what is true now.

        Raises:
            ContentRefused: it cannot be said any more.
            UnknownContent: its content is gone.
            BadEdit: a person wrote into it, and its content is another one now.
        """
        engine = self._engine
        content = engine.library.contents.get(message.content)
        if content is None:
            raise UnknownContent(f"There is no content {message.content!r}.")
        made = [engine.store.decision(engine.tenant, each) for each in message.decisions]
        shown = {
            each.surface: tuple(x.item_id for x in each.items) for each in made if each is not None
        }
        items = {
            slot.name: tuple(
                engine.catalogue[each]
                for each in shown.get(slot.surface, ())
                if each in engine.catalogue
            )
            for slot in content.slots
            if slot.kind == "items" and slot.surface
        }
        profile = engine.readable(engine.profile_of(message.person))
        if not message.words:
            return self._rendered(message, content, profile, Chosen(message.chosen, items))
        if content.version != message.content_version:
            raise BadEdit(f"{message.edited_by} wrote into it, and its content has changed since.")
        theirs = with_words(content, message.words, message.locale)
        variants = message.chosen | dict.fromkeys(message.words, EDITED)
        rendered = self._rendered(message, theirs, profile, Chosen(variants, items))
        return replace(rendered, version=content.version)

    # -- the parts -------------------------------------------------------------------------------

    def _prepare(self, drafts: Sequence[Message]) -> None:
        """Read what each of them will ask for, at once: the person, what they were sent, whether it is made."""
        entries, tenant = self._engine.entries, self._engine.tenant
        people = [each.person for each in drafts]
        self._engine.prepare(people)
        entries.prepare(tenant, "message", [each.message_id for each in drafts])
        entries.prepare_of(tenant, "message", people)

    def _asked_by(self, draft: Message) -> Entry | None:
        return self._engine.entries.get(self._engine.tenant, "draft", draft.message_id)

    def _now(self) -> int:
        return self._engine.world.now_ms()

    def _decided_all(self, draft: Message) -> Begun:
        """
        Raises:
            CampaignGone, UnknownContent: it is.
        """
        library = self._engine.library
        campaign = library.campaigns.get(draft.campaign)
        place = campaign.step_at(draft.step) if campaign is not None else None
        if campaign is None or place is None:
            raise CampaignGone("Its campaign is gone.")
        if campaign.status == "ended":
            raise CampaignGone("Its campaign has ended.")
        asked = draft if draft.version == campaign.version else _anew(draft, campaign, place)
        content = library.contents.get(asked.content)
        if content is None:
            raise UnknownContent(f"There is no content {asked.content!r}.")
        profile = self._engine.readable(self._engine.profile_of(draft.person))
        message = replace(asked, person=profile.person)
        chosen, decisions = self._chosen(message, content, profile)
        made = tuple(each.decision_id for each in decisions)
        work = self._work(replace(message, decisions=made), profile, chosen)
        asked_by = self._asked_by(draft)
        return Begun(draft, asked_by, message, campaign, content, profile, decisions, work)

    def _planned(self, begun: Begun, found: Printed, plan: Plan) -> Planned:
        now_ms = self._now()
        whys = tuple(Why(now_ms, each.code, each.text) for each in plan.reasons)
        status: Status = "queued" if plan.at_ms is not None else "skipped"
        made = replace(
            self._named(begun.campaign, begun.message),
            status=status,
            due_ms=plan.at_ms or 0 if status == "queued" else 0,
            expires_ms=plan.deadline_ms,
            settled_ms=0 if status == "queued" else now_ms,
            locale=found.locale,
            chosen=begun.work.chosen.variants,
            decisions=tuple(each.decision_id for each in begun.decisions),
            digest=found.digest,
            version=begun.campaign.version,
            content_version=found.version,
            amounts=amounts_of(found.claims, begun.decisions),
            propensity=plan.propensity,
            whys=whys,
        )
        return Planned(made, found.data)

    def _dry(self, message: Message, person: Profile) -> Message:
        """One of a dry campaign, with what would have become of it as things stand: ``dry`` if nothing but
        that speaks against it."""
        would = "have gone out" if message.status == "queued" else "have waited for approval"
        said = Why(self._now(), "campaign.dry", f"The campaign was dry: it would {would}.")
        against = Release.of(self._engine).against(message, person)
        status: Status = "dry" if against is None else "skipped"
        return _settled(message, status, against or said)

    def _worth_asking(self, message: Message, asks: list[AnyMove]) -> tuple[Message, list[AnyMove]]:
        """A message that waits for its own approval, and what asks for it; nobody is asked where it could not
        reach its person anyway."""
        person = self._engine.profile_of(message.person)
        against = Release.of(self._engine).against(message, person)
        if against is None:
            return message, asks
        return _settled(message, "skipped", against), []

    def _chosen(
        self, message: Message, content: Content, profile: Profile
    ) -> tuple[Chosen, list[Decision]]:
        """A decision, with its propensity, for each slot that can vary; in order, since what is for whom
        may depend on what was chosen before."""
        names = self._names(profile) if eligible.conditional(content) else {}
        variants: dict[str, str] = {}
        items = {}
        decisions = []
        for slot in content.slots:
            if slot.kind == "items" and slot.surface:
                decision = self._decided(message, slot.surface, size=slot.size or None)
                catalogue = self._engine.catalogue
                found = (catalogue.get(each.item_id) for each in decision.items)
                items[slot.name] = tuple(each for each in found if each is not None)
                decisions.append(decision)
            fitting = eligible.eligible(slot, {**names, "chosen": variants})
            if len(fitting) > 1:
                left = {each.id for each in slot.open} - {each.id for each in fitting}
                surface = choice_surface(content.content_id, slot.name)
                decision = self._decided(message, surface, exclude=tuple(sorted(left)))
                variants[slot.name] = decision.choice.action if decision.choice else fitting[0].id
                decisions.append(decision)
            else:
                variants[slot.name] = fitting[0].id if fitting else ""
        return Chosen(variants, items), decisions

    def _names(self, profile: Profile) -> dict[str, Any]:
        """What the conditions of variants speak of."""
        return {
            "profile": eligible.seen(profile, self._engine.settings, self._now()),
            "account": eligible.seen_account(self._account(profile)),
            "context": {},
        }

    def _decided(
        self,
        message: Message,
        surface: str,
        *,
        size: int | None = None,
        exclude: tuple[str, ...] = (),
    ) -> Decision:
        context = Context(item=message.item)
        return self._engine.decide_for(
            message.person, Question(surface, size, exclude=exclude, context=context)
        )

    def _rendered(
        self, message: Message, content: Content, profile: Profile, chosen: Chosen
    ) -> Rendered:
        work = self._work(message, profile, chosen)
        return written(content, chosen, facts_of(work, self.start))

    def _work(self, message: Message, profile: Profile, chosen: Chosen) -> Work:
        return Work(
            content=message.content,
            chosen=chosen,
            profile=profile,
            now_ms=self._now(),
            locales=(message.locale,) if message.words else (),
            account=self._account(profile),
            item=self._engine.item(message.item) if message.item else None,
            event=self._event(message.cause_seq),
            links=self._addresses(message),
        )

    def _account(self, profile: Profile) -> Profile | None:
        return self._accounts.profile(self._engine.tenant, profile.account)

    def _event(self, seq: int) -> Event | None:
        record = self._engine.record(seq) if seq else None
        if record is None or record.kind != "event":
            return None
        return msgspec.msgpack.decode(record.body, type=Event)

    def _plan(self, message: Message, campaign: Campaign, step: Step, profile: Profile) -> Plan:
        engine, settings = self._engine, self._engine.settings
        policy = policy_of(campaign, step, settings.delivery)
        now_ms = self._now()
        week = engine.model.week(hours_of(profile), at_ms=now_ms).shares if policy.best_hour else ()
        return planning.plan(
            policy,
            Ask(
                key=message.message_id,
                person=profile.person,
                now_ms=now_ms,
                due_ms=message.asked_ms or now_ms,
                zone=profile.timezone,
                default_zone=settings.default_zone,
                sends=sends_of(engine.entries, engine.tenant, profile.person),
                week=week,
                seed=engine.world.seed() if policy.best_hour else 0,
                nothing=_held_out(engine.tenant, profile.person, campaign),
            ),
        )

    def give_way(self, message_id: str) -> None:
        """One that waits lost its place to a more urgent one: it gets another time, or none."""
        waits = self._engine.moving.message(self._engine.tenant, message_id)
        if waits is None or waits.status != "queued":
            return
        campaign = self._engine.library.campaigns.get(waits.campaign)
        place = campaign.step_at(waits.step) if campaign is not None else None
        now_ms = self._now()
        if campaign is None or place is None:
            why = Why(now_ms, "campaign.gone", "Its campaign is gone.")
            self._engine.put_moves([Held(message_id, "skipped", 0, why)])
            return
        profile = self._engine.readable(self._engine.profile_of(waits.person))
        plan = self._plan(waits, campaign, campaign.steps[place], profile)
        last = plan.reasons[-1].text if plan.reasons else ""
        text = f"A more urgent message took its place. {last}"
        why = Why(now_ms, "gave_way", text)
        move: AnyMove = Held(
            message_id, "queued" if plan.at_ms is not None else "skipped", plan.at_ms or 0, why
        )
        self._engine.put_moves([move])


def _held_out(tenant: str, person: str, campaign: Campaign) -> Reason | None:
    """Who gets nothing from a campaign, for ever, so that its worth can be measured."""
    if not held_out(campaign, tenant, person):
        return None
    text = f"In the holdout of {campaign.name}: {campaign.holdout_share:.0%} of people get nothing."
    return Reason("holdout", text)


def _anew(draft: Message, campaign: Campaign, place: int) -> Message:
    """What was asked for under an earlier form, as the newest one has it: that is what it is made of, and
    whose approval it needs."""
    step = campaign.steps[place]
    return replace(
        draft,
        content=step.content,
        channel=campaign.channel_of(step),
        purpose=campaign.purpose,
        kind=campaign.delivery,
        priority="transactional" if campaign.transactional else campaign.priority,
        webhook=campaign.webhook_of(step),
    )


def _settled(message: Message, status: Status, why: Why) -> Message:
    """It waits for nothing any more."""
    whys = (*message.whys, why)
    return replace(message, status=status, due_ms=0, settled_ms=why.at_ms, demands=(), whys=whys)


def _dropped(draft: Message, why: Why) -> Planned:
    """It will not go out: there is nothing to send."""
    made = replace(draft, status="skipped", due_ms=0, settled_ms=why.at_ms, whys=(why,))
    data, digest = outbox.packed(Rendered(draft.content, "", "email", ""))
    return Planned(replace(made, digest=digest), data)
