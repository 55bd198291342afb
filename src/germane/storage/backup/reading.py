"""A backup that is read: every file of it is looked at before it counts."""

from __future__ import annotations

from pathlib import Path

from germane.storage.backup.manifest import BackupDamaged, Manifest
from germane.storage.files import Advance, copy, digest_of

TOLD = 5
"""Files that are named in one message."""


def damaged(backup: Path, manifest: Manifest, advance: Advance = lambda _: None) -> list[str]:
    """Files that are missing or not what was written; all are read."""
    bad = _of_another_size(backup, manifest)
    for each in manifest.files:
        if each.path not in bad and digest_of(backup / each.path, advance) != each.sha256:
            bad.append(each.path)
    return sorted(bad)


def copied(
    backup: Path, manifest: Manifest, folder: Path, advance: Advance = lambda _: None
) -> None:
    """Copy a backup's files durably.

    Raises:
        BackupDamaged: a file is missing, or not what was written.
    """
    if bad := _of_another_size(backup, manifest):
        raise told(backup, bad)
    for each in manifest.files:
        if copy(backup / each.path, folder / each.path, advance) != each.sha256:
            raise told(backup, [each.path])


def told(backup: Path, bad: list[str]) -> BackupDamaged:
    """The error that names files."""
    more = f" and {len(bad) - TOLD} more" if len(bad) > TOLD else ""
    names = ", ".join(bad[:TOLD])
    are = "is" if len(bad) == 1 else "are"
    return BackupDamaged(
        f"In the backup {backup}, {names}{more} {are} missing or changed.", files=bad
    )


def _of_another_size(backup: Path, manifest: Manifest) -> list[str]:
    return [
        each.path
        for each in manifest.files
        if not (backup / each.path).is_file() or (backup / each.path).stat().st_size != each.bytes
    ]
