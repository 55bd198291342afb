"""Where the server that has a data folder can be asked: it says so in the folder, for commands beside it."""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path

FILE = "germane.address"
_log = logging.getLogger(__name__)


def of(host: str, port: int, prefix: str = "") -> str:
    """The address of what listens there; every address of this machine means this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - nobody listens here
    return f"http://[{host}]:{port}{prefix}" if ":" in host else f"http://{host}:{port}{prefix}"


def write(folder: Path, address: str) -> None:
    """Say it, whole or not at all. Where that is refused (the disk is full, say) the server runs all the same,
    and what an earlier one said goes: nobody is there."""
    fresh = folder / f"{FILE}.new"
    try:
        fresh.write_text(address + "\n", encoding="utf-8")
        fresh.replace(folder / FILE)
    except OSError as error:
        _log.warning("commands will not find this server by its data folder: %s", error)
        for each in (fresh, folder / FILE):
            with suppress(OSError):
                each.unlink(missing_ok=True)


def read(folder: Path) -> str:
    """What was said; empty: nothing, or only a part of it."""
    try:
        said = (folder / FILE).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    return said.strip() if said.startswith("http://") and said.endswith("\n") else ""


def forget(folder: Path) -> None:
    """Nothing listens there any more."""
    try:
        (folder / FILE).unlink(missing_ok=True)
    except OSError as error:
        _log.warning("%s is left over: %s", folder / FILE, error)
