"""Blobs in a folder: ``NAME/VERSION/{data.bin, manifest.json}``; the newest intact one counts."""

from __future__ import annotations

import json
import os
import shutil
from hashlib import sha256
from pathlib import Path


class FolderBlobs:
    """Implements ``domain.ports.Blobs``. Versions are compared as text."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, version: str, data: bytes, manifest: dict[str, object]) -> None:
        """Write beside its place, sync, rename: a reader never sees half of it."""
        home = self._folder / name
        home.mkdir(parents=True, exist_ok=True)
        temporary = home / f".{version}.{os.getpid()}"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        whole = manifest | {"sha256": sha256(data).hexdigest(), "bytes": len(data)}
        _write(temporary / "data.bin", data)
        _write(temporary / "manifest.json", json.dumps(whole, sort_keys=True).encode())
        place = home / version
        if place.exists():
            shutil.rmtree(place)
        temporary.rename(place)
        _sync(home)

    def newest(self, name: str) -> tuple[bytes, dict[str, object]] | None:
        """The newest version whose bytes are what its manifest says."""
        for version in self._versions(name):
            try:
                manifest = json.loads((version / "manifest.json").read_bytes())
                data = (version / "data.bin").read_bytes()
            except (OSError, ValueError):
                continue
            if isinstance(manifest, dict) and manifest.get("sha256") == sha256(data).hexdigest():
                return data, manifest
        return None

    def prune(self, name: str, keep: int) -> None:
        """Drop all but the newest ``keep``, and what was never finished."""
        for version in self._versions(name)[keep:]:
            shutil.rmtree(version, ignore_errors=True)
        for left in (self._folder / name).glob(".*"):
            shutil.rmtree(left, ignore_errors=True)

    def _versions(self, name: str) -> list[Path]:
        home = self._folder / name
        if not home.exists():
            return []
        return sorted((x for x in home.iterdir() if not x.name.startswith(".")), reverse=True)


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
