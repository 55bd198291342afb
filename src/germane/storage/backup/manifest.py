"""What a backup says of itself: its files, to the byte, and up to where in the log it goes.

The manifest is written last, and the folder gets its name after it: what has no manifest is no backup.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import msgspec

from germane.domain.errors import GermaneError, NotFound, StorageFailed
from germane.storage.sqlite.connection import SCHEMA_VERSION

NAME = "manifest.json"
FORMAT = 1
_CALLED = re.compile(r"\d{8}T\d{6}Z(\.\d+)?", re.ASCII)


class BackupDamaged(StorageFailed):
    """A backup is not what was written."""

    code = "backup.damaged"
    hint = (
        "Take another backup; `germane backup --list` tells which there are. Nothing was changed."
    )


class NoBackup(NotFound):
    """There is no whole backup."""

    code = "backup.none"
    hint = "Name the folder that was given to `germane backup`, or one of the backups in it."


class NewerBackup(GermaneError):
    """The backup was made by a newer version of Germane."""

    code = "backup.newer_version"
    hint = "Upgrade Germane, then restore it."


class File(msgspec.Struct, frozen=True):
    """One file of a backup."""

    path: str
    """In the data folder, with slashes."""
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What a backup is made of."""

    format: int
    germane: str
    """Version that made it."""
    schema: int
    """Of its database."""
    made_ms: int
    """The moment that it is of."""
    offset: int
    """The newest record in it."""
    files: tuple[File, ...]
    folder: str = ""
    """What the data folder is known by (``whose``); empty: an earlier version made it, and did not say."""
    of: str = ""
    """Where that folder was."""
    number: int = 0
    """Backups of one place are counted: the clock may go back, and offsets do after a restore of an earlier
    moment. 0: an earlier version made it."""

    @property
    def bytes(self) -> int:
        """Of all files."""
        return sum(each.bytes for each in self.files)


class _Number(msgspec.Struct):
    """The same alone."""

    number: int = 0


class _Versions(msgspec.Struct):
    """What every format has."""

    format: int
    germane: str


def called(made_ms: int) -> str:
    """The name of a backup: names in order are times in order."""
    return datetime.fromtimestamp(made_ms // 1000, UTC).strftime("%Y%m%dT%H%M%SZ")


def read(backup: Path) -> Manifest:
    """The manifest of a backup.

    Raises:
        NoBackup: there is none: it was broken off, or it is another folder.
        BackupDamaged: it cannot be read.
        NewerBackup: a newer version made it.
    """
    try:
        data = (backup / NAME).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise NoBackup(f"{backup} is no whole backup: it has no {NAME}.") from None
    try:
        said = msgspec.json.decode(data, type=_Versions)
        if said.format <= FORMAT:
            manifest = msgspec.json.decode(data, type=Manifest)
    except msgspec.MsgspecError as error:
        raise BackupDamaged(f"{backup / NAME} is damaged: {error}.") from None
    if said.format > FORMAT or manifest.schema > SCHEMA_VERSION:
        raise NewerBackup(
            f"{backup} was made by Germane {said.germane}, which is newer than this one."
        )
    for each in manifest.files:
        if not _inside(each.path):
            raise BackupDamaged(f"{backup / NAME} is damaged: it names {each.path!r}.")
    return manifest


def _inside(path: str) -> bool:
    """Whether a name leads into the data folder."""
    parts = PurePosixPath(path).parts
    return bool(parts) and ".." not in parts and not path.startswith("/")


def found_in(place: Path) -> list[Path]:
    """The backups in a folder, in the order in which they were made; whether each is whole, its manifest tells.

    Raises:
        NoBackup: there is no such folder.
    """
    if not place.is_dir():
        raise NoBackup(f"There is no folder {place}.")
    named = sorted(each for each in place.iterdir() if _CALLED.fullmatch(each.name))
    numbers, number = dict[Path, int](), 0
    for each in named:
        number = numbers[each] = number_of(each, number)
    return sorted(named, key=numbers.__getitem__)


def number_of(backup: Path, otherwise: int = 0) -> int:
    """Which one of its place it is; of one that cannot be read, as much as the one that was named before it."""
    try:
        return msgspec.json.decode((backup / NAME).read_bytes(), type=_Number).number
    except (OSError, msgspec.MsgspecError):
        return otherwise
