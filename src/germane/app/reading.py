"""Reading all of the log in a thread, beside what is served: it ends when serving does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from germane.domain.errors import Overloaded
from germane.domain.ports import Store
from germane.domain.record import Record

if TYPE_CHECKING:
    from germane.app.engine import Engine


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
