"""What statements would undo, before any of them is recorded."""

from __future__ import annotations

from collections.abc import Sequence

from germane.app.consents import KIND, is_known, said_by
from germane.app.memory import Memory
from germane.domain.ids import DEFAULT_TENANT
from germane.domain.moves import Stated
from germane.domain.ports import Store
from germane.domain.profile import Profile
from germane.privacy.ledger import takes_back


class Foreseen:
    """Finds the noes that would undo a yes that is newer, as an ``Importer`` would count them.

    What is recorded in the order of time undoes no yes of its own, and each yes is undone once: so what is in
    the ledger now is all that has to be looked at.
    """

    def __init__(self, store: Store, now_ms: int, tenant: str = DEFAULT_TENANT) -> None:
        """``store``: what is in the ledger."""
        self._now_ms = now_ms
        self._memory = Memory(store)
        self._tenant = tenant
        self._undone: set[tuple[str, str]] = set()
        """(person, purpose)"""

    def of(self, moves: Sequence[Stated]) -> list[Stated]:
        """Those among the next of them, in the order of time."""
        memory, tenant = self._memory, self._tenant
        noes = [each for each in moves if not each.granted]
        memory.prepare(tenant, [each.person for each in noes])
        memory.entries.prepare_of(tenant, KIND, {self._now(each) for each in noes})
        return [each for each in noes if self._undoes(each)]

    def _now(self, move: Stated) -> str:
        return self._memory.person_of(self._tenant, move.person) or move.person

    def _undoes(self, move: Stated) -> bool:
        now = self._now(move)
        person = self._memory.profile(self._tenant, now) or Profile(now)
        undoes = takes_back(person, move.purpose, move.at_ms, self._now_ms)
        if (now, move.purpose) in self._undone or not undoes:
            return False
        if is_known(said_by(self._memory.entries, self._tenant, now), move):
            return False
        self._undone.add((now, move.purpose))
        return True
