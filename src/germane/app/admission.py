"""What passes of an event when it is folded: asked once, before anything of it is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from msgspec.structs import replace

from germane.app.arrival import Arrival
from germane.app.consents import Consents, Heard
from germane.app.library import Library
from germane.app.merging import Reunion
from germane.domain.event import Event
from germane.domain.ids import anonymous_person, known_person
from germane.domain.profile import Profile
from germane.privacy import ledger
from germane.privacy.gate import Admitted, Gate, Met, unlinked

NAMES = 200
"""Names of what was refused that are counted apart; they come from clients."""


@dataclass(slots=True)
class Admission:
    """Hears what an event says no to, and asks the gate for the rest."""

    consents: Consents
    gate: Gate
    library: Library
    waits: Callable[[str, str, Event], bool]
    """(tenant, person, event): somebody is in a transactional campaign that waits for it."""
    refused: Counter[str] = field(default_factory=Counter)
    """What was left out because it may not be kept, by name."""

    def of(self, event: Event, met: Reunion, at: Arrival) -> tuple[Heard, Admitted]:
        """The person with what the event says no to, without what may not be kept of them any more; and what
        passes of the event."""
        heard = self.consents.heard(event, met.person, at)
        heard = Heard(self.gate.fit(heard.person, at.received_ms), heard.said)
        person = heard.person
        served = self.library.serves(event) or self.waits(at.tenant, person.person, event)
        links = bool(met.claims or met.gone)
        used = self.library.uses(event)
        seen = Met(served, bool(heard.said), links, self.library.writes, used)
        return heard, self.gate.admitted(event, person, at.received_ms, seen)

    def linked(
        self, event: Event, known: Callable[[str], Profile | None], at: Arrival
    ) -> Event | None:
        """An event with the ids that it may link: who somebody is offline and online is linked where they
        agreed to that, and else the event goes on without it. ``None``: nothing is left of it.

        ``known``: (key) who a key leads to now.
        """
        if not self.gate.crosses(event):
            return event
        mine = known_person(event.user_id)
        other = event.previous_id if event.kind == "alias" else event.anonymous_id
        keys = [anonymous_person(other)]
        keys += [known_person(other)] if event.kind == "alias" else []
        survivor = known(mine) or Profile(mine)
        others = [known(each) or Profile(each) for each in keys]
        if all(self.gate.may_link(survivor, each, at.received_ms) for each in others):
            return event
        self.count(Admitted(None, (f"{event.kind} of an offline id",)))
        return unlinked(event)

    def count(self, passed: Admitted) -> None:
        """Count what was left out, by name."""
        for name in passed.refused:
            self.refused[
                name if name in self.refused or len(self.refused) < NAMES else "other"
            ] += 1

    def joined(self, survivor: Profile, both: Profile, at: Arrival) -> Profile:
        """Somebody with a history that turned out to be theirs: of whoever has opted out it is not taken."""
        if not self.gate.opted_out(both, at.received_ms):
            return both
        kept = replace(
            survivor,
            seq=both.seq,
            user_id=both.user_id,
            anonymous_ids=both.anonymous_ids,
            consent=both.consent,
            stands=both.stands,
            muted=both.muted,
        )
        keep = self.gate.settings.privacy.keep_profile
        return kept if keep else ledger.fresh(kept)
