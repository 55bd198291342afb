"""Names as a TOML file has them."""

from __future__ import annotations

import json
import re

_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def toml_key(name: str) -> str:
    """A name as one part of a table's heading: in quotes where TOML needs them."""
    return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)
