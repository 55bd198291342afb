"""Retention, proven by moving the clock: what is too old is in no profile, no model and no file."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from germane.app import access, erasing
from germane.app.engine import Engine
from germane.app.opening import open_engine
from germane.app.rebuild import rebuild
from germane.app.retaining import Retained
from germane.domain.event import Event
from germane.domain.months import MS_PER_DAY, month_label, month_of
from germane.domain.moves import Stated, Suppressed
from germane.domain.purposes import SENSITIVE
from germane.domain.record import Txn
from germane.domain.settings import PrivacySpec, Settings, SignalSpec, TraitSpec
from germane.testing import FakeWorld, an_event
from germane.testing.canaries import (
    DAY_MS,
    Lives,
    a_canary_shop,
    canary,
    lived,
    of_whom,
    user,
    words_in,
)
from germane.testing.world import START_MS

PEOPLE = 12
decode_event = msgspec.msgpack.Decoder(Event).decode


def a_shop(**privacy: Any) -> Settings:
    """With a signal of health and a trait of a place."""
    shop = a_canary_shop()
    symptom = SignalSpec(
        "symptom", "Symptom Searched", "properties.product_id", category="health", speakable=False
    )
    place = TraitSpec("place", category="precise_location", speakable=False)
    return replace(
        shop,
        signals=shop.signals | {"symptom": symptom},
        traits=shop.traits | {"place": place},
        privacy=PrivacySpec(**privacy),
    )


def opened(folder: Path, world: FakeWorld, **privacy: Any) -> Engine:
    """On a folder."""
    return open_engine(a_shop(**privacy), folder, world=world)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which some people lived. Not to be changed."""
    folder = tmp_path_factory.mktemp("lives") / "data"
    engine = open_engine(a_shop(), folder, world=FakeWorld(START_MS - 120 * DAY_MS))
    lived(Lives(engine, PEOPLE))
    engine.store.close()
    return folder


@pytest.fixture
def folder(finished: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(finished, tmp_path / "data"))


@pytest.fixture
def later(folder: Path) -> Iterator[Engine]:
    """The engine 25 months later."""
    engine = opened(folder, FakeWorld(START_MS + 25 * 31 * MS_PER_DAY))
    yield engine
    engine.store.close()


def did(engine: Engine) -> list[Event]:
    """Events in the log that tell what somebody did, or said of themselves."""
    events = [decode_event(each.body) for each in engine.store.read(0) if each.kind == "event"]
    return [x for x in events if x.kind != "group" and (x.traits or "product_id" in x.properties)]


def test_month_by_month(tmp_path: Path) -> None:
    """For four years, with an event a day and another one of a short-lived category: after each month's
    housekeeping nothing is anywhere for longer than it may be."""
    world = FakeWorld(START_MS)
    engine = opened(tmp_path, world, retention={"health": 3, "precise_location": 1})
    engine.put_moves([Stated("u:u1", SENSITIVE, True, "test", salt="s")])
    for month in range(48):
        events = []
        for day in range(0, 30, 3):
            at_ms = world.now_ms() + day * MS_PER_DAY
            events.append(an_event(item=f"i{month}", at_ms=at_ms))
            events.append(an_event("Symptom Searched", item=f"s{month}", at_ms=at_ms))
        said = {"place": f"p{month}", "likes": f"c{month}"}
        events.append(Event(f"i{month}", "identify", events[-1].at_ms, user_id="u1", traits=said))
        world.advance(days=30.4375)
        engine.accept_now(events)
        engine.retain()
        _nothing_is_too_old(engine)
        profile = engine.profile_of("u:u1")
        assert {f"i{month}", f"s{month}"} <= set(profile.own_items)
        assert profile.traits.keys() == {"likes", "place"}
        of_symptoms = {each for each in profile.own_items if each.startswith("s")}
        assert of_symptoms == {f"s{each}" for each in range(max(month - 2, 0), month + 1)}
    assert set(engine.store.archive()) == {
        month_label(month_of(world.now_ms()) - age) for age in range(24, 36)
    }
    archived = [x for x in engine.store.read(0, archived=True) if x.body and b"Symptom" in x.body]
    assert all(month_of(world.now_ms()) - month_of(each.at_ms) < 3 for each in archived)
    engine.store.close()


