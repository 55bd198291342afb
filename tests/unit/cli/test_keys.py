"""``germane keys`` and ``germane audit`` on a data folder, as people read them."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from germane.config import load
from germane.storage.sqlite.checksums import connected
from tests.unit.cli.test_approvals import said


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project without data."""
    (tmp_path / "germane.toml").write_text('[project]\nname = "test"\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_life_of_a_key(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, text = said(
        capsys, "keys", "make", "--scope", "server", "--name", "shop [1]", "--expires", "90d"
    )
    line, key, once = text.splitlines()
    key_id = line.split()[0]
    assert (code, key.startswith(f"gs_{key_id}_")) == (0, True)
    assert "server  active  shop [1]" in line
    assert line.endswith("never used")
    assert "shown this once" in once
    code, text = said(capsys, "keys", "rotate", key_id, "--overlap", "1h", "--json")
    new = json.loads(text)
    assert (code, new["key"].startswith("gs_"), new["name"]) == (0, True, "shop [1]")
    code, text = said(capsys, "keys", "revoke", key_id)
    assert (code, "revoked" in text) == (0, True)
    code, text = said(capsys, "keys", "list")
    assert (code, text.count("server"), text.count("active")) == (0, 2, 1)
    assert key not in text
    assert new["key"] not in text


@pytest.mark.parametrize(
    ("arguments", "code", "remedy"),
    [
        (("make", "--scope", "servr"), 2, "Did you mean 'server'?"),
        (("make", "--scope", "write", "--expires", "soon"), 2, "Write a duration"),
        (("make", "--scope", "write", "--expires", "0d"), 2, "Write a duration"),
        (("rotate", "none"), 1, "germane keys list"),
        (("revoke", "none"), 1, "germane keys list"),
    ],
)
def test_errors_say_the_remedy(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
    remedy: str,
) -> None:
    assert said(capsys, "keys", "make", "--scope", "write")[0] == 0
    found, text = said(capsys, "keys", *arguments)
    assert (found, remedy in text) == (code, True), text


def test_no_keys_yet(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "operator", "add", "ann", "--role", "editor")
    assert "those of the configuration are the only ones" in said(capsys, "keys", "list")[1]


def test_the_audit_log(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Commands that change something are in it; it is read, filtered, and proven."""
    said(capsys, "operator", "add", "ann", "--role", "privacy_officer")
    said(capsys, "keys", "make", "--scope", "admin")
    said(capsys, "keys", "list")
    code, text = said(capsys, "audit")
    newest, oldest = text.splitlines()
    assert (code, "command line  POST /v1/keys" in newest) == (0, True)
    assert oldest.endswith("200  command line  PUT /v1/operators/{name}  ann")
    code, text = said(capsys, "audit", "--since", "1h", "--json")
    assert [each["place"] for each in json.loads(text)] == [2, 1]
    assert said(capsys, "audit", "--since", "2100-01-01T00:00:00Z") == (0, "Nothing is recorded.\n")
    assert said(capsys, "audit", "--person", "u") == (0, "Nothing is recorded.\n")
    assert said(capsys, "audit", "--since", "yesterday")[0] == 2
    code, text = said(capsys, "audit", "--verify")
    assert (code, text.startswith("Whole: 2 entries, each as it was.")) == (0, True)
    head = text.splitlines()[1].removeprefix("Head: ")
    assert said(capsys, "audit", "--head", head)[0] == 0
    code, text = said(capsys, "audit", "--verify", "--head", "00" * 32)
    assert (code, "the head that was noted is not in it" in text) == (1, True)
    assert said(capsys, "audit", "--verify", "--head", "odd")[0] == 1


def test_what_was_tampered_with_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(3):
        said(capsys, "keys", "make", "--scope", "write")
    with closing(connected(folder / "germane-data" / "germane.db")) as database:
        database.execute("DELETE FROM entry WHERE kind = 'audit' AND key = '000000000002'")
    code, text = said(capsys, "audit", "--verify")
    assert (code, "tampered with: entry 2 is not what it was" in text) == (1, True), text
    code, text = said(capsys, "audit", "--verify", "--json")
    assert (code, json.loads(text)["broken"]) == (1, 2)


def test_commands_ask_a_server_with_the_admin_key(tmp_path: Path) -> None:
    (tmp_path / "germane.toml").write_text('[project]\nname = "test"\n')
    (tmp_path / ".env").write_text("GERMANE_ADMIN_KEY=ga_1_x\n")
    assert load(tmp_path / "germane.toml", {}).runtime.admin_key == "ga_1_x"
    assert load(tmp_path / "germane.toml", {"GERMANE_ADMIN_KEY": "y"}).runtime.admin_key == "y"
