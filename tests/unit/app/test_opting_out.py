"""Nothing is read, learned or kept of whoever opted out; a no follows the person, and is proven."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from germane.app.consents import KIND, Line, proven, said_by
from germane.app.engine import Engine
from germane.app.entries import Entries
from germane.app.opening import open_engine
from germane.app.rebuild import rebuild
from germane.app.training import collect
from germane.app.willing import Willing
from germane.domain.decision import Ask, Context
from germane.domain.event import Event
from germane.domain.moves import Stated
from germane.domain.outcome import Impression, Outcome
from germane.domain.profile import OwnItem, Trait
from germane.domain.purposes import PERSONALISATION
from germane.domain.record import Txn
from germane.domain.settings import NoticeSpec, PrivacySpec, Settings, TraitSpec
from germane.storage.sqlite import SqliteStore
from germane.storage.sqlite.checksums import connected
from germane.testing import FakeWorld, a_campaign, an_event, an_item
from germane.testing.world import START_MS

ASK = Ask("home")
MAIL = Ask("mail")


def opened(folder: Path, settings: Settings, world: FakeWorld | None = None) -> Engine:
    """With a catalogue. Each signs its decisions with the same key."""
    store = SqliteStore.open(folder)
    store.commit(Txn(meta={"decision_key": bytes(32)}))
    store.close()
    engine = open_engine(settings, folder, world=world or FakeWorld())
    with engine.importer() as importer:
        importer.add_items([an_item(n) for n in range(30)])
    return engine


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A shop with a grid and a choice."""
    made = opened(tmp_path / "data", a_campaign())
    yield made
    made.store.close()


def state(engine: Engine, person: str, granted: bool, **more: Any) -> None:
    """Somebody says yes or no to personalisation."""
    move = Stated(person, PERSONALISATION, granted, "test", salt=f"s{engine.seq}", **more)
    engine.put_moves([move])


def kinds(engine: Engine) -> list[str]:
    """Of the log, the catalogue left out."""
    return [each.kind for each in engine.store.read(0) if each.kind != "item"]


def test_what_they_do_is_neither_kept_nor_learned(engine: Engine) -> None:
    """The call is a success; log, profile and model stay as they were; what was refused is counted."""
    engine.accept_now([an_event(item="i1"), an_event(item="i2")])
    state(engine, "u:u1", granted=False)
    before, model, log = engine.profile_of("u:u1"), engine.model.digest(), kinds(engine)
    receipt = engine.accept_now([an_event(item="i3"), an_event("Order Completed"), an_event("x")])
    assert (receipt.accepted, receipt.duplicates, receipt.rejected) == (3, 0, 0)
    assert engine.profile_of("u:u1") == before
    assert engine.model.digest() == model
    assert kinds(engine) == log
    assert engine.refused == {
        "track Product Viewed": 1,
        "track Order Completed": 1,
        "track x": 1,
    }
    assert rebuild(engine).equal


def test_an_event_that_says_no_is_itself_not_kept(engine: Engine) -> None:
    """Only the no is, and once: a banner's answer comes with every event."""
    context = {"consent": {"categoryPreferences": {}}, "ip": "192.0.2.1"}
    for number in range(3):
        engine.accept_now([replace(an_event(item=f"i{number}"), context=context)])
    assert kinds(engine) == ["event"]
    (record,) = [each for each in engine.store.read(0) if each.kind == "event"]
    kept = msgspec.msgpack.decode(record.body, type=Event)
    assert (kept.name, kept.properties) == ("", {})
    assert "ip" not in kept.context
    assert record.derived == b""
    assert engine.profile_of("u:u1").recent == ()
    assert len(said_by(engine.entries, engine.tenant, "u:u1")) == 6
    assert rebuild(engine).equal


def test_a_no_on_a_device_holds_for_the_person(engine: Engine) -> None:
    """Said by a visitor, it follows who they turn out to be; what both did before is read no more."""
    visitor = {"user_id": "", "anonymous_id": "phone"}
    engine.accept_now([an_event(user="ann", item="i1")])
    engine.accept_now([replace(an_event(item="i2"), **visitor)])
    state(engine, "a:phone", granted=False)
    told = Event("told", "identify", START_MS, user_id="ann", anonymous_id="phone")
    engine.accept_now([replace(told, traits={"likes": "c1"})])
    person = engine.profile_of("a:phone")
    assert person.person == "u:ann"
    assert person.consent == {PERSONALISATION: False}
    assert person.traits == {}
    (made,), trust = engine.decide("ann", "", "", [ASK])
    assert (made.arm, made.person, trust) == ("opted_out", "", 0.0)
    (line,) = said_by(engine.entries, engine.tenant, "u:ann")
    assert line.person == "a:phone"  # as it was said
    assert rebuild(engine).equal


