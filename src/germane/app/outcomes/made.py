"""From the log: each decision about a variant, with its propensities and who wrote what at that time; and the
times at which goals were reached."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from hashlib import blake2b

import msgspec

from germane.app.engine import Engine
from germane.deliver.compiled import Compiled, is_called
from germane.deliver.view import View
from germane.domain.content import Author, Content, choice_surface
from germane.domain.event import Event
from germane.domain.moves import AnyMove, ContentPut
from germane.domain.record import Record

MOST = 1_000_000
"""Decisions of a slot, and times of goals, that are kept in memory (some 60 bytes each). Beyond it only a half
of the people is looked at, then a quarter: which ones is chance, so nothing leans to either side."""
VARIANTS = 64
"""Variants of a slot, over all its life, that are told apart in ``Slot.allowed``."""

_event = msgspec.msgpack.Decoder(Event).decode
_move = msgspec.msgpack.Decoder(AnyMove).decode


class _Arm(msgspec.Struct, gc=False):
    """Of ``Standing``, what is needed here."""

    action: str
    propensity: float


class _Choice(msgspec.Struct, gc=False):
    """Of ``Choice``."""

    action: str
    propensity: float
    how: str
    arms: tuple[_Arm, ...]


class _Made(msgspec.Struct, gc=False):
    """Of ``Decision``."""

    decision_id: str
    person: str
    surface: str
    choice: _Choice | None = None


_made = msgspec.msgpack.Decoder(_Made).decode


def key_of(text: str) -> int:
    """64 bits, with a sign, that stand for an id."""
    named = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(named, "big", signed=True)


@dataclass(slots=True)
class SlotLog:
    """Decisions about one slot, a row each, in log order."""

    name: str
    variants: dict[str, int] = field(default_factory=dict)
    """Id -> number."""
    authors: list[Author] = field(default_factory=list)
    """Of each variant, as last written."""
    key: array[int] = field(default_factory=lambda: array("q"))
    """Of the decision's id."""
    person: array[int] = field(default_factory=lambda: array("q"))
    variant: array[int] = field(default_factory=lambda: array("h"))
    propensity: array[float] = field(default_factory=lambda: array("d"))
    writer: array[float] = field(default_factory=lambda: array("d"))
    """Probability that it was one of the writer's; below 0: nothing may be learned from the decision."""
    drafted: array[int] = field(default_factory=lambda: array("b"))
    """Whether the chosen one is the writer's."""
    allowed: array[int] = field(default_factory=lambda: array("Q"))
    """Which variants could have been chosen, a bit each."""

    def number(self, variant: str, author: Author | None) -> int:
        """Of a variant."""
        found = self.variants.setdefault(variant, len(self.variants))
        if found == len(self.authors):
            self.authors.append(author or "person")
        return found

    def thin(self, mask: int) -> None:
        """Leave out the people whom the mask does not let through."""
        kept = [n for n, person in enumerate(self.person) if not person & mask]
        for name in ("key", "person", "variant", "propensity", "writer", "drafted", "allowed"):
            column = getattr(self, name)
            setattr(self, name, array(column.typecode, (column[n] for n in kept)))


