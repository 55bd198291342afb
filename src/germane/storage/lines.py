"""A file of JSON lines that only grows: each line is durable before it counts."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import msgspec

from germane.domain.errors import GermaneError
from germane.storage.sqlite.trouble import writing
from germane.storage.syncing import sync

Value = TypeVar("Value")


class BadLines(GermaneError):
    """The file is not what it should be."""

    code = "storage.bad_lines"
    hint = "Name a file that Germane wrote, whole and unchanged."


def lines(path: Path, kind: type[Value], *, must: bool = False) -> list[Value]:
    """Everything in it; nothing where there is no such file. A last line that a crash cut off is passed over.

    Args:
        path: The file.
        kind: What a line holds.
        must: Whether the file has to be there.

    Raises:
        BadLines: a line cannot be read.
    """
    if not path.exists() and not must:
        return []
    try:
        whole, _, _ = path.read_bytes().rpartition(b"\n")
        return [msgspec.json.decode(each, type=kind) for each in whole.splitlines() if each.strip()]
    except (OSError, msgspec.MsgspecError) as error:
        raise BadLines(f"{path} cannot be used: {error}.") from None


def append(path: Path, new: Iterable[msgspec.Struct]) -> None:
    """Add lines durably: the file is written anew beside itself and takes its own place, so that a power cut
    leaves it without the new lines or with all of them, and never with a part that cannot be read.

    Raises:
        StorageFailed: that cannot be done.
    """
    data = b"".join(msgspec.json.encode(each) + b"\n" for each in new)
    if not data:
        return
    with writing(path):
        before = path.read_bytes() if path.exists() else b""
        fresh = path.with_name(f"{path.name}.new")
        with fresh.open("wb") as file:
            file.write(
                before[: before.rfind(b"\n") + 1]
            )  # a line that a crash cut off counts for nothing
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    sync(path.parent)