def mutated(engine: Engine) -> None:
    """Something else is known of them: put there past every gate."""
    person = engine.profile_of("u:u1")
    other = replace(
        person,
        evidence=99.0,
        account="acme",
        traits={"likes": Trait("c3", START_MS)},
        own_items={f"i{n}": OwnItem(n) for n in range(9)},
        choices=(),
        seq=person.seq + 1,
    )
    engine.commit(engine._held(Txn(profiles={(engine.tenant, "u:u1"): other})))
    assert engine.profile_of("u:u1").evidence == 99.0


def test_a_decision_for_them_is_that_for_anybody(tmp_path: Path) -> None:
    """Byte for byte, whatever is known of them, and as for somebody of whom nothing is known at all."""
    found = []
    for variant in ("nothing", "much", "other", "nobody"):
        engine = opened(tmp_path / variant, a_campaign(), FakeWorld(seed=5))
        others = [an_event(user=f"o{n}", item=f"i{n % 7}") for n in range(40)]
        others = [replace(x, message_id=f"o{n}") for n, x in enumerate(others)]
        engine.accept_now(others)
        if variant in ("much", "other"):
            learned = engine.model.dump()
            engine.accept_now([an_event(item=f"i{n}") for n in range(20)])
            engine.model.load(learned)
        state(engine, "u:u1", granted=False)
        if variant == "other":
            mutated(engine)
        engine.world = FakeWorld(seed=9)
        who = ("", "") if variant == "nobody" else ("u1", "")
        asks = [ASK, MAIL, Ask("home", 3, context=Context(extra={"device": "phone"}))]
        made = [engine.decide(*who, "acme", asks)[0] for _ in range(20)]
        found.append([msgspec.json.encode(x) for each in made for x in each])
        assert {x.arm for each in made for x in each} == {"opted_out"}
        engine.store.close()
    assert found[0] == found[1] == found[2] == found[3]


def test_what_was_decided_before_teaches_nothing_after(engine: Engine) -> None:
    """An impression and an outcome of a page that was open: they are no error, and leave no trace."""

    async def run() -> None:
        await engine.start()
        (made, mail), _ = engine.decide("u1", "", "", [ASK, MAIL])
        await engine.move([Stated("u:u1", PERSONALISATION, False, "test")])
        model, log, before = engine.model.digest(), engine.seq, engine.profile_of("u:u1")
        seen = Impression("i1", made.decision_id, (0, 1), START_MS)
        bought = Outcome("o1", made.decision_id, made.items[0].item_id, "purchase", None, START_MS)
        of_mail = Outcome("o2", mail.decision_id, "", "purchase", None, START_MS)
        await engine.impressions([seen])
        receipt = await engine.outcomes([bought, of_mail])
        assert set(receipt.verdicts) == {"untaught"}
        assert (engine.model.digest(), engine.seq) == (model, log)
        assert engine.profile_of("u:u1") == before
        await engine.stop()

    engine.accept_now([an_event(item="i1")])
    asyncio.run(run())
    assert rebuild(engine).equal


@pytest.mark.parametrize("fresh", [True, False])
def test_who_comes_back_begins_as_they_choose(engine: Engine, fresh: bool) -> None:
    """With what was known, or anew."""
    engine.accept_now([an_event(item="i1")])
    state(engine, "u:u1", granted=False)
    state(engine, "u:u1", granted=True, at_ms=START_MS + 1, fresh=fresh)
    assert engine.profile_of("u:u1").consent == {PERSONALISATION: False}  # it was no later
    engine.world.advance(seconds=1)  # type: ignore[attr-defined]
    state(engine, "u:u1", granted=True, fresh=fresh)
    assert engine.profile_of("u:u1").evidence == (0.0 if fresh else 1.0)
    engine.accept_now([an_event(item="i2")])
    assert engine.profile_of("u:u1").evidence == (1.0 if fresh else 2.0)
    assert rebuild(engine).equal


