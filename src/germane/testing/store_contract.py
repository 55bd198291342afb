"""What every binding of ``domain.ports.Store`` must keep. Inherit it and supply ``store``::

class TestMine(StoreContract):
    @pytest.fixture
    def store(self): ...
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from typing import Any

from msgspec.structs import replace

from germane.domain.decision import Decision
from germane.domain.erasure import Erasure
from germane.domain.event import DeadLetter, Event
from germane.domain.ids import DEFAULT_TENANT, PersonId, slot_of
from germane.domain.ledger import Entry
from germane.domain.months import MS_PER_DAY
from germane.domain.ports import Store
from germane.domain.profile import Profile
from germane.domain.record import Record, Txn
from germane.domain.retirement import Retirement
from germane.storage.codec import encode
from germane.testing.builders import an_item
from germane.testing.world import START_MS

TENANT = DEFAULT_TENANT


def a_record(
    seq: int,
    *,
    person: str = "u:1",
    message_id: str = "",
    kind: str = "event",
    at_ms: int = START_MS,
    body: bytes = b"",
) -> Record:
    """A log record."""
    message_id = message_id or f"m{seq}"
    body = body or encode(Event(message_id, "track", at_ms, name="x", user_id="1"))
    slot = slot_of(TENANT, PersonId(person))
    return Record(seq, TENANT, slot, person, kind, message_id, at_ms, at_ms, body)  # type: ignore[arg-type]


def a_decision(name: str = "d1") -> Decision:
    """A decision without items."""
    return Decision(
        name, "u:1", "home", "personalised", START_MS, START_MS + 1, 7, "v", 1, 1, 0.5, ()
    )


def an_entry(key: str, **changed: Any) -> Entry:
    """A message that waits."""
    return replace(Entry("message", key, encode({"n": 1}), "u:1", "weekly", "queued", 5), **changed)


def keys(entries: list[Entry]) -> list[str]:
    """Of entries, in their order."""
    return [each.key for each in entries]


def lived(store: Store) -> None:
    """Two people: ``u:1`` with ``a:x`` (offsets 1, 2, 5) and ``u:2`` (3, 4, 6, 7)."""
    of_one, of_two = (1, 5), (3, 4, 6, 7)
    decision = a_decision()
    records = [a_record(n) for n in of_one]
    records += [a_record(n, person="u:2") for n in of_two]
    records.append(a_record(2, kind="decision", message_id="decision:d1", body=encode(decision)))
    entries = [an_entry("k1"), an_entry("k2", person="u:2"), an_entry("k3", person="")]
    store.commit(
        Txn(
            records=sorted(records, key=lambda each: each.seq),
            profiles={(TENANT, each): Profile(each) for each in ("u:1", "u:2")},
            identities={(TENANT, "a:x"): "u:1", (TENANT, "a:y"): "u:2"},
            entries={(TENANT, "message", each.key): each for each in entries},
            decisions=[(TENANT, decision)],
            letters=[DeadLetter(0, START_MS, "api", f"c{n}", "why", b"") for n in range(2)],
        )
    )


def old(store: Store) -> list[Record]:
    """Seven records: of November 2023 the first five (the second is a decision), of January 2024 the sixth."""
    decision, month = a_decision(), 30 * MS_PER_DAY
    times = [1_699_000_000_000] * 5 + [1_699_000_000_000 + 2 * month, START_MS]
    records = [replace(a_record(n, at_ms=at), derived=b"learned") for n, at in enumerate(times, 1)]
    records[1] = replace(
        records[1], kind="decision", message_id="decision:d1", body=encode(decision)
    )
    store.commit(Txn(records=records, decisions=[(TENANT, decision)]))
    while store.seal(START_MS):
        pass
    return records


def retired(
    store: Store,
    archived: Collection[int] = (),
    gone: Collection[int] = (),
    left: Mapping[int, bytes] = {},
    month: str = "2026-01",
) -> None:
    """These retire, whichever pieces they are in."""
    for each in store.pieces():
        here = {record.seq for record in store.piece(each.name)}
        mine = {seq: body for seq, body in left.items() if seq in here}
        if here & {*archived, *gone, *left}:
            store.retire(
                Retirement(
                    each.name, month, frozenset(here & {*archived}), frozenset(here & {*gone}), mine
                )
            )


class StoreContract:
    """Each test is one promise of the port."""

    def test_empty(self, store: Store) -> None:
        """A new store knows nothing."""
        assert store.last_seq() == 0
        assert store.profile(TENANT, "u:1") is None
        assert list(store.read(0)) == []
        assert store.seen(TENANT, ["a"]) == set()
        assert store.meta("x") is None

    def test_everything_of_a_transaction_is_there(self, store: Store) -> None:
        """Log, profile, identity, catalogue, decision, letter and value commit together."""
        decision = a_decision()
        record = a_record(2, kind="decision", message_id="decision:d1", body=encode(decision))
        store.commit(
            Txn(
                records=[a_record(1), record],
                profiles={(TENANT, "u:1"): Profile("u:1", seq=1, evidence=2.5)},
                identities={(TENANT, "a:x"): "u:1"},
                items={(TENANT, "i1"): an_item(1)},
                decisions=[(TENANT, decision)],
                entries={(TENANT, "message", "k1"): an_entry("k1")},
                letters=[DeadLetter(0, START_MS, "api", "code", "why", b"body")],
                meta={"k": b"v"},
            )
        )
        profile = store.profile(TENANT, "u:1")
        assert profile is not None
        assert (profile.seq, profile.evidence) == (1, 2.5)
        assert store.person_of(TENANT, "a:x") == "u:1"
        assert [each.item_id for each in store.items(TENANT)] == ["i1"]
        assert store.decision(TENANT, "d1") == decision
        assert store.letters()[0].message == "why"
        assert store.meta("k") == b"v"
        assert store.last_seq() == 2
        assert store.counts() == {
            "records": 2,
            "profiles": 1,
            "items": 1,
            "decisions": 1,
            "letters": 1,
            "entries": 1,
        }
        assert store.entry(TENANT, "message", "k1") == an_entry("k1")
        assert store.record(1) == a_record(1)
        assert store.record(3) is None

    def test_what_is_staged_is_there_when_it_is_synced(self, store: Store) -> None:
        """Until then no read sees it, from no thread."""
        store.stage(Txn(records=[a_record(1)], meta={"name": b"value"}))
        assert (store.last_seq(), store.meta("name"), list(store.read(0))) == (0, None, [])
        thread = threading.Thread(target=store.sync)
        thread.start()
        thread.join()
        assert (store.last_seq(), store.meta("name")) == (1, b"value")
        store.commit(Txn(records=[a_record(2)]))
        assert [each.seq for each in store.read(0)] == [1, 2]

    def test_log_is_read_in_order_and_from_anywhere(self, store: Store) -> None:
        """``read`` gives what is after an offset, in order, with equal content."""
        records = [a_record(n, person=f"u:{n % 3}") for n in range(1, 51)]
        store.commit(Txn(records=records[:20]))
        store.commit(Txn(records=records[20:]))
        assert list(store.read(0)) == records
        assert [each.seq for each in store.read(30, until=33)] == [31, 32, 33]

    def test_message_ids_are_remembered_per_tenant(self, store: Store) -> None:
        """Dedupe finds ids of its own tenant only."""
        store.commit(Txn(records=[a_record(1, message_id="same")]))
        assert store.seen(TENANT, ["same", "other"]) == {"same"}
        assert store.seen("another", ["same"]) == set()

    def test_an_id_made_here_is_in_nobodys_way(self, store: Store) -> None:
        """Somebody may send an event whose id is like that of a move, of an item or of a decision."""
        kinds = ("move", "item", "item_removed", "decision")
        made = [a_record(n, message_id=f"{kind}:7", kind=kind) for n, kind in enumerate(kinds, 1)]
        store.commit(Txn(records=made))
        assert store.seen(TENANT, [each.message_id for each in made]) == set()
        store.commit(Txn(records=[a_record(5, message_id="move:7")]))
        assert store.seen(TENANT, ["move:7"]) == {"move:7"}

    def test_removing(self, store: Store) -> None:
        """``None`` removes a profile or an item."""
        store.commit(
            Txn(profiles={(TENANT, "u:1"): Profile("u:1")}, items={(TENANT, "i1"): an_item(1)})
        )
        store.commit(Txn(profiles={(TENANT, "u:1"): None}, items={(TENANT, "i1"): None}))
        assert store.profile(TENANT, "u:1") is None
        assert list(store.items(TENANT)) == []

    def test_letters_are_numbered_and_can_be_replayed(self, store: Store) -> None:
        """A replayed letter is no longer pending, and still there."""
        letters = [DeadLetter(0, START_MS, "api", f"c{n}", "why", b"") for n in range(3)]
        store.commit(Txn(letters=letters))
        first, second, _ = store.letters()
        store.commit(Txn(replayed_letters=[(second.letter_id, START_MS + 5)]))
        assert first.letter_id < second.letter_id
        assert len(store.letters()) == store.pending_letters() == 2
        assert len(store.letters(pending_only=False)) == 3
        again = store.letter(second.letter_id)
        assert again is not None
        assert again.replayed_ms == START_MS + 5

    def test_letters_can_be_dismissed(self, store: Store) -> None:
        """A dismissed letter is no longer pending, and still there, with its time."""
        letters = [DeadLetter(0, START_MS, "api", f"c{n}", "why", b"") for n in range(3)]
        store.commit(Txn(letters=letters))
        first, second, third = store.letters()
        store.commit(Txn(dismissed_letters=[(first.letter_id, START_MS + 5)]))
        assert [each.letter_id for each in store.letters()] == [second.letter_id, third.letter_id]
        assert store.pending_letters() == 2
        again = store.letter(first.letter_id)
        assert again is not None
        assert (again.dismissed_ms, again.replayed_ms, again.pending) == (START_MS + 5, None, False)
        assert len(store.letters(pending_only=False)) == 3

    def test_entries_are_found_by_what_they_say(self, store: Store) -> None:
        """By key, topic, status, person and by when they are due; removed ones by nothing."""
        waits = [an_entry(f"k{n}", person=f"u:{n % 2}", due_ms=90 - 10 * n) for n in range(5)]
        sent = an_entry("k9", status="sent", due_ms=0)
        other = an_entry("k7", topic="digest", due_ms=7)
        plain = an_entry("k8", topic="", person="", due_ms=0)
        kind = Entry("enrolment", "k1", encode({}), "u:1", "weekly", "waiting", 1)
        written: dict[tuple[str, str, str], Entry | None] = {
            (TENANT, each.kind, each.key): each for each in [*waits, sent, other, plain, kind]
        }
        store.commit(Txn(entries=written))
        assert keys(store.entries(TENANT, "message")) == [
            "k0", "k1", "k2", "k3", "k4", "k7", "k8", "k9",
        ]  # fmt: skip
        assert keys(store.entries(TENANT, "message", after="k2", limit=2)) == ["k3", "k4"]
        assert keys(store.entries(TENANT, "message", newest=True, limit=2)) == ["k9", "k8"]
        assert keys(store.entries(TENANT, "message", newest=True, after="k2")) == ["k1", "k0"]
        assert keys(store.entries(TENANT, "message", topic="weekly", newest=True))[:1] == ["k9"]
        newest = store.entries(TENANT, "message", topic="weekly", status="sent", newest=True)
        assert keys(newest) == ["k9"]
        assert keys(store.entries(TENANT, "message", topic="digest")) == ["k7"]
        assert keys(store.entries(TENANT, "message", topic="weekly", status="sent")) == ["k9"]
        assert keys(store.entries(TENANT, "message", topic="")) == ["k8"]
        assert keys(store.entries(TENANT, "message", topic="", status="queued")) == ["k8"]
        assert keys(store.entries_of(TENANT, "u:1", "message")) == ["k9", "k7", "k3", "k1"]
        assert keys(store.due(TENANT, "message", 70)) == ["k7", "k4", "k3", "k2"]
        assert keys(store.due(TENANT, "message", 70, limit=1)) == ["k7"]
        assert store.next_due(TENANT, "message") == 7
        assert store.next_due(TENANT, "approval") == 0
        counts = {("weekly", "queued"): 5, ("weekly", "sent"): 1, ("digest", "queued"): 1}
        counts["", "queued"] = 1
        assert store.entry_counts(TENANT, "message") == counts
        assert store.entries("another", "message") == []
        changed = an_entry("k4", status="sent", due_ms=0, person="u:5")
        store.commit(
            Txn(entries={(TENANT, "message", "k4"): changed, (TENANT, "message", "k7"): None})
        )
        assert store.entry(TENANT, "message", "k4") == changed
        assert store.entry(TENANT, "message", "k7") is None
        assert keys(store.due(TENANT, "message", 70)) == ["k3", "k2"]
        assert keys(store.entries_of(TENANT, "u:5", "message")) == ["k4"]

    def test_many_are_found_at_once(self, store: Store) -> None:
        many = [f"k{n:04}" for n in range(1_203)]
        entries: dict[tuple[str, str, str], Entry | None] = {
            (TENANT, "message", each): an_entry(each, person=f"u:{each[-1]}") for each in many[::2]
        }
        entries[TENANT, "draft", "k0001"] = an_entry("k0001", kind="draft")
        entries["elsewhere", "message", "k0003"] = an_entry("k0003")
        store.commit(Txn(entries=entries))
        among = store.entries_among(TENANT, "message", many)
        assert sorted(keys(among)) == many[::2]
        assert {e.key: e for e in among}["k0002"] == an_entry("k0002", person="u:2")
        assert store.entries_among(TENANT, "message", []) == []
        people = ["u:0", "u:nobody", "u:4"]
        theirs = store.entries_of_each(TENANT, people, "message", limit=1_000)
        assert sorted(keys(theirs)) == [each for each in many[::2] if each[-1] in "04"]
        assert len(store.entries_of_each(TENANT, people, "message", limit=7)) == 7
        more = [*people, *(f"u:{n}" for n in range(10, 600)), "u:8"]
        assert len(store.entries_of_each(TENANT, more, "message", limit=130)) == 130
        store.commit(Txn(entries={(TENANT, "message", "n"): an_entry("n", person="")}))
        assert store.entries_of_each(TENANT, ["", "u:9"], "message", limit=9) == []

    def test_many_people_are_found_at_once(self, store: Store) -> None:
        people = [f"u:{n}" for n in range(1_203)]
        known = {each: Profile(each, seq=1) for each in people[::3]}
        links = {f"a:{n}": f"u:{n}" for n in range(0, 1_203, 2)}
        txn = Txn(identities={(str(TENANT), each): person for each, person in links.items()})
        txn.identities["elsewhere", "a:1"] = "u:1"
        txn.profiles = {(TENANT, each): profile for each, profile in known.items()}
        txn.profiles["elsewhere", "u:1"] = Profile("u:1")
        store.commit(txn)
        assert store.profiles_among(TENANT, people) == known
        assert store.profiles_among(TENANT, ["u:1", "u:nobody"]) == {}
        assert store.people_of(TENANT, [f"a:{n}" for n in range(1_203)]) == links

    def test_entries_are_part_of_the_state(self, store: Store) -> None:
        """Of its hash, and of what a rebuild replaces."""
        store.commit(Txn(entries={(TENANT, "message", "k1"): an_entry("k1")}))
        first = store.state_hash()
        store.commit(Txn(entries={(TENANT, "message", "k1"): an_entry("k1", status="sent")}))
        assert store.state_hash() != first
        store.replace_state(iter([Txn(entries={(TENANT, "message", "k1"): an_entry("k1")})]))
        assert store.state_hash() == first

    def test_a_rebuild_reads_what_it_folded(self, store: Store) -> None:
        """While state is replaced, the store shows that of the transactions that it took so far; if it comes to
        nothing, that of before."""
        before = {each: Profile(each, seq=1) for each in ("u:1", "u:2")}
        known: dict[tuple[str, str], Profile | None] = {(TENANT, x): before[x] for x in before}
        store.commit(Txn(records=[a_record(1)], profiles=known))
        found = []

        def anew() -> Iterator[Txn]:
            found.append((store.profile(TENANT, "u:1"), store.profile(TENANT, "u:2")))
            yield Txn(profiles={(TENANT, "u:2"): Profile("u:2", seq=2)})
            found.append((store.profile(TENANT, "u:1"), store.profile(TENANT, "u:2")))
            assert [each.seq for each in store.read(0)] == [1]

        def broken_off() -> Iterator[Txn]:
            yield from anew()
            raise RuntimeError

        with suppress(RuntimeError):
            store.replace_state(broken_off())
        assert store.profiles_among(TENANT, [*before]) == before
        store.replace_state(anew())
        assert store.profile(TENANT, "u:1") is None
        assert found == 2 * [(None, None), (None, Profile("u:2", seq=2))]

    def test_profiles_come_in_pages(self, store: Store) -> None:
        """Pages in order of the person key, without gaps."""
        names = [f"u:{n:02d}" for n in range(25)]
        store.commit(Txn(profiles={(TENANT, name): Profile(name) for name in names}))
        found: list[str] = []
        while page := store.profiles(TENANT, after=found[-1] if found else "", limit=10):
            found += [each.person for each in page]
        assert found == names

    def test_hash_is_of_the_state_alone(self, store: Store) -> None:
        """The order in which maps were filled does not show; a changed value does."""
        one = Profile("u:1", consent={"a": True, "b": False})
        two = Profile("u:1", consent={"b": False, "a": True})
        store.commit(Txn(profiles={(TENANT, "u:1"): one}))
        first = store.state_hash()
        store.commit(Txn(profiles={(TENANT, "u:1"): two}))
        assert store.state_hash() == first
        store.commit(Txn(profiles={(TENANT, "u:1"): Profile("u:1", evidence=1e-9)}))
        assert store.state_hash() != first

    def test_who_is_erased_is_nowhere(self, store: Store) -> None:
        """Log, message ids, profile, links, entries, decisions, letters: theirs go, everybody else's stay."""
        lived(store)
        store.commit(
            Txn(
                records=[a_record(9, kind="move", message_id="move:9", person="")],
                erasure=Erasure(TENANT, ("u:1", "a:x"), (1, 2, 5), letters=(1,)),
            )
        )
        assert store.scrub()
        assert [each.seq for each in store.read(0)] == [3, 4, 6, 7, 9]
        assert store.record(1) is None
        assert store.seen(TENANT, ["m1", "m3", "m5"]) == {"m3"}
        assert store.profile(TENANT, "u:1") is None
        assert store.profile(TENANT, "u:2") is not None
        assert store.person_of(TENANT, "a:x") is None
        assert store.person_of(TENANT, "a:y") == "u:2"
        assert store.externals_of(TENANT, ["u:1", "u:2"]) == {"a:y": "u:2"}
        assert keys(store.entries(TENANT, "message")) == ["k2", "k3"]
        assert store.decision(TENANT, "d1") is None
        assert [each.letter_id for each in store.letters()] == [2]
        counts = store.counts()
        assert (counts["records"], counts["decisions"], counts["letters"]) == (5, 0, 1)

    def test_offsets_of_the_erased_stay_holes(self, store: Store) -> None:
        """The highest offset does not fall, and what comes next goes on from there."""
        lived(store)
        last = a_record(8, kind="move", message_id="move:8", person="")
        store.commit(Txn(records=[last], erasure=Erasure(TENANT, ("u:2",), (3, 4, 6, 7))))
        assert store.last_seq() == 8
        store.commit(Txn(records=[a_record(9)]))
        assert [each.seq for each in store.read(2)] == [5, 8, 9]
        assert [each.seq for each in store.read(0, until=4)] == [1, 2]

    def test_what_came_while_they_were_looked_for_goes_too(self, store: Store) -> None:
        """By person, between two offsets; what comes later is of somebody new, and stays."""
        lived(store)
        erasure = Erasure(TENANT, ("u:1",), (1,), after=1, before=5)
        store.commit(Txn(records=[a_record(8, person="u:1")], erasure=erasure))
        assert [each.seq for each in store.read(0)] == [3, 4, 5, 6, 7, 8]
        assert store.seen(TENANT, ["m8"]) == {"m8"}
        assert Txn(erasure=erasure).empty is False

    def test_letters_are_numbered_on_after_one_was_erased(self, store: Store) -> None:
        lived(store)
        store.commit(Txn(erasure=Erasure(TENANT, (), letters=(1,))))
        store.commit(Txn(letters=[DeadLetter(0, START_MS, "api", "new", "why", b"")]))
        assert [each.letter_id for each in store.letters()] == [2, 3]

    def test_a_read_goes_on_where_records_are(self, store: Store) -> None:
        """Sealed, erased and retired while somebody reads: nothing is passed over that is still there, and what
        is gone is no damage."""
        records = [a_record(n, at_ms=START_MS - (600 - 40 * n) * MS_PER_DAY) for n in range(1, 13)]
        store.commit(Txn(records=records))
        plain, whole = store.read(0), store.read(0, archived=True)
        assert [next(each).seq for each in (plain, whole)] == [1, 1]
        store.seal(START_MS)
        begun, late = store.read(0), store.read(0, archived=True)
        assert [next(each).seq for each in (begun, late)] == [1, 1]
        assert [next(each).seq for each in (plain, whole)] == [2, 2]
        store.commit(Txn(records=[a_record(13)], erasure=Erasure(TENANT, (), (7, 8))))
        retired(store, archived={9}, gone={10})
        left = [3, 4, 5, 6, 11, 12]
        assert {each.seq for each in plain} - {7, 8, 9, 10, 13} == {*left}
        assert {each.seq for each in whole} - {7, 8, 10, 13} == {*left, 9}
        assert {each.seq for each in begun} - {7, 8, 9, 10, 13} == {2, *left}
        assert {each.seq for each in late} - {7, 8, 10, 13} == {2, *left, 9}
        assert [each.seq for each in store.read(0)] == [1, 2, *left, 13]

    def test_an_erasure_that_was_written_ahead(self, store: Store) -> None:
        """Nothing is gone before it is committed; and whatever comes between, what is gone then is what was
        said."""
        store.commit(Txn(records=[a_record(n) for n in range(1, 21)]))
        store.seal(START_MS + 1, limit=10)

        def left() -> list[int]:
            return [each.seq for each in store.read(0)]

        store.write_ahead(Erasure(TENANT, (), (1, 2)))
        assert left() == [*range(1, 21)]
        store.commit(Txn(records=[a_record(21)], erasure=Erasure(TENANT, (), (1, 2), before=21)))
        assert left() == [*range(3, 22)]
        store.write_ahead(Erasure(TENANT, (), (3,)))
        store.write_ahead(Erasure(TENANT, (), (4,)))
        store.commit(Txn(records=[a_record(22)], erasure=Erasure(TENANT, (), (3,))))
        assert left() == [*range(4, 23)]
        store.write_ahead(Erasure(TENANT, (), (4,)))
        store.seal(START_MS + 1)
        store.commit(Txn(records=[a_record(23)], erasure=Erasure(TENANT, (), (4,))))
        assert left() == [*range(5, 24)]
        store.write_ahead(Erasure(TENANT, (), (5,)))
        retired(store, archived={6}, gone={7})
        store.commit(Txn(records=[a_record(24)], erasure=Erasure(TENANT, (), (5,))))
        assert left() == [*range(8, 25)]

    def test_what_retires_is_in_the_archive(self, store: Store) -> None:
        """Out of the log, and still there for who asks for it; what it left behind is in its place."""
        records = old(store)
        before = store.state_hash()
        retired(store, archived={1, 2, 3}, gone={4}, left={3: b"three", 5: b"five"})
        three, five = (
            replace(records[2], body=b"three", derived=b""),
            replace(records[4], body=b"five"),
        )
        assert list(store.read(0)) == [three, five, *records[5:]]
        assert five.derived == b"learned"
        assert list(store.read(0, archived=True)) == [*records[:3], five, *records[5:]]
        assert list(store.read(1, until=3, archived=True)) == records[1:3]
        assert store.archive() == {"2023-11": 3}
        assert store.decision(TENANT, "d1") is None
        assert store.seen(TENANT, ["m1", "m3", "m4", "m5"]) == {"m1", "m3", "m5"}
        assert (store.state_hash(), store.last_seq()) == (before, 7)

    def test_what_the_archive_has_kept_for_long_goes(self, store: Store) -> None:
        """With the memory of its message ids; what it left in the log stays."""
        old(store)
        retired(store, archived={1, 3}, left={3: b"three"}, month="2025-11")
        retired(store, archived={6}, month="2026-01")
        assert store.archive() == {"2023-11": 2, "2024-01": 1}
        assert store.expire("2025-11") == 0
        assert store.expire("2025-12") == 2
        assert store.archive() == {"2024-01": 1}
        assert [each.seq for each in store.read(0, archived=True)] == [2, 3, 4, 5, 6, 7]
        assert store.seen(TENANT, ["m1", "m3", "m5", "m6"]) == {"m5", "m6"}

    def test_who_is_erased_is_not_in_the_archive(self, store: Store) -> None:
        """Nor is what their records left in the log."""
        old(store)
        retired(store, archived={1, 3, 5}, left={3: b"three"})
        store.commit(Txn(erasure=Erasure(TENANT, ("u:1",), seqs=(1, 3)), records=[a_record(8)]))
        assert [each.seq for each in store.read(0, archived=True)] == [2, 4, 5, 6, 7, 8]
        assert [each.seq for each in store.read(0)] == [2, 4, 6, 7, 8]

    def test_a_piece_that_is_no_more(self, store: Store) -> None:
        """It has nothing, and nothing of it retires."""
        records = old(store)
        store.retire(
            Retirement("events/month=1999-01/part-1-2.parquet", "2026-01", gone=frozenset({1}))
        )
        assert store.piece("events/month=1999-01/part-1-2.parquet") == []
        assert list(store.read(0, archived=True)) == records

    def test_replacing_state_keeps_the_log(self, store: Store) -> None:
        """A rebuild swaps what is derived and nothing else."""
        store.commit(Txn(records=[a_record(1)], profiles={(TENANT, "u:1"): Profile("u:1")}))
        store.replace_state(iter([Txn(profiles={(TENANT, "u:2"): Profile("u:2")})]))
        assert store.profile(TENANT, "u:1") is None
        assert store.profile(TENANT, "u:2") is not None
        assert [each.seq for each in store.read(0)] == [1]
        assert store.seen(TENANT, ["m1"]) == {"m1"}
