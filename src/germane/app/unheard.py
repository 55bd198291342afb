"""Tracked events that no signal is declared for: kept, and told of, for nothing else shows it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from difflib import get_close_matches

from germane.domain.event import Event
from germane.ingest.signals import Extractor

_log = logging.getLogger(__name__)

NAMES = 100
"""Names that are told of; of what has further names only the number is known."""


class Unheard:
    """Counts them, and names each new one in the log, once."""

    def __init__(self, extractor: Extractor, wanted: Callable[[str], bool]) -> None:
        """``wanted``: whether a campaign listens to events of that name."""
        self._extractor = extractor
        self._wanted = wanted
        self._names: set[str] = set()
        self.total = 0

    def look(self, event: Event, *, aloud: bool) -> None:
        """At an event that was folded; ``aloud``: name it in the log (an import has a summary for that)."""
        if event.kind != "track" or self._extractor.knows(event) or self._wanted(event.name):
            return
        self.total += 1
        if not aloud or event.name in self._names or len(self._names) >= NAMES:
            return
        self._names.add(event.name)
        near = get_close_matches(event.name, self._extractor.names, 1, 0.7)
        _log.warning(
            "no signal is declared for the event %r: it is kept and says nothing%s",
            event.name[:80],
            f"; did you mean {near[0]!r}?" if near else "",
        )
