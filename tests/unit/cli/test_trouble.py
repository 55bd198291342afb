"""A data folder that is shut, damaged or no folder: one plain message from every command, no trace."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from germane.cli.errors import BAD_CONFIG, FAILED
from tests.unit.cli.test_import import germane

READING = (
    ("person", "c1"),
    ("export", "events", "-"),
    ("export", "people", "-"),
    ("check",),
    ("dead-letters", "list"),
    ("snapshot",),
    ("train",),
    ("backtest",),
)
WRITING = (
    ("import", "catalogue", "catalogue.csv"),
    ("decide", "c1", "home-grid"),
    ("moment", "c1"),
    ("rebuild",),
    ("seal",),
    ("dead-letters", "replay"),
    ("serve", "--port", "0"),
)
PAGE = 4096


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a catalogue and 300 events."""
    folder = tmp_path_factory.mktemp("trouble")
    assert germane(folder, "init", ".").returncode == 0
    assert germane(folder, "import", "catalogue", "catalogue.csv").returncode == 0
    rows = [
        {"user": f"c{n % 7}", "ts": 1_790_000_000 + 60 * n, "event": "view", "sku": f"toy-{n % 5}"}
        for n in range(300)
    ]
    (folder / "e.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert germane(folder, "import", "events", "e.jsonl").returncode == 0
    return folder


@pytest.fixture
def project(lived_in: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of it for one test."""
    copy = tmp_path / "project"
    shutil.copytree(lived_in, copy)
    yield copy
    for place in (copy, copy / "germane-data"):
        place.chmod(0o700)


def without_powers(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command as somebody to whom the rights of files mean something, even if we are root."""
    setpriv = shutil.which("setpriv")
    if os.geteuid() == 0 and setpriv is None:
        pytest.fail(
            "root may write everywhere: install util-linux (setpriv), or run as another user"
        )
    weaker = [setpriv, "--inh-caps=-all", "--bounding-set=-all"] if os.geteuid() == 0 else []
    return subprocess.run(
        [*weaker, sys.executable, "-m", "germane", *arguments],  # type: ignore[list-item]
        cwd=folder,
        text=True,
        capture_output=True,
        check=False,
        timeout=120,
    )


def plain(done: subprocess.CompletedProcess[str], said: str) -> None:
    """One message with a remedy, exit code 1."""
    assert "Traceback" not in done.stderr
    assert done.returncode in (FAILED, BAD_CONFIG), done.stderr
    assert done.stderr.count("Error ") == 1, done.stderr
    assert said in done.stderr
    assert "→" in done.stderr


@pytest.mark.parametrize("command", READING + WRITING, ids=" ".join)
def test_a_folder_that_may_not_be_written(project: Path, command: tuple[str, ...]) -> None:
    """It is said which, and what to do."""
    data = project / "germane-data"
    for place in (*data.rglob("*"), data):
        place.chmod(0o500 if place.is_dir() else 0o400)
    done = without_powers(project, *command)
    for place in (data, *data.rglob("*")):
        place.chmod(0o700 if place.is_dir() else 0o600)
    plain(done, "not open to writing by this user")
    assert "germane-data" in done.stderr


@pytest.mark.parametrize("name", ["germane.db", "germane.db-wal"])
def test_a_database_that_may_not_be_written(project: Path, name: str) -> None:
    """The folder may, and SQLite would open the file to read: a server does not start, and says which file."""
    path = project / "germane-data" / name
    path.touch()
    path.chmod(0o400)
    done = without_powers(project, "serve", "--port", "0")
    plain(done, "germane.db is not open to writing by this user")
    assert "listens" not in done.stdout
    assert name != "germane.db" or "chmod u+w" in done.stderr


@pytest.mark.parametrize("command", READING[1:] + WRITING, ids=" ".join)
def test_a_damaged_database(project: Path, command: tuple[str, ...]) -> None:
    """All its pages behind the first are noise: everything that reads it says so."""
    path = project / "germane-data" / "germane.db"
    size = path.stat().st_size
    path.write_bytes(path.read_bytes()[:PAGE] + random.Random(1).randbytes(size - PAGE))
    plain(germane(project, *command), "damaged")


@pytest.mark.parametrize("command", [("person", "c1"), *WRITING], ids=" ".join)
def test_no_database_at_all(project: Path, command: tuple[str, ...]) -> None:
    """A file that is something else."""
    (project / "germane-data" / "germane.db").write_text("This is no database. " * 1000)
    plain(germane(project, *command), "germane-data/germane.db is damaged")


@pytest.mark.parametrize("command", WRITING, ids=" ".join)
def test_a_file_in_the_place_of_the_folder(project: Path, command: tuple[str, ...]) -> None:
    """Is not taken for one."""
    shutil.rmtree(project / "germane-data")
    (project / "germane-data").write_text("")
    plain(germane(project, *command), "a file")


def test_a_project_where_nothing_may_be_made(project: Path) -> None:
    """`init` says where it failed."""
    project.chmod(0o500)
    done = without_powers(project, "init", "new")
    project.chmod(0o700)
    plain(done, "new: Permission denied")
