"""Where a project is found among several of one server: ``/p/NAME``, before every path of its own."""

from __future__ import annotations

import re

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
"""Names of projects."""
_UNDER = re.compile(r"/p/([^/]*)(/.*)?", re.DOTALL)


def prefix_of(project: str) -> str:
    """What stands before every path of a project; nothing before those of one that has a server for itself."""
    return f"/p/{project}" if project else ""


def split(path: str) -> tuple[str, str]:
    """The name of a project, which need not exist, and the path in it; no name: the path is in no project."""
    found = _UNDER.fullmatch(path)
    return (found[1], found[2] or "/") if found is not None else ("", path)
