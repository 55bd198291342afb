"""Small disks of their own, to be filled."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

Kind = Literal["tmpfs", "ext4"]
MAY_MOUNT = (
    "This test mounts a small file system, to fill it: run it as root (in a container: with --privileged, or "
    "--cap-add SYS_ADMIN and a loop device)."
)


class Disk:
    """A file system of a few megabytes."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._ballast = place / "ballast"

    def fill(self) -> None:
        """Leave no byte."""
        with self._ballast.open("ab", buffering=0) as file:
            for size in (65_536, 4_096, 512, 1):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(bytes(size))

    def free(self) -> None:
        """Leave what was there before."""
        self._ballast.unlink()


@contextlib.contextmanager
def small_disk(folder: Path, kind: Kind, megabytes: int) -> Iterator[Disk]:
    """A disk that is mounted below ``folder``."""
    place = folder / "disk"
    place.mkdir()
    if kind == "tmpfs":
        _must("mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "tmpfs", str(place))
    else:
        image = folder / "image"
        with image.open("wb") as file:
            os.truncate(file.fileno(), megabytes * 2**20)
        _must("mkfs.ext4", "-q", "-m", "0", str(image))
        _must("mount", "-o", "loop", str(image), str(place))
    try:
        yield Disk(place)
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def _must(*command: str) -> None:
    program = shutil.which(command[0], path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    assert program, MAY_MOUNT
    done = subprocess.run([program, *command[1:]], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{MAY_MOUNT} {' '.join(command)}: {done.stderr}"
