"""One line of an audit."""

from __future__ import annotations

from typing import Literal

import msgspec

Level = Literal["error", "warning", "good"]


class Finding(msgspec.Struct, frozen=True):
    """What was looked at, how it stands, and what to do."""

    surface: str
    """Name of the surface; empty: the project as a whole."""
    check: str
    level: Level
    text: str
    remedy: str = ""
