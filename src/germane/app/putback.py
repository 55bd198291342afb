"""A backup that was put back, as a reader finds it: it may still have people who were erased since."""

from __future__ import annotations

from pathlib import Path

from germane.app.erasing import LIST, due
from germane.domain.errors import NotObeyed, StorageBusy
from germane.domain.ports import Store
from germane.storage.sqlite.connection import FolderLock


def check(store: Store, folder: Path) -> None:
    """Refuse to read of people whom the list of erasures names. Whoever writes the folder has obeyed it, or is
    about to.

    Raises:
        NotObeyed: the store knows nothing of lines of the list.
    """
    if not _due(store, folder):
        return
    try:
        FolderLock(folder).release()
    except StorageBusy:
        return
    count = _due(store, folder)  # a writer may have ended in between
    if count:
        raise NotObeyed(
            f"{folder} still has people who were erased: it does not know of {count} "
            f"{'line' if count == 1 else 'lines'} of its {LIST}. A backup was put back.",
            hint="Start `germane serve`, which erases them again first; or run "
            f"`germane erase --replay {folder / LIST}`.",
        )


def _due(store: Store, folder: Path) -> int:
    """Lines of the list that were not obeyed."""
    return len(due(store, folder / LIST))
