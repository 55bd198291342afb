"""What came and is declared by nothing: told at once, for nothing else shows it. Names only, never values."""

from __future__ import annotations

import logging
from collections.abc import Callable

from germane.domain.event import Event
from germane.privacy.declared import Declared, told

_log = logging.getLogger(__name__)

NAMES = 100
"""Names that are told of; of what has further names only the number is known."""


class Unheard:
    """Counts events that no signal is declared for, and names each new name in the server's log, once."""

    def __init__(self, declared: Declared, used: Callable[[Event], bool]) -> None:
        """``used``: whether a campaign listens to events of that name."""
        self._declared = declared
        self._used = used
        self._names: set[str] = set()
        self.total = 0

    def look(self, event: Event, *, aloud: bool) -> tuple[str, ...]:
        """At a new event; the names of what is refused of it because nothing declares it.

        ``aloud``: name it in the log (an import has a summary for that).
        """
        used = event.kind != "track" or self._declared.signal(event) or self._used(event)
        self.total += not used
        missing = self._declared.missing(event, used=used)
        if aloud:
            name = told(f"track {event.name}")
            kept = (name,) if self._declared.all_kept and not used else ()
            for each in (*missing, *kept):
                self._name(each)
        return missing

    def _name(self, name: str) -> None:
        if name in self._names or len(self._names) >= NAMES:
            return
        self._names.add(name)
        own = name.partition(" ")[2]
        if self._declared.all_kept:
            near = self._declared.near(own)
            _log.warning(
                "no signal is declared for the event %r: it is kept and says nothing%s",
                own,
                f"; did you mean {near!r}?" if near else "",
            )
            return
        remedy = next(
            (text for _, text in self._declared.remedies([name], lambda _: False)), "Declare it"
        )
        _log.warning("refused, for nothing declares it: %s. %s", name, remedy)
