"""An erased person is found nowhere: in no file, in no answer, in nothing that was learned."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import threading
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from germane.app import erasing, strangers
from germane.app.engine import Engine
from germane.app.moving import address_key
from germane.app.opening import REFOLD, advance_snapshot, open_engine, save_snapshot
from germane.app.rebuild import rebuild
from germane.app.training import train
from germane.domain.decision import Ask
from germane.domain.errors import RestartNeeded, UnknownPerson
from germane.domain.event import Event, Rejection
from germane.domain.moves import Stated
from germane.domain.outcome import Impression
from germane.domain.ports import Store
from germane.domain.settings import TrainingSpec
from germane.privacy.erasure import genuine
from germane.storage.blobs import FolderBlobs
from germane.storage.history import History
from germane.storage.lines import BadLines
from germane.testing import FakeWorld, an_event
from germane.testing.canaries import (
    DAY_MS,
    Lives,
    a_canary_shop,
    canary,
    compressed,
    lived,
    of_whom,
    pieces_in,
    user,
    words_in,
)
from germane.testing.world import START_MS

PEOPLE = 30
ERASED = frozenset(range(0, PEOPLE, 2))
SHOP = a_canary_shop()


def opened(folder: Path, world: FakeWorld | None = None) -> Engine:
    """The canary shop; the clock stands at the end of all lives where none is given."""
    return open_engine(SHOP, folder, world=world or FakeWorld())


def a_life(folder: Path, **more: Any) -> Lives:
    """Everybody's, with a part of the log sealed and a snapshot made; the folder is closed."""
    engine = opened(folder, FakeWorld(START_MS - 120 * DAY_MS))
    lives = Lives(engine, more.pop("people", PEOPLE), **more)
    lived(lives)
    assert engine.seal() > 0
    save_snapshot(engine, folder)
    engine.store.close()
    return lives


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with everybody in it. Not to be changed."""
    folder = tmp_path_factory.mktemp("lives") / "data"
    a_life(folder)
    return folder


@pytest.fixture
def folder(finished: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(finished, tmp_path / "data"))


@pytest.fixture
def engine(folder: Path) -> Iterator[Engine]:
    """An engine on it."""
    made = opened(folder)
    yield made
    made.store.close()


async def serving(engine: Engine, *names: str) -> list[dict[str, Any]]:
    """Erase some while serving."""
    await engine.start()
    receipts = [await erasing.erase(engine, each) for each in names]
    await engine.stop()
    return receipts


def here(folder: Path, *names: str) -> list[dict[str, Any]]:
    """Erase some offline."""
    receipts = []
    for each in names:
        engine = opened(folder)
        receipts += erasing.erase_here(engine, each)
        engine.store.close()
    return receipts


def left_of(folder: Path, people: Collection[int]) -> list[bytes]:
    """Canaries of some people in a folder."""
    return [each for each in words_in(folder) if of_whom([each]) <= {*people}]


# -- nowhere -----------------------------------------------------------------------------------------


def test_who_was_erased_while_serving_is_in_no_file(folder: Path) -> None:
    """At once, not only after the next start; of all others every word is left."""
    before = words_in(folder)
    engine = opened(folder)
    pieces = compressed(engine)
    assert of_whom(before) == {*range(PEOPLE)} == pieces_in(folder, pieces)
    asyncio.run(serving(engine, *(user(n) for n in ERASED)))
    others = {each for each in before if not of_whom([each]) <= ERASED}
    for _ in range(2):  # while it is open, and when it is closed
        assert left_of(folder, ERASED) == []
        assert words_in(folder) == others
        assert pieces_in(folder, pieces) == {*range(PEOPLE)} - ERASED
        engine.store.close()
    again = opened(folder)
    assert words_in(folder) == others
    assert rebuild(again).equal
    again.store.close()


def test_who_was_erased_offline_is_in_no_file(folder: Path) -> None:
    before = words_in(folder)
    gone = {0, 3, 5}
    here(folder, *(user(n) for n in gone))
    assert words_in(folder) == {each for each in before if not of_whom([each]) <= gone}
    again = opened(folder)
    assert not again.store.meta(REFOLD)
    assert rebuild(again).equal
    again.store.close()


def test_nothing_is_said_of_them_in_logs(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    asyncio.run(serving(engine := opened(folder), user(4)))
    engine.store.close()
    opened(folder).store.close()
    assert "zq0004" not in caplog.text


def test_no_answer_knows_them(engine: Engine) -> None:
    """Neither before it is durable nor after: not their profile, ids, messages, campaigns, decisions."""
    (decision,) = (
        each.message_id.removeprefix("decision:")
        for each in engine.store.read(0)
        if each.kind == "decision" and each.person == f"u:{user(2)}"
    )
    assert engine.decision(decision) is not None

    async def work() -> None:
        await engine.start()
        erased = asyncio.create_task(erasing.erase(engine, user(2)))
        while not engine.stale:  # noqa: ASYNC110 - the very moment is meant
            await asyncio.sleep(0)
        known_nothing(engine, 2, decision)
        await erased
        known_nothing(engine, 2, decision)
        with pytest.raises(UnknownPerson):
            await erasing.erase(engine, user(2))
        await engine.stop()

    asyncio.run(work())


def known_nothing(engine: Engine, n: int, decision: str) -> None:
    """Of one of them."""
    for name in (user(n), f"u:{user(n)}", canary(n, "anon"), f"a:{canary(n, 'old')}"):
        assert engine.person_key(name) is None
    assert engine.person(user(n)) is None
    assert engine.decision(decision) is None
    for kind in ("message", "enrolment", "approval", "draft"):
        assert engine.entries.of(engine.tenant, f"u:{user(n)}", kind) == []
    account = engine.entries.get(engine.tenant, "account", canary(n, "account"))
    assert account is None
    assert engine.moving.message(engine.tenant, canary(n, "mheld")) is None


# -- what was learned -----------------------------------------------------------------------------------


def test_it_is_as_if_they_had_never_come(tmp_path: Path) -> None:
    """Profiles, links, catalogue, ledger and model are, bit by bit, those of an engine that never saw them."""
    one, two = tmp_path / "saw", tmp_path / "never"
    gone = frozenset({1, 4, 6})  # nobody of them is written to no more
    first = a_life(one, people=8, plain=True)
    engine = opened(two, FakeWorld(START_MS - 120 * DAY_MS))
    lived(Lives(engine, 8, plain=True, skipped=gone, marks=first.marks))
    live_model = engine.model.digest()
    engine.store.close()
    asyncio.run(serving(erased := opened(one), user(1)))
    erased.store.close()
    here(one, user(4), user(6))
    assert whole_state(one) == whole_state(two)
    again, never = opened(one), opened(two)
    assert again.model.digest() == never.model.digest() == live_model
    again.store.close()
    never.store.close()


def whole_state(folder: Path) -> dict[str, list[Any]]:
    """Everything that is folded, but for offsets of slots."""
    engine = opened(folder)
    store, tenant = engine.store, engine.tenant
    strangers.drop_all(store, tenant, SHOP, START_MS)
    profiles = store.profiles(tenant)
    people = [each.person for each in profiles]
    kinds = ("account", "approval", "campaign", "content", "draft", "enrolment", "message")
    found: dict[str, list[Any]] = {
        "profiles": profiles,
        "links": sorted(store.externals_of(tenant, people).items()),
        "items": [*store.items(tenant)],
        "entries": [each for kind in kinds for each in store.entries(tenant, kind)],
        "log": [each for each in store.read(0) if b"Erased" not in each.body],
        "suppressions": [each.key for each in store.entries(tenant, "suppression")],
    }
    store.close()
    return found


def test_sealed_history_says_what_the_rebuild_says(folder: Path) -> None:
    """What was derived with them in mind is nowhere: the next fold of the log is the same."""
    here(folder, user(6))
    engine = opened(folder)
    digest = engine.model.digest()
    engine.store.close()
    shutil.rmtree(folder / "models")
    again = opened(folder)
    assert again.model.digest() == digest
    again.store.close()


def test_nothing_is_kept_of_a_model_that_saw_them(folder: Path) -> None:
    """No snapshot of it is made, and nothing is trained until the next start has folded the log that is left. A
    snapshot that is made beside it is of that log."""
    engine = opened(folder)
    blobs = FolderBlobs(folder / "models")
    blobs.put("trees", "1", b"what was trained", {})
    (receipt,) = asyncio.run(serving(engine, user(8)))
    assert receipt["sharedModel"]["rebuilt"] == "in the background"
    assert receipt["removed"]["models"] == 2
    assert blobs.versions("trees") == blobs.versions("shared") == []
    save_snapshot(engine, folder)
    assert blobs.versions("shared") == []
    assert advance_snapshot(SHOP, folder) == sum(1 for _ in engine.store.read(0))
    with pytest.raises(RestartNeeded):
        train(SHOP, TrainingSpec(), folder)
    assert of_whom(words_in(folder)) == {*range(PEOPLE)} - {8}
    engine.store.close()
    again = opened(folder)
    assert (again.stale, again.store.meta(REFOLD)) == (False, b"")
    assert len(blobs.versions("shared")) == 1
    again.store.close()


# -- while more comes -----------------------------------------------------------------------------------


def test_who_goes_on_while_they_are_erased_starts_afresh(engine: Engine) -> None:
    """What was accepted before goes, what is accepted after is of somebody new."""
    at_ms = engine.world.now_ms()

    async def work() -> int:
        await engine.start()
        erased = asyncio.create_task(erasing.erase(engine, user(10)))
        count = 0
        while not engine.stale:
            await engine.accept([an_event(user=user(10), item="i1", at_ms=at_ms)])
            count += 1
        seq = engine.seq
        await engine.accept([an_event(user=user(10), item="i2", at_ms=at_ms)])
        await erased
        await engine.stop()
        assert count > 0
        return seq

    seq = asyncio.run(work())
    theirs = [each for each in engine.store.read(0) if each.person == f"u:{user(10)}"]
    assert theirs
    assert all(each.seq >= seq for each in theirs)
    profile = engine.profile_of(f"u:{user(10)}")
    assert {each.item_id for each in profile.recent} <= {"i1", "i2"}
    assert (profile.traits, profile.consent) == ({}, {})


def test_a_device_that_turns_out_to_be_theirs_meanwhile(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is looked for them again: what came from the device goes as well."""
    at_ms, found = engine.world.now_ms(), erasing.find
    looked = 0

    def find(*args: Any) -> Any:
        nonlocal looked
        looked += 1
        return found(*args)

    async def work() -> None:
        await engine.start()
        await engine.accept([an_event(user="", anonymous_id="tablet", item="i7", at_ms=at_ms)])
        monkeypatch.setattr(erasing, "find", find)
        link = an_event("", kind="identify", user=user(12), anonymous_id="tablet", at_ms=at_ms)
        erased = asyncio.create_task(erasing.erase(engine, user(12)))
        while not looked:  # noqa: ASYNC110 - the very moment is meant
            await asyncio.sleep(0)
        await engine.accept([link])
        await erased
        await engine.stop()

    asyncio.run(work())
    assert looked >= 1
    late = [each for each in engine.store.read(0) if b"tablet" in each.body]
    assert [each.person for each in late] in ([], [f"u:{user(12)}"])
    if late:  # it came after they were gone
        assert engine.profile_of("a:tablet").person == f"u:{user(12)}"


