"""`erase` and `export --person`, as they are typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from germane.app.opening import open_engine
from germane.cli import rights
from germane.cli.program import app
from germane.config import load
from germane.domain.errors import GermaneError, NotObeyed, StorageBusy, UnknownPerson, WrongUse
from germane.storage.sqlite.connection import FolderLock
from germane.testing import an_event

RUN = CliRunner()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A project with Ann and Bob in its data folder."""
    made = tmp_path / "shop"
    assert RUN.invoke(app, ["init", str(made)]).exit_code == 0
    engine = open_engine(load(made / "germane.toml", {}).settings, made / "data")
    traits = {"firstName": "Ann", "email": "ann@example.org"}
    engine.accept_now([an_event("", kind="identify", user="ann", traits=traits)])
    engine.accept_now([an_event(user="ann"), an_event(user="bob")])
    engine.store.close()
    return made


def typed(place: Path, *words: str, code: int = 0, answer: str = "") -> str:
    """What a command prints."""
    where = ["--config", str(place / "germane.toml"), "--data", str(place / "data")]
    result = RUN.invoke(app, [*words, *where], input=answer)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.stdout


def test_everything_of_a_person(place: Path) -> None:
    """How much of what; JSON; a page."""
    assert "2 events" in typed(place, "export", "--person", "ann")
    found = json.loads(typed(place, "export", "--person", "ann", "--json"))
    assert [each["user_id"] for each in found["events"]] == ["ann", "ann"]
    page = place / "ann.html"
    assert "Wrote" in typed(place, "export", "--person", "ann", "--html", str(page))
    assert "ann@example.org" in page.read_text()
    with pytest.raises(UnknownPerson):
        typed(place, "export", "--person", "eve")
    with pytest.raises(GermaneError, match="cannot be written"):
        typed(place, "export", "--person", "ann", "--html", str(place / "no" / "x.html"))


def test_one_kind_of_a_person_as_before(place: Path) -> None:
    lines = typed(place, "export", "events", "-", "--person", "bob").splitlines()
    assert [json.loads(each)["user_id"] for each in lines] == ["bob"]
    with pytest.raises(WrongUse, match="to which file"):
        typed(place, "export")


def test_an_erasure_with_its_receipt(place: Path) -> None:
    """It can be verified; a changed one cannot; a second erasure finds nobody."""
    receipt = typed(place, "erase", "ann", "--yes", "--json")
    told = json.loads(receipt)
    assert told["removed"]["events"] == 2
    assert (told["sharedModel"]["rebuilt"], told["bytes"]["overwritten"]) == ("now", "now")
    file = place / "receipt.json"
    file.write_text(receipt)
    assert "Genuine" in typed(place, "erase", "--verify", str(file))
    file.write_text(receipt.replace('"events": 2', '"events": 9'))
    assert "Not genuine" in typed(place, "erase", "--verify", str(file), code=1)
    said = json.loads(typed(place, "erase", "--verify", str(file), "--json", code=1))
    assert said == {"receipt": told["receipt"], "genuine": False}
    with pytest.raises(UnknownPerson):
        typed(place, "erase", "ann", "--yes")
    data = b"".join(each.read_bytes() for each in (place / "data").rglob("*") if each.is_file())
    assert b"ann@example.org" not in data
    assert json.loads(typed(place, "export", "--person", "bob", "--json"))["events"]


def test_it_says_what_goes_and_asks(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is nobody to ask, nothing is erased."""
    with pytest.raises(WrongUse, match="nobody to ask"):
        typed(place, "erase", "ann")
    monkeypatch.setattr(rights, "_asked", lambda: False)
    said = typed(place, "erase", "ann", code=1)
    assert "1 profile, 2 events" in said
    assert "Nothing was erased." in said
    monkeypatch.setattr(rights, "_asked", lambda: True)
    assert "Removed: 1 profile, 2 events" in typed(place, "erase", "ann")


def test_one_thing_at_a_time(place: Path, tmp_path: Path) -> None:
    with pytest.raises(WrongUse):
        typed(place, "erase")
    with pytest.raises(WrongUse):
        typed(place, "erase", "ann", "--replay", str(tmp_path))
    for text in ("no json", "[1]"):
        (tmp_path / "r.json").write_text(text)
        with pytest.raises(GermaneError, match="receipt"):
            typed(place, "erase", "--verify", str(tmp_path / "r.json"))


def test_a_list_is_obeyed(place: Path, tmp_path: Path) -> None:
    """A backup of before was put back."""
    backup = tmp_path / "backup.db"
    backup.write_bytes((place / "data" / "germane.db").read_bytes())
    typed(place, "erase", "ann", "--yes")
    kept = tmp_path / "erasures.jsonl"
    (place / "data" / "erasures.jsonl").rename(kept)
    (place / "data" / "germane.db").write_bytes(backup.read_bytes())
    assert "2 events" in typed(place, "export", "--person", "ann")
    assert "1 erasure of the list was new" in typed(place, "erase", "--replay", str(kept))
    with pytest.raises(UnknownPerson):
        typed(place, "export", "--person", "ann")
    assert json.loads(typed(place, "erase", "--replay", str(kept), "--json"))["lines"] == 0


def test_a_backup_that_was_put_back_is_not_read(place: Path, tmp_path: Path) -> None:
    """Before its list is obeyed; what a writer has open is."""
    database = place / "data" / "germane.db"
    backup = database.read_bytes()
    typed(place, "erase", "ann", "--yes")
    typed(place, "person", "bob")
    database.write_bytes(backup)
    for words in (("export", "--person", "ann"), ("person", "ann"), ("export", "events", "-")):
        with pytest.raises(NotObeyed, match="of 1 line of its") as error:
            typed(place, *words)
        assert "germane serve" in error.value.hint
    listed = place / "data" / "erasures.jsonl"
    assert f"germane erase --replay {listed}" in error.value.hint
    lock = FolderLock(place / "data")
    assert "2 events" in typed(place, "export", "--person", "ann"), "whoever has it is about to"
    lock.release()
    typed(place, "erase", "--replay", str(listed))
    assert "bob" in typed(place, "person", "bob")
    with pytest.raises(UnknownPerson):
        typed(place, "person", "ann")


def test_a_server_does_it_where_one_runs(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is its: it is asked to."""
    engine = open_engine(load(place / "germane.toml", {}).settings, place / "data")
    asked: list[tuple[str, str]] = []

    def there(
        _: Path, __: Path | None, path: str, *, method: str, patience_s: float
    ) -> dict[str, object]:
        asked.append((method, path))
        return {"removed": {"events": 2}, "sharedModel": {"rebuilt": "in the background"}}

    monkeypatch.setattr(rights, "there", there)
    said = typed(place, "erase", "a:x/1", "--yes")
    assert "learned anew in the background" in said
    assert asked == [("DELETE", "/v1/people/a%3Ax%2F1")]
    with pytest.raises(StorageBusy):
        typed(place, "erase", "--replay", str(place / "germane.toml"))
    engine.store.close()
