"""Copying a file so that it is on the disk, readable by its owner alone, with its SHA-256 on the way."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from germane.domain.errors import StorageFailed

CHUNK = 1 << 20
MB = 1_000_000
Advance = Callable[[int], None]
"""Told how many bytes more are done."""


class NoRoom(StorageFailed):
    """There is no room."""

    code = "storage.no_room"
    hint = "Make room there, or name another folder. What was begun is removed, and nothing else was changed."


@contextmanager
def room_in(place: Path) -> Iterator[None]:
    """Around what writes there.

    Raises:
        NoRoom: the disk is full, or a limit is reached.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise NoRoom(f"There is no room in {place}: {error.strerror}.") from error
        raise


def room_for(place: Path, bytes_wanted: int) -> None:
    """
    Raises:
        NoRoom: so much cannot fit there.
    """
    free = shutil.disk_usage(place).free
    if bytes_wanted > free:
        raise NoRoom(
            f"There is no room in {place}: {bytes_wanted / MB:,.1f} MB are to be written, "
            f"{free / MB:,.1f} are free."
        )


def copy(source: Path, target: Path, advance: Advance = lambda _: None) -> str:
    """Copy durably; the digest of what was read."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest = sha256()
    with (
        source.open("rb") as reader,
        open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as writer,  # noqa: PTH123
    ):
        while chunk := reader.read(CHUNK):
            digest.update(chunk)
            writer.write(chunk)
            advance(len(chunk))
        writer.flush()
        os.fsync(writer.fileno())
    return digest.hexdigest()


def digest_of(path: Path, advance: Advance = lambda _: None) -> str:
    """SHA-256 of a file."""
    digest = sha256()
    with path.open("rb") as reader:
        while chunk := reader.read(CHUNK):
            digest.update(chunk)
            advance(len(chunk))
    return digest.hexdigest()
