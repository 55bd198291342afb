"""Events in the order of their time, kept on the disk meanwhile: 28 bytes of memory for each."""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterator
from hashlib import blake2b
from types import TracebackType
from typing import Self

import msgspec
import numpy as np
import numpy.typing as npt

from germane.domain.event import Event

Ints = npt.NDArray[np.int64]
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Event).decode


def person_hash(key: str) -> int:
    """63 bits that stand for a person, the same in every run."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big") >> 1


class Spool:
    """Takes events in any order; gives them by time, those of one time together."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="germane-backtest-")  # noqa: SIM115 - closed by us
        self._end = 0
        self._at = array("q")
        self._start = array("q")
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
        self._file.close()

    def __len__(self) -> int:
        return len(self._at)

    def add(self, event: Event, person: str, chosen: int) -> None:
        """Keep an event.

        Args:
            event: As it will be folded.
            person: Its person's key.
            chosen: How many items it chose, of those that are to be predicted.
        """
        data = _encode(event)
        self._at.append(event.at_ms)
        self._start.append(self._end)
        self._person.append(person_hash(person))
        self._chosen.append(chosen)
        self._end += self._file.write(data)

    @property
    def at_ms(self) -> Ints:
        """Time of each event, in the order in which they came, shape (events,)."""
        return np.array(self._at, dtype=np.int64)

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
        at = self.at_ms
        order = np.argsort(at, kind="stable")
        ends = np.append(np.array(self._start, dtype=np.int64)[1:], self._end)
        cuts = np.flatnonzero(np.diff(at[order])) + 1
        for rows in np.split(order, cuts) if len(order) else []:
            yield int(at[rows[0]]), [self._read(int(row), int(ends[row])) for row in rows]

    def _read(self, row: int, end: int) -> Event:
        self._file.seek(self._start[row])
        return _decode(self._file.read(end - self._start[row]))
