"""The ledger in front of a store: what is not committed yet is seen by every read, whatever the order."""

from __future__ import annotations

import random

import pytest

from germane.app import entries as kept
from germane.app.entries import Entries
from germane.domain.ledger import Entry
from germane.domain.record import Txn
from germane.storage.memory import MemoryStore

TENANT = "t"
PEOPLE = ("u:a", "u:b", "")


@pytest.mark.parametrize("size", [3, 20_000])
@pytest.mark.parametrize("seed", range(30))
def test_reads_see_what_is_pending(seed: int, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against a plain dictionary: changes held, committed and settled in groups, entries that change their
    person or go; whatever was read ahead, and however little is kept."""
    monkeypatch.setattr(kept, "KEPT", size)
    monkeypatch.setattr(kept, "EACH", 3 if seed % 2 else 50)
    chance = random.Random(seed)
    store = MemoryStore()
    entries, plain = Entries(store), dict[str, Entry]()
    held: list[tuple[Txn, int]] = []
    durable: list[tuple[Txn, int]] = []
    for ticket in range(1, 120):
        key = f"k{chance.randrange(6)}"
        if chance.random() < 0.25:
            entry = None
            plain.pop(key, None)
        else:
            entry = Entry("message", key, b"%d" % ticket, chance.choice(PEOPLE), "c", "queued", 1)
            plain[key] = entry
        txn = Txn(entries={(TENANT, "message", key): entry})
        entries.hold(txn, ticket)
        held.append((txn, ticket))
        if chance.random() < 0.3:  # a group becomes durable
            for done, _ in held:
                store.commit(done)
            durable, held = [*durable, *held], []
        if chance.random() < 0.3:
            entries.prepare_of(TENANT, "message", chance.sample(PEOPLE, 2))
        if chance.random() < 0.3:
            entries.prepare(TENANT, "message", [f"k{chance.randrange(7)}" for _ in range(3)])
        if chance.random() < 0.3:  # the engine hears of it
            for done, _ in durable:
                entries.settle(done, durable[-1][1])
            durable = []
        in_order = [plain[each] for each in sorted(plain)]
        for person in PEOPLE[:2]:
            theirs = [each for each in in_order if each.person == person]
            assert entries.of(TENANT, person, "message") == theirs[::-1]
            assert entries.of(TENANT, person, "message", limit=1) == theirs[::-1][:1]
        assert entries.page(TENANT, "message") == in_order
        assert entries.due(TENANT, "message", 5) == in_order
        for n in range(7):
            assert entries.get(TENANT, "message", f"k{n}") == plain.get(f"k{n}")
    store.close()


class Counting(MemoryStore):
    """How often it is asked for one."""

    asked = 0

    def entry(self, tenant: str, kind: str, key: str) -> Entry | None:
        """Counted."""
        self.asked += 1
        return super().entry(tenant, kind, key)

    def entries_of(self, tenant: str, person: str, kind: str, *, limit: int = 1000) -> list[Entry]:
        """Counted."""
        self.asked += 1
        return super().entries_of(tenant, person, kind, limit=limit)


def test_what_was_prepared_for_is_not_asked_for_again() -> None:
    store = Counting()
    for n in range(10):
        entry = Entry("message", f"k{n}", b"", f"u:{n % 3}", "c", "queued", 1)
        store.commit(Txn(entries={(TENANT, "message", f"k{n}"): entry}))
    entries = Entries(store)
    entries.prepare(TENANT, "message", ["k1", "k99"])
    assert entries.get(TENANT, "message", "k1") is not None
    assert entries.get(TENANT, "message", "k99") is None
    entries.prepare_of(TENANT, "message", ["u:0", "u:nobody"])
    assert [each.key for each in entries.of(TENANT, "u:0", "message")] == ["k9", "k6", "k3", "k0"]
    assert entries.of(TENANT, "u:nobody", "message") == []
    assert store.asked == 0
