"""The file itself: every way in which it cannot be read says which file, where, and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from germane.config import load
from germane.domain.errors import ConfigInvalid
from tests.unit.config.test_load import SHOP


def refused(path: Path) -> ConfigInvalid:
    """What is said of a file."""
    with pytest.raises(ConfigInvalid) as caught:
        load(path, {})
    return caught.value


@pytest.mark.parametrize(
    ("line", "column", "says", "remedy"),
    [
        ("weight = 0,5", 11, "has a comma", "with a point"),
        ("weight = 1.000,5", 15, "has a comma", "no separator of thousands"),
        ("size: 12", 5, "colon", "size = 12"),
        ("interest = True", 12, "no flag", "small letters"),
        ("size = null", 8, "no such value", "Leave the line out"),
        ("share = 15%", 11, "percent", "0.15"),
        ("window = 7d", 11, "no quotes", '"7d"'),
        ("size = 08", 9, "begins with a zero", "8, not 08"),
        ("weight = .5", 10, "both sides", "0.5"),
        ("size =", 7, "no value", "after the equals sign"),
        ("name = shop", 8, "no quotes", 'name = "shop"'),
        ("name = “shop”", 8, "quotation mark", "Use"),
        ('name = "shop', 13, "not closed", "closing"),
        (r'data = "C:\data"', 12, "backslash", "single quotes"),
        ("[signals", 9, "not closed", "[table]"),
        ("name = 1\nname = 2", 9, "second time", "one of the two"),
        ("size 12", 6, "equals sign is missing", "key = value"),
        ("size = 12 13", 11, "Something follows", "one setting a line"),
        ('default = ["a" "b"]', 15, "lacks a comma", '["a", "b"]'),
        ("a = { b = 1 c = 2 }", 12, "lacks a comma", "{ a = 1, b = 2 }"),
        ("home grid = 1", 6, "equals sign is missing", "key = value"),
        ("[a]\n[a]", 4, "begun before", "one heading"),
    ],
)
def test_a_slip_is_named_in_plain_words(
    tmp_path: Path, line: str, column: int, says: str, remedy: str
) -> None:
    """File, line and column, the line itself, what is wrong with it, and how it is written."""
    path = tmp_path / "germane.toml"
    path.write_text(f"# the first line\n{line}\n", encoding="utf-8")
    error = refused(path)
    (found,) = error.details["errors"]
    at = 2 + line.count("\n")
    assert found["key"].startswith(f"{path}, line {at}, column "), found
    assert abs(int(found["key"].rpartition(" ")[2]) - column) <= 1, found
    assert found["value"] == line.rsplit("\n", maxsplit=1)[-1].strip()
    assert says in found["problem"]
    assert remedy in found["remedy"]
    assert str(path) in error.message


def test_a_key_is_not_shown(tmp_path: Path) -> None:
    """A secret that lacks its quotes does not go into logs."""
    path = tmp_path / "germane.toml"
    path.write_text("[keys]\nserver = gs_secret\n", encoding="utf-8")
    error = refused(path)
    assert "line 2" in error.message
    assert "gs_secret" not in error.message


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b'[project]\nname = "caf\xe9"\n', "line 2, column 12"),
        ('[project]\nname = "x"\n'.encode("utf-16"), "UTF-16"),
        ('[project]\nname = "x"\n'.encode("utf-16-le"), "UTF-16"),
    ],
)
def test_no_text(tmp_path: Path, raw: bytes, says: str) -> None:
    """Empty, or of another encoding."""
    path = tmp_path / "germane.toml"
    path.write_bytes(raw)
    error = refused(path)
    assert says in error.message
    assert str(path) in error.message
    assert error.hint


def test_no_file(tmp_path: Path) -> None:
    """Missing, a folder, below a file: each with what to do."""
    assert "germane init" in refused(tmp_path / "none.toml").hint
    folder = refused(tmp_path)
    assert "is a folder" in folder.message
    assert str(tmp_path / "germane.toml") in folder.hint
    (tmp_path / "file").write_text("")
    assert "a part of the path is a file" in refused(tmp_path / "file" / "x.toml").message


def test_not_readable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file without permission says so (root may read everything, so the refusal is raised here)."""
    path = tmp_path / "germane.toml"
    path.write_text(SHOP)

    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    error = refused(path)
    assert f"{path} may not be read by this user" in error.message
    assert "chmod" in error.hint


def test_a_byte_order_mark_is_accepted(tmp_path: Path) -> None:
    """Some editors put one before UTF-8, in .env as well."""
    path = tmp_path / "germane.toml"
    path.write_text("\ufeff" + SHOP, encoding="utf-8")
    (tmp_path / ".env").write_text("\ufeffexport GERMANE_WRITE_KEY=w\n", encoding="utf-8")
    loaded = load(path, {})
    assert loaded.settings.project == "shop"
    assert loaded.runtime.write_key == "w"


def test_env_is_not_text(tmp_path: Path) -> None:
    """A broken .env is named, not a trace."""
    (tmp_path / "germane.toml").write_text(SHOP, encoding="utf-8")
    (tmp_path / ".env").write_bytes(b"GERMANE_WRITE_KEY=\xff\n")
    assert ".env, line 1" in refused(tmp_path / "germane.toml").message
