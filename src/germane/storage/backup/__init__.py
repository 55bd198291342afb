"""Backups of a data folder: made beside a server, whole or not there, each a folder that says what is in it."""

from germane.storage.backup.making import Made, make, prune
from germane.storage.backup.manifest import (
    BackupDamaged,
    File,
    Manifest,
    NewerBackup,
    NoBackup,
    found_in,
    read,
)
from germane.storage.backup.reading import copied, damaged
from germane.storage.backup.whose import ForeignBackup, foreign, identity_of, manifests, told

__all__ = [
    "BackupDamaged",
    "File",
    "ForeignBackup",
    "Made",
    "Manifest",
    "NewerBackup",
    "NoBackup",
    "copied",
    "damaged",
    "foreign",
    "found_in",
    "identity_of",
    "make",
    "manifests",
    "prune",
    "read",
    "told",
]