def _nothing_is_too_old(engine: Engine) -> None:
    now = month_of(engine.world.now_ms())
    for event in did(engine):
        limit = 3 if event.name == "Symptom Searched" else 24
        limit = 1 if "place" in event.traits else limit
        assert now - month_of(event.at_ms) < limit, event
    for label in engine.store.archive():
        year, month = map(int, label.split("-"))
        assert 24 <= now - ((year - 1970) * 12 + month - 1) < 36
    profile = engine.profile_of("u:u1")
    for each in profile.recent:
        assert now - month_of(each.at_ms) < (3 if each.signal == "symptom" else 24)
    for name, trait in profile.traits.items():
        assert now - month_of(trait.at_ms) < (1 if name == "place" else 24)
    assert all(now - each.month < 24 for each in profile.months)


def test_what_is_old_is_in_the_archive_and_nowhere_else(later: Engine, folder: Path) -> None:
    """No event, decision or answer of a person is in the log; every word of theirs is in the archive."""
    before = words_in(folder)
    report = later.retain()
    assert report.archived > 150
    assert report.letters == 2 * PEOPLE
    assert {x.kind for x in later.store.read(0)} & {"decision", "impression", "outcome"} == set()
    assert did(later) == []
    told = before - words_in(folder / "archive")
    assert words_in(folder) | told == before
    for profile in later.store.profiles(later.tenant):
        assert (profile.traits, profile.recent, profile.own_items) == ({}, (), {})
    assert later.model.lessons > 0  # the live one has yet to learn anew
    again = later.retain()
    assert (again.archived, again.deleted, again.shortened) == (0, 0, 0)


def test_the_archive_ends_as_well(later: Engine, folder: Path) -> None:
    """After its own time nothing that people did is in any file. It counts from when they retired: what is
    imported late is not deleted at once."""
    later.world.advance(days=24 * 31)  # type: ignore[attr-defined]
    later.retain()
    assert later.store.archive()
    later.world.advance(days=11 * 30)  # type: ignore[attr-defined]
    assert later.retain().expired == 0
    later.world.advance(days=2 * 31)  # type: ignore[attr-defined]
    report = later.retain()
    assert report.expired > 100
    assert later.store.archive() == {}
    assert not list((folder / "archive").rglob("*.parquet"))
    left = words_in(folder)
    for n in range(PEOPLE):
        assert canary(n, "query") not in {each.decode() for each in left}


def test_without_an_archive(folder: Path) -> None:
    """It goes at once."""
    engine = opened(folder, FakeWorld(START_MS + 25 * 31 * MS_PER_DAY), archive_months=0)
    report = engine.retain()
    assert (report.archived, report.deleted > 150) == (0, True)
    assert not (folder / "archive").exists() or not list((folder / "archive").rglob("*.parquet"))
    engine.store.close()


def test_models_forget_it(later: Engine, folder: Path) -> None:
    """The next start learns from the log that is left, not from a snapshot that has seen more."""
    from germane.app.opening import save_snapshot

    save_snapshot(later, folder)
    later.retain()
    assert later.stale
    save_snapshot(later, folder)
    later.store.close()
    again = opened(folder, FakeWorld(START_MS + 25 * 31 * MS_PER_DAY))
    assert again.model.lessons == 0
    assert not again.stale
    later.store, again.store = again.store, later.store


def test_a_shorter_time_reaches_the_archive(later: Engine, folder: Path) -> None:
    """Declared when the data were there already: no copy of them is left."""
    later.retain()
    count = sum(later.store.archive().values())
    later.store.close()
    world = FakeWorld(START_MS + 25 * 31 * MS_PER_DAY)
    engine = opened(folder, world, retention={"behaviour": 18})
    report = engine.retain()
    left = list(engine.store.read(0, archived=True))
    assert report.expired > 100
    assert sum(engine.store.archive().values()) == count - report.expired
    assert not [x for x in left if x.kind in ("decision", "impression", "outcome")]
    assert not any(b"Product Viewed" in x.body for x in left)
    assert engine.retain() == Retained()
    later.store, engine.store = engine.store, later.store


