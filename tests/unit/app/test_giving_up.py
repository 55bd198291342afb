"""History that is damaged and has no backup: it can be given up, and what that loses is told."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from germane.app import erasing
from germane.app.consents import proven
from germane.app.engine import Engine
from germane.app.giving_up import give_up, losses
from germane.app.opening import open_engine, save_snapshot
from germane.app.rebuild import rebuild
from germane.domain.event import Event
from germane.domain.key import ApiKey
from germane.domain.message import Why
from germane.domain.moves import KeyPut, Stated, Switched
from germane.domain.purposes import EMAIL_MARKETING
from germane.storage.backup import make
from germane.storage.history import HistoryDamaged, set_aside
from germane.storage.sqlite import SqliteStore
from germane.testing import FakeWorld, an_event
from germane.testing.canaries import DAY_MS, Lives, a_canary_shop, lived, user
from germane.testing.world import START_MS

TENANT = "main"
PEOPLE = 6
LATE_MS = 2**50
SHOP = a_canary_shop()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with whole lives, all of it sealed in several files. Not to be changed."""
    folder = tmp_path_factory.mktemp("lives") / "data"
    engine = open_engine(SHOP, folder, world=FakeWorld(START_MS - 120 * DAY_MS))
    lived(Lives(engine, PEOPLE))
    while engine.store.seal(LATE_MS, limit=70):
        pass
    save_snapshot(engine, folder)
    engine.store.close()
    return folder


@pytest.fixture
def data(finished: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(finished, tmp_path / "data"))


def opened(folder: Path) -> Engine:
    """With the clock at the end of all lives."""
    return open_engine(SHOP, folder, world=FakeWorld())


def sealed(folder: Path) -> list[Path]:
    """Files of history."""
    return sorted((folder / "history").rglob("*.parquet"))


def spoil(path: Path) -> None:
    """A byte of it is another one."""
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 0xFF
    path.write_bytes(whole)


def kept(engine: Engine) -> dict[str, Any]:
    """What must be as before, whatever was given up."""
    store, people = engine.store, {f"u:{user(n)}" for n in range(PEOPLE)}
    profiles = store.profiles_among(TENANT, sorted(people))
    return {
        "who is who": store.externals_of(TENANT, people),
        "items": list(store.items(TENANT)),
        "said": {each: profiles[each].consent for each in profiles},
        "since": {each: profiles[each].first_seen_ms for each in profiles},
        "contents": set(engine.library.contents),
        "campaigns": {each.name: each.status for each in engine.library.campaigns.values()},
        "operators": engine.moving.approvals.operators(TENANT)[0].roles,
    }


def test_each_file_alone_and_all_of_them(data: Path) -> None:
    """One after the other is given up: every time, the state is what a rebuild finds, and what nobody must lose
    is as it was."""
    engine = opened(data)
    before = kept(engine)
    engine.store.close()
    number = 0
    while files := sealed(data):
        number += 1
        file = files[0]
        spoil(file)
        (gone,) = give_up(SHOP, data, FakeWorld())
        assert file.as_posix().endswith(gone.name)
        assert len(set_aside(data)) == number
        engine = opened(data)
        try:
            assert engine.store.damaged() == []
            assert [each.file for each in losses(engine.store)][-1] == f"history/{gone.name}"
            assert kept(engine) == before
            assert rebuild(engine).equal
            assert not proven(engine.entries, TENANT).broken
        finally:
            engine.store.close()
    assert number >= 5
    engine = opened(data)
    assert [each["name"] for each in engine.moving.switches(TENANT)] == [
        ""
    ]  # nothing goes out for now
    engine.store.close()


def test_nothing_goes_on_until_it_is_given_up(data: Path) -> None:
    """Neither an erasure nor a backup; afterwards both. An erasure deletes what lies aside."""
    spoil(sealed(data)[0])
    backups = data.parent / "backups"
    engine = opened(data)
    with pytest.raises(HistoryDamaged) as refused:
        erasing.erase_here(engine, user(1))
    assert "germane retention --give-up-damaged" in refused.value.hint
    engine.store.close()
    with pytest.raises(HistoryDamaged) as refused:
        make(data, backups, version="1", now_ms=lambda: START_MS)
    assert "germane retention --give-up-damaged" in refused.value.hint
    give_up(SHOP, data, FakeWorld())
    make(data, backups, version="1", now_ms=lambda: START_MS)
    engine = opened(data)
    assert len(set_aside(data)) == 1
    (receipt,) = erasing.erase_here(engine, user(1))
    engine.store.close()
    assert receipt["removed"]["damagedFiles"] == 1
    assert set_aside(data) == []


