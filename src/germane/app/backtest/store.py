"""A store for one replay: it keeps what is known of people and items, and forgets the log."""

from __future__ import annotations

from collections.abc import Sequence

from germane.domain.record import Txn
from germane.storage.memory import MemoryStore


class ForgetfulStore(MemoryStore):
    """No log, no decisions, no ids of messages: they are needed by nothing that a replay asks."""

    def commit(self, txn: Txn) -> None:
        """Take the state of it."""
        self._state(Txn(profiles=txn.profiles, identities=txn.identities, items=txn.items))

    def seen(self, tenant: str, message_ids: Sequence[str]) -> set[str]:
        """None: whoever replays sends everything once."""
        return set()
