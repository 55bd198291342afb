"""What the core asks of the outside. Each port has one contract suite in ``germane.testing``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from germane.domain.decision import Decision
from germane.domain.event import DeadLetter
from germane.domain.item import Item
from germane.domain.profile import Profile
from germane.domain.record import Record, Txn


class Store(Protocol):
    """Log, state, catalogue, identities, decisions and dead letters, in one transaction.

    ``commit`` may be called from another thread than the reads. Reads see the last commit.
    """

    def commit(self, txn: Txn) -> None:
        """Make all of it durable before returning.

        Raises:
            StorageFailed: the write or its fsync failed; nothing of ``txn`` may be acknowledged.
        """
        ...

    def last_seq(self) -> int:
        """Highest log offset, 0 when the log is empty."""
        ...

    def seen(self, tenant: str, message_ids: Sequence[str]) -> set[str]:
        """Those of the message ids that are in the log already."""
        ...

    def profile(self, tenant: str, person: str) -> Profile | None:
        """A person's committed state."""
        ...

    def profiles(self, tenant: str, *, after: str = "", limit: int = 1000) -> list[Profile]:
        """A page of profiles in order of the person key."""
        ...

    def person_of(self, tenant: str, external: str) -> str | None:
        """The person that an external key (``u:...`` or ``a:...``) now belongs to."""
        ...

    def items(self, tenant: str) -> Iterator[Item]:
        """The catalogue."""
        ...

    def decision(self, tenant: str, decision_id: str) -> Decision | None:
        """A logged decision by id."""
        ...

    def read(self, after: int, *, until: int | None = None) -> Iterator[Record]:
        """Log records with ``after < seq <= until`` in order, sealed history included."""
        ...

    def letters(
        self, *, after: int = 0, limit: int = 100, pending_only: bool = True
    ) -> list[DeadLetter]:
        """Dead letters in order of their id."""
        ...

    def letter(self, letter_id: int) -> DeadLetter | None:
        """One dead letter."""
        ...

    def counts(self) -> dict[str, int]:
        """Rows by kind: ``records``, ``profiles``, ``items``, ``decisions``, ``letters``."""
        ...

    def meta(self, key: str) -> bytes | None:
        """A small named value that committed with a transaction."""
        ...

    def state_hash(self) -> str:
        """SHA-256 over profiles, identities, catalogue and slot offsets in canonical order:
        equal states have equal hashes on every binding (law 7)."""
        ...

    def replace_state(self, txns: Iterable[Txn]) -> None:
        """Swap all that is derived (profiles, identities, catalogue, decisions, ``derived`` bytes)
        for what these transactions hold, at once; the log stays. Used by a rebuild."""
        ...

    def close(self) -> None:
        """Release files. Idempotent."""
        ...


class Blobs(Protocol):
    """Snapshots and models: named, versioned, checksummed blobs with an atomic newest pointer."""

    def put(self, name: str, version: str, data: bytes, manifest: dict[str, object]) -> None:
        """Store durably, then make it the newest."""
        ...

    def newest(self, name: str) -> tuple[bytes, dict[str, object]] | None:
        """Newest intact blob and its manifest; a damaged one is passed over, never returned."""
        ...

    def prune(self, name: str, keep: int) -> None:
        """Drop all but the newest ``keep``."""
        ...