def test_a_letter_that_comes_meanwhile(engine: Engine) -> None:
    body = json.dumps({"userId": user(14), "late": True}).encode()

    async def work() -> None:
        await engine.start()
        erased = asyncio.create_task(erasing.erase(engine, user(14)))
        while not engine.stale:
            await engine.accept([], [Rejection("x", "late", body)])
        await erased
        await engine.stop()

    asyncio.run(work())
    assert [
        each for each in engine.store.letters(limit=10_000) if user(14).encode() in each.body
    ] == []


def test_several_at_once(engine: Engine, folder: Path) -> None:
    """Each gets a receipt; nothing is sealed under any of them."""

    async def work() -> list[dict[str, Any]]:
        await engine.start()
        both = [erasing.erase(engine, user(n)) for n in (18, 20, 18)]
        found = await asyncio.gather(*both, return_exceptions=True)
        assert engine.seal() == 0
        await engine.stop()
        return [each for each in found if isinstance(each, dict)]

    receipts = asyncio.run(work())
    assert len(receipts) >= 2
    assert left_of(folder, {18, 20}) == []


def test_nothing_is_sealed_meanwhile(engine: Engine) -> None:
    """A record that moved between the look and the erasure would stay."""

    async def work() -> None:
        async with engine.unsealed(), engine.unsealed():
            engine.world.advance(days=90)  # type: ignore[attr-defined]
            assert engine.seal() == 0

    asyncio.run(work())
    assert engine.seal() > 0


