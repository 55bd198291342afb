"""`consent` and `privacy` as they are typed; ids that look like markup; files that others must not read."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import msgspec
import pytest

from germane.app.consents import Line
from germane.app.opening import open_engine
from germane.cli import rights
from germane.cli.errors import tell
from germane.cli.program import app
from germane.config import load
from germane.domain.errors import UnknownPerson, WrongUse
from germane.storage.sqlite.checksums import connected
from germane.testing import an_event
from tests.unit.cli.test_rights import RUN, place, typed

__all__ = ["place"]
DOCS = Path(__file__).parents[3] / "docs"
STRANGE = ("x[/red]y", "[bold]z", ":smile:", "a:", "end\\")


@pytest.mark.parametrize("who", STRANGE)
def test_ids_are_printed_as_they_are(
    place: Path, who: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever they look like: known ones, and unknown ones."""
    engine = open_engine(load(place / "germane.toml", {}).settings, place / "data")
    traits = {"firstName": who, "email": f"{who}@example.org"}
    engine.accept_now([an_event("", kind="identify", user=who, traits=traits)])
    engine.accept_now([an_event(user=who, item=who)])
    engine.store.close()
    key, page = f"u:{who}", place / f"{len(who)}.html"
    assert f"Of {key} there are" in typed(place, "export", "--person", key)
    wrote = typed(place, "export", "--person", key, "--html", str(page))
    assert f"everything about {key} to" in wrote
    assert f"{key}  seen" in typed(place, "person", key)
    assert f"firstName = {who} (" in typed(place, "person", key)
    assert key in typed(place, "moment", key)
    assert f"Recorded: {key} agreed to" in typed(place, "consent", key, "email_marketing", "grant")
    assert "yes  email_marketing" in typed(place, "consent", key)
    monkeypatch.setattr(rights, "_asked", lambda: False)
    assert f"Of {key} (" in typed(place, "erase", key, code=1)
    assert "Erased." in typed(place, "erase", key, "--yes")
    with pytest.raises(UnknownPerson) as unknown:
        typed(place, "consent", key)
    tell(unknown.value)
    told = capsys.readouterr().err
    assert repr(key) in told
    assert "`germane export people -` lists them" in told


def test_everybody_unknown_has_a_remedy(place: Path, tmp_path: Path) -> None:
    for words in (
        ("person", "eve"),
        ("erase", "eve", "--yes"),
        ("export", "--person", "eve"),
        ("export", "events", "-", "--person", "eve"),
        ("consent", "eve"),
        ("moment", "eve"),
    ):
        with pytest.raises(UnknownPerson) as unknown:
            typed(place, *words)
        assert "anonymous ids are a:ID" in unknown.value.hint
        assert "grant" not in unknown.value.hint


def test_a_time_that_is_too_short(place: Path) -> None:
    for text in ("1s", "0h", "soon"):
        with pytest.raises(WrongUse) as error:
            typed(place, "consent", "ann", "email_marketing", "grant", "--expires", text)
        assert "1h or more" in error.value.hint


def test_before_there_is_data(tmp_path: Path) -> None:
    """What the law says is known from the configuration."""
    made = tmp_path / "shop"
    assert RUN.invoke(app, ["init", str(made)]).exit_code == 0
    said = typed(made, "privacy")
    assert "Jurisdiction: first_party" in said
    assert "email_marketing" in said
    assert "There is no ledger yet" in said
    early = json.loads(typed(made, "privacy", "--json"))
    assert early["ledger"] is None
    assert not (made / "data").exists(), "a look makes nothing"
    typed(made, "consent", "ann", "email_marketing", "grant")
    later = json.loads(typed(made, "privacy", "--json"))
    assert later["ledger"]["lines"] == 1
    assert {**later, "ledger": None, "refusedSince": None} == early
    assert "The ledger has 1 line, and none was changed" in typed(made, "privacy")
    noted = later["ledger"]["digest"]
    assert "none was changed" in typed(made, "privacy", "--digest", noted)
    assert "It is another ledger" in typed(made, "privacy", "--digest", "ab" * 32, code=1)


