"""Names that were most likely meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def near(name: str, known: Iterable[str]) -> str | None:
    """The known name that was most likely meant; case, dashes and underscores do not count."""
    plain = {_plain(each): each for each in sorted(known)}
    found = difflib.get_close_matches(_plain(name), list(plain), 1, 0.6)
    return plain[found[0]] if found else None


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``Did you mean X?``, or the list of what is known."""
    names = sorted(set(known))
    meant = near(name, names)
    if meant is not None and meant != name:
        return f"Did you mean {meant!r}?"
    more = f", and {len(names) - 20} more" if len(names) > 20 else ""
    return f"Known: {', '.join(names[:20])}{more}." if names else "None is declared."