def test_where_nothing_is_kept_an_opt_out_empties_the_profile(tmp_path: Path) -> None:
    """How they are reached stays."""
    spec = PrivacySpec(keep_profile=False)
    engine = opened(tmp_path, replace(a_campaign(), privacy=spec))
    traits = {"email": "ann@example.org", "likes": "c1"}
    engine.accept_now(
        [an_event(), Event("told", "identify", START_MS, user_id="u1", traits=traits)]
    )
    state(engine, "u:u1", granted=False)
    person = engine.profile_of("u:u1")
    assert (person.evidence, person.own_items, set(person.traits)) == (0.0, {}, {"email"})
    assert rebuild(engine).equal
    engine.store.close()


def test_where_yes_comes_first_nothing_happens_before_it(tmp_path: Path) -> None:
    """Of whoever said nothing: no profile, no record, no lesson, no link, and a default."""
    spec = PrivacySpec(jurisdiction="gdpr")
    engine = opened(tmp_path, replace(a_campaign(), privacy=spec))
    model, log = engine.model.digest(), kinds(engine)
    page = Event("page", "page", START_MS, anonymous_id="x", context={"ip": "192.0.2.1"})
    engine.accept_now([an_event(), page])
    assert (engine.model.digest(), kinds(engine)) == (model, log)
    assert engine.store.counts()["profiles"] == 0
    (made,), _ = engine.decide("u1", "", "", [ASK])
    assert (made.arm, made.person) == ("opted_out", "")
    state(engine, "u:u1", granted=True)
    engine.accept_now([an_event(item="i4")])
    (made,), trust = engine.decide("u1", "", "", [ASK])
    assert made.arm == "personalised"
    assert trust > 0
    assert rebuild(engine).equal
    engine.store.close()


def test_training_leaves_out_who_opted_out(engine: Engine) -> None:
    """As if their rows were not there; merged ones as well."""
    for user in ("u1", "u2"):
        for number in range(60):
            engine.accept_now([an_event(user=user, item=f"i{(number * 7) % 29}")])
    visitor = {"user_id": "", "anonymous_id": "phone"}
    engine.accept_now([replace(an_event(item=f"i{n}"), **visitor) for n in range(30)])
    engine.accept_now([Event("told", "identify", START_MS, user_id="u2", anonymous_id="phone")])
    everything = len(collect(engine.store, engine.settings).lessons(""))
    state(engine, "u:u2", granted=False)
    may_teach = Willing(engine.store, engine.settings)
    taught = {each.person for each in engine.store.read(0) if each.derived and may_teach(each)}
    assert taught == {"u:u1"}
    found = collect(engine.store, engine.settings)
    mine = [each for each in engine.store.read(0) if each.derived and each.person == "u:u1"]
    assert 0 < len(found.lessons("")) < everything
    assert len(mine) >= len(found.lessons(""))


def test_the_ledger_proves_what_was_said_and_shows_every_edit(engine: Engine) -> None:
    """Each line, its notice, and that nothing was changed since."""
    state(engine, "u:u1", granted=False, source="/settings")
    state(engine, "u:u2", granted=True, notice="3", notice_name="banner", text_sha256="ab" * 32)
    engine.accept_now([replace(an_event(user="u3"), context={"gpc": True})])
    proof = proven(engine.entries, engine.tenant)
    assert (proof.lines, proof.broken) == (4, "")
    (line,) = said_by(engine.entries, engine.tenant, "u:u2")
    assert (line.notice, line.version, line.text_sha256) == ("banner", "3", "ab" * 32)
    (entry,) = engine.entries.of(engine.tenant, "u:u2", KIND)
    kept = msgspec.msgpack.decode(entry.body, type=Line)
    assert kept.body is not None
    forged = msgspec.structs.replace(kept, body=kept.body.replace(b"granted", b"refused"))
    body = msgspec.msgpack.encode(forged)
    engine.commit(Txn(entries={(engine.tenant, KIND, entry.key): replace(entry, body=body)}))
    assert proven(engine.entries, engine.tenant).broken == entry.key
    engine.commit(Txn(entries={(engine.tenant, KIND, entry.key): None}))
    assert proven(engine.entries, engine.tenant).broken > entry.key


def test_who_sent_an_event_cannot_find_out_what_a_line_was(engine: Engine) -> None:
    """Its salt is none that the sender knows; a rebuild finds the same."""
    event = replace(an_event(user="u3"), message_id="theirs", context={"gpc": True})
    engine.accept_now([event])
    lines = engine.entries.of(engine.tenant, "u:u3", KIND)
    salts = [msgspec.msgpack.decode(each.body, type=Line).salt for each in lines]
    assert salts
    assert not any("theirs" in each for each in salts)
    assert rebuild(engine).equal
    assert engine.store.entries_of(engine.tenant, "u:u3", KIND) == lines


