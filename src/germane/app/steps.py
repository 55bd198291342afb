"""The fold of one log record over personal and shared state: the same code live, importing and rebuilding.

Everything here is deterministic in the record, the state before it and the settings (law 5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from germane.app import chosen, merging, prices, strangers, undone
from germane.app.admission import Admission
from germane.app.arrival import Arrival, newcomer, report_key, until
from germane.app.consents import Consents, Heard, keep, merged
from germane.app.crediting import Crediting
from germane.app.enrolling import Enrolling
from germane.app.lessons import is_lesson, tells_of_a_day
from germane.app.library import Library
from germane.app.memory import Memory
from germane.app.merging import Reunion
from germane.app.moving import Moving
from germane.app.replies import Replies, Reply
from germane.app.sheet import Sheet
from germane.deliver.outbox import MessageMove
from germane.domain.decision import Decision
from germane.domain.event import DeadLetter, Event, Interaction
from germane.domain.item import Item
from germane.domain.moment import ActiveHour
from germane.domain.moves import (
    AnyMove,
    Appointed,
    Asked,
    Audited,
    CampaignPut,
    CampaignTurned,
    ContentGone,
    ContentPut,
    Disliked,
    Erased,
    GivenUp,
    Invited,
    Judged,
    KeyPut,
    KeyUsed,
    Lapsed,
    Opened,
    Reminded,
    Stated,
    Suppressed,
    Switched,
    Ticked,
)
from germane.domain.outcome import Impression, Observation, Outcome, Reward, Verdict
from germane.domain.ports import Learner
from germane.domain.profile import Profile
from germane.domain.record import Txn
from germane.domain.settings import Settings
from germane.ingest import identity
from germane.ingest.signals import Extractor
from germane.measure import attribution
from germane.measure.whole import rest_of
from germane.privacy.gate import Gate
from germane.profile import exposure, muted, repeats, rhythm, service
from germane.profile.chosen import fold_choice
from germane.profile.fold import current, fold
from germane.profile.merge import merge

_encode = msgspec.msgpack.encode
_decode_item = msgspec.msgpack.Decoder(Item).decode


@dataclass(slots=True)
class Steps:
    """Takes records in log order; answers with what each changes. Shared state changes at once."""

    settings: Settings
    memory: Memory
    model: Learner
    extractor: Extractor
    key: bytes
    """The data folder's own."""
    items: dict[str, Item] = field(default_factory=dict)
    moving: Moving = field(init=False)
    library: Library = field(init=False)
    enrolling: Enrolling = field(init=False)
    replies: Replies = field(init=False)
    consents: Consents = field(init=False)
    gate: Gate = field(init=False)
    credits: Crediting = field(init=False)
    admission: Admission = field(init=False)
    _sold: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        surfaces = dict(self.settings.surfaces)  # content brings some of its own
        self.settings = msgspec.structs.replace(self.settings, surfaces=surfaces)
        self._sold = prices.sold_in(self.settings)
        self.library = Library(self.settings, self.memory.entries)
        self.moving = Moving(self.memory.entries)
        self.replies = Replies(self.memory)
        self.consents = Consents(self.settings.privacy, self.key)
        self.gate = Gate(self.settings)
        self.credits = Crediting(self.settings, self.memory, self.gate)
        self.enrolling = Enrolling(self.settings, self.memory, self.library, self.items)
        waits = self.enrolling.waits
        self.admission = Admission(self.consents, self.gate, self.library, waits)

    def event(self, event: Event, at: Arrival, txn: Txn) -> list[Reward]:
        """Fold a behaviour event into its person and into what is shared; what it is credited with.

        All that can fail comes before anything changes, so that a poisonous event leaves no trace.
        """
        linked = self._linked(event, at)
        if linked is None:
            return []
        event, met = linked, self._whose(linked, at)
        heard, passed = self.admission.of(event, met, at)
        self.admission.count(passed)
        if passed.event is None:
            return []
        event, before = passed.event, heard.person
        met.person = before
        if not passed.personal:
            self._serve(event, met, heard, at, txn)
            return []
        told = self._told(event, before, at, txn)
        interactions = repeats.fresh(before, told, self.settings)
        paid = prices.of_forgotten(before, interactions, self.settings, self.items.get)
        paid = until(paid, at.received_ms)
        after = fold(
            before,
            event,
            told,
            self.items.get,
            self.settings,
            seq=at.seq,
            now_ms=at.received_ms,
        )
        wholes = undone.wholes(event, paid, before, after, self.extractor, self.settings)
        rewards, decisions = self.credits.by_event(event, before, paid, wholes, at)
        of_choices = chosen.by_event(event, before, paid, self.settings, self.memory, at.tenant)
        for whole in wholes:
            of_choices += rest_of(whole, before.choices, self.settings.surfaces, of_choices)
        sheet = Sheet(self.memory.entries, at.tenant, txn)
        for gone in met.gone:
            self.moving.merged(at.tenant, gone, after.person, txn)
        reply = self.replies.heard(event, after.person, sheet, at.tenant, at.received_ms)
        for outcome, decision in reply.clicks:
            reward = self.credits.answer(before, decision, outcome, at).reward
            of_choices += [reward] if reward is not None else []
        after = self._seen(after, reply, event, at)
        hour = rhythm.newly_active(before, event, told, self.settings, at.received_ms)
        observation = self._observe(
            event, met, interactions, hour, rewards, decisions, of_choices, reply, at
        )
        after = self.credits.on_slates(after, rewards, decisions)
        after = self.credits.on_choices(after, of_choices, at)
        record = at.record("event", after.person, event.message_id, event.at_ms, event, observation)
        self._united(met, after, at, txn)
        items = tuple(dict.fromkeys(each.item_id for each in told))
        self.enrolling.event(at.tenant, event, after, items, txn, now_ms=at.received_ms, seq=at.seq)
        self._ended(event, met, heard, after, at, txn)
        self._learn(at.seq, observation)  # what is shared cannot be taken back: last
        txn.records.append(record)
        return [*met.rewards, *met.of_choices, *rewards, *of_choices]

    def admissible(self, event: Event, at: Arrival) -> Event | None:
        """What of an event may be kept, if it cannot be folded."""
        linked = self._linked(event, at)
        return linked and self.admission.of(linked, self._whose(linked, at), at)[1].event

    def decision(self, decision: Decision, at: Arrival, txn: Txn) -> None:
        """Log a decision and count its slots; a person nobody knows gets no profile from being asked for
        (but from a choice, which may be answered by whatever they do next: until then, see ``strangers``)."""
        before = self._known(decision.person, at)
        trials = chosen.made(decision) if decision.person else ()
        observation = None
        if trials:  # a choice is an exposure as soon as it is decided
            before = before or newcomer(decision.person, at)
            observation = self.model.observe(
                before, (), at_ms=decision.at_ms, lesson=False, trials=trials
            )
        if before is not None and decision.choice is None:
            txn.profiles[at.tenant, decision.person] = exposure.fold_decision(
                before, decision, self.settings, seq=at.seq
            )
        elif before is not None and trials:
            txn.profiles[at.tenant, decision.person] = fold_choice(
                before, decision, self.settings, seq=at.seq, now_ms=at.received_ms
            )
        self._learn(at.seq, observation)
        txn.decisions.append((at.tenant, decision))
        message_id = f"decision:{decision.decision_id}"
        txn.records.append(
            at.record(
                "decision", decision.person, message_id, decision.at_ms, decision, observation
            )
        )

    def impression(self, impression: Impression, decision: Decision, at: Arrival, txn: Txn) -> None:
        """Positions of a decision were seen."""
        person = self.memory.owner(at.tenant, decision)
        before = self._known(person, at) or newcomer(person, at)
        if self.credits.unlearned(decision, before, at):
            return
        wanted = set(impression.positions)
        shown = tuple(each.item_id for each in decision.items if each.position in wanted)
        observation = self.model.observe(
            before, (), at_ms=impression.at_ms, lesson=False, shown=shown
        )
        after = exposure.fold_impression(
            before,
            decision,
            impression.positions
            if decision.choice is None
            else (),  # no slate: nothing to remember
            impression.at_ms,
            self.settings,
            seq=at.seq,
            now_ms=at.received_ms,
        )
        self._learn(at.seq, observation)
        if person:  # a decision known by its signed id alone does not say whose it was
            txn.profiles[at.tenant, person] = after
        txn.records.append(
            at.record(
                "impression",
                person,
                report_key(impression),
                impression.at_ms,
                impression,
                observation,
            )
        )

    def outcome(self, outcome: Outcome, decision: Decision, at: Arrival, txn: Txn) -> None:
        """A response that names its decision."""
        person = self.memory.owner(at.tenant, decision)
        before = self._known(person, at) or newcomer(person, at)
        if self.credits.unlearned(decision, before, at):
            return
        of_choice = decision.choice is not None
        reward = self.credits.answer(before, decision, outcome, at).reward
        rewards = [reward] if reward is not None else []
        observation = self.model.observe(
            before,
            (),
            at_ms=outcome.at_ms,
            lesson=False,
            rewards=[(each, decision) for each in rewards],
            trials=chosen.trials(before, rewards, self.memory, at.tenant) if of_choice else (),
        )
        self._learn(at.seq, observation)
        if person:
            credited = (
                self.credits.on_choices(before, rewards, at, reported=True)
                if of_choice
                else self.credits.on_slates(
                    before, rewards, {decision.decision_id: decision}, reported=True
                )
            )
            txn.profiles[at.tenant, person] = msgspec.structs.replace(credited, seq=at.seq)
        txn.records.append(
            at.record("outcome", person, report_key(outcome), outcome.at_ms, outcome, observation)
        )

    def judged(self, outcome: Outcome, decision: Decision, at: Arrival) -> Verdict:
        """What would become of an outcome if it was folded now."""
        person = self.memory.owner(at.tenant, decision)
        before = self._known(person, at) or Profile(person)
        return self.credits.answer(before, decision, outcome, at).verdict

    def put_item(self, item: Item, message_id: str, at: Arrival, txn: Txn) -> None:
        """Add or change a catalogue entry."""
        known = self.items.get(item.item_id)
        created_ms = known.created_ms if known is not None else item.created_ms or at.received_ms
        item = msgspec.structs.replace(item, created_ms=created_ms)
        item = _decode_item(_encode(item))  # as a rebuild will read it
        self.items[item.item_id] = item
        self.model.put_item(at.seq, item)
        self.enrolling.change(at.tenant, known, item, txn, now_ms=at.received_ms, seq=at.seq)
        txn.items[at.tenant, item.item_id] = item
        txn.records.append(at.record("item", "", message_id, at.received_ms, item))

    def remove_item(self, item_id: str, message_id: str, at: Arrival, txn: Txn) -> None:
        """Take an item out of the catalogue; what people did with it stays in their history."""
        self.items.pop(item_id, None)
        self.model.remove_item(at.seq, item_id)
        txn.items[at.tenant, item_id] = None
        txn.records.append(at.record("item_removed", "", message_id, at.received_ms, item_id))

    def move(self, move: AnyMove, at: Arrival, txn: Txn) -> None:
        """Something was done with a message, an address or a switch.

        Raises:
            WrongMove: nothing like that may happen to that message; ``txn`` is as it was.
            GermaneError: a verdict cannot be given (``deliver.approving.judged``).
        """
        person = ""
        match move:
            case Stated():
                person = self._stated(move, at, txn)
            case Disliked():
                person = self._disliked(move, at, txn)
            case ContentPut() | ContentGone() | CampaignPut() | CampaignTurned():
                brought = self.library.fold(at.tenant, move, txn)
                if brought is not None:
                    self.model.put_surfaces(at.seq, *brought)
            case Ticked():
                named = (at.tenant, move.campaign, move.subject)
                person = self.enrolling.tick(*named, txn, now_ms=at.received_ms)
            case Invited():
                person = self.enrolling.invite(at.tenant, move, txn, now_ms=at.received_ms)
            case Erased() | GivenUp():  # what they mean for the store and memory, others know
                pass
            case Suppressed() | Switched():
                self.moving.fold(at.tenant, move, txn)
            case KeyPut() | KeyUsed() | Audited():
                self.moving.security.fold(at.tenant, move, txn, at_ms=at.received_ms)
            case Asked() | Judged() | Opened() | Reminded() | Lapsed() | Appointed():
                approvals = self.moving.approvals
                person = approvals.fold(at.tenant, move, txn, at_ms=at.received_ms)
            case _:
                person = self._message_moved(move, at, txn)
        txn.records.append(at.record("move", person, f"move:{at.seq}", at.received_ms, move))

    def _message_moved(self, move: MessageMove, at: Arrival, txn: Txn) -> str:
        """A message went a step further, and with it, in the end, its campaign."""
        after = self.moving.message_moved(at.tenant, move, txn, at_ms=at.received_ms, seq=at.seq)
        self.enrolling.settled(at.tenant, after, txn, now_ms=at.received_ms)
        return after.person

    def _stated(self, move: Stated, at: Arrival, txn: Txn) -> str:
        person = self.memory.person_of(at.tenant, move.person) or move.person
        before = self._known(person, at) or newcomer(person, at)
        heard = self.consents.told(move, before, at)
        after = self.gate.fit(heard.person, at.received_ms)
        txn.profiles[at.tenant, person] = msgspec.structs.replace(after, seq=at.seq)
        keep(heard, move.salt, Sheet(self.memory.entries, at.tenant, txn), at.seq)
        if heard.refused:
            self.enrolling.refused(at.tenant, person, heard.refused, txn, now_ms=at.received_ms)
        purpose, now_ms = move.purpose, at.received_ms
        if self.gate.allows(after, purpose, now_ms) and not self.gate.allows(
            before, purpose, now_ms
        ):
            self.enrolling.agreed(at.tenant, after, purpose, txn, now_ms=now_ms)
        return person

    def _serve(self, event: Event, met: Reunion, heard: Heard, at: Arrival, txn: Txn) -> None:
        """What is kept of an event of somebody who is not learned from: who is who, what they said no to,
        and what messages need that they must have."""
        contact = self.gate.contact(event)
        moment = {"now_ms": at.received_ms, "seq": at.seq}
        after = service.told(heard.person, event, contact, **moment)
        sheet = Sheet(self.memory.entries, at.tenant, txn)
        for gone in met.gone:
            self.moving.merged(at.tenant, gone, after.person, txn)
        self.replies.heard(event, after.person, sheet, at.tenant, at.received_ms)
        self._united(met, after, at, txn)
        self.enrolling.event(at.tenant, event, after, (), txn, served=True, **moment)
        self._ended(event, met, heard, after, at, txn)
        txn.records.append(at.record("event", after.person, event.message_id, event.at_ms, event))

    def _united(self, met: Reunion, after: Profile, at: Arrival, txn: Txn) -> None:
        """Whoever turned out to be the same person is no more."""
        for gone in met.gone:
            txn.profiles[at.tenant, gone] = None
            self.enrolling.merged(at.tenant, gone, after, txn, now_ms=at.received_ms)
            merged(gone, after.person, Sheet(self.memory.entries, at.tenant, txn))

    def _ended(
        self, event: Event, met: Reunion, heard: Heard, after: Profile, at: Arrival, txn: Txn
    ) -> None:
        """Who is who, what was said no to, and how the person stands after an event."""
        if heard.said:
            salt = self.consents.salt(event.message_id)
            keep(heard, salt, Sheet(self.memory.entries, at.tenant, txn), at.seq)
        if heard.refused:
            refused = heard.refused
            self.enrolling.refused(at.tenant, after.person, refused, txn, now_ms=at.received_ms)
        for external, person in met.claims.items():
            txn.identities[at.tenant, external] = person
        txn.profiles[at.tenant, after.person] = after

    def _disliked(self, move: Disliked, at: Arrival, txn: Txn) -> str:
        person = self.memory.person_of(at.tenant, move.person) or move.person
        before = self._known(person, at) or newcomer(person, at)
        txn.profiles[at.tenant, person] = muted.fold(
            before, move, seq=at.seq, now_ms=at.received_ms
        )
        return person

    def _seen(self, person: Profile, reply: Reply, event: Event, at: Arrival) -> Profile:
        """What a message showed was seen when it was opened."""
        for decision in reply.seen:
            person = exposure.fold_impression(
                person,
                decision,
                [each.position for each in decision.items],
                event.at_ms,
                self.settings,
                seq=at.seq,
                now_ms=at.received_ms,
            )
        return person

    def _known(self, person: str, at: Arrival) -> Profile | None:
        found = self.memory.profile(at.tenant, person)
        found = strangers.known(found, self.settings, at.received_ms)
        if found is None:
            return None
        return current(found, self.settings, at.received_ms, self.items.get)

    # -- the parts of an event ------------------------------------------------------------------

    def _whose(self, event: Event, at: Arrival) -> Reunion:
        """The person before this event, after merging whoever turns out to be the same one."""

        def lookup(external: str) -> str | None:
            return self.memory.person_of(at.tenant, external)

        link = identity.resolve(event, lookup)
        met = Reunion(self._known(link.person, at) or newcomer(link.person, at))
        met.claims = dict(link.claims)
        for other in link.merge:
            gone = self._known(other, at)
            if gone is not None:
                self._merge(met, gone, at)
                met.gone.append(other)
        return met

    def _linked(self, event: Event, at: Arrival) -> Event | None:
        """An event with the ids that it may link; ``None``: nothing is left of it."""

        def known(key: str) -> Profile | None:
            return self._known(self.memory.person_of(at.tenant, key) or key, at)

        return self.admission.linked(event, known, at)

    def _merge(self, met: Reunion, gone: Profile, at: Arrival) -> None:
        """One more is the same person; refunds of either take back what the other was credited with."""
        items, settings = self.items.get, self.settings
        rewards, of_choices = merging.taken_back(met.person, gone, settings, items)
        both = merge(met.person, gone, settings, items, seq=at.seq, now_ms=at.received_ms)
        met.trials += chosen.trials(both, of_choices, self.memory, at.tenant)
        both = attribution.credit(both, rewards, limit=settings.profile.exposures)
        both = self.credits.on_choices(both, of_choices, at)
        met.person = self.admission.joined(met.person, both, at)
        met.rewards += rewards
        met.of_choices += of_choices

    def _told(self, event: Event, before: Profile, at: Arrival, txn: Txn) -> list[Interaction]:
        """What the event means for items, and at what price. A bad property costs itself, not the event.

        Raises:
            UnknownOrder: see ``undone.lines``.
        """
        found, problems = self.extractor.extract(event)
        found += undone.lines(event, before, self.extractor, self.settings, logged=at.logged)
        for problem in problems:
            body = msgspec.json.encode(event)
            txn.letters.append(
                DeadLetter(0, at.received_ms, "fold", "event.bad_property", problem, body)
            )
        return prices.filled(found, self._sold, self.items.get)

    def _observe(
        self,
        event: Event,
        met: Reunion,
        interactions: Sequence[Interaction],
        hour: int | None,
        rewards: Sequence[Reward],
        decisions: dict[str, Decision],
        of_choices: Sequence[Reward],
        reply: Reply,
        at: Arrival,
    ) -> Observation | None:
        before = met.person
        credited = (*met.rewards, *met.of_choices, *rewards, *of_choices)
        if not interactions and hour is None and not credited and not reply.seen:
            return None
        of_merge = (
            (each, self.memory.decision(at.tenant, each.decision_id)) for each in met.rewards
        )
        return self.model.observe(
            before,
            interactions,
            at_ms=min(event.at_ms, at.received_ms),  # nothing shared is learned ahead of the clock
            lesson=is_lesson(
                event.message_id,
                event.at_ms,
                at.received_ms,
                self.model.lessons,
                self.model.latest_ms,
            ),
            ahead=tells_of_a_day(event.at_ms, at.received_ms, self.model.latest_ms),
            rewards=[
                *of_merge,
                *((each, decisions.get(each.decision_id)) for each in rewards),
                *((each, None) for each in (*met.of_choices, *of_choices)),
            ],
            shown=tuple(item.item_id for each in reply.seen for item in each.items),
            trials=met.trials + chosen.trials(before, of_choices, self.memory, at.tenant),
            active=None if hour is None else ActiveHour(hour, rhythm.hours_of(before)),
        )

    def _learn(self, seq: int, observation: Observation | None) -> None:
        if observation is not None:
            self.model.fold(seq, observation)
