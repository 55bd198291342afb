"""Data folders of earlier versions (`tests/fixtures/folders`), opened by this one."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from germane.storage import codec
from germane.storage.sqlite import SqliteStore
from germane.storage.sqlite.checksums import connected
from germane.storage.sqlite.connection import SCHEMA_VERSION
from tests.acceptance.conftest import Server, germane
from tests.acceptance.test_loop import decide, track
from tests.fixtures.folders.make import MADE, PEOPLE

FOLDERS = Path(__file__).parent.parent / "fixtures" / "folders"
VERSIONS = range(1, SCHEMA_VERSION)
LEDGER = 3
"""The schema from which on the ledger is part of the state's hash."""


@pytest.fixture(params=VERSIONS)
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A project as one of them left it."""
    with tarfile.open(FOLDERS / f"v{request.param}.tar.xz") as file:
        file.extractall(tmp_path, filter="data")
    return tmp_path / "shop"


@pytest.fixture
def made(project: Path) -> dict[str, Any]:
    """What that version told of it."""
    found: dict[str, Any] = json.loads((project / MADE).read_text())
    return found


@pytest.fixture
def upgraded(project: Path) -> Iterator[Server]:
    """A server of today on it."""
    opened = Server(project).start()
    yield opened
    opened.close()


def hash_as_of(schema: int, folder: Path) -> str:
    """The hash of the state, of what that schema had."""
    store = SqliteStore.open(folder, mode="read")
    tables = ["profiles", "identities", "items", "entries", "offsets"]
    if schema < LEDGER:
        tables.remove("entries")
    digest = sha256()
    for table in tables:
        for row in store._stream(f"hash_{table}"):
            last = row[-1]
            if isinstance(last, bytes):
                last = (
                    codec.canonical_profile(last) if table == "profiles" else codec.canonical(last)
                )
            digest.update(codec.encode((*row[:-1], last)))
        digest.update(b"|")
    store.close()
    return digest.hexdigest()


def version_of(folder: Path) -> int:
    """The schema of a data folder."""
    with closing(connected(folder / "germane.db")) as database:
        found: int = database.execute("PRAGMA user_version").get
    return found


def known(person: dict[str, Any]) -> dict[str, Any]:
    """What does not change by the clock."""
    return {
        "evidence": person["readiness"]["evidence"],
        "own": {each["itemId"]: each["count"] for each in person["ownItems"]},
        "email": person["traits"]["email"]["value"],
        "interests": {
            name: {x["value"] for x in each} for name, each in person["interests"].items()
        },
    }


def test_every_schema_before_this_one_is_there() -> None:
    """Whoever changes the schema keeps a folder of before."""
    assert [f"v{n}.tar.xz" for n in VERSIONS] == sorted(x.name for x in FOLDERS.glob("*.xz"))


def test_it_is_opened_as_it_was_left(project: Path, made: dict[str, Any]) -> None:
    """The state is the one that the earlier version had, to the byte; reading alone changes nothing."""
    folder = project / "germane-data"
    assert version_of(folder) == made["schema"] < SCHEMA_VERSION
    assert hash_as_of(made["schema"], folder) == made["hash"]
    assert version_of(folder) == made["schema"]
    store = SqliteStore.open(folder)
    assert store.last_seq() == made["offset"]
    store.close()
    assert version_of(folder) == SCHEMA_VERSION
    assert hash_as_of(made["schema"], folder) == made["hash"]


def test_it_goes_on(upgraded: Server, made: dict[str, Any]) -> None:
    """Everybody is known as before, decisions are answered, events are taken and change the next one, and
    what is stored can be folded anew."""
    assert len(made["people"]) >= PEOPLE
    for before in made["people"]:
        assert known(upgraded.person(before["personId"])) == known(before)
    first = decide(upgraded, "p0")
    assert len(first["items"]) == 12
    for number in (1, 2, 3):
        track(upgraded, "p0", "Product Viewed", product_id=f"lamp-{number}", price=30)
    assert decide(upgraded, "p0")["personOffset"] > first["personOffset"]
    reasons = {letter["code"] for letter in upgraded.letters()}
    assert len(reasons) >= 1  # what could not be used then still waits
    assert upgraded.stop() == 0
    where = ("--config", str(upgraded.config), "--data", str(upgraded.data_dir), "--json")
    found = json.loads(germane("rebuild", *where).stdout)
    assert found["equal"] or found["why"], "another version may have folded it otherwise"
    again = json.loads(germane("rebuild", *where).stdout)
    assert (again["equal"], again["why"]) == (True, "")
    assert json.loads(germane("person", "p0", *where).stdout)["readiness"]["evidence"] > 0


def test_it_can_be_backed_up_before_the_upgrade(
    project: Path, made: dict[str, Any], tmp_path: Path
) -> None:
    """A backup of an earlier schema is that schema; put back, it is brought up to date."""
    where = ("--config", str(project / "germane.toml"), "--data")
    data, other = project / "germane-data", tmp_path / "other"
    done = germane("backup", str(tmp_path / "backups"), *where, str(data), "--json")
    assert json.loads(done.stdout)["schema"] == made["schema"] == version_of(data)
    back = germane("restore", str(tmp_path / "backups"), *where, str(other), "--json")
    assert json.loads(back.stdout)["offset"] == made["offset"]
    assert version_of(other) == SCHEMA_VERSION
