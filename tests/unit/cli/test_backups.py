"""``backup`` and ``restore`` as they are typed."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from germane.app.opening import open_engine
from germane.cli.program import app
from germane.config import load
from germane.domain.errors import NotFound, WrongUse
from germane.storage.backup import BackupDamaged, ForeignBackup, NoBackup, prune
from germane.storage.placing import WouldReplace
from germane.testing import an_event
from tests.unit.cli.test_rights import RUN, place, typed

__all__ = ["place"]


@pytest.fixture(autouse=True)
def _as_nice_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests that come after go on as fast."""
    monkeypatch.setattr(os, "nice", lambda _: 0)


@pytest.fixture(autouse=True)
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each backup is made a minute after the one before."""
    from germane.cli import backups

    now_ms, minutes = backups._now_ms, count()
    monkeypatch.setattr(backups, "_now_ms", lambda: now_ms() + 60_000 * next(minutes))


def backups(place: Path) -> str:
    """Where they are kept."""
    return str(place / "backups")


def lives(place: Path, user: str) -> None:
    """One event more."""
    engine = open_engine(load(place / "germane.toml", {}).settings, place / "data")
    engine.accept_now([an_event(user=user, item="i1", at_ms=engine.world.now_ms())])
    engine.store.close()


def into(place: Path, folder: str, *words: str) -> str:
    """What a command prints of another data folder."""
    where = ["--config", str(place / "germane.toml"), "--data", str(place / folder)]
    result = RUN.invoke(app, [*words, *where])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.stdout


def test_there_and_back(place: Path) -> None:
    """Made, listed, read, and put back elsewhere: what was known is known."""
    said = typed(place, "backup", backups(place))
    assert "Made" in said
    assert "up to record" in said
    (row,) = json.loads(typed(place, "backup", backups(place), "--list", "--json"))["backups"]
    assert row["whole"] is True
    assert "✓" in typed(place, "backup", backups(place), "--verify")
    before = typed(place, "person", "ann", "--json")
    lives(place, "zoe")
    said = typed(place, "restore", backups(place), "--force")
    assert f"Restored {place / 'data'} from {row['backup']}, up to record {row['offset']}." in said
    assert "Sending is stopped" not in said
    assert typed(place, "person", "ann", "--json") == before
    with pytest.raises(NotFound):
        typed(place, "person", "zoe")


def test_only_so_many_are_kept(place: Path) -> None:
    """And it says how many went."""
    typed(place, "backup", backups(place))
    typed(place, "backup", backups(place))
    assert "Removed 2 older backups." in typed(place, "backup", backups(place), "--keep", "1")
    assert (
        len(json.loads(typed(place, "backup", backups(place), "--list", "--json"))["backups"]) == 1
    )
    with pytest.raises(WrongUse):
        typed(place, "backup", backups(place), "--list", "--keep", "1")


def test_none_is_there(place: Path) -> None:
    """A folder that is none, an empty one, one with something else, no data to back up."""
    for command in ("restore", "backup"):
        more = ["--list"] if command == "backup" else []
        with pytest.raises(NoBackup, match="There is no folder"):
            typed(place, command, backups(place), *more)
    (place / "backups").mkdir()
    with pytest.raises(NoBackup, match="There is no backup in"):
        typed(place, "restore", backups(place))
    assert "There is no backup in" in typed(place, "backup", backups(place), "--list")
    with pytest.raises(NoBackup):
        typed(place, "restore", str(place / "data"))
    with pytest.raises(NotFound, match="There is no data"):
        into(place, "nothing", "backup", backups(place))


def test_without_force(place: Path) -> None:
    """It says what to do."""
    typed(place, "backup", backups(place))
    with pytest.raises(WouldReplace) as told:
        typed(place, "restore", backups(place))
    assert "--force" in told.value.hint


def test_what_is_damaged(place: Path) -> None:
    """It is named, by a look and by a restore; the exit code says so; an older one can be named."""
    typed(place, "backup", backups(place))
    typed(place, "backup", backups(place))
    first, second = sorted((place / "backups").glob("2*"))
    (second / "germane.db").write_bytes(b"")
    assert "missing or changed: germane.db" in typed(
        place, "backup", backups(place), "--verify", code=1
    )
    with pytest.raises(BackupDamaged, match=r"germane\.db"):
        typed(place, "restore", backups(place), "--force")
    assert f"from {first}" in typed(place, "restore", str(first), "--force")
    (second / "manifest.json").unlink()
    with pytest.raises(NoBackup, match="no whole backup"):
        typed(place, "restore", backups(place), "--force")
    assert "✗" in typed(place, "backup", backups(place), "--list", code=1)


def test_until(place: Path) -> None:
    """The backup that was made soonest after the moment is taken; without a zone it is UTC."""
    lives(place, "zoe")
    typed(place, "backup", backups(place))
    lives(place, "eve")
    typed(place, "backup", backups(place))
    first, second = json.loads(typed(place, "backup", backups(place), "--list", "--json"))[
        "backups"
    ]
    now = datetime.now(UTC)
    for moment, taken in ((now.isoformat(), second), (first["made"], first)):
        done = json.loads(
            typed(place, "restore", backups(place), "--force", "--until", moment, "--json")
        )
        assert done["backup"] == taken["backup"], moment
        assert done["dropped"] == 0
    done = json.loads(
        typed(place, "restore", backups(place), "--force", "--until", "2020-01-01", "--json")
    )
    assert (done["backup"], done["offset"]) == (first["backup"], 0)
    assert done["dropped"] == first["offset"]
    assert done["until"] == "2020-01-01T00:00:00.000Z"
    said = typed(place, "restore", backups(place), "--force", "--until", "2020-01-01T12:00+02:00")
    assert "that came after 2020-01-01T10:00:00.000Z are left out" in said
    with pytest.raises(WrongUse, match="knows of nothing later"):
        typed(place, "restore", backups(place), "--force", "--until", "2200-01-01")
    with pytest.raises(WrongUse, match="is not a time"):
        typed(place, "restore", backups(place), "--force", "--until", "noon")


def test_a_clock_that_was_ahead(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was made last is taken, with and without a moment, though another one says that it is of later."""
    from germane.cli import backups as commands

    now_ms = commands._now_ms
    monkeypatch.setattr(commands, "_now_ms", lambda: now_ms() + 30 * 86_400_000)
    typed(place, "backup", backups(place))
    lives(place, "eve")
    monkeypatch.setattr(commands, "_now_ms", now_ms)
    last = json.loads(typed(place, "backup", backups(place), "--keep", "2", "--json"))
    for more in ([], ["--until", last["made"]]):
        said = json.loads(typed(place, "restore", backups(place), "--force", *more, "--json"))
        assert (said["backup"], said["dropped"]) == (last["backup"], 0)


