"""``[server]`` and ``[keys]``: an address that can be one, a folder that can be one, two keys."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Any

from germane.config.problems import Problems

_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)", re.ASCII)
_KEY = re.compile(r"[!-9;-~]+")
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#\s]+", re.ASCII)


def check(server: dict[str, Any], folder: Path | None, problems: Problems) -> None:
    """What is wrong with the values; ``folder`` is where the configuration is, if it is a file."""
    host = server.get("host")
    if host is not None and not is_host(host):
        problems.add(
            "server.host",
            host,
            "That is no host.",
            'Write an address or a name, without port or http://: "127.0.0.1" is this machine only, '
            '"0.0.0.0" every address of it.',
        )
    for origin in server.get("allowed_origins", ()):
        if not _ORIGIN.fullmatch(origin):
            problems.add(
                "server.allowed_origins",
                origin,
                "That is no origin.",
                'Write scheme and host, without a path or a slash at the end: "https://shop.example".',
            )
    if "data" in server:
        _data(server["data"], folder, problems)


def is_host(text: str) -> bool:
    """Whether it is an IP address, or could be the name of a host."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        pass
    else:
        return True
    labels = text.rstrip(".").split(".")
    if len(text) > 253 or labels[-1].isdigit():  # 300.1.2.3 is no address, and no name either
        return False
    return all(_LABEL.fullmatch(each) for each in labels)


def _data(data: str, folder: Path | None, problems: Problems) -> None:
    key, remedy = (
        "server.data",
        'Name a folder: data = "germane-data". It is made when it is needed.',
    )
    if not data.strip() or "\0" in data:
        problems.add(key, data, "That is no folder.", remedy)
    elif data.startswith("~"):
        problems.add(key, data, "~ is not read as your home folder here.", "Write the whole path.")
    elif folder is not None:
        file = file_in_the_way(folder / data)
        if file is not None:
            problems.add(key, data, f"{file} is a file, not a folder.", remedy)


def file_in_the_way(folder: Path) -> Path | None:
    """What stands where a data folder, or a folder above it, should be."""
    for each in (folder, *folder.parents):
        try:
            if each.is_dir():
                return None
            if each.exists():
                return each
        except OSError:
            return None
    return None


def check_keys(write: str, server: str, problems: Problems) -> None:
    """They go over HTTP; and the write key is public, so it must not be the other."""
    for name, key in (("write", write), ("server", server)):
        if key and not _KEY.fullmatch(key):
            problems.add(
                f"keys.{name}",
                None,
                "It cannot be sent as the user name of basic auth.",
                "Use letters, digits and signs other than a colon, without spaces.",
            )
    if write and write == server:
        problems.add(
            "keys.server",
            None,
            "It is the same as the write key, which is public: anybody could do everything.",
            "Set GERMANE_SERVER_KEY in .env, or in the environment, to another long random text.",
        )
