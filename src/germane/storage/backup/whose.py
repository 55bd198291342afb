"""Whose a backup is: a data folder is known by its secret, wherever it lies."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Iterator
from pathlib import Path

import apsw

from germane.domain.errors import GermaneError
from germane.domain.ids import FOLDER_SECRET
from germane.storage.backup.manifest import Manifest, found_in, read
from germane.storage.sqlite.connection import open_reader
from germane.storage.sqlite.sql import queries

_log = logging.getLogger(__name__)


class ForeignBackup(GermaneError):
    """The backup is of another data folder."""

    code = "backup.of_another"
    hint = "Name a place of its own for each project."


def identity_in(connection: apsw.Connection) -> str:
    """What a data folder is known by, in 16 characters; empty: nothing was ever written by an engine."""
    row = connection.execute(queries()["meta"], (FOLDER_SECRET,)).fetchone()
    return hmac.digest(bytes(row[0]), b"data folder", "sha256").hex()[:16] if row else ""


def identity_of(folder: Path) -> str:
    """The same of a folder; empty, too, where it cannot be read."""
    path = folder / "germane.db"
    if not path.exists():
        return ""
    try:
        connection = open_reader(path)
    except GermaneError:
        return ""
    try:
        return identity_in(connection)
    except apsw.Error:
        return ""
    finally:
        connection.close()


def foreign(manifest: Manifest, identity: str) -> bool:
    """Whether a backup is of another data folder. Of one that does not say whose it is nobody knows."""
    return bool(manifest.folder and identity) and manifest.folder != identity


def told(backup: Path, manifest: Manifest) -> str:
    """Whose a backup is, in words."""
    return f"{backup} is of the data folder {manifest.of} ({manifest.folder})"


def manifests(place: Path) -> Iterator[tuple[Path, Manifest]]:
    """The backups in a place that can be read, the oldest first."""
    for backup in found_in(place):
        try:
            yield backup, read(backup)
        except (GermaneError, OSError) as error:
            _log.warning("passed over: %s: %s", backup, error)


def none_of_another(place: Path, folder: Path, identity: str) -> None:
    """
    Raises:
        ForeignBackup: there are backups of another data folder.
    """
    for backup, manifest in manifests(place):
        if foreign(manifest, identity):
            raise ForeignBackup(
                f"{place} has backups of another data folder: {told(backup, manifest)}, and {folder} is "
                f"{identity}. No backup was made, and none removed.",
                hint="Name a place of its own for each project, such as PLACE/NAME. If that data folder is no "
                "more (this one was begun anew), move its backups away first.",
            )
