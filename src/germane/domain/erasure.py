"""What goes when a person is erased, in one transaction."""

from __future__ import annotations

import msgspec


class Erasure(msgspec.Struct, frozen=True):
    """Everything of some people, up to a log offset."""

    tenant: str
    people: tuple[str, ...]
    """Person keys, with those that were merged into them. Their profiles, their entries of the ledger and the
    keys that lead to them go."""
    seqs: tuple[int, ...] = ()
    """Log offsets of the records that go, with the memory of their message ids; sealed history, too."""
    after: int = 0
    before: int = 0
    """Records of ``people`` with ``after < seq < before`` go as well: what came while they were looked for."""
    letters: tuple[int, ...] = ()
    """Ids of the dead letters that go."""
