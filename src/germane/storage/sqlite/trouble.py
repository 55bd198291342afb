"""What SQLite and the file system say, as one of our errors: what it is, where, and what to do."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from germane.domain.errors import (
    GermaneError,
    NotFound,
    StorageDamaged,
    StorageFailed,
    StorageReadOnly,
)
from germane.storage.syncing import make_durable_folder

_SHUT = ("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH")
_BROKEN = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_FORMAT", "SQLITE_ERROR", "SQLITE_MISMATCH")
"""The last two: our statements are fixed, so what they stumble over is a file that is not as we wrote it."""
_WHY_TO_READ = " (SQLite writes beside its file even to read it)"


_PASSES = ("SQLITE_FULL", "SQLITE_BUSY", "SQLITE_LOCKED")
_NO_ROOM = ("SQLITE_FULL", "SQLITE_IOERR_WRITE")
"""The second one is a quota, or a limit of the process."""
_CHECKSUM = "SQLITE_IOERR_DATA"
_SYNC = ("SQLITE_IOERR_FSYNC", "SQLITE_IOERR_DIR_FSYNC")


class StorageFull(StorageFailed):
    """The disk is full: nothing can be written until there is room."""

    code = "storage.full"
    hint = (
        "Make room on the disk. A server goes on reading and deciding meanwhile, and writes again by itself "
        "then; a command has ended: run it again."
    )


class ForeignHistory(StorageFailed):
    """Sealed history lies beside a database that is not its own, or is not all there."""

    code = "storage.foreign_history"
    hint = (
        "Put the germane.db that was there back, with its germane.db-wal; or restore the newest backup with "
        "`germane restore --force`. To begin anew, move the folder away. Nothing was changed."
    )


def name_of(error: apsw.Error) -> str:
    """SQLite's name of what is wrong; empty where it is not SQLite's."""
    code = getattr(error, "extendedresult", None)
    names = apsw.mapping_extended_result_codes, apsw.mapping_result_codes
    return str(next((each[code] for each in names if code in each), ""))


def failure(
    error: apsw.Error | UnicodeDecodeError, path: Path, *, reading: bool = False
) -> StorageFailed:
    """The error to raise for one of SQLite's.

    Args:
        error: What SQLite raised, or a text that is none.
        path: The database file.
        reading: Whether nothing was to be written.
    """
    if isinstance(error, UnicodeDecodeError):
        return StorageDamaged(f"{path} is damaged: {error}.")
    name = name_of(error)
    if name == "SQLITE_FULL":
        return StorageFull()
    if name.startswith(_SHUT):
        why = _WHY_TO_READ if reading else ""
        return StorageReadOnly(f"{path} is not open to writing by this user{why}: {error}.")
    if name == _CHECKSUM:
        return StorageDamaged(f"{path} is damaged: a page of it is not as it was written.")
    if of_damage(error):
        return StorageDamaged(f"{path} is damaged: {error}.")
    verb = "read" if reading else "written"
    return StorageFailed(f"{path} could not be {verb}: {error}.")


def passes(error: apsw.Error) -> bool:
    """Whether it goes away by itself: somebody reads, or there is no room for now."""
    return name_of(error).startswith(_PASSES)


def no_room(error: apsw.Error) -> bool:
    """Whether there was no room to write the file, or a copy of it."""
    return name_of(error) in _NO_ROOM


def of_damage(error: apsw.Error) -> bool:
    """Whether the file is not as it was written."""
    return name_of(error).startswith((*_BROKEN, _CHECKSUM))


def of_sync(error: apsw.Error) -> bool:
    """Whether the disk did not take what was to be durable: the system may have dropped it, and the same sync
    tried again would say that all is well."""
    return name_of(error) in _SYNC


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Around what writes to the database at ``path``, outside of commits."""
    try:
        yield
    except (apsw.Error, UnicodeDecodeError) as error:
        raise failure(error, path) from error
    except OSError as error:
        raise _of_system(error, path.parent) from error


def make_folder(folder: Path) -> None:
    """The data folder, for this user alone, so that it is there after a power cut.

    Raises:
        StorageReadOnly: it cannot be made.
        StorageFailed: there is a file in its place.
    """
    try:
        make_durable_folder(folder, 0o700)
    except OSError as error:
        raise _of_system(error, folder) from error


def missing(folder: Path) -> GermaneError:
    """There is no database in a folder that is to be read."""
    if folder.exists() and not folder.is_dir():
        return _of_system(NotADirectoryError(errno.ENOTDIR, ""), folder)
    return NotFound(
        f"There is no data in {folder}.",
        hint="The first `germane import` or `germane serve` makes it; another folder is named with "
        "--data.",
    )


def foreign(folder: Path, last_seq: int) -> ForeignHistory:
    """There is history beyond the end of the log."""
    log = f"ends at record {last_seq:,}" if last_seq else "has no records, or is missing"
    return ForeignHistory(
        f"{folder} has history of a log that goes on, and the log of germane.db {log}."
    )


def _inside(error: OSError, folder: Path) -> Path:
    """Where in the data folder it went wrong; the folder itself where that is not known."""
    where = Path(error.filename) if isinstance(error.filename, str) else folder
    parts = where.relative_to(folder).parts if where.is_relative_to(folder) else ()
    return folder / parts[0] if parts and parts[0] in ("history", "archive") else folder


def _of_system(error: OSError, folder: Path) -> StorageFailed:
    place = _inside(error, folder)
    if error.errno in (errno.EEXIST, errno.ENOTDIR):
        what = "the data folder" if place == folder else "a folder of it"
        return StorageFailed(
            f"{place} cannot be {what}: there is a file of that name, or on the way to it.",
            hint="Name a folder with --data, or move the file away.",
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StorageReadOnly(f"{place} is not open to writing by this user: {error.strerror}.")
    if error.errno == errno.ENOSPC:
        return StorageFull()
    return StorageFailed(f"{folder} cannot be used: {error.strerror or error}.")
