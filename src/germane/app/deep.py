"""A look at every byte of a data folder that a checksum covers, also at what no read would meet for now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from germane.domain.errors import StorageDamaged, StorageFailed
from germane.storage.blobs import FolderBlobs
from germane.storage.sqlite import SqliteStore

MODELS = "models"
_START = "Start the server (germane serve), or run any command that writes."
_COPY = "Copy this one file from a backup into the data folder; the rest is as it should be."
_GIVE_UP = f"{_COPY} Or let it go for good: germane retention --give-up-damaged."
_MADE_ANEW = "Nothing is lost: it is made from the log. germane rebuild does so now."


class Flaw(NamedTuple):
    """Something that is not as it was written."""

    text: str
    hint: str
    """What to do."""


def flaws(folder: Path) -> list[Flaw]:
    """What is not as it was written. It reads everything, and may run beside a server."""
    return list(dict.fromkeys(_flaws(folder)))  # one bad page may be in the way twice


def _flaws(folder: Path) -> Iterator[Flaw]:
    store = SqliteStore.open(folder, mode="read")
    try:
        for text in store.flaws():
            yield Flaw(text, StorageDamaged.hint if store.checked else _START)
        for piece in store.damaged():
            place = "" if piece.archived else "history/"
            text = f"{place}{piece.name} is missing or was changed."
            yield Flaw(text, _GIVE_UP if piece.archived else _COPY)
    except StorageFailed as error:
        yield Flaw(error.message, error.hint)
    finally:
        store.close()
    for name in FolderBlobs(folder / MODELS).damaged():
        yield Flaw(f"{MODELS}/{name} is not what was written, and is passed over.", _MADE_ANEW)
