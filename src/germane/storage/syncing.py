"""Durable names: syncing a file keeps what is in it, syncing its folder keeps that it is there."""

from __future__ import annotations

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Make a file's content, or the names in a folder, durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_durable_folder(folder: Path, mode: int = 0o777) -> None:
    """Make a folder, with those above it, so that it is there after a power cut; one that is there stays as
    it is."""
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True, mode=mode)
    for each in reversed(made):
        sync(each.parent)


def sync_folders(folder: Path) -> None:
    """Make the names in a folder, and in all folders in it, durable."""
    for each in folder.rglob("*"):
        if each.is_dir():
            sync(each)
    sync(folder)