def test_a_damaged_file_holds_up_nothing_else(
    later: Engine, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told, and left; the rest is seen to."""
    while later.seal():
        pass
    file = min((folder / "history" / "events").rglob("*.parquet"))
    file.write_bytes(b"no parquet")
    report = later.retain()
    assert len(report.damaged) == 1
    assert report.archived > 50
    assert "is missing or was changed" in caplog.text


def test_since_when_somebody_is_known_stays(later: Engine) -> None:
    """Also when all is folded anew: whoever came first years ago is not new."""

    def first() -> dict[str, int]:
        return {x.person: x.first_seen_ms for x in later.store.profiles(later.tenant)}

    later.retain()
    before = first()
    rebuild(later)
    assert first() == before


def test_since_when_stays_where_all_of_a_month_has_left(tmp_path: Path) -> None:
    """No file of history was left as it was, and a rebuild knows all the same why it differs."""
    engine = opened(tmp_path / "data", FakeWorld(START_MS))
    ages = (40, 35, 30, 1, 0)
    events = [an_event(at_ms=START_MS - n * 30 * DAY_MS, message_id=f"m{n}") for n in ages]
    engine.accept_now(events)
    while engine.seal():
        pass
    (before,) = engine.store.profiles(engine.tenant)
    report = engine.retain()
    assert report.archived == 3
    again = rebuild(engine)
    (after,) = engine.store.profiles(engine.tenant)
    assert after.first_seen_ms == before.first_seen_ms
    assert "have left the log because of their age" in again.why
    engine.store.close()


def test_who_asks_gets_what_is_archived(later: Engine) -> None:
    """Everything that is stored is everything."""
    events = access.everything(later, user(1))["events"]
    later.retain()
    assert access.everything(later, user(1))["events"] == events


def test_who_is_erased_is_erased_from_the_archive(later: Engine, folder: Path) -> None:
    """And from what was left in the log."""
    later.retain()
    assert 1 in of_whom(words_in(folder))
    erasing.erase_here(later, user(1))
    assert 1 not in of_whom(words_in(folder))
    assert len(of_whom(words_in(folder / "archive"))) == PEOPLE - 1


def test_what_keeps_somebody_from_being_written_to_stays(later: Engine) -> None:
    """Consent, its proof, blocked addresses and who was in which campaign, also when all is folded anew."""

    def standing() -> dict[str, list[Any]]:
        kinds: tuple[Any, ...] = ("consent", "suppression", "enrolment", "consent_head")
        return {kind: later.store.entries(later.tenant, kind) for kind in kinds}

    consent = {x.person: x.consent for x in later.store.profiles(later.tenant)}
    before = standing()
    assert all(before.values())
    later.retain()
    report = rebuild(later)
    assert report.ledger_kept
    assert standing() == before
    assert {x.person: x.consent for x in later.store.profiles(later.tenant)} == consent


def test_a_rebuild_that_is_broken_off_loses_nobody_who_may_not_be_written_to(
    later: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the log cannot tell any more comes with the state that takes the other's place, not after it."""

    def standing() -> tuple[list[Any], dict[str, int]]:
        store, kinds = later.store, ("suppression", "enrolment")
        first = {x.person: x.first_seen_ms for x in store.profiles(later.tenant)}
        return [store.entries(later.tenant, kind) for kind in kinds], first

    whole = later.store.replace_state

    def broken_off(txns: Iterable[Txn]) -> None:
        whole(txns)
        raise KeyboardInterrupt

    later.retain()
    before = standing()
    assert all(before[0])
    monkeypatch.setattr(later.store, "replace_state", broken_off)
    with pytest.raises(KeyboardInterrupt):
        rebuild(later)
    monkeypatch.undo()
    assert standing() == before
    rebuild(later)
    assert standing() == before


def test_the_last_record_stays(tmp_path: Path) -> None:
    """Or its offset would be given twice."""
    world = FakeWorld()
    engine = opened(tmp_path, world)
    engine.accept_now([an_event(), an_event()])
    world.advance(days=40 * 31)
    engine.retain()
    assert [each.seq for each in engine.store.read(0)] == [2]
    engine.accept_now([an_event(at_ms=world.now_ms())])
    assert engine.seq == 3
    engine.store.close()


def test_a_shorter_time_holds_at_once(folder: Path) -> None:
    """It need not be a new month, nor the first time that one is declared."""
    world = FakeWorld(START_MS + 5 * 31 * MS_PER_DAY)
    engine = opened(folder, world, retention={"health": 1})
    assert engine.retain().deleted == 0
    assert engine.profile_of(f"u:{user(1)}").traits
    engine.store.close()
    engine = opened(folder, world, retention={"behaviour": 4, "declared": 4})
    assert engine.retain().deleted > 100
    assert engine.profile_of(f"u:{user(1)}").recent == ()
    engine.store.close()


def test_suppressions_are_no_persons(later: Engine) -> None:
    """Their moves stay, for they have no more than a hash of an address."""
    before = [x for x in later.store.read(0) if x.kind == "move" and b"Suppressed" in x.body]
    assert before
    later.retain()
    after = [x for x in later.store.read(0) if x.kind == "move" and b"Suppressed" in x.body]
    assert after == before
    for each in after:
        assert "@" not in msgspec.msgpack.decode(each.body, type=Suppressed).address