@pytest.mark.parametrize("where", ["SqliteStore.set_aside", "open_engine"])
def test_killed_on_the_way(data: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """Before anything was recorded, the file is still damaged, and lies aside; after it, the next start
    does the rest."""
    spoil(sealed(data)[0])

    def killed(store: Any, *more: Any, **named: Any) -> None:
        if isinstance(store, SqliteStore):
            (piece,) = more[0]
            store._past._of["sealed"].put_aside(store._past._part(piece)[1])
        raise KeyboardInterrupt

    monkeypatch.setattr(f"germane.app.giving_up.{where}", killed)
    with pytest.raises(KeyboardInterrupt):
        give_up(SHOP, data, FakeWorld())
    monkeypatch.undo()
    if where != "open_engine":
        store = SqliteStore.open(data)
        assert len(store.damaged()) == 1
        store.close()
        assert len(give_up(SHOP, data, FakeWorld())) == 1
    assert len(set_aside(data)) == 1
    engine = opened(data)
    assert len(losses(engine.store)) == 1
    assert rebuild(engine).equal
    engine.store.close()


def test_a_start_without_a_snapshot(data: Path) -> None:
    """It has to read all of the log: it says so, and giving up needs no start."""
    for each in (data / "models").rglob("manifest.json"):
        each.unlink()
    sealed(data)[0].unlink()
    with pytest.raises(HistoryDamaged):
        opened(data)
    assert len(give_up(SHOP, data, FakeWorld())) == 1
    assert set_aside(data) == []
    opened(data).store.close()


def test_what_is_lost_can_be_sent_again(data: Path) -> None:
    """Its message ids are forgotten; those of what is left are not."""
    (events,) = [x for x in sealed(data) if "events" in x.parts][:1]
    engine = opened(data)
    name = events.relative_to(data / "history").as_posix()
    lost = [x for x in engine.store.piece(name) if x.kind == "event"]
    engine.store.close()
    spoil(events)
    give_up(SHOP, data, FakeWorld())
    engine = opened(data)
    left = [x.message_id for x in engine.store.read(0) if x.kind == "event"]
    assert engine.store.seen(TENANT, [x.message_id for x in lost]) == set()
    assert engine.store.seen(TENANT, left) == set(left)
    engine.store.close()


def test_a_no_and_a_key_hold(tmp_path: Path) -> None:
    """A no in lost history goes on standing, and so does a yes; a key that was revoked opens nothing."""
    folder, world = tmp_path / "data", FakeWorld(START_MS - 200 * DAY_MS)
    engine = open_engine(SHOP, folder, world=world)
    why = Why(world.now_ms(), "test", "Because.")
    engine.accept_now([an_event(user="ann"), an_event(user="bob")])
    engine.put_moves(
        [
            Stated("u:ann", EMAIL_MARKETING, granted=True, method="form", salt="1"),
            Stated("u:ann", EMAIL_MARKETING, granted=False, method="form", source="page", salt="2"),
            Stated("u:bob", EMAIL_MARKETING, granted=True, method="form", salt="3"),
            KeyPut(ApiKey("k1", "server", "d1"), "test"),
            KeyPut(ApiKey("k1", "server", "d1", revoked_ms=5), "test"),
            Switched("channel", "email", on=True, why=why),
        ]
    )
    world.advance(days=200)
    engine.accept_now([an_event(user="cid", at_ms=world.now_ms())])
    assert engine.seal() > 0
    engine.store.close()
    for each in sealed(folder):
        spoil(each)
    assert give_up(SHOP, folder, world)
    engine = open_engine(SHOP, folder, world=world)
    people = engine.store.profiles_among(TENANT, ["u:ann", "u:bob"])
    assert {x: people[x].consent[EMAIL_MARKETING] for x in people} == {
        "u:ann": False,
        "u:bob": True,
    }
    assert engine.moving.security.ring(TENANT).keys["d1"].revoked_ms == 5
    assert [x["scope"] for x in engine.moving.switches(TENANT)] == ["channel"]
    assert rebuild(engine).equal
    engine.store.close()


def test_a_device_that_changed_hands(tmp_path: Path) -> None:
    """It is whose it was last, though only the lost file says so."""
    folder, world = tmp_path / "data", FakeWorld()
    engine = open_engine(SHOP, folder, world=world)
    for who in ("ann", "bob"):
        engine.accept_now([Event(who, "identify", world.now_ms(), user_id=who, anonymous_id="dev")])
        assert engine.store.seal(LATE_MS) == 1
    engine.store.close()
    spoil(sealed(folder)[-1])
    give_up(SHOP, folder, world)
    engine = open_engine(SHOP, folder, world=world)
    assert engine.store.person_of(TENANT, "a:dev") == "u:bob"
    assert rebuild(engine).equal
    engine.store.close()


def test_whoever_is_to_be_erased_does_not_come_back(tmp_path: Path) -> None:
    """A list of erasures that was not obeyed yet: nothing of them is recorded again."""
    folder, world = tmp_path / "data", FakeWorld(START_MS - 200 * DAY_MS)
    engine = open_engine(SHOP, folder, world=world)
    engine.accept_now([Event("m1", "identify", world.now_ms(), user_id="ann", anonymous_id="dev")])
    engine.put_moves([Stated("u:ann", EMAIL_MARKETING, granted=False, method="form", salt="1")])
    world.advance(days=200)
    engine.accept_now([an_event(user="cid", at_ms=world.now_ms())])
    assert engine.seal() > 0
    engine.store.close()
    other = tmp_path / "other"
    opened_there = _copied(folder, other, world)
    erasing.erase_here(opened_there, "ann")
    opened_there.store.close()
    (folder / erasing.LIST).write_bytes((other / erasing.LIST).read_bytes())
    for each in sealed(folder):
        spoil(each)
    give_up(SHOP, folder, world)
    engine = open_engine(SHOP, folder, world=world)
    assert engine.store.profiles_among(TENANT, ["u:ann"]) == {}
    assert not [x for x in engine.store.read(0) if x.person == "u:ann"]
    engine.store.close()


def _copied(folder: Path, other: Path, world: FakeWorld) -> Engine:
    shutil.copytree(folder, other)
    return open_engine(SHOP, other, world=world)
