"""A backup that is put back: as it was, as it was at a moment, and without whoever was erased since."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from germane.app import erasing
from germane.app.consents import proven
from germane.app.engine import Engine
from germane.app.ledgers import message_counts
from germane.app.moving import address_key
from germane.app.opening import open_engine, save_snapshot
from germane.app.rebuild import rebuild
from germane.app.restoring import Restored, Wanted, restore
from germane.domain.errors import StorageBusy
from germane.domain.event import Rejection
from germane.domain.key import ApiKey
from germane.domain.message import Why
from germane.domain.moves import Appointed, KeyPut, Stated, Suppressed, Switched
from germane.domain.operator import Operator
from germane.domain.purposes import EMAIL_MARKETING
from germane.storage import placing
from germane.storage.backup import BackupDamaged, Made, make
from germane.storage.files import NoRoom
from germane.storage.placing import WORK, RestoreBroken, WouldReplace
from germane.storage.sqlite import SqliteStore
from germane.testing import FakeWorld, an_event
from germane.testing.canaries import (
    DAY_MS,
    Lives,
    a_canary_shop,
    lived,
    of_whom,
    user,
    words_in,
)
from germane.testing.world import START_MS
from tests.unit.storage.test_trouble import largest_file

PEOPLE = 10
MOMENTS = 5
SHOP = a_canary_shop()
_clock = count(START_MS, 1_000)


class Moment(NamedTuple):
    """How a store stood at the end of a millisecond."""

    at_ms: int
    offset: int
    state: str


class Watching(FakeWorld):
    """Before time passes, it is written down how everything stands."""

    moments: list[Moment]
    look: Callable[[], tuple[int, str] | None]

    def advance(self, *, days: float = 0, seconds: float = 0) -> None:
        """Look, then go on."""
        found = self.look() if days or seconds else None
        if found is not None:
            self.moments.append(Moment(self.now_ms(), *found))
        super().advance(days=days, seconds=seconds)


def standing_of(engine: Engine) -> tuple[int, str] | None:
    """Offset and state, where all of it is durable."""
    store = engine.store
    return (store.last_seq(), store.state_hash()) if store.last_seq() == engine.seq else None


def opened(folder: Path) -> Engine:
    """With the clock at the end of all lives."""
    return open_engine(SHOP, folder, world=FakeWorld())


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Moment]]:
    """A data folder with whole lives, a part sealed, and how it stood in between. Not to be changed."""
    folder = tmp_path_factory.mktemp("lives") / "data"
    world = Watching(START_MS - 120 * DAY_MS)
    engine = open_engine(SHOP, folder, world=world)
    world.moments = []
    world.look = lambda: standing_of(engine)
    lived(Lives(engine, PEOPLE))
    assert engine.seal() > 0
    save_snapshot(engine, folder)
    engine.store.close()
    assert len(world.moments) >= MOMENTS
    return folder, world.moments


@pytest.fixture
def data(finished: tuple[Path, list[Moment]], tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(finished[0], tmp_path / "data"))


@pytest.fixture
def moments(finished: tuple[Path, list[Moment]]) -> list[Moment]:
    """How it stood."""
    return finished[1]


def backed_up(data: Path) -> Made:
    """A backup beside it."""
    return make(data, data.parent / "backups", version="1", now_ms=lambda: next(_clock))


def put_back(made: Made, folder: Path, **more: Any) -> Restored:
    """Restore it there."""
    return restore(SHOP, Wanted(made.path, made.manifest, folder, **more), FakeWorld())


def standing(folder: Path) -> tuple[int, str]:
    """Offset and state."""
    store = SqliteStore.open(folder, mode="read")
    found = store.last_seq(), store.state_hash()
    store.close()
    return found


def test_the_state_is_the_same(data: Path, tmp_path: Path) -> None:
    """To the byte, and a rebuild of it, too; every word of everybody is there."""
    made = backed_up(data)
    done = put_back(made, tmp_path / "other")
    assert (done.offset, done.state_hash) == standing(data)
    assert (done.dropped, done.erasures, done.refused) == (0, 0, 0)
    assert words_in(tmp_path / "other") == words_in(data)
    engine = opened(tmp_path / "other")
    assert rebuild(engine).equal
    engine.store.close()
    assert not (tmp_path / "other" / WORK).exists()


def test_nothing_goes_out_before_somebody_looked(data: Path, tmp_path: Path) -> None:
    """What was sent since may be waiting again; so sending is stopped, once, with the reason."""
    done = put_back(backed_up(data), tmp_path / "other")
    assert done.held is True
    engine = opened(tmp_path / "other")
    assert engine.seq == done.offset + 1
    (switch,) = engine.moving.switches(engine.tenant)
    assert switch["scope"] == "all"
    assert switch["reason"].startswith("Restored as of 2025-11-24T")
    engine.store.close()
    again = put_back(backed_up(tmp_path / "other"), tmp_path / "third")
    assert again.held is False  # it is stopped already
    assert again.offset == done.offset + 1


def test_without_messages_nothing_is_stopped(tmp_path: Path) -> None:
    """A shop that writes to nobody goes on as it was."""
    engine = opened(tmp_path / "data")
    engine.accept_now([an_event(user="ann", item="i1", at_ms=START_MS)])
    engine.store.close()
    done = put_back(backed_up(tmp_path / "data"), tmp_path / "other")
    assert done.held is False
    assert (
        standing(tmp_path / "other")
        == (done.offset, done.state_hash)
        == standing(tmp_path / "data")
    )


# -- a moment ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(MOMENTS))
def test_as_it_was_at_a_moment(
    data: Path, moments: list[Moment], number: int, tmp_path: Path
) -> None:
    """The state is the live one of that moment: what came later is in no table and no file."""
    then = moments[number]
    done = put_back(backed_up(data), tmp_path / "other", until_ms=then.at_ms)
    assert (done.offset, done.state_hash) == (then.offset, then.state)
    store = SqliteStore.open(tmp_path / "other", mode="read")
    assert (
        max(x.received_ms for x in store.read(0, archived=True) if x.seq <= then.offset)
        <= then.at_ms
    )
    assert done.dropped == standing(data)[0] - then.offset > 0
    assert {x.received_ms <= then.at_ms for x in store.letters(pending_only=False)} <= {True}
    store.close()
    engine = opened(tmp_path / "other")
    assert rebuild(engine).equal
    assert engine.model.seq <= engine.store.last_seq()
    engine.store.close()


def test_offsets_and_ids_are_free_again(data: Path, moments: list[Moment], tmp_path: Path) -> None:
    """What was left out can be sent again, and is taken as new."""
    engine = opened(data)
    event = an_event(user="new", item="i3", at_ms=START_MS)
    assert [engine.accept_now([event]).accepted for _ in range(2)] == [1, 0]
    engine.store.close()
    put_back(backed_up(data), tmp_path / "other", until_ms=moments[4].at_ms)
    engine = opened(tmp_path / "other")
    assert engine.profile("new") is None
    before = engine.seq
    engine.accept_now([event])
    assert (engine.accept_now([event]).accepted, engine.seq) == (0, before + 1)
    assert engine.profile("new") is not None
    engine.store.close()


def test_a_clock_that_was_ahead_for_a_while(tmp_path: Path) -> None:
    """Nothing that came until the moment is lost for one record that says it came later."""
    world = FakeWorld(START_MS - 9 * DAY_MS)
    engine = open_engine(SHOP, tmp_path / "data", world=world)
    for number, days in enumerate((0.0, 1.5, -1.4, 0.1, 2.0, 0.1)):
        world.advance(days=days)
        engine.accept_now([an_event(user=f"u{number}", item="i1", at_ms=world.now_ms())])
    engine.store.close()
    done = put_back(
        backed_up(tmp_path / "data"), tmp_path / "other", until_ms=START_MS - 8 * DAY_MS
    )
    assert (done.offset, done.dropped) == (4, 2)
    engine = opened(tmp_path / "other")
    known = [number for number in range(6) if engine.profile(f"u{number}") is not None]
    assert known == [0, 1, 2, 3]
    assert engine.accept_now([an_event(user="u0", item="i2", at_ms=START_MS)]).accepted == 1
    assert rebuild(engine).equal
    engine.store.close()


def test_a_letter_that_was_settled_later_waits_again(tmp_path: Path) -> None:
    """And one that came later is none."""
    world = FakeWorld(START_MS - DAY_MS)
    engine = open_engine(SHOP, tmp_path / "data", world=world)
    engine.accept_now([an_event(user="ann", item="i1", at_ms=world.now_ms())])
    engine.commit(engine.letters_of([Rejection("event.invalid", "No.", b"{}")], "api"))
    world.advance(seconds=60)
    engine.dismiss_letter(1)
    engine.commit(engine.letters_of([Rejection("event.invalid", "No.", b"{}")], "api"))
    engine.store.close()
    put_back(backed_up(tmp_path / "data"), tmp_path / "other", until_ms=START_MS - DAY_MS + 1_000)
    store = SqliteStore.open(tmp_path / "other", mode="read")
    assert [each.letter_id for each in store.letters()] == [1]
    store.close()


def test_a_no_of_later_holds(data: Path, moments: list[Moment], tmp_path: Path) -> None:
    """Who refused after the moment is not written to because of a restore; a no that was taken back is not
    said again, but for one that is only in abeyance; nor is an address that was closed open."""
    key = address_key("email", "closed@example.org")
    engine = opened(data)
    people = [f"u:{user(n)}" for n in range(3)]
    engine.put_moves(
        [
            Stated(people[0], EMAIL_MARKETING, granted=False, method="link", salt="a"),
            Stated(people[1], EMAIL_MARKETING, granted=False, method="link", salt="b"),
            Stated(people[1], EMAIL_MARKETING, granted=True, method="api", salt="c"),
            Stated("u:unheard", EMAIL_MARKETING, granted=False, method="link", salt="d"),
            Stated(people[2], EMAIL_MARKETING, granted=False, method="link", salt="e"),
            Stated(people[2], EMAIL_MARKETING, True, "api", salt="f", until_ms=START_MS + 9**12),
            Suppressed("email", key, "", on=True, why=Why(START_MS, "test", "Complained.")),
        ]
    )
    engine.store.close()
    then = moments[-2]
    done = put_back(backed_up(data), tmp_path / "other", until_ms=then.at_ms)
    assert (done.offset, done.state_hash) == (then.offset, then.state)
    assert done.refused >= 3
    engine = opened(tmp_path / "other")
    consents = [engine.profile_of(each).consent.get(EMAIL_MARKETING) for each in people]
    assert consents == [False, True, False]
    assert engine.profile_of("u:unheard").consent[EMAIL_MARKETING] is False
    assert engine.moving.suppressed(engine.tenant, "email", "closed@example.org", "") is not None
    assert proven(engine.entries, engine.tenant).broken == ""
    assert rebuild(engine).equal
    engine.store.close()


def test_who_may_do_what_does_not_go_back(tmp_path: Path) -> None:
    """A key that was revoked after the moment opens nothing, one that was made after it goes on; who left is no
    operator again."""
    then_ms = START_MS - DAY_MS
    world = FakeWorld(then_ms)
    engine = open_engine(SHOP, tmp_path / "data", world=world)
    judge = Operator("bea", ("approver",), token="t1")
    keys = [ApiKey(f"k{n}", "server", f"d{n}") for n in range(3)]
    engine.put_moves([KeyPut(keys[0], "test"), KeyPut(keys[1], "test"), Appointed(judge, "test")])
    world.advance(seconds=60)
    revoked, gone = replace(keys[1], revoked_ms=world.now_ms()), replace(judge, disabled=True)
    engine.put_moves([KeyPut(revoked, "test"), KeyPut(keys[2], "test"), Appointed(gone, "test")])
    engine.store.close()
    made = backed_up(tmp_path / "data")
    done = put_back(made, tmp_path / "other", until_ms=then_ms)
    assert (done.offset, done.dropped) == (3, 3)
    engine = opened(tmp_path / "other")
    ring = engine.moving.security.ring(engine.tenant).keys.values()
    assert {each.key_id: each.opens(START_MS) for each in ring} == {
        "k0": True,
        "k1": False,
        "k2": True,
    }
    (operator,) = engine.moving.approvals.operators(engine.tenant)
    assert operator.disabled is True
    assert engine.seq == 6  # what is as it was then is not recorded again
    engine.store.close()


def test_messages_are_as_they_were(data: Path, moments: list[Moment], tmp_path: Path) -> None:
    """Before anybody had ordered, nobody had been written to."""
    put_back(backed_up(data), tmp_path / "other", until_ms=moments[2].at_ms)
    for folder, some in ((data, True), (tmp_path / "other", False)):
        engine = opened(folder)
        assert bool(message_counts(engine)) is some
        engine.store.close()


# -- erasures ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", [None, 3])
def test_who_was_erased_since_stays_erased(
    data: Path, moments: list[Moment], moment: int | None, tmp_path: Path
) -> None:
    """Whichever list knows of it: that of a newer backup, of the folder that is replaced, or one that is
    named. No word of theirs is in the folder that is served."""
    made = backed_up(data)
    engine = opened(data)
    erasing.erase_here(engine, user(1))
    engine.store.close()
    newer = backed_up(data)
    at = {} if moment is None else {"until_ms": moments[moment].at_ms}
    done = put_back(made, tmp_path / "one", lists=(newer.path / erasing.LIST,), **at)
    replaced = put_back(made, data, force=True, **at)
    for folder, each in ((tmp_path / "one", done), (data, replaced)):
        assert each.erasures == 1
        assert 1 not in of_whom(words_in(folder))
        assert {0, 2} <= of_whom(words_in(folder))
        engine = opened(folder)
        assert engine.person_key(user(1)) is None
        assert rebuild(engine).equal
        engine.store.close()
    assert put_back(newer, tmp_path / "two", **at).erasures == 0
    assert 1 not in of_whom(words_in(tmp_path / "two"))


# -- where to ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(4))
def test_a_restore_that_was_broken_off_does_not_forget_who_was_erased(
    data: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it was killed as it took its place; the list may also be in the copy alone (an earlier version
    took the other one away first). Nor does one that failed after it."""
    made = backed_up(data)
    engine = opened(data)
    erasing.erase_here(engine, user(1))
    engine.store.close()
    rename, left = Path.rename, iter(range(number))

    def killed(path: Path, target: Path) -> Path:
        if path.parent.name == WORK and next(left, None) is None:
            raise KeyboardInterrupt
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", killed)
    with pytest.raises(KeyboardInterrupt):
        put_back(made, data, force=True)
    monkeypatch.undo()
    assert (data / erasing.LIST).exists()
    if not number:
        (data / erasing.LIST).unlink()
    if number < 2:  # nothing but the list is there
        database = made.path / "germane.db"
        away = database.rename(data.parent / "away")
        with pytest.raises(BackupDamaged):
            put_back(made, data)
        away.rename(database)
    assert put_back(made, data).erasures == 1
    assert 1 not in of_whom(words_in(data))


