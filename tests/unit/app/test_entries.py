"""The ledger in front of a store: what is not committed yet is seen by every read, whatever the order."""

from __future__ import annotations

import random

import pytest

from germane.app.entries import Entries
from germane.domain.ledger import Entry
from germane.domain.record import Txn
from germane.storage.memory import MemoryStore

TENANT = "t"
PEOPLE = ("u:a", "u:b", "")


@pytest.mark.parametrize("seed", range(20))
def test_reads_see_what_is_pending(seed: int) -> None:
    """Against a plain dictionary: changes held, settled and committed in groups, entries that change their
    person or go."""
    chance = random.Random(seed)
    store = MemoryStore()
    entries, plain = Entries(store), dict[str, Entry]()
    waiting: list[tuple[Txn, int]] = []
    for ticket in range(1, 60):
        key = f"k{chance.randrange(6)}"
        if chance.random() < 0.25:
            entry = None
            plain.pop(key, None)
        else:
            entry = Entry("message", key, b"%d" % ticket, chance.choice(PEOPLE), "c", "queued", 1)
            plain[key] = entry
        txn = Txn(entries={(TENANT, "message", key): entry})
        entries.hold(txn, ticket)
        waiting.append((txn, ticket))
        if chance.random() < 0.3:  # a group becomes durable
            group, waiting = waiting, []
            for done, _ in group:
                store.commit(done)
            for done, _ in group:
                entries.settle(done, ticket)
        for person in PEOPLE[:2]:
            expected = sorted(
                (e for e in plain.values() if e.person == person), key=lambda e: e.key
            )
            assert entries.of(TENANT, person, "message") == expected[::-1]
        assert entries.page(TENANT, "message") == [plain[each] for each in sorted(plain)]
    store.close()