def test_erasures_are_obeyed(place: Path) -> None:
    """Those that a newer backup beside it knows of, and those of a list that is named."""
    typed(place, "backup", backups(place))
    (first,) = (place / "backups").glob("2*")
    typed(place, "erase", "ann", "--yes")
    newest = (place / "data" / "erasures.jsonl").read_bytes()
    typed(place, "backup", backups(place))
    said = into(place, "other", "restore", str(first))
    assert "Erased again: whom 1 line of a newer list of erasures names." in said
    with pytest.raises(NotFound):
        into(place, "other", "person", "ann")
    assert "bob" in into(place, "other", "person", "bob")
    with pytest.raises(WrongUse, match="There is no file"):
        typed(place, "restore", str(first), "--force", "--erasures", str(place / "nothing"))
    alone = place / "alone"
    alone.mkdir()
    first.rename(alone / first.name)
    (place / "newest.jsonl").write_bytes(newest)
    named = ("--erasures", str(place / "newest.jsonl"))
    said = into(place, "third", "restore", str(alone), *named)
    assert "1 line of a newer list" in said


def test_two_projects_and_one_place(place: Path) -> None:
    """Nobody's backup is taken for another one's: none is made there, none goes, and none is put back over
    other data. One that does not say whose it is counts as before."""
    engine = open_engine(load(place / "germane.toml", {}).settings, place / "other")
    engine.accept_now([an_event(user="eve")])
    engine.store.close()
    typed(place, "backup", backups(place))
    (row,) = json.loads(typed(place, "backup", backups(place), "--list", "--json"))["backups"]
    assert row["of"] == str((place / "data").resolve())
    assert f"of {row['of']} ({row['folder']})" in typed(place, "backup", backups(place), "--list")
    with pytest.raises(ForeignBackup) as told:
        into(place, "other", "backup", backups(place), "--keep", "1")
    assert row["of"] in told.value.message
    assert "--list" not in told.value.hint
    for which in (backups(place), row["backup"]):
        with pytest.raises(ForeignBackup) as told:
            into(place, "other", "restore", which, "--force")
        assert row["of"] in told.value.message
    assert "Restored" in into(place, "empty", "restore", backups(place))
    into(place, "other", "backup", str(place / "apart"))
    (theirs,) = (place / "apart").glob("2*")
    theirs.rename(place / "backups" / theirs.name)  # as an earlier version let it be
    with pytest.raises(ForeignBackup, match="several data folders"):
        into(place, "none", "restore", backups(place))
    said = json.loads(typed(place, "restore", backups(place), "--force", "--json"))
    assert said["backup"] == row["backup"]  # not the newest of all
    assert prune(place / "backups", 1, row["folder"]) == []
    for each in (place / "backups").glob("2*"):
        manifest = json.loads((each / "manifest.json").read_text())
        del manifest["folder"], manifest["of"]
        (each / "manifest.json").write_text(json.dumps(manifest))
    assert "Removed 2 older backups." in typed(place, "backup", backups(place), "--keep", "1")
