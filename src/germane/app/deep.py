"""A look at every byte of a data folder that a checksum covers, also at what no read would meet for now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from germane.domain.errors import StorageFailed
from germane.storage.blobs import FolderBlobs
from germane.storage.sqlite import SqliteStore

MODELS = "models"


def flaws(folder: Path) -> list[str]:
    """What is not as it was written, a sentence each. It reads everything, and may run beside a server."""
    return list(dict.fromkeys(_flaws(folder)))  # one bad page may be in the way twice


def _flaws(folder: Path) -> Iterator[str]:
    store = SqliteStore.open(folder, mode="read")
    try:
        yield from store.flaws()
        for piece in store.damaged():
            place = "" if piece.archived else "history/"
            yield f"{place}{piece.name} is missing or was changed."
    except StorageFailed as error:
        yield error.message
    finally:
        store.close()
    for name in FolderBlobs(folder / MODELS).damaged():
        yield f"{MODELS}/{name} is not what was written, and is passed over."
