"""A look at every byte of a data folder that a checksum covers, also at what no read would meet for now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from germane.app.giving_up import losses
from germane.domain.errors import StorageDamaged, StorageFailed
from germane.domain.ports import Store
from germane.profile.words import moment
from germane.storage.blobs import FolderBlobs
from germane.storage.history import ASIDE, set_aside
from germane.storage.sqlite import SqliteStore

MODELS = "models"
_START = "Start the server (germane serve), or run any command that writes."
_COPY = "Copy this one file from a backup into the data folder; the rest is as it should be."
_GIVE_UP = f"{_COPY} Or let it go for good: germane retention --give-up-damaged."
_GO_ON = (
    f"{_COPY} If there is none: `germane retention --give-up-damaged` tells what that would lose."
)
_MADE_ANEW = "Nothing is lost: it is made from the log. germane rebuild does so now."


class Flaw(NamedTuple):
    """Something that is not as it was written."""

    text: str
    hint: str
    """What to do."""


def missing(store: Store) -> list[Flaw]:
    """Files of history and archive that are missing or cut off: a look that takes no time."""
    return [*_of_files(store, quick=True)]


def given_up(store: Store, folder: Path) -> list[Flaw]:
    """What was given up of the log, and what is left of it aside."""
    found = [
        Flaw(
            f"{each.file} was damaged, and given up at {moment(each.at_ms)}: what its "
            f"{each.records:,} records of {each.month} told is lost.",
            "Nothing can be done about it any more; import again what you have of that time.",
        )
        for each in losses(store)
    ]
    if aside := set_aside(folder):
        text = (
            f"{ASIDE}/ has {len(aside)} of the files that were given up; they may tell of people."
        )
        found.append(Flaw(text, "Delete it when you need it no more; the next erasure does."))
    return found


def flaws(folder: Path) -> list[Flaw]:
    """What is not as it was written. It reads everything, and may run beside a server."""
    return list(dict.fromkeys(_flaws(folder)))  # one bad page may be in the way twice


def _of_files(store: Store, *, quick: bool) -> Iterator[Flaw]:
    for piece in store.damaged(quick=quick):
        place = "" if piece.archived else "history/"
        text = f"{place}{piece.name} is missing or was changed."
        yield Flaw(text, _GIVE_UP if piece.archived else _GO_ON)


def _flaws(folder: Path) -> Iterator[Flaw]:
    store = SqliteStore.open(folder, mode="read")
    try:
        for text in store.flaws():
            yield Flaw(text, StorageDamaged.hint if store.checked else _START)
        yield from _of_files(store, quick=False)
    except StorageFailed as error:
        yield Flaw(error.message, error.hint)
    finally:
        store.close()
    for name in FolderBlobs(folder / MODELS).damaged():
        yield Flaw(f"{MODELS}/{name} is not what was written, and is passed over.", _MADE_ANEW)
