"""What the engine knows: every look at it that changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from germane.app.consents import KIND as CONSENTS
from germane.app.deciding import Deciding
from germane.app.enrolling import Enrolling
from germane.app.entries import Entries
from germane.app.library import Library
from germane.app.memory import Memory
from germane.app.moving import Moving
from germane.app.people import People
from germane.app.reports import Reports
from germane.app.shortfall import Shortfall
from germane.app.steps import Steps
from germane.app.undeclared import Undeclared
from germane.domain.decision import Actions, Ask, Decision
from germane.domain.event import DeadLetter, Event
from germane.domain.item import Item
from germane.domain.ports import Model, Store
from germane.domain.profile import Profile
from germane.domain.record import Record
from germane.domain.settings import SurfaceSpec
from germane.domain.world import World
from germane.privacy.gate import Gate
from germane.profile.interests import placed


class Known:
    """The engine's reading half. All methods are called from one thread."""

    store: Store
    model: Model
    world: World
    tenant: str
    _memory: Memory
    _steps: Steps
    _deciding: Deciding
    _people: People
    _reports: Reports
    undeclared: Undeclared
    """What was refused because nothing declares it, since the data folder was made."""

    def record(self, seq: int) -> Record | None:
        """A log record, also one that is not durable yet."""
        return self._memory.record(seq)

    @property
    def entries(self) -> Entries:
        """The ledger, with all that was folded."""
        return self._memory.entries

    @property
    def moving(self) -> Moving:
        """What the ledger's entries mean."""
        return self._steps.moving

    def decision(self, decision_id: str) -> Decision | None:
        """A logged decision."""
        return self._memory.decision(self.tenant, decision_id)

    @property
    def enrolling(self) -> Enrolling:
        """Who is in which campaign."""
        return self._steps.enrolling

    @property
    def library(self) -> Library:
        """Content and campaigns."""
        return self._steps.library

    def profile_of(self, person: str) -> Profile:
        """What is known of a person, by their key or one that led to them; of nobody, an empty profile."""
        now = self._memory.person_of(self.tenant, person) or person
        found = self._memory.profile(self.tenant, now) or Profile(now)
        return placed(found, self._steps.items.get, self._steps.settings)

    def knows(self, person: str, message_id: str = "") -> bool:
        """Whether there is a profile of somebody, by a key of theirs, or a message of that id."""
        now = self._memory.person_of(self.tenant, person) or person
        if self._memory.profile(self.tenant, now) is not None:
            return True
        return bool(message_id) and self.moving.message(self.tenant, message_id) is not None

    def linking(self, people: Collection[str]) -> set[str]:
        """Keys that lead to one of the people, as far as memory has them: what is not durable yet is there."""
        return self._memory.linking(self.tenant, people)

    def prepare(self, people: Collection[str]) -> None:
        """Of these people, ``profile_of`` will be asked soon: it is quicker when it is known of all of
        them at once."""
        self._memory.prepare(self.tenant, people)

    def profiles(self, *, after: str = "", limit: int = 1000) -> list[Profile]:
        """A page of the profiles that are durable, in order of the person key."""
        return self._memory.profiles(self.tenant, after=after, limit=limit)

    def shortfall(self, decision: Decision) -> str:
        """Why a slate that was decided just now is empty or short, or about an item that is not known; empty
        where it is neither."""
        items, now_ms = self._steps.items, self.world.now_ms()
        person = self._memory.profile(self.tenant, decision.person) or Profile(decision.person)
        surface = self.surface(decision.surface)
        return Shortfall(self.model, items, now_ms).note(decision, surface, person)

    def surface(self, name: str) -> SurfaceSpec:
        """A configured surface.

        Raises:
            UnknownSurface: no surface has that name.
        """
        return self._deciding.surface(name)

    def check(self, asks: Sequence[Ask]) -> None:
        """Whether these questions can be answered at all.

        Raises:
            UnknownSurface: a surface is not configured.
            BadAsk: one has a size, and is of a choice; or no item, and the surface needs one.
            BadFilter: a filter cannot be used there.
        """
        for ask in asks:
            self._deciding.check(ask)

    def person(self, person_id: str) -> dict[str, Any] | None:
        """The readable profile, by person key, user id or anonymous id."""
        return self._people.person(person_id)

    def profile(self, person_id: str) -> Profile | None:
        """The profile that content is filled from, by person key, user id or anonymous id."""
        found = self._people.profile(person_id)
        return None if found is None else self.readable(found)

    def moment(self, person_id: str, *, hours: int, top: int) -> dict[str, Any] | None:
        """The best ``top`` of the next ``hours`` hours to reach a person, with reasons, readable."""
        return self._people.moment(person_id, hours, top)

    def standing(self, name: str) -> Actions:
        """How the actions of a choice surface stand for everyone, now.

        Raises:
            UnknownSurface: no surface has that name, or it is of another kind.
        """
        return self._deciding.standing(name, at_ms=self.world.now_ms())

    def whose(self, user_id: str, anonymous_id: str = "") -> Profile:
        """What is known of one person now; one that nobody knows has an empty profile."""
        return self._deciding.whose(self.tenant, user_id, anonymous_id)

    def decided_for(self, decision_id: str) -> str:
        """The person key that a decision belongs to now; empty where only its signed id is known.

        Raises:
            UnknownDecision: no decision has that id, and the id is not signed by us.
        """
        return self._memory.owner(self.tenant, self._reports.decision(decision_id))

    def trust(self, profile: Profile) -> float:
        """How far the personal part of a profile is trusted, in [0, 1)."""
        return self._deciding.trust(profile, self.world.now_ms())

    @property
    def refused(self) -> Counter[str]:
        """What was left out because it may not be kept, by name, since the start."""
        return self._steps.admission.refused

    def undeclared_in(self, events: Iterable[Event]) -> list[str]:
        """Names of what is refused of events because nothing declares it."""
        declared, uses = self.gate.declared, self.library.uses
        found = (declared.missing(each, used=uses(each)) for each in events)
        return list(dict.fromkeys(name for names in found for name in names))

    def undeclared_names(self) -> list[tuple[str, int, str]]:
        """(name, times, remedy) of all that was refused because nothing declares it, and still does not."""
        counts = self.undeclared.counts
        found = self.gate.declared.remedies(counts, self.library.uses)
        return sorted(((name, counts[name], text) for name, text in found), key=_most)

    def answers(self) -> dict[str, int]:
        """Purpose -> how often people said yes or no to it, as far as that is durable."""
        found: Counter[str] = Counter()
        for (purpose, _), count in self.entries.counts(self.tenant, CONSENTS).items():
            found[purpose] += count
        return found

    @property
    def gate(self) -> Gate:
        """What of a person may be kept, read and used."""
        return self._steps.gate

    def readable(self, person: Profile) -> Profile:
        """What may be read of somebody now, to decide and to write."""
        return self._steps.gate.readable(person, self.world.now_ms())

    def person_key(self, person_id: str) -> str | None:
        """The person key behind a person key, user id or anonymous id."""
        return self._people.key(person_id)

    def people(self, only: str | None = None) -> Iterator[dict[str, Any]]:
        """Readable profiles, of everyone or of one."""
        return self._people.everyone(only)

    def item(self, item_id: str) -> Item | None:
        """One catalogue entry."""
        return self._steps.items.get(item_id)

    def items(self, after: str = "", limit: int = 100) -> list[Item]:
        """A page of the catalogue in order of the item id."""
        ids = sorted(each for each in self._steps.items if each > after)[:limit]
        return [self._steps.items[each] for each in ids]

    @property
    def catalogue(self) -> dict[str, Item]:
        """Every item by id. Not to be changed by the caller."""
        return self._steps.items

    def letters(
        self, *, after: int = 0, limit: int = 100, pending_only: bool = True
    ) -> list[DeadLetter]:
        """Dead letters in order."""
        return self.store.letters(after=after, limit=limit, pending_only=pending_only)


def _most(each: tuple[str, int, str]) -> tuple[int, str]:
    return -each[1], each[0]
