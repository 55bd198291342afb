"""Events in the order of their time, kept on the disk meanwhile: 28 bytes of memory for each."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from hashlib import blake2b
from types import TracebackType
from typing import Self

import msgspec
import numpy as np

from germane.app.by_time import ByTime, Ints
from germane.domain.event import Event

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Event).decode


def person_hash(key: str) -> int:
    """63 bits that stand for a person, the same in every run."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big") >> 1


class Spool:
    """Takes events in any order; gives them by time, those of one time together."""

    def __init__(self) -> None:
        self._kept = ByTime("germane-backtest-")
        self._person = array("q")
        self._chosen = array("i")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._kept.__exit__(kind, error, trace)

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, event: Event, person: str, chosen: int) -> None:
        """Keep an event.

        Args:
            event: As it will be folded.
            person: Its person's key.
            chosen: How many items it chose, of those that are to be predicted.
        """
        self._kept.add(event.at_ms, _encode(event))
        self._person.append(person_hash(person))
        self._chosen.append(chosen)

    @property
    def at_ms(self) -> Ints:
        """Time of each event, in the order in which they came, shape (events,)."""
        return self._kept.at_ms

    @property
    def people(self) -> Ints:
        """Person (as ``person_hash``) of each event, shape (events,)."""
        return np.array(self._person, dtype=np.int64)

    @property
    def chosen(self) -> Ints:
        """How many items each event chose, shape (events,)."""
        return np.array(self._chosen, dtype=np.int64)

    def groups(self) -> Iterator[tuple[int, list[Event]]]:
        """Events of one time together, in the order of time; inside, as they came."""
        for at_ms, packed in self._kept.groups():
            yield at_ms, [_decode(each) for each in packed]
