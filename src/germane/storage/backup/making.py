"""Making a backup beside a server: one moment of the database, and every file that it names.

The database is copied page by page inside one reading transaction, which holds up no commit. Files of history
and archive never change: one that an earlier backup has is looked over there and linked, not copied. The list
of erasures is copied last, so it names whoever went meanwhile.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import apsw
import msgspec
from msgspec.structs import replace

from germane.domain.errors import GermaneError, StorageDamaged, StorageFailed, WrongUse
from germane.storage.backup.manifest import (
    FORMAT,
    NAME,
    File,
    Manifest,
    called,
    found_in,
    number_of,
)
from germane.storage.backup.whose import (
    foreign,
    identity_in,
    identity_of,
    manifests,
    none_of_another,
)
from germane.storage.files import NoRoom, copy, digest_of, room_for, room_in
from germane.storage.history import HistoryDamaged
from germane.storage.placing import no_restore_under_way
from germane.storage.sqlite.checksums import ask_for, checks, connected
from germane.storage.sqlite.connection import open_reader
from germane.storage.sqlite.sql import queries
from germane.storage.sqlite.trouble import failure, missing, no_room
from germane.storage.syncing import sync, sync_folders

DATABASE = "germane.db"
MAKING = ".making"
"""What is being made, or was broken off: the next backup removes it."""
PAGES = 1_024
"""Of the database, at a time: some 4 MB."""
TRIES = 5
_log = logging.getLogger(__name__)


class BackupBusy(GermaneError):
    """Another backup is being made there."""

    code = "backup.busy"
    hint = "Wait until it is through."


@dataclass(slots=True)
class Made:
    """A backup that is whole."""

    path: Path
    manifest: Manifest
    linked: int
    """Files that an earlier one had."""


@dataclass(slots=True)
class _Work:
    """What is under way."""

    folder: Path
    target: Path
    earlier: dict[str, tuple[File, Path]]
    """Sealed files of the backup before: path -> it, and where it is."""
    advance: Callable[[int, int], None]
    total: int = 0
    done: int = 0
    linked: int = 0
    files: dict[str, File] = field(default_factory=dict)

    def more(self, count: int) -> None:
        """So many bytes more are done."""
        self.done += count
        self.advance(self.done, max(self.total, self.done))


def make(
    folder: Path,
    place: Path,
    *,
    version: str,
    now_ms: Callable[[], int],
    advance: Callable[[int, int], None] = lambda *_: None,
) -> Made:
    """Make a backup of a data folder, as a folder of its own in ``place``.

    Args:
        folder: The data folder; a server may have it.
        place: Where backups are kept.
        version: Of Germane.
        now_ms: The clock, in ms since 1970.
        advance: Told how many bytes of how many are done.

    Raises:
        NotFound: there is no data.
        WrongUse: the place is in the data folder, or is something else.
        NoRoom: it does not fit there.
        HistoryDamaged, StorageDamaged: what is to be backed up is not what was written.
        BackupBusy: another one is being made there.
        ForeignBackup: the place has backups of another data folder.
    """
    no_restore_under_way(folder)
    if not (folder / DATABASE).exists():
        raise missing(folder)
    _looked_at(folder, place)
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    making = place / MAKING
    with _alone(place), room_in(place):
        none_of_another(place, folder, identity_of(folder))
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(mode=0o700)
        try:
            work = _Work(folder, making, _earlier(place), advance)
            manifest = replace(_filled(work, version, now_ms), number=_next(place))
            return Made(_named(making, place, manifest), manifest, work.linked)
        except BaseException:
            shutil.rmtree(making, ignore_errors=True)
            raise


def prune(place: Path, keep: int, identity: str = "") -> list[str]:
    """Remove all but the last ``keep`` whole backups, whatever the clock said when; the names of those
    that went. Those of another data folder than ``identity`` do not count, and stay."""
    assert keep > 0, "the newest one stays"
    with _alone(place):
        others = [path for path, each in manifests(place) if foreign(each, identity)]
        old = [x for x in found_in(place) if _is_whole(x) and x not in others][:-keep]
        for each in old:
            (each / NAME).unlink()  # from now on it is none, wherever this is broken off
            shutil.rmtree(each)
    return [each.name for each in old]


def _is_whole(backup: Path) -> bool:
    """Whether a backup was finished; of one that may not be looked into, no."""
    try:
        return (backup / NAME).exists()
    except OSError:
        return False


def _looked_at(folder: Path, place: Path) -> None:
    """
    Raises:
        WrongUse: a backup cannot be made there.
    """
    data, there = folder.resolve(), place.resolve()
    if there.exists() and not there.is_dir():
        raise WrongUse(f"{place} is a file.", hint="Name a folder for the backups.")
    if there == data or there.is_relative_to(data):
        raise WrongUse(
            f"{place} is in the data folder {folder}.",
            hint="Name a folder outside of it, on another disk if there is one.",
        )
    if (there / NAME).exists() or (there / DATABASE).exists():
        what = "a backup itself" if (there / NAME).exists() else "a data folder"
        raise WrongUse(f"{place} is {what}.", hint="Name the folder in which backups are kept.")


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    with (place / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BackupBusy(f"Another backup is being made in {place}.") from None
        yield


def _earlier(place: Path) -> dict[str, tuple[File, Path]]:
    """What the newest whole backup has of history and archive."""
    backup, newest = next(reversed([*manifests(place)]), (place, None))
    return {
        each.path: (each, backup / each.path)
        for each in (newest.files if newest else ())
        if each.path.startswith(("history/", "archive/"))
    }


def _filled(work: _Work, version: str, now_ms: Callable[[], int]) -> Manifest:
    """Copy everything; what it is."""
    for _ in range(TRIES):
        _past_copied(
            work, _named_now(work.folder)
        )  # most of it, before anybody waits for a checkpoint
        with _moment(work.folder / DATABASE) as connection:
            made_ms, named = now_ms(), _named_in(connection)
            if not _past_copied(work, named):
                continue  # a file went meanwhile: another moment
            schema = connection.execute("PRAGMA user_version").get
            offset = connection.execute(queries()["last_seq"]).get
            identity = identity_in(connection)
            _database_copied(work, connection)
        for path in work.files.keys() - named.keys() - {DATABASE}:
            (work.target / path).unlink()
            del work.files[path]
        _models_copied(work, offset)
        if (work.folder / "erasures.jsonl").exists():
            _copied(work, "erasures.jsonl")
        files = tuple(sorted(work.files.values(), key=lambda each: each.path))
        of = str(work.folder.resolve())
        return Manifest(FORMAT, version, schema, made_ms, offset, files, identity, of)
    raise StorageFailed(
        "The files of history changed again and again while they were copied.",
        hint="Try again when less is erased.",
    )


@contextmanager
def _moment(path: Path) -> Iterator[apsw.Connection]:
    """The database as it is now, whoever writes it meanwhile."""
    connection = open_reader(path)
    try:
        connection.execute("BEGIN")
        connection.execute("SELECT 1 FROM meta LIMIT 1").fetchone()
        yield connection
    except (apsw.Error, UnicodeDecodeError) as error:
        raise failure(error, path, reading=True) from error
    finally:
        connection.close()


def _named_now(folder: Path) -> dict[str, str]:
    with _moment(folder / DATABASE) as connection:
        return _named_in(connection)


def _named_in(connection: apsw.Connection) -> dict[str, str]:
    """Path -> SHA-256 of what the database names beside itself."""
    return {
        f"{folder}/{row[0]}": row[5]
        for table, folder in (("sealed", "history"), ("archived", "archive"))
        for row in connection.execute(queries()[table])
    }


def _past_copied(work: _Work, named: dict[str, str]) -> bool:
    """Have files of history and archive; whether all of them were still there."""
    new = [path for path in named if path not in work.files]
    sizes = {path: _size(work.folder / path) for path in new}
    left = sum(sizes.values()) + _size(work.folder / DATABASE)
    work.total = work.done + left
    room_for(work.target.parent, left - sum(each.bytes for each, _ in work.earlier.values()))
    for path in new:
        try:
            _sealed_copied(work, path, named[path])
        except FileNotFoundError:
            if path in _named_now(work.folder):
                raise _lost(path, "missing") from None
            return False
    return True


def _sealed_copied(work: _Work, path: str, sha256: str) -> None:
    """Link a file that never changes to the earlier backup's, or copy it.

    Raises:
        HistoryDamaged: it is not what was written, and no earlier backup has it.
    """
    target = work.target / path
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if path in work.earlier and work.earlier[path][0].sha256 == sha256:
        before, place = work.earlier[path]
        if place.is_file() and digest_of(place, work.more) == sha256:
            with contextlib.suppress(OSError):  # a file system without links
                target.hardlink_to(place)
                work.files[path] = before
                work.linked += 1
                return
        else:
            _log.warning("%s is damaged: copied anew", place)
    _copied(work, path)
    if work.files[path].sha256 != sha256:
        raise _lost(path, "changed")


def _lost(path: str, how: str) -> HistoryDamaged:
    return HistoryDamaged(
        f"{path} is {how}: no backup was made.",
        hint="`germane retention --verify` names all such files. Copy them from an earlier backup; if there is "
        "none, `germane retention --give-up-damaged` tells what going on without them loses.",
        file=path,
    )


def _copied(work: _Work, path: str) -> None:
    target = work.target / path
    target.unlink(missing_ok=True)
    digest = copy(work.folder / path, target, work.more)
    work.files[path] = File(path, target.stat().st_size, digest)


def _database_copied(work: _Work, source: apsw.Connection) -> None:
    """Copy the database as it is in the transaction of the connection.

    Raises:
        StorageDamaged: it is not as it was written.
    """
    path = work.target / DATABASE
    path.touch(mode=0o600)
    page_bytes = source.execute("PRAGMA page_size").get
    before = work.done
    target = connected(path)
    try:
        target.execute("PRAGMA journal_mode=OFF")  # what is broken off is thrown away
        target.execute("PRAGMA synchronous=OFF")
        if checks(source):  # before the first page: those that the WAL has get their checksums here
            ask_for(target)
            target.execute("PRAGMA user_version=1")
        with target.backup("main", source, "main") as copying:
            while not copying.done:
                copying.step(PAGES)
                copied = copying.page_count - copying.remaining
                work.more(before + copied * page_bytes - work.done)
        said = target.execute("PRAGMA quick_check(1)").get
    except apsw.Error as error:
        if no_room(error):
            raise NoRoom(f"There is no room in {work.target.parent} for the database.") from error
        raise
    finally:
        target.close()
    if said != "ok":
        raise StorageDamaged(f"{work.folder / DATABASE} is damaged: {said}.")
    sync(path)
    work.files[DATABASE] = File(DATABASE, path.stat().st_size, digest_of(path))


def _models_copied(work: _Work, offset: int) -> None:
    """What was learned, as far as it is of this log: all of it can be made anew, so what goes meanwhile is
    left out."""
    for manifest in sorted((work.folder / "models").glob("[!.]*/[!.]*/manifest.json")):
        version = manifest.parent
        if not version.name.isdigit() or int(version.name) > offset:
            continue
        paths = [each.relative_to(work.folder).as_posix() for each in version.iterdir()]
        try:
            for path in paths:
                _copied(work, path)
        except FileNotFoundError:
            for path in paths:
                work.files.pop(path, None)
            shutil.rmtree(work.target / version.relative_to(work.folder))


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _next(place: Path) -> int:
    """The number of the next backup."""
    return max((number_of(each) for each in found_in(place)), default=0) + 1


def _named(making: Path, place: Path, manifest: Manifest) -> Path:
    """Write the manifest, then give the backup its name: it is whole when it has it."""
    data = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    with open(os.open(making / NAME, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:  # noqa: PTH123
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    sync_folders(making)
    name = called(manifest.made_ms)
    number = 0
    while (target := place / (f"{name}.{number}" if number else name)).exists():
        number += 1
    making.rename(target)
    sync(place)
    return target