def test_others_are_acknowledged_while_history_is_written_anew(
    engine: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much of it there is."""
    go, begun = threading.Event(), threading.Event()
    put = History._put

    def slow(history: History, *arguments: Any) -> str:
        begun.set()
        assert go.wait(5.0)
        return put(history, *arguments)

    async def work() -> None:
        await engine.start()
        erased = asyncio.ensure_future(erasing.erase(engine, user(18)))
        await asyncio.to_thread(begun.wait, 5.0)
        await asyncio.wait_for(engine.accept([an_event(user=user(19))]), 4.0)
        assert not erased.done()
        go.set()
        await erased
        await engine.stop()

    monkeypatch.setattr(History, "_put", slow)
    asyncio.run(work())
    assert left_of(folder, {18}) == []


def test_what_is_being_sealed_is_waited_for(engine: Engine, folder: Path) -> None:
    """The look begins when it is through."""
    go, steps = threading.Event(), list[str]()

    def seal() -> None:
        go.wait(5.0)
        assert engine.store.seal(engine.world.now_ms()) > 0
        steps.append("sealed")

    def looked(store: Store, tenant: str, person: str) -> erasing.Found:
        steps.append("looked")
        return found(store, tenant, person)

    async def work() -> None:
        await engine.start()
        sealing = asyncio.ensure_future(engine.between(seal))
        erased = asyncio.ensure_future(erasing.erase(engine, user(18)))
        for _ in range(20):
            await asyncio.sleep(0.01)
        go.set()
        await asyncio.gather(sealing, erased)
        await engine.stop()

    found = erasing.find
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(erasing, "find", looked)
        asyncio.run(work())
    assert steps[:2] == ["sealed", "looked"]
    assert left_of(folder, {18}) == []


def test_reports_of_a_decision_that_is_gone(engine: Engine) -> None:
    """They are of nobody: a decision's id says what was shown, and not to whom."""
    at_ms = engine.world.now_ms()

    async def work() -> None:
        await engine.start()
        (decision,), _ = engine.decide(user(16), "", "", [Ask("home")])
        await engine.durable()
        await erasing.erase(engine, user(16))
        seen = Impression("later", decision.decision_id, (0,), at_ms)
        await engine.impressions([seen])
        await engine.stop()

    asyncio.run(work())
    (late,) = [each for each in engine.store.read(0) if each.message_id == "impression:later"]
    assert late.person == ""


# -- backups --------------------------------------------------------------------------------------------


def test_an_older_backup_forgets_them_again(folder: Path, tmp_path: Path) -> None:
    """With the list beside the database, as a start does; 0 words are left, and 0 profiles are served."""
    backup = shutil.copytree(folder, tmp_path / "backup")
    here(folder, user(0), user(1))
    shutil.copy(folder / erasing.LIST, backup)
    assert {0, 1} <= of_whom(words_in(backup))
    engine = opened(backup)
    assert left_of(backup, {0, 1}) == []
    assert engine.person_key(user(0)) is engine.person_key(canary(1, "anon")) is None
    assert rebuild(engine).equal
    engine.store.close()
    assert of_whom(words_in(backup)) == {*range(PEOPLE)} - {0, 1}


def test_the_list_comes_from_elsewhere(folder: Path, tmp_path: Path) -> None:
    """A whole folder was put back, with the list of that time."""
    backup = shutil.copytree(folder, tmp_path / "backup")
    here(folder, user(5))
    assert erasing.add_lines(backup, folder / erasing.LIST) == 1
    assert erasing.add_lines(backup, folder / erasing.LIST) == 0
    opened(backup).store.close()
    assert left_of(backup, {5}) == []
    with pytest.raises(BadLines):
        erasing.add_lines(backup, tmp_path / "nothing")


def test_who_came_back_is_not_erased_again(folder: Path) -> None:
    """Neither by the next start, nor by a list that is obeyed late: what came after it stays."""
    backup = shutil.copytree(folder, folder.parent / "backup")
    here(folder, user(7))
    line = (folder / erasing.LIST).read_text()
    for place in (folder, backup):
        world = FakeWorld()
        world.advance(days=1)
        engine = opened(place, world)
        engine.accept_now([an_event(user=user(7), item="i9", at_ms=world.now_ms())])
        engine.store.close()
    (backup / erasing.LIST).write_text(line)
    for place in (folder, backup):
        engine = opened(place)
        profile = engine.profile(user(7))
        assert profile is not None
        assert [each.item_id for each in profile.recent] == ["i9"]
        assert left_of(place, {7}) == [canary(7, "user").encode()]
        engine.store.close()


def test_a_crash_between_the_list_and_the_database(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list says that they go: the next start does it."""
    engine = opened(folder)

    def crash(*_: object) -> None:
        raise OSError("gone")

    monkeypatch.setattr(erasing, "_commit", crash)
    with pytest.raises(OSError, match="gone"):
        erasing.erase_here(engine, user(9))
    monkeypatch.undo()
    engine.store.close()
    opened(folder).store.close()
    assert left_of(folder, {9}) == []


def test_a_line_that_a_crash_cut_off(folder: Path) -> None:
    """It counts for nothing, and the next one does not follow in it."""
    here(folder, user(1))
    with (folder / erasing.LIST).open("a") as file:
        file.write('{"receipt": "er_')
    here(folder, user(2))
    lines = (folder / erasing.LIST).read_text().splitlines()
    assert [len(json.loads(each)["people"]) > 1 for each in lines] == [True, True]


# -- who is meant, and what stays -----------------------------------------------------------------------


def test_a_suppressed_address_stays_suppressed(engine: Engine, folder: Path) -> None:
    """By a complaint of theirs, or because it does not exist; the words say nothing of them."""
    complained, unknown = 5, 3
    keys = [address_key("email", f"{canary(n, 'mail')}@example.org") for n in (5, 3)]
    receipts = asyncio.run(serving(engine, user(complained), user(unknown)))
    engine.store.close()
    again = opened(folder)
    for n, purpose in ((complained, "email_marketing"), (unknown, "email_marketing")):
        address = f"{canary(n, 'mail')}@example.org"
        assert again.moving.suppressed(again.tenant, "email", address, purpose) is not None
    assert [each["kept"][0]["count"] for each in receipts] == [1, 1]
    found = {each.key for each in again.store.entries(again.tenant, "suppression")}
    assert all(any(key.startswith(each) for key in found) for each in keys)
    assert left_of(folder, {complained, unknown}) == []
    again.store.close()


def test_a_shared_device_is_not_only_theirs(tmp_path: Path, world: FakeWorld) -> None:
    """It went from one to another: each keeps what they did with it."""
    engine = opened(tmp_path, world)
    at_ms = world.now_ms()

    def seen(item: str) -> Event:
        return an_event(user="", anonymous_id="sofa", item=item, at_ms=at_ms)

    def logged_in(who: str) -> Event:
        told = an_event("", kind="identify", user=who, anonymous_id="sofa", at_ms=at_ms)
        return msgspec.structs.replace(told, properties={})

    engine.accept_now([seen("i1"), logged_in("ann"), seen("i2"), logged_in("bob"), seen("i3")])
    engine.store.close()
    here(tmp_path, "ann")
    again = opened(tmp_path, world)
    assert [each.item_id for each in again.profile_of("u:bob").recent] == ["i3"]
    assert again.profile_of("a:sofa").person == "u:bob"
    bodies = b"".join(each.body for each in again.store.read(0))
    assert (b"ann" in bodies, b"i1" in bodies, b"i2" in bodies) == (False, False, False)
    again.store.close()


def test_short_ids_take_nothing_of_others_with_them(engine: Engine) -> None:
    """``1`` stands in many letters that are nobody's business."""
    named = json.dumps({"userId": "2", "quantity": 1, "note": "1"}).encode()
    engine.accept_now([an_event(user="1"), an_event(user="2")])
    engine.accept_now([], [Rejection("x", "No. 1", named), Rejection("x", "", b'{"userId": 1}')])
    before = len(engine.letters(limit=10_000))
    (receipt,) = erasing.erase_here(engine, "u:1")
    assert receipt["removed"]["deadLetters"] == 1
    assert len(engine.letters(limit=10_000)) == before - 1


def test_whom_only_the_log_knows(engine: Engine) -> None:
    """A stranger who was asked for, and did nothing."""
    engine.decide("", "passer-by", "", [Ask("home")])
    assert engine.person_key("passer-by") is None
    (receipt,) = erasing.erase_here(engine, "passer-by")
    assert receipt["removed"]["decisions"] == 1
    with pytest.raises(UnknownPerson):
        erasing.erase_here(engine, "passer-by")


def test_consent_alone(engine: Engine) -> None:
    """Whoever said no and nothing else has records as well."""
    engine.put_moves([Stated("u:shy", "personalisation", False, "api")])
    (receipt,) = erasing.erase_here(engine, "shy")
    assert receipt["removed"]["moves"] == 1


# -- the receipt ---------------------------------------------------------------------------------------


def test_the_receipt_can_be_proven(engine: Engine) -> None:
    """It says what went, names nobody, and is worth nothing when a word of it is changed."""
    (receipt,) = erasing.erase_here(engine, user(11))
    assert genuine(engine.key, receipt)
    assert genuine(engine.key, json.loads(json.dumps(receipt)))
    assert not genuine(bytes(32), receipt)
    assert not genuine(engine.key, receipt | {"at": "2020-01-01T00:00:00.000Z"})
    assert not genuine(engine.key, {**receipt, "signature": None})
    assert "zq0011" not in json.dumps(receipt)
    removed = receipt["removed"]
    assert removed["profiles"] == removed["decisions"] == removed["outcomes"] == 1
    assert removed["events"] > 9
    assert removed["messages"] == 3
    assert removed["deadLetters"] == 2
    assert receipt["sharedModel"]["rebuilt"] == "now"


def test_the_log_says_that_somebody_was_erased(engine: Engine) -> None:
    """With the id of the receipt, and with marks that only the folder's secret makes."""
    (receipt,) = erasing.erase_here(engine, user(13))
    last = [*engine.store.read(0)][-1]
    move = msgspec.msgpack.decode(last.body)
    assert (move["type"], move["receipt"]) == ("Erased", receipt["receipt"])
    assert {*receipt["people"]} <= {*move["people"]}
