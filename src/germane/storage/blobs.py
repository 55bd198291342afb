"""Blobs in a folder: ``NAME/VERSION/{data.bin, manifest.json}``; the newest intact one counts."""

from __future__ import annotations

import json
import logging
import os
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

from germane.domain.errors import NotFound
from germane.domain.ports import Version
from germane.storage.syncing import make_durable_folder, sync

_log = logging.getLogger(__name__)
RETIRED = "retired"
"""A file of this name beside a blob: it is passed over."""


class FolderBlobs:
    """Implements ``domain.ports.Blobs``. Versions are compared as text."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._told: set[Path] = set()

    def put(self, name: str, version: str, data: bytes, manifest: dict[str, object]) -> None:
        """Write beside its place, sync, rename: a reader never sees half of it."""
        home = self._folder / name
        make_durable_folder(home)
        temporary = home / f".{version}.{os.getpid()}"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        whole = manifest | {"bytes": len(data)}
        whole["sha256"] = _digest(data, whole)
        _write(temporary / "data.bin", data)
        _write(temporary / "manifest.json", json.dumps(whole, sort_keys=True).encode())
        sync(temporary)
        place = home / version
        if place.exists():
            shutil.rmtree(place)
        temporary.rename(place)
        sync(home)

    def newest(self, name: str) -> tuple[bytes, dict[str, object]] | None:
        """The newest version that is not retired and whose bytes are what its manifest says."""
        for place in self._versions(name):
            found = None if _retired(place) else self._read(place)
            if found is not None:
                return found
        return None

    def get(self, name: str, version: str) -> bytes | None:
        """One version's bytes, if they are what its manifest says."""
        found = next((x for x in self._versions(name) if x.name == version), None)
        whole = self._read(found) if found is not None else None
        return whole[0] if whole is not None else None

    def versions(self, name: str) -> list[Version]:
        """Every intact one, newest first."""
        found = ((place, self._read(place)) for place in self._versions(name))
        return [Version(x.name, whole[1], _retired(x)) for x, whole in found if whole is not None]

    def retire(self, name: str, version: str, *, retired: bool = True) -> None:
        """Set or take away the mark beside the blob.

        Raises:
            NotFound: there is no such version.
        """
        place = next((x for x in self._versions(name) if x.name == version), None)
        if place is None:
            raise NotFound(
                f"There is no {name} {version}.", hint="`germane models list` tells all."
            )
        mark = place / RETIRED
        if retired:
            _write(mark, b"")
        else:
            mark.unlink(missing_ok=True)
        sync(place)

    def prune(self, name: str, keep: int) -> None:
        """Drop all but the newest ``keep`` (retired ones go when as many newer ones stay), and what
        was never finished. What was dropped does not come back with a power cut."""
        home, serving = self._folder / name, 0
        for version in self._versions(name):
            if serving >= keep:
                shutil.rmtree(version, ignore_errors=True)
            serving += not _retired(version)
        for left in home.glob(".*"):
            shutil.rmtree(left, ignore_errors=True)
        if home.exists():
            sync(home)

    def damaged(self) -> list[str]:
        """Versions of any name that are not what was written, as ``NAME/VERSION``."""
        found = (place for home in self._homes() for place in self._versions(home.name))
        return [f"{x.parent.name}/{x.name}" for x in found if _intact(x) is None]

    def _homes(self) -> list[Path]:
        return sorted(self._folder.iterdir()) if self._folder.exists() else []

    def _read(self, place: Path) -> tuple[bytes, dict[str, Any]] | None:
        """A version's bytes and manifest, if they are what was written; else it is said, once."""
        found = _intact(place)
        if found is None and place not in self._told:
            self._told.add(place)
            _log.warning(
                "%s is not what was written, and is passed over: drop it, or restore it from a backup",
                f"{self._folder.name}/{place.parent.name}/{place.name}",
            )
        return found

    def _versions(self, name: str) -> list[Path]:
        home = self._folder / name
        if not home.exists():
            return []
        return sorted((x for x in home.iterdir() if not x.name.startswith(".")), reverse=True)


def _retired(place: Path) -> bool:
    return (place / RETIRED).exists()


def _intact(place: Path) -> tuple[bytes, dict[str, Any]] | None:
    """A version's bytes and manifest, if they fit each other."""
    try:
        manifest = json.loads((place / "manifest.json").read_bytes())
        data = (place / "data.bin").read_bytes()
    except (OSError, ValueError):
        return None
    if not isinstance(manifest, dict):
        return None
    fits = manifest.get("sha256") in (_digest(data, manifest), sha256(data).hexdigest())
    return (data, manifest) if fits else None


def _digest(data: bytes, manifest: dict[str, Any]) -> str:
    """Of the bytes and of all that the manifest tells of them; earlier versions had that of the bytes alone."""
    told = {key: value for key, value in manifest.items() if key != "sha256"}
    return sha256(json.dumps(told, sort_keys=True).encode() + b"\n" + data).hexdigest()


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
