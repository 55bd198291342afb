"""How many files this process may have open."""

from __future__ import annotations

import resource

MANY = 4_608
"""For a server's connections and for everything else; the usual limit is 1,024 until more is asked for."""


def files_raised(wanted: int = MANY) -> int | None:
    """Ask for as many as are wanted, as far as the system lets. How many there are where that was needed;
    ``None``: there were enough."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return None
    soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return soft
