"""Reading all of the log: in steps, or in a thread beside what is served, where it ends when serving does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

from germane.domain.errors import Overloaded
from germane.domain.ports import Store
from germane.domain.record import Record

if TYPE_CHECKING:
    from germane.app.engine import Engine


EVERY = 500
"""Records that are read between two looks at other work."""


def through(engine: Engine, take: Callable[[Record], None]) -> Iterator[int]:
    """Every record that there is now, in order; yields how many more were read."""
    seen = done = 0
    for record in engine.store.read(0, until=engine.store.last_seq()):
        take(record)
        seen += 1
        if seen % EVERY == 0:
            yield EVERY
            done += EVERY
    yield seen - done


def beside(engine: Engine) -> Store:
    """The engine's store, for a thread that only reads: once the engine stops, its log can be read no further,
    so nothing that takes minutes holds up the stop."""
    return cast("Store", _Beside(engine.store, engine.ended))


class _Beside:
    """A store, but for how the log is read."""

    def __init__(self, store: Store, ended: threading.Event) -> None:
        self._store = store
        self._ended = ended

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def read(self, *args: Any, **more: Any) -> Iterator[Record]:
        """
        Raises:
            Overloaded: the engine stops.
        """
        for record in self._store.read(*args, **more):
            if self._ended.is_set():
                raise Overloaded("The server stops.")
            yield record