def test_a_list_that_had_no_time_to_be_copied(data: Path) -> None:
    """It is passed over: what was there is as it was."""
    made, other = backed_up(data), data.parent / "other"
    shutil.copytree(data, other / WORK)
    (other / WORK / erasing.LIST).write_bytes(bytes(20) + b"\n")
    assert put_back(made, other).offset == made.manifest.offset


def test_nothing_is_overwritten_unasked(data: Path, tmp_path: Path) -> None:
    """Data, files of somebody else, a folder that is open; and with --force no foreign folder either."""
    made, before = backed_up(data), standing(data)
    with pytest.raises(WouldReplace, match="has data already"):
        put_back(made, data)
    assert standing(data) == before
    foreign = tmp_path / "home"
    (foreign / "models").mkdir(parents=True)
    for force in (False, True):
        with pytest.raises(WouldReplace, match="no data folder: it has models"):
            put_back(made, foreign, force=force)
    store = SqliteStore.open(data)
    with pytest.raises(StorageBusy):
        put_back(made, data, force=True)
    store.close()
    assert standing(data) == before


def test_what_is_replaced_is_gone(data: Path) -> None:
    """Also what the backup has nothing of."""
    made = backed_up(data)
    engine = opened(data)
    engine.put_moves([Switched("all", "", on=True, why=Why(START_MS, "test", "Later."))])
    engine.store.close()
    (data / "models" / "trees").mkdir()
    done = put_back(made, data, force=True)
    engine = opened(data)
    assert engine.moving.switches(engine.tenant)[0]["reason"] != "Later."
    assert engine.seq == done.offset + 1
    engine.store.close()
    assert not (data / "models" / "trees").exists()