def test_a_broken_ledger_says_what_to_do(place: Path) -> None:
    """A line that was changed, and lines that are missing at the end."""
    for answer in ("grant", "withdraw"):
        typed(place, "consent", "ann", "email_marketing", answer)
    database = connected(place / "data" / "germane.db")
    rows = database.execute(
        "SELECT key, body FROM entry WHERE kind = 'consent' ORDER BY key"
    ).fetchall()
    database.execute("DELETE FROM entry WHERE key = ?", (rows[1][0],))
    said = typed(place, "privacy", code=1)
    assert "The ledger was changed: lines are missing at the end." in said
    assert "compare it with a backup" in said
    line = msgspec.msgpack.decode(rows[0][1], type=Line)
    changed = msgspec.msgpack.encode(msgspec.structs.replace(line, body=b"x"))
    database.execute("UPDATE entry SET body = ? WHERE key = ?", (changed, rows[0][0]))
    database.close()
    said = typed(place, "privacy", code=1)
    assert "is not what was written" in said
    assert "compare it with a backup" in said


def test_a_file_is_not_overwritten_unasked(place: Path) -> None:
    """And nobody else may read it."""
    page = place / "ann.html"
    page.write_text("mine")
    page.chmod(0o644)
    with pytest.raises(WrongUse, match="is there already") as error:
        typed(place, "export", "--person", "ann", "--html", str(page))
    assert "--yes" in error.value.hint
    assert page.read_text() == "mine"
    old = os.umask(0)
    try:
        typed(place, "export", "--person", "ann", "--html", str(page), "--yes")
        typed(place, "export", "--person", "ann", "--html", str(place / "new.html"))
        typed(place, "export", "events", str(place / "events.jsonl"))
        typed(place, "export", "events", str(place / "events.parquet"))
    finally:
        os.umask(old)
    for name in ("ann.html", "new.html", "events.jsonl", "events.parquet"):
        assert (place / name).stat().st_mode & 0o777 == 0o600
    assert "ann@example.org" in page.read_text()


@pytest.mark.parametrize("kind", ["people", "events", "items"])
def test_an_export_asks_before_it_overwrites(place: Path, kind: str) -> None:
    """Of every kind; standard output is no file."""
    out = place / "out.jsonl"
    out.write_text("mine")
    with pytest.raises(WrongUse, match=r"out\.jsonl is there already") as error:
        typed(place, "export", kind, str(out))
    assert "--yes" in error.value.hint
    assert out.read_text() == "mine"
    typed(place, "export", kind, str(out), "--yes")
    assert out.read_text() != "mine"
    typed(place, "export", kind, "-")


def test_an_export_with_consent_is_json(place: Path) -> None:
    typed(place, "consent", "ann", "email_marketing", "grant", "--notice", "3")
    found = json.loads(typed(place, "export", "--person", "ann", "--json"))
    assert found["consent"][0]["version"] == "3"
    assert len(found["ledger"]["consent"][0]["about"]["seal"]) == 64


def test_what_is_written_about_keys_and_surfaces(place: Path) -> None:
    """The write key may ask for visitors; examples name surfaces that the recipe has."""
    assert "also asks for decisions of visitors" in (place / ".env").read_text()
    surfaces = load(place / "germane.toml", {}).settings.surfaces
    page = (DOCS / "how-to" / "ask-for-consent.md").read_text()
    named = re.findall(r'"surface": "([^"]+)"', page)
    assert named
    assert {*named} <= {*surfaces}


def test_a_receipt_that_is_not_there(place: Path) -> None:
    result = RUN.invoke(app, ["erase", "--verify", str(place / "none.json")])
    assert str(result.exception) == f"There is no file {place / 'none.json'}."