def test_the_notice_that_is_declared_is_the_text_that_was_seen(tmp_path: Path) -> None:
    """Of the version that is named; of another one the text is not known."""
    notices = {"banner": NoticeSpec("banner", "2", "cd" * 32)}
    engine = opened(tmp_path, replace(a_campaign(), privacy=PrivacySpec(notices=notices)))
    state(engine, "u:u1", granted=True, notice="2", notice_name="banner")
    state(engine, "u:u1", granted=True, notice="1", notice_name="banner")
    first, second = reversed(said_by(engine.entries, engine.tenant, "u:u1"))
    assert (first.text_sha256, second.text_sha256) == ("cd" * 32, "")
    engine.store.close()


def test_a_browser_that_says_no_is_heard_with_its_question(engine: Engine) -> None:
    """Of somebody who is known it is written down, once; nobody becomes known by it."""
    engine.accept_now([an_event()])
    engine.signalled(engine.whose("u1"))
    engine.signalled(engine.whose("u1"))
    engine.signalled(engine.whose("stranger"))
    found = said_by(engine.entries, engine.tenant, "u:u1")
    assert {(x.purpose, x.method) for x in found} == {
        ("cross_site_tracking", "gpc"),
        ("cross_channel_advertising", "gpc"),
    }
    assert len(found) == 2
    assert engine.person_key("stranger") is None
    state(engine, "u:u1", granted=True)
    engine.put_moves([Stated("u:u1", "cross_site_tracking", True, "import", at_ms=START_MS - 1)])
    assert engine.profile_of("u:u1").consent["cross_site_tracking"] is False
    assert rebuild(engine).equal


VISITOR = {"user_id": "", "anonymous_id": "phone"}


def link(kind: str = "identify") -> Event:
    """The visitor turns out to be Ann."""
    more = {"previous_id" if kind == "alias" else "anonymous_id": "phone"}
    return Event("link", kind, START_MS, user_id="ann", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["identify", "alias"])
def test_nobody_says_yes_for_another_by_being_linked(engine: Engine, kind: str) -> None:
    """A page can link any ids: a visitor's yes does not become Ann's; their no does."""
    engine.accept_now([an_event(user="ann")])
    engine.put_moves([Stated("a:phone", "email_marketing", True, "test", salt="s")])
    engine.accept_now([link(kind)])
    person = engine.profile_of("a:phone")
    assert person.person == "u:ann"
    assert "email_marketing" not in person.consent
    assert rebuild(engine).equal


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("on_device", [True, False])
def test_a_history_is_not_taken_by_whoever_opted_out(
    tmp_path: Path, keep: bool, on_device: bool
) -> None:
    """Whichever of the two said no; and where nothing is kept, nothing of the other is, either."""
    engine = opened(tmp_path, replace(a_campaign(), privacy=PrivacySpec(keep_profile=keep)))
    engine.accept_now([an_event(user="ann", item="i1")])
    engine.accept_now([replace(an_event(item="i2"), **VISITOR)])
    state(engine, "a:phone" if on_device else "u:ann", granted=False)
    engine.accept_now([link()])
    person = engine.profile_of("u:ann")
    assert person.consent == {PERSONALISATION: False}
    assert set(person.own_items) == ({"i1"} if keep else set())
    assert rebuild(engine).equal
    engine.store.close()


def test_sensitive_data_go_with_the_yes_to_them(tmp_path: Path) -> None:
    """At once, and nothing reads them meanwhile; where a yes ends by itself, too."""
    traits = {"illness": TraitSpec("illness", category="health", speakable=False)}
    engine = opened(tmp_path, replace(a_campaign(), traits=a_campaign().traits | traits))
    told = Event("told", "identify", START_MS, user_id="u1", traits={"illness": "x", "likes": "c1"})
    until_ms = START_MS + 60_000
    yes = Stated("u:u1", "sensitive_data", True, "test", salt="s", until_ms=until_ms)
    engine.put_moves([yes])
    engine.accept_now([told])
    assert set(engine.profile_of("u:u1").traits) == {"illness", "likes"}
    engine.world.advance(seconds=61)  # type: ignore[attr-defined]
    assert set(engine.readable(engine.profile_of("u:u1")).traits) == {"likes"}
    engine.accept_now([an_event()])
    assert set(engine.profile_of("u:u1").traits) == {"likes"}
    engine.put_moves([yes, replace(yes, until_ms=0)])
    engine.accept_now([replace(told, message_id="again")])
    assert set(engine.profile_of("u:u1").traits) == {"illness", "likes"}
    engine.put_moves([Stated("u:u1", "sensitive_data", False, "test", salt="s")])
    assert set(engine.profile_of("u:u1").traits) == {"likes"}
    assert rebuild(engine).equal
    engine.store.close()