class ContentLog:
    """Takes the records of the log in their order."""

    def __init__(self, engine: Engine, content: Content) -> None:
        self.content = content
        self.slots = {each.name: SlotLog(each.name) for each in content.slots}
        self.mask = 0
        """People with one of these bits in their key are left out; 0: nobody is."""
        self.goals: dict[str, Compiled] = {}
        """Campaign -> its goal, where it can be read from the events alone."""
        self.unread: list[str] = []
        """Campaigns whose goal asks for more than the event."""
        self.goal_campaign = array("h")
        self.goal_person = array("q")
        self.goal_ms = array("q")
        self._engine = engine
        self._prefix = choice_surface(content.content_id, "")
        self._mark = self._prefix.encode()
        self._authors: dict[str, dict[str, Author]] = {}
        self._listen()

    @property
    def share(self) -> float:
        """Of people that are looked at."""
        return 1.0 / (self.mask + 1)

    @property
    def campaigns(self) -> list[str]:
        """Those with a goal that is counted; a goal names its campaign by the place here."""
        return list(self.goals)

    def take(self, record: Record) -> None:
        """One record."""
        if record.kind == "decision":
            if self._mark in record.body:
                self._decided(record)
        elif record.kind == "event":
            if self._names and any(each in record.body for each in self._names):
                self._happened(record)
        elif record.kind == "move" and b"ContentPut" in record.body:
            move = _move(record.body)
            if isinstance(move, ContentPut) and move.content.content_id == self.content.content_id:
                self._written(move.content)

    def _listen(self) -> None:
        library, said = self._engine.library, self.content.content_id
        for name, campaign in library.campaigns.items():
            if campaign.goal.empty or all(x.content != said for x in campaign.steps):
                continue
            made = library.compiled(name)
            if made is not None and campaign.goal.event and of_event(made, campaign.goal.when):
                self.goals[name] = made
            else:
                self.unread.append(name)
        events = {made.campaign.goal.event for made in self.goals.values()}
        # page:NAME and screen:NAME are told apart when the event is looked at
        self._names = [each.rpartition(":")[2].encode() for each in events]

    def _written(self, content: Content) -> None:
        for slot in content.slots:
            here = self.slots.setdefault(slot.name, SlotLog(slot.name))
            self._authors[slot.name] = {each.id: each.author for each in slot.variants}
            for each in slot.variants:
                here.authors[here.number(each.id, each.author)] = each.author

    def _decided(self, record: Record) -> None:
        made = _made(record.body)
        if made.choice is None or not made.surface.startswith(self._prefix):
            return
        slot = self.slots.get(made.surface[len(self._prefix) :])
        if slot is None:  # its content came before the log did
            return
        person = self._whose(made.person)
        if person & self.mask:
            return
        authors, choice = self._authors.get(slot.name, {}), made.choice
        chances = {each.action: each.propensity for each in choice.arms if each.propensity > 0}
        drafted = [p for action, p in chances.items() if authors.get(action) == "writer"]
        taught = choice.how != "default" and bool(chances)
        slot.key.append(key_of(made.decision_id))
        slot.person.append(person)
        slot.variant.append(slot.number(choice.action, authors.get(choice.action)))
        slot.propensity.append(choice.propensity)
        slot.writer.append(min(sum(drafted), 1.0) if taught else -1.0)
        slot.drafted.append(authors.get(choice.action) == "writer")
        numbers = [slot.number(each, authors.get(each)) for each in chances]
        slot.allowed.append(sum(1 << n for n in numbers if n < VARIANTS))
        self._make_room(len(slot.key))

    def _happened(self, record: Record) -> None:
        event = _event(record.body)
        for place, made in enumerate(self.goals.values()):
            goal = made.campaign.goal
            if not is_called(event, goal.event):
                continue
            view = View(self._engine.settings, record.received_ms, event=event)
            person = self._whose(record.person)
            if not person & self.mask and made.holds(goal.when, view)[0]:
                self.goal_campaign.append(place)
                self.goal_person.append(person)
                self.goal_ms.append(min(event.at_ms, record.received_ms))
                self._make_room(len(self.goal_ms))

    def _whose(self, person: str) -> int:
        """Key of the person that this one is now."""
        return key_of(self._engine.store.person_of(self._engine.tenant, person) or person)

    def _make_room(self, rows: int) -> None:
        if rows < MOST:
            return
        self.mask = self.mask * 2 + 1
        for slot in self.slots.values():
            slot.thin(self.mask)
        kept = [n for n, person in enumerate(self.goal_person) if not person & self.mask]
        for name in ("goal_campaign", "goal_person", "goal_ms"):
            column = getattr(self, name)
            setattr(self, name, array(column.typecode, (column[n] for n in kept)))


def of_event(made: Compiled, when: str) -> bool:
    """Whether a condition asks for nothing but the event itself."""
    reads = made.condition(when).reads if when else ()
    return all(name.startswith("event.") and name != "event.items" for name in reads)