def test_a_damaged_backup_changes_nothing(data: Path, tmp_path: Path) -> None:
    """Neither an empty folder nor one with data, which goes on as it was."""
    made, before = backed_up(data), standing(data)
    file = made.path / "germane.db"
    whole = bytearray(file.read_bytes())
    whole[len(whole) // 2] ^= 1
    file.write_bytes(whole)
    with pytest.raises(BackupDamaged, match=r"germane\.db"):
        put_back(made, data, force=True)
    with pytest.raises(BackupDamaged):
        put_back(made, tmp_path / "other")
    assert standing(data) == before
    assert not (data / WORK).exists()
    assert sorted(x.name for x in (tmp_path / "other").iterdir()) == ["germane.lock"]


def test_no_room(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says so, before it begins or where the disk is full, and changes nothing."""
    made, before = backed_up(data), standing(data)
    with largest_file(20_000), pytest.raises(NoRoom, match="There is no room in"):
        put_back(made, data, force=True)
    usage = shutil.disk_usage(data)._replace(free=1 << 12)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(NoRoom, match="MB are to be written"):
        put_back(made, data, force=True)
    assert standing(data) == before
    assert not (data / WORK).exists()


def test_room_for_the_fold(
    data: Path, moments: list[Moment], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Going back to a moment takes the space of the database once more, which is asked for before it begins."""
    made, until_ms = backed_up(data), moments[-1].at_ms
    usage = shutil.disk_usage(data)._replace(free=made.manifest.bytes + 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(NoRoom, match="MB are to be written"):
        put_back(made, tmp_path / "other", until_ms=until_ms)
    assert put_back(made, tmp_path / "other").offset == made.manifest.offset


@pytest.mark.parametrize("mode", ["serve", "read"])
def test_half_of_a_restore_is_never_served(data: Path, tmp_path: Path, mode: Any) -> None:
    """Killed in the middle, the folder is opened by nobody; another restore begins anew."""
    made, other = backed_up(data), tmp_path / "other"
    shutil.copytree(data, other / WORK)
    with pytest.raises(RestoreBroken, match="broken off"):
        SqliteStore.open(other, mode=mode)
    (other / "models").mkdir()  # of a restore that was killed as it put things in their place
    done = put_back(made, other)
    assert (done.offset, done.state_hash) == standing(data)
    SqliteStore.open(other, mode=mode).close()


def test_a_broken_restore_does_not_free_what_was_there(data: Path) -> None:
    """It was killed while copying: the data before are still there, and still not to be lost unasked."""
    made = backed_up(data)
    (data / WORK).mkdir()
    with pytest.raises(WouldReplace):
        put_back(made, data)
    with pytest.raises(RestoreBroken) as told:
        backed_up(data)
    assert f"What is in {data} itself is whole" in told.value.message
    assert f"delete the folder {data / WORK}" in told.value.hint
    assert put_back(made, data, force=True).offset == made.manifest.offset


def test_back_to_what_was_there(data: Path) -> None:
    """The hint is true: without the folder of the copy everything is as before."""
    before = standing(data)
    (data / WORK).mkdir()
    (data / WORK / "germane.db").write_bytes(b"a part of")
    shutil.rmtree(data / WORK)
    assert standing(data) == before


def test_nothing_is_left_to_go_back_to(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed while what is there makes room: the database went first, and it is said that nothing is left."""
    made = backed_up(data)

    def killed(path: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("germane.storage.placing.shutil.rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        placing._put_in_place(Path(shutil.copytree(made.path, data / WORK)), data)
    monkeypatch.undo()
    with pytest.raises(RestoreBroken, match="has gone already") as told:
        SqliteStore.open(data)
    assert "Run `germane restore` again" in told.value.hint
    assert put_back(made, data).offset == made.manifest.offset
