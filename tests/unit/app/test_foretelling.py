"""What an import would do is what it does: by the same steps, over a data folder that stays as it is."""

from __future__ import annotations

from random import Random

import pytest
from msgspec.structs import replace

from germane.app.above import Above
from germane.app.engine import Engine
from germane.app.foretelling import foretelling
from germane.app.importer import Importer
from germane.app.known import Known
from germane.domain.campaign import Campaign, Enter, Step
from germane.domain.event import Event
from germane.domain.ledger import Entry, EntryKind
from germane.domain.moves import CampaignPut, CampaignTurned, ContentPut, Stated
from germane.domain.profile import Profile
from germane.domain.record import Txn
from germane.storage.memory import MemoryStore
from germane.testing import an_event, an_order
from germane.testing.world import START_MS
from tests.unit.app.test_enrolling import SAID
from tests.unit.app.test_opted_out_messages import letter

USERS, VISITORS = range(6), range(8)
KEYS = [f"u:u{n}" for n in USERS] + [f"a:a{n}" for n in VISITORS]


def one(rng: Random, number: int) -> Event:
    """Anything that changes how the next one is taken: orders, refunds, two ids, a no, what is wrong."""
    user, at_ms = f"u{rng.choice(USERS)}", START_MS - rng.randrange(100) * 3_600_000
    items = [f"i{rng.randrange(60)}" for _ in range(rng.randrange(1, 4))]
    visitor = f"a{rng.choice(VISITORS)}"
    named = {"user": user, "at_ms": at_ms, "message_id": f"m{number - rng.randrange(2)}"}
    match rng.randrange(8):
        case 0:
            return an_order(items, order_id=f"o{rng.randrange(9)}", **named)
        case 1:
            what = {"order_id": f"o{rng.randrange(9)}"}
            return an_event("Order Refunded", properties=what, **named)
        case 2:
            return an_event(anonymous_id=visitor, **named)
        case 3:
            return an_event(
                "", kind="identify", anonymous_id=visitor, traits={"plan": "a"}, **named
            )
        case 4:
            return an_event("Unsubscribed", properties={}, **named)
        case 5:
            return an_event(properties={"product_id": items[0], "n": 10**30}, **named)
        case 6:
            return an_event(properties={}, **named)
        case _:
            return an_event(item=items[0], **(named | {"user_id": "", "anonymous_id": visitor}))


def begun(engine: Engine) -> None:
    """A campaign that orders let people in, and a few days of before."""
    entered = Enter(event="Order Completed", fresh_s=90 * 86_400)
    campaign = Campaign("thanks", enter=entered, steps=(Step("mail", "letter"),))
    engine.put_moves(
        [ContentPut(letter()), CampaignPut(campaign), CampaignTurned("thanks", "live", SAID)]
        + [Stated(f"u:u{n}", "email_marketing", True, "test") for n in (0, 1)]
        + [Stated("u:u2", "personalisation", False, "test")]
    )
    engine.accept_now([one(Random(0), n) for n in range(60)])


def told(engine: Engine, importer: Importer, events: list[Event], size: int) -> list[object]:
    """What an import says group by group, with nothing in memory but what is not committed."""
    found: list[object] = []
    for start in range(0, len(events), size):
        importer.add(events[start : start + size])
        found.append((importer.receipt, importer.letters, importer.letters_again))
        importer.flush()
        engine.make_room()
    return [*found, importer.wrong]


def known(engine: Known) -> tuple[list[Profile], list[list[Entry]]]:
    """All that is known of anybody, but for the proofs of what they said."""
    kinds: tuple[EntryKind, ...] = ("enrolment", "consent")
    people = [engine.profile_of(each) for each in KEYS]
    entries = [
        [
            replace(x, body=b"") if kind == "consent" else x
            for x in engine.entries.of("main", each, kind)
        ]
        for each in sorted({person.person for person in people})
        for kind in kinds
    ]
    return people, entries


@pytest.mark.parametrize("seed", range(3))
def test_it_is_what_comes(engine: Engine, seed: int) -> None:
    """Two imports, one after the other; nothing of what is foretold is in the folder."""
    begun(engine)
    rng = Random(seed)
    events, size = [one(rng, n) for n in range(40, 400)], rng.randrange(1, 40)
    before = engine.store.last_seq(), engine.store.state_hash(), engine.store.counts()
    with foretelling(engine.settings, engine.store, engine.world.now_ms()) as foretold:
        meant = []
        for part in (events[:200], events[200:]):
            with foretold.importer(group=size) as importer:
                meant.append(told(foretold, importer, part, size))
        what = known(foretold)
        seq = foretold.store.last_seq()
    assert (engine.store.last_seq(), engine.store.state_hash(), engine.store.counts()) == before
    for part, wanted in zip((events[:200], events[200:]), meant, strict=True):
        with engine.importer(group=size) as importer:
            assert told(engine, importer, part, size) == wanted
    assert known(engine) == what
    assert engine.store.last_seq() == seq
    assert importer.letters > 5
    people, entries = what
    assert len({each.person for each in people}) < len(KEYS)  # some of them are one
    assert {each.kind for some in entries for each in some} == {"consent", "enrolment"}


def an_entry(key: str, person: str, status: str = "") -> Entry:
    """Of the ledger."""
    return Entry("enrolment", key, b"\x01", person, "thanks", status)


def test_what_is_committed_above_hides_what_is_below() -> None:
    """Also where it is removed, or somebody else's now; below nothing changes."""
    below = MemoryStore()
    people = [Profile(f"u:{n}") for n in range(3)]
    entries = [an_entry("a", "u:0"), an_entry("b", "u:0"), an_entry("c", "u:1")]
    below.commit(
        Txn(
            profiles={("main", each.person): each for each in people},
            entries={("main", "enrolment", each.key): each for each in entries},
            identities={("main", "a:x"): "u:0"},
            meta={"one": b"1"},
        )
    )
    before = below.state_hash()
    above = Above(below)
    above.commit(
        Txn(
            profiles={("main", "u:0"): None, ("main", "u:1"): Profile("u:1", seq=9)},
            entries={
                ("main", "enrolment", "a"): None,
                ("main", "enrolment", "b"): an_entry("b", "u:1"),
                ("main", "enrolment", "c"): an_entry("c", "u:1", "in"),
            },
            identities={("main", "u:0"): "u:1"},
            meta={"two": b"2"},
        )
    )
    known = above.profiles_among("main", ["u:0", "u:1", "u:2", "u:3"])
    assert known == {"u:1": Profile("u:1", seq=9), "u:2": people[2]}
    assert above.people_of("main", ["a:x", "u:0", "u:2"]) == {"a:x": "u:0", "u:0": "u:1"}
    assert above.entries_of("main", "u:0", "enrolment") == []
    theirs = [an_entry("c", "u:1", "in"), an_entry("b", "u:1")]
    assert above.entries_of("main", "u:1", "enrolment") == theirs
    assert above.entries_of("main", "u:1", "enrolment", limit=1) == theirs[:1]
    assert above.entry("main", "enrolment", "a") is None
    assert above.entries_among("main", "enrolment", ["a", "b", "d"]) == [an_entry("b", "u:1")]
    assert [above.meta(each) for each in ("one", "two", "three")] == [b"1", b"2", None]
    assert below.state_hash() == before
    above.close()
