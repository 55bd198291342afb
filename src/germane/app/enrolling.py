"""The fold's part about campaigns: who comes in, waits, leaves, and which messages are asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from germane.app.accounts import Accounts
from germane.app.library import Library
from germane.app.memory import Memory
from germane.app.sheet import Sheet
from germane.deliver import approving, consenting, entering, merging, outbox, progress
from germane.deliver.compiled import Compiled, is_called, listens_to, named_in, subjects
from germane.deliver.view import View
from germane.domain.campaign import Campaign, ItemChange, changes_of
from germane.domain.enrolment import Cancel, Compose, Effect, Enrolment, subject_of
from germane.domain.event import Event
from germane.domain.item import Item
from germane.domain.ledger import Entry
from germane.domain.message import Message, Why
from germane.domain.moves import Held, Invited
from germane.domain.plan import Reason
from germane.domain.profile import Profile
from germane.domain.record import Txn
from germane.domain.settings import Settings
from germane.privacy.gate import Gate
from germane.profile.interests import placed

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Enrolment).decode
GONE_OUT = ("sent", "ambiguous")
OVER = ("failed", "skipped", "expired", "cancelled", "dry")


class Enrolling:
    """Keeps enrolments. Deterministic in the record, the state before it, and the campaigns as they are."""

    def __init__(
        self,
        settings: Settings,
        memory: Memory,
        library: Library,
        items: Mapping[str, Item],
    ) -> None:
        self._settings = settings
        self._memory = memory
        self._library = library
        self._items = items
        self._accounts = Accounts(memory.entries)
        self._gate = Gate(settings)

    def event(
        self,
        tenant: str,
        event: Event,
        person: Profile,
        items: Sequence[str],
        txn: Txn,
        *,
        now_ms: int,
        seq: int,
        served: bool = False,
    ) -> None:
        """What an event means for the campaigns that its person is in, or may come into; ``served``: for the
        transactional ones alone."""
        sheet = Sheet(self._memory.entries, tenant, txn)
        if not served:
            self._accounts.heard(event, sheet)
        if not self._library.campaigns:
            return
        theirs: dict[str, list[Enrolment]] = {}
        for each in self._of(sheet, person.person):
            theirs.setdefault(each.campaign, []).append(each)
        for name in self._library.campaigns:
            made = self._library.compiled(name)
            if made is None or (served and not made.campaign.transactional):
                continue
            if made.campaign.status != "ended":
                among = theirs.get(name, [])
                self._happened(made, event, person, tuple(items), among, sheet, now_ms, seq)

    def waits(self, tenant: str, person: str, event: Event) -> bool:
        """Whether somebody is in a transactional campaign that speaks of an event."""
        wanted = [
            name
            for name, each in self._library.campaigns.items()
            if each.transactional and any(is_called(event, x) for x in named_in(each))
        ]
        if not wanted:
            return False
        sheet = Sheet(self._memory.entries, tenant, Txn())
        return any(each.campaign in wanted for each in self._inside(sheet, person))

    def change(
        self, tenant: str, before: Item | None, after: Item, txn: Txn, *, now_ms: int, seq: int
    ) -> None:
        """An item came back, or costs less."""
        sheet = Sheet(self._memory.entries, tenant, txn)
        for each in changes_of(before, after, now_ms, str(seq)) if before is not None else ():
            for name, campaign in self._library.campaigns.items():
                made = self._library.compiled(name)
                if made is None or campaign.enter.item != each.kind:
                    continue
                for entry in self._about(tenant, name, after.item_id):
                    state = _decode(entry.body)
                    view = self._view(tenant, state, now_ms, change=each)
                    change = entering.on_change(made, state, view)
                    self._keep(made, state, change, sheet, now_ms, about=after.item_id)

    def tick(self, tenant: str, campaign: str, subject: str, txn: Txn, *, now_ms: int) -> str:
        """The time of an enrolment has come; whose it is."""
        sheet = Sheet(self._memory.entries, tenant, txn)
        entry = sheet.get("enrolment", key_of(campaign, subject))
        made = self._library.compiled(campaign)
        if entry is None:
            return ""
        if made is None:
            if campaign not in self._library.campaigns:  # it is gone: nobody waits for it
                sheet.put(replace(entry, due_ms=0))
            return entry.person
        state = _decode(entry.body)
        view = self._view(tenant, state, now_ms)
        change = entering.on_clock(made, state, view)
        cause = (
            (state.cause_seq, state.about) if state.given_ms else (0, "")
        )  # it let them in before
        self._keep(made, state, change, sheet, now_ms, *cause)
        return entry.person

    def invite(self, tenant: str, move: Invited, txn: Txn, *, now_ms: int) -> str:
        """A schedule or an audience looks at somebody; whom."""
        made = self._library.compiled(move.campaign)
        profile = self._profile(tenant, move.person)
        if made is None or made.campaign.enter.kind not in ("schedule", "audience"):
            return profile.person
        sheet = Sheet(self._memory.entries, tenant, txn)
        begun = self._begin(made, profile, sheet, now_ms)
        if begun is not None and move.at_once:
            state, view = begun
            self._keep(made, state, entering.on_clock(made, state, view), sheet, now_ms)
        return profile.person

    def unwanted(self, tenant: str, message: Message, *, now_ms: int) -> Reason | None:
        """Why a message that waits is no longer wanted by its campaign; ``None``: it is."""
        asked = self._asked_by(tenant, message)
        if asked is None:
            return None
        made, state = asked
        return entering.unwanted(made, state, self._view(tenant, state, now_ms))

    def outlived(self, tenant: str, message: Message, *, now_ms: int) -> Reason | None:
        """Why a message that went out is not to be shown by now; ``None``: it is."""
        asked = self._asked_by(tenant, message)
        if asked is None:
            return None
        made, state = asked
        return entering.outlived(made, state, self._view(tenant, state, now_ms), message)

    def settled(self, tenant: str, message: Message, txn: Txn, *, now_ms: int) -> None:
        """A message went out, or never will: its campaign goes on with its person."""
        made = self._library.compiled(message.campaign)
        if made is None or message.status not in (*GONE_OUT, *OVER) or not message.subject:
            return
        sheet = Sheet(self._memory.entries, tenant, txn)
        entry = sheet.get("enrolment", key_of(message.campaign, message.subject))
        if entry is None:
            return
        state = _decode(entry.body)
        last = message.whys[-1] if message.whys else Why(now_ms, message.status, "")
        view = self._view(tenant, state, now_ms)
        after, effects = progress.settled(
            made,
            state,
            view,
            message.key,
            sent=message.status in GONE_OUT,
            at_ms=now_ms,
            why=Reason(last.code, last.text),
        )
        after = self._looked_at(made, after, self._profile(tenant, state.person), view)
        self._keep(made, state, (after, effects), sheet, now_ms)

    def refused(
        self, tenant: str, person: str, purposes: Collection[str], txn: Txn, *, now_ms: int
    ) -> None:
        """Somebody said no to purposes: they leave what needs them, and what waits there is taken back."""
        sheet = Sheet(self._memory.entries, tenant, txn)
        for state in self._inside(sheet, person):
            made = self._library.compiled(state.campaign)
            if made is None or made.campaign.purpose not in purposes:
                continue
            why = Reason("consent_withdrawn", f"Consent to {made.campaign.purpose} was withdrawn.")
            view = self._view(tenant, state, now_ms)
            self._keep(made, state, entering.expelled(made, state, view, why), sheet, now_ms)

    def agreed(self, tenant: str, person: Profile, purpose: str, txn: Txn, *, now_ms: int) -> None:
        """Somebody said yes to a purpose that was not allowed before: the clock looks at them once more where
        a campaign had looked for it too early."""
        sheet = Sheet(self._memory.entries, tenant, txn)
        for state in self._of(sheet, person.person):
            made = self._library.compiled(state.campaign)
            if made is None or made.campaign.purpose != purpose:
                continue
            view = self._seen(person, None, (), "", now_ms, sheet)
            after = consenting.given(made, state, view, newly=True)
            if after != state:
                self._store(after, sheet)

    def _looked_at(
        self, made: Compiled, state: Enrolment, person: Profile, view: View
    ) -> Enrolment:
        """Marked for the clock if consent stands by now that was lacking."""
        allowed = self._gate.allows(person, made.campaign.purpose, view.now_ms)
        return consenting.given(made, state, view, newly=False) if allowed else state

    def _asked_by(self, tenant: str, message: Message) -> tuple[Compiled, Enrolment] | None:
        """The campaign and the enrolment that asked for a message, as they are now."""
        made = self._library.compiled(message.campaign)
        key = key_of(message.campaign, message.subject)
        entry = self._memory.entries.get(tenant, "enrolment", key)
        return None if made is None or entry is None else (made, _decode(entry.body))

    def _inside(self, sheet: Sheet, person: str) -> list[Enrolment]:
        """Where a person is in now."""
        return [each for each in self._of(sheet, person) if each.inside]

    def _of(self, sheet: Sheet, person: str) -> list[Enrolment]:
        """Where a person is in, or was."""
        return [_decode(each.body) for each in sheet.of(person, "enrolment")]

    def merged(self, tenant: str, gone: str, person: Profile, txn: Txn, *, now_ms: int) -> None:
        """Two people turned out to be one: so do their enrolments."""
        sheet = Sheet(self._memory.entries, tenant, txn)
        for entry in sheet.of(gone, "enrolment"):
            other = _decode(entry.body)
            made = self._library.compiled(other.campaign)
            theirs = other.subject.startswith(gone)
            subject = (
                subject_of(made.campaign.enter.per, person.person, "", other.item)
                if theirs and made is not None
                else other.subject
            )
            if theirs:
                sheet.drop("enrolment", entry.key)
            known = sheet.get("enrolment", key_of(other.campaign, subject)) if theirs else None
            one = replace(other, subject=subject, person=person.person)
            effects: tuple[Effect, ...] = ()
            if known is not None and made is not None:
                one, effects = merging.merged(made, _decode(known.body), other)
            if made is None:
                self._store(one, sheet)
                continue
            view = self._seen(person, None, (), one.item, now_ms, sheet)
            one = self._looked_at(made, one, person, view)
            cause = (one.cause_seq, one.about)  # nobody came in by this
            self._keep(made, other, (one, effects), sheet, now_ms, *cause)

    # -- the parts -------------------------------------------------------------------------------

    def _happened(
        self,
        made: Compiled,
        event: Event,
        person: Profile,
        items: tuple[str, ...],
        theirs: Sequence[Enrolment],
        sheet: Sheet,
        now_ms: int,
        seq: int,
    ) -> None:
        campaign = made.campaign
        if campaign.enter.kind in ("schedule", "audience"):
            self._begin(made, person, sheet, now_ms)
        names = listens_to(campaign)
        if names is not None and not any(is_called(event, each) for each in names):
            return
        opens = is_called(event, campaign.enter.event) if campaign.enter.event else False
        concerned = dict(subjects(campaign, person.person, person.account, items))
        closes = not items and not opens and _closes(campaign, event)
        served = [x for x in theirs if x.inside or (closes and (x.sent or x.lacked))]
        concerned |= {x.subject: x.item for x in served}
        for subject, item in concerned.items():
            entry = sheet.get("enrolment", key_of(campaign.name, subject))
            if entry is None and not opens:
                continue
            view = self._seen(person, event, items, item, now_ms, sheet)
            fresh = entering.begun(made, view, subject, person.person, item)
            state = _decode(entry.body) if entry is not None else fresh
            about = view.item.item_id if view.item is not None else item
            change = entering.on_event(made, state, view)
            self._keep(made, state, change, sheet, now_ms, seq, about)

    def _begin(
        self, made: Compiled, person: Profile, sheet: Sheet, now_ms: int
    ) -> tuple[Enrolment, View] | None:
        """Somebody whom a schedule or an audience has not looked at yet, if it has not: how they stand, and
        what was seen."""
        if sheet.get("enrolment", key_of(made.campaign.name, person.person)) is not None:
            return None
        view = self._seen(person, None, (), "", now_ms, sheet)
        state = entering.begun(made, view, person.person, person.person)
        self._store(state, sheet)
        return state, view

    def _keep(
        self,
        made: Compiled,
        before: Enrolment,
        change: tuple[Enrolment, tuple[Effect, ...]],
        sheet: Sheet,
        now_ms: int,
        seq: int = 0,
        about: str = "",
    ) -> None:
        after, effects = change
        if after.entry > before.entry:
            after = replace(after, cause_seq=seq, about=about)
        if after != before:
            self._store(after, sheet)
        for each in effects:
            if isinstance(each, Compose):
                sheet.put(draft_of(each, made.campaign, after, now_ms))
            else:
                _take_back(each, after.person, sheet, now_ms)

    def _store(self, state: Enrolment, sheet: Sheet) -> None:
        topic = topic_of(state.campaign, state.item)
        key = key_of(state.campaign, state.subject)
        sheet.put(
            Entry("enrolment", key, _encode(state), state.person, topic, state.phase, state.look_ms)
        )

    def _profile(self, tenant: str, person: str) -> Profile:
        key = self._memory.person_of(tenant, person) or person
        found = self._memory.profile(tenant, key) or Profile(key)
        return placed(found, self._items.get, self._settings)

    def _view(
        self, tenant: str, state: Enrolment, now_ms: int, change: ItemChange | None = None
    ) -> View:
        profile = self._gate.readable(self._profile(tenant, state.person), now_ms)
        account = state.subject.removeprefix("account:") if _of_account(state) else profile.account
        return View(
            self._settings,
            now_ms,
            profile,
            account,
            self._accounts.traits(tenant, account),
            item=self._items.get(state.item) if state.item else None,
            change=change,
        )

    def _seen(
        self,
        person: Profile,
        event: Event | None,
        items: tuple[str, ...],
        item: str,
        now_ms: int,
        sheet: Sheet,
    ) -> View:
        about = item or next(iter(items), "")
        person = self._gate.readable(person, now_ms)
        return View(
            self._settings,
            now_ms,
            person,
            person.account,
            self._accounts.told(person.account, sheet),
            event=event,
            items=items,
            item=self._items.get(about) if about else None,
        )

    def _about(self, tenant: str, campaign: str, item: str) -> list[Entry]:
        """Every enrolment in a campaign that is about an item."""
        found: list[Entry] = []
        topic, entries = topic_of(campaign, item), self._memory.entries
        while page := entries.page(
            tenant, "enrolment", topic=topic, after=found[-1].key if found else ""
        ):
            found += page
        return found


def key_of(campaign: str, subject: str) -> str:
    """Of an enrolment."""
    return f"{campaign}/{subject}"


def topic_of(campaign: str, item: str) -> str:
    """What an enrolment belongs to: those about an item are found by it."""
    return f"{campaign}|{item}" if item else campaign


def draft_of(asked: Compose, campaign: Campaign, state: Enrolment, now_ms: int) -> Entry:
    """A message that is to be made."""
    place = campaign.step_at(asked.step)
    message = Message(
        message_id=outbox.message_id(now_ms, asked.key),
        person=asked.person,
        channel=asked.channel,
        campaign=asked.campaign,
        version=asked.version,
        content=asked.content,
        purpose=campaign.purpose,
        kind=campaign.delivery,
        priority="transactional" if campaign.transactional else campaign.priority,
        created_ms=now_ms,
        status="making",
        due_ms=now_ms,
        key=asked.key,
        subject=asked.subject,
        step=asked.step,
        item=asked.item or state.about,
        asked_ms=asked.due_ms,
        cause_seq=state.cause_seq,
        whys=(Why(now_ms, asked.reason.code, asked.reason.text),),
        webhook=campaign.webhook_of(campaign.steps[place]) if place is not None else "",
    )
    return replace(outbox.entry(message), kind="draft")


def _take_back(asked: Cancel, person: str, sheet: Sheet, now_ms: int) -> None:
    """A message that is not wanted any more, if it has not gone out."""
    for entry in sheet.of(person, "draft"):
        if outbox.read(entry).key == asked.key:
            sheet.drop("draft", entry.key)
    for entry in sheet.of(person, "message"):
        message = outbox.read(entry)
        if message.key == asked.key and message.status in ("approval", "queued"):
            why = Why(now_ms, asked.reason.code, asked.reason.text)
            held = Held(message.message_id, "cancelled", 0, why)
            sheet.put(outbox.entry(outbox.fold(message, held, at_ms=now_ms, seq=0)))
            approval = sheet.get("approval", message.message_id)
            if approval is not None:
                gone = approving.superseded(approving.read(approval), now_ms)
                sheet.put(approving.entry(gone))


def _closes(campaign: Campaign, event: Event) -> bool:
    """Whether an event may be the goal or the exit: of all that was sent, where it names no item."""
    ends = (campaign.goal.event, campaign.leave.event)
    return any(is_called(event, each) for each in ends if each)


def _of_account(state: Enrolment) -> bool:
    return state.subject.startswith("account:")