def test_a_late_address_overwrites_no_newer_one(engine: Engine) -> None:
    """Also of somebody of whom nothing else is kept."""
    state(engine, "u:u1", granted=False)
    for name, at_ms in (("new", START_MS), ("older", START_MS - 4_000)):
        told = {"email": f"{name}@example.org"}
        engine.accept_now([Event(f"t-{name}", "identify", at_ms, user_id="u1", traits=told)])
    assert engine.profile_of("u:u1").traits["email"].value == "new@example.org"


def test_a_no_by_a_fast_clock_does_not_outlast_a_yes(engine: Engine) -> None:
    """It is heard now, whatever its own time."""
    said = {"consent": {"categoryPreferences": {}}}
    engine.accept_now([replace(an_event(at_ms=START_MS + 299_000), context=said)])
    engine.world.advance(seconds=60)  # type: ignore[attr-defined]
    state(engine, "u:u1", granted=True)
    assert engine.profile_of("u:u1").consent[PERSONALISATION] is True


def test_a_thousand_refusals_at_once_are_in_their_order(engine: Engine) -> None:
    """The ledger holds, however many lines one event brings; and it brings no more than there is room for."""
    said = {f"p{n}": False for n in range(1_500)}
    context = {"consent": {"categoryPreferences": said}}
    engine.accept_now([replace(an_event(), context=context)])
    proof = proven(engine.entries, engine.tenant)
    assert (proof.lines, proof.broken) == (70, "")


def test_what_cannot_be_folded_is_kept_without_what_may_not_be(engine: Engine) -> None:
    """In the dead letters as elsewhere; of whoever opted out there is none."""
    order = {"order_id": "unknown"}
    refund = an_event("Order Refunded", properties=order)
    refund = replace(refund, context={"traits": {"likes": "c1"}, "ip": "192.0.2.1"})
    engine.accept_now([refund])
    (letter,) = engine.letters()
    assert b"likes" in letter.body
    state(engine, "u:u1", granted=False)
    engine.accept_now([replace(refund, message_id="again")])
    assert len(engine.letters()) == 1


def test_what_was_refused_is_counted_under_so_many_names(engine: Engine) -> None:
    """Clients choose them."""
    state(engine, "u:u1", granted=False)
    engine.accept_now([an_event("x" * 300 if n == 0 else f"name {n}") for n in range(250)])
    assert len(engine.refused) <= 201
    assert engine.refused.total() == 250
    assert max(map(len, engine.refused)) <= 64


def test_a_line_that_is_taken_out_of_the_log_is_told_by_a_rebuild(tmp_path: Path) -> None:
    """The chain is made anew from what is left: only an earlier digest tells."""
    engine = opened(tmp_path, a_campaign())
    for person in ("u:u1", "u:u2"):
        state(engine, person, granted=False)
    noted = proven(engine.entries, engine.tenant)
    state(engine, "u:u3", granted=False)
    assert proven(engine.entries, engine.tenant, noted.digest).passed
    assert rebuild(engine).ledger_kept
    last = engine.seq
    engine.store.close()
    with closing(connected(tmp_path / "germane.db")) as database:
        database.execute("DELETE FROM log WHERE seq = ?", (last - 2,))
    engine = open_engine(a_campaign(), tmp_path, world=FakeWorld())
    report = rebuild(engine)
    assert not report.ledger_kept
    assert not report.equal
    found = proven(Entries(engine.store), engine.tenant, noted.digest)
    assert (found.lines, found.broken, found.passed) == (2, "", False)
    engine.store.close()


def test_an_event_that_cannot_be_asked_about_stops_nobody(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug before the gate has answered: a dead letter without any data, and the others are folded."""
    asked = engine._steps._whose

    def broken(event: Event, at: Any) -> Any:
        if event.user_id == "bad":
            raise RuntimeError
        return asked(event, at)

    monkeypatch.setattr(type(engine._steps), "_whose", lambda _, event, at: broken(event, at))
    events = [an_event(user="u1"), an_event(user="bad", properties={"x": "canary"}), an_event()]
    receipt = engine.accept_now(events)
    assert (receipt.accepted, receipt.rejected) == (2, 1)
    (letter,) = engine.letters()
    assert b"bad" in letter.body
    assert b"canary" not in letter.body
