"""``retention`` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from germane.app.opening import open_engine
from germane.cli.program import app
from germane.cli.served import Source, opened
from germane.config import load
from germane.storage.history import HistoryDamaged
from germane.testing import an_event
from germane.testing.world import START_MS
from tests.unit.cli.test_rights import RUN, place, typed

__all__ = ["place"]
OLD = START_MS - 900 * 86_400_000


@pytest.fixture
def old(place: Path) -> Path:
    """With an event that is too old, and what was said long ago of somebody."""
    engine = open_engine(load(place / "germane.toml", {}).settings, place / "data")
    engine.accept_now([an_event(user="ann", item="i9", at_ms=OLD), an_event(user="ann")])
    engine.store.close()
    return place


def test_what_is_too_old_goes(old: Path) -> None:
    """Once; then there is nothing left to do. The state is the same after a rebuild, or it says why not."""
    assert "There is nothing in the archive." in typed(old, "retention")
    done = typed(old, "retention", "--apply")
    assert "Into the archive: 1 record." in done
    assert "The archive has 1 record of 2023-06." in done
    assert "Nothing was too old." in typed(old, "retention", "--apply")
    found = json.loads(typed(old, "retention", "--apply", "--json"))
    assert found["archive"] == {"2023-06": 1}
    assert found["applied"] == {
        "archived": 0,
        "deleted": 0,
        "shortened": 0,
        "expired": 0,
        "deadLetters": 0,
        "damaged": [],
    }
    events = json.loads(typed(old, "export", "--person", "ann", "--json"))["events"]
    assert len(events) == 4
    assert "Rebuilt from" in typed(old, "rebuild")


def test_a_category_of_its_own(old: Path) -> None:
    """It says so, and the data are deleted."""
    with (old / "germane.toml").open("a") as file:
        file.write("\n[privacy]\narchive_months = 3\n\n[privacy.retention]\nbehaviour = 6\n")
    said = typed(old, "retention", "--apply")
    assert "6, then deleted: behaviour" in said
    assert "24, then in the archive for 3: declared" in said
    assert "Deleted: 3 records" in said  # all events but the last record of the log


def test_a_file_of_the_archive_that_is_lost(old: Path) -> None:
    """It is found when it is looked for, told by whoever needs it, and can be given up."""
    typed(old, "retention", "--apply")
    assert "Every file of history and archive is what was written." in typed(
        old, "retention", "--verify"
    )
    (file,) = (old / "data" / "archive").rglob("*.parquet")
    file.write_bytes(file.read_bytes()[:-9])
    found = json.loads(typed(old, "retention", "--verify", "--json", code=1))["damaged"]
    name = file.relative_to(old / "data").as_posix()
    assert found == [{"file": name, "records": 1}]
    with pytest.raises(HistoryDamaged, match="archive/events") as told:
        typed(old, "export", "--person", "ann")
    assert "--give-up-damaged" in told.value.hint
    assert f"Given up: {name} (1 record)." in typed(old, "retention", "--give-up-damaged")
    events = json.loads(typed(old, "export", "--person", "ann", "--json"))["events"]
    assert len(events) == 3
    assert "Erased." in typed(old, "erase", "ann", "--yes")


def test_a_damaged_archive_can_be_done_without(old: Path) -> None:
    """Nothing is to be kept in it any more: what cannot be read goes as well."""
    typed(old, "retention", "--apply")
    (file,) = (old / "data" / "archive").rglob("*.parquet")
    file.unlink()
    with (old / "germane.toml").open("a") as config:
        config.write("\n[privacy]\narchive_months = 0\n")
    assert "1 record of the archive" in typed(old, "retention", "--apply")
    assert json.loads(typed(old, "retention", "--json"))["archive"] == {}


def test_a_file_of_history_that_is_lost(old: Path) -> None:
    """It is told at the start and by `check`; what giving it up would lose is told before anything is done; and
    what was given up stays told."""
    typed(old, "seal")
    typed(old, "snapshot")
    source = Source.read(old / "germane.toml", old / "data")
    (file,) = (old / "data" / "history").rglob("month=2023-06/*.parquet")
    file.write_bytes(file.read_bytes()[:-9])
    name = file.relative_to(old / "data").as_posix()
    with opened(source) as served:
        (said,) = [each for each in served.findings() if each.check == "data"]
    assert (said.level, name in said.text) == ("error", True)
    assert "germane retention --give-up-damaged" in said.remedy
    assert name in typed(old, "check", code=1)
    found = json.loads(typed(old, "retention", "--give-up-damaged", "--json", code=1))
    lost = {"file": name, "records": 1, "month": "2023-06"}
    assert (found["wouldLose"], found["givenUp"]) == ([lost], [])
    told = typed(old, "retention", "--give-up-damaged", code=1)
    assert f"Would be lost: {name}, 1 record of 2023-06." in told
    assert file.exists()
    told = typed(old, "retention", "--give-up-damaged", "--history")
    assert f"Given up: {name} (1 record)." in told
    assert (old / "data" / "damaged" / name).exists()
    said_later = typed(old, "check")
    assert f"{name} was damaged, and given up at" in said_later
    assert "damaged/ has 1 of the files" in said_later
    assert "Rebuilt from" in typed(old, "rebuild")
    assert "1 damaged file that was given up" in typed(old, "erase", "ann", "--yes")
    assert "damaged/ has" not in typed(old, "check")
    assert "was damaged, and given up at" in typed(old, "check")


def test_history_goes_with_giving_up(old: Path) -> None:
    result = RUN.invoke(
        app,
        [
            "retention",
            "--history",
            "--config",
            str(old / "germane.toml"),
            "--data",
            str(old / "data"),
        ],
    )
    assert (result.exit_code, type(result.exception).__name__) == (1, "WrongUse")


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("[privacy.retention]\nbehavior = 6", "Did you mean 'behaviour'?"),
        ("[privacy.retention]\nhealth = 0", "It must be between 1 and 24."),
        ("[privacy]\nretention = 6", "Write [privacy.retention]"),
        ("[privacy]\narchive_months = -1", "It must be between 0 and 1200."),
    ],
)
def test_wrong_settings_have_a_remedy(place: Path, written: str, told: str) -> None:
    with (place / "germane.toml").open("a") as file:
        file.write(f"\n{written}\n")
    result = RUN.invoke(app, ["check", "--json", "--config", str(place / "germane.toml")])
    assert told in json.dumps(json.loads(result.stdout))


def test_before_there_is_anything(tmp_path: Path) -> None:
    """It says what is declared."""
    assert RUN.invoke(app, ["init", str(tmp_path / "shop")]).exit_code == 0
    said = typed(tmp_path / "shop", "retention")
    assert "24, then in the archive for 12: behaviour" in said
