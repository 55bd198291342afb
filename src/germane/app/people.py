"""What is known of people, as they may read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from germane.app import moments
from germane.app.memory import Memory
from germane.app.strangers import known
from germane.domain.item import Item
from germane.domain.ports import Model, Store
from germane.domain.profile import Profile
from germane.domain.settings import Settings
from germane.domain.world import World
from germane.privacy.gate import Gate
from germane.profile.fold import current
from germane.profile.interests import placed
from germane.profile.rhythm import hours_of
from germane.profile.view import view
from germane.profile.words import UNUSED


@dataclass(frozen=True, slots=True)
class People:
    """Reads profiles; changes nothing."""

    settings: Settings
    store: Store
    tenant: str
    memory: Memory
    model: Model
    item_of: Callable[[str], Item | None]
    world: Callable[[], World]

    def profile(self, person_id: str) -> Profile | None:
        """The profile itself, by person key, user id or anonymous id."""
        return self._current(person_id)

    def person(self, person_id: str) -> dict[str, Any] | None:
        """The readable profile, by person key, user id or anonymous id."""
        profile = self._current(person_id)
        return self._view(profile) if profile is not None else None

    def moment(self, person_id: str, hours: int, top: int) -> dict[str, Any] | None:
        """The best ``top`` of the next ``hours`` hours to reach a person, with reasons, readable."""
        profile = self._current(person_id)
        if profile is None:
            return None
        now_ms = self.world().now_ms()
        profile = Gate(self.settings).readable(profile, now_ms)
        week = self.model.week(hours_of(profile), at_ms=now_ms)
        return moments.moment(profile, week, self.settings, now_ms, hours, top)

    def key(self, person_id: str) -> str | None:
        """The person key behind a person key, user id or anonymous id."""
        for external in (person_id, f"u:{person_id}", f"a:{person_id}"):
            person = self.memory.person_of(self.tenant, external) or external
            if self._known(self.memory.profile(self.tenant, person)) is not None:
                return person
        return None

    def everyone(self, only: str | None = None) -> Iterator[dict[str, Any]]:
        """Readable profiles, of everyone or of one."""
        if only is not None:
            found = self.person(only)
            if found is not None:
                yield found
            return
        after = ""
        while page := self.store.profiles(self.tenant, after=after):
            for profile in page:
                if self._known(profile) is not None:
                    yield self._view(placed(profile, self.item_of, self.settings))
            after = page[-1].person

    def _current(self, person_id: str) -> Profile | None:
        """A profile by any of its keys, without what is too old by now."""
        key = self.key(person_id)
        profile = self.memory.profile(self.tenant, key) if key else None
        if profile is None:
            return None
        return current(profile, self.settings, self.world().now_ms(), self.item_of)

    def _known(self, profile: Profile | None) -> Profile | None:
        return known(profile, self.settings, self.world().now_ms())

    def _view(self, profile: Profile) -> dict[str, Any]:
        now_ms = self.world().now_ms()
        found = view(profile, self.settings, self.item_of, now_ms)
        found["optedOut"] = Gate(self.settings).opted_out(profile, now_ms)
        if found["optedOut"]:
            found["readiness"]["meaning"] = UNUSED
        found["rhythm"] |= moments.rhythm(self.model.week(hours_of(profile), at_ms=now_ms))
        return found
