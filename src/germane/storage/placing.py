"""Where a backup is put back: beside the data folder's files, in the folder itself, until all of it is there.

The folder may be a disk of its own, so nothing is renamed from outside. While the work lies in it, nobody opens
the folder: half of a restore is never served.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from germane.domain.errors import GermaneError, StorageFailed
from germane.storage.syncing import sync, sync_folders

WORK = ".restoring"
DATABASE = "germane.db"
LIST = "erasures.jsonl"
_OURS = (
    DATABASE,
    "germane.db-wal",
    "germane.db-shm",
    "history",
    "archive",
    "models",
    "damaged",
    LIST,
)
_BESIDE = ("germane.lock", "germane.address", "germane.address.new", "lost+found", WORK, LIST)
"""They may be in a folder that counts as empty."""


class RestoreBroken(StorageFailed):
    """A restore of this data folder was broken off."""

    code = "restore.broken_off"
    hint = "Run `germane restore` again. Nothing is served from half of a backup, and the backup is as it was."


class WouldReplace(GermaneError):
    """There are data already."""

    code = "restore.would_replace"
    hint = "Name an empty folder with --data; or add --force, and what is there is gone."


def no_restore_under_way(folder: Path) -> None:
    """
    Raises:
        RestoreBroken: a backup is being put back there, or that was broken off.
    """
    if not (folder / WORK).exists():
        return
    text = f"A backup is being put back into {folder}, or that was broken off."
    if not (folder / DATABASE).exists():  # what was copied was whole, and about to take its place
        raise RestoreBroken(f"{text} What was there before has gone already, if anything was.")
    raise RestoreBroken(
        f"{text} What is in {folder} itself is whole: nothing of it was changed yet, or all of it is in place.",
        hint="If none is under way: run `germane restore` again, with --force. Or go on with what is there: "
        f"delete the folder {folder / WORK}, where the copy lies, and nothing else.",
    )


def looked_at(folder: Path, *, force: bool) -> None:
    """Whether a backup may be put there.

    Raises:
        WouldReplace: there is something, and nobody said that it may go; or it is none of ours.
    """
    if not folder.exists():
        return
    there = sorted(each.name for each in folder.iterdir() if each.name not in _BESIDE)
    if not there or ((folder / WORK).exists() and DATABASE not in there):
        return
    if DATABASE not in there:
        raise WouldReplace(
            f"{folder} is not empty and no data folder: it has {', '.join(there[:3])}.",
            hint="Name an empty folder with --data.",
        )
    if not force:
        raise WouldReplace(f"{folder} has data already.")


@contextmanager
def workplace(folder: Path) -> Iterator[Path]:
    """A data folder in the making; what is in it at the end takes the place of what was there. If it goes
    wrong, what was there stays."""
    work = folder / WORK
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(mode=0o700)
    try:
        yield work
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    _put_in_place(work, folder)


def _put_in_place(work: Path, folder: Path) -> None:
    """The database last: without it the folder is none, and with the work in it nobody opens it. The list of
    erasures goes over the one that is there, all of which it has: at no time is none there."""
    sync_folders(work)
    (folder / DATABASE).unlink(missing_ok=True)
    sync(folder)  # from now on nobody takes what is left there for whole
    for name in _OURS:
        path = folder / name
        if name == LIST:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for name in reversed(_OURS):
        if (work / name).exists():
            (work / name).rename(folder / name)
    sync(folder)
    shutil.rmtree(work)
    sync(folder)
