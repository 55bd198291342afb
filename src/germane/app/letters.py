"""Dead letters: nothing that cannot be used is thrown away."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import msgspec

from germane.domain.errors import GermaneError
from germane.domain.event import DeadLetter, Event, Rejection
from germane.domain.ports import Store
from germane.domain.record import Txn
from germane.ingest.segment import parse

_log = logging.getLogger(__name__)


class Letters:
    """Makes dead letters, each with its reason."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def keep(self, rejected: Sequence[Rejection], source: str, now_ms: int) -> Txn:
        """Items of a batch that could not be accepted."""
        letters = [
            DeadLetter(0, now_ms, source, each.code, each.message, each.body) for each in rejected
        ]
        return Txn(letters=letters)

    def event(self, letter: DeadLetter, now_ms: int) -> Event | str:
        """The event in a dead letter, or why there is still none."""
        if letter.code.startswith("event.fold") or letter.source == "fold":
            try:
                return msgspec.json.decode(letter.body, type=Event)
            except msgspec.DecodeError as error:
                return str(error)
        batch = b'{"batch":[' + letter.body + b"]}"
        try:
            parsed = parse(batch, route="batch", wall_ms=now_ms, now_ms=now_ms)
        except GermaneError as error:
            return error.message
        return parsed.events[0] if parsed.events else parsed.rejected[0].message

    def poisoned(self, event: Event, error: Exception, now_ms: int) -> Txn:
        """An event that a step could not fold. It changed nothing; it can be replayed after the fix."""
        _log.error("an event could not be folded", exc_info=error)
        message = f"{type(error).__name__}: {error}"
        body = msgspec.json.encode(event)
        return Txn(letters=[DeadLetter(0, now_ms, "fold", "event.fold_failed", message, body)])
