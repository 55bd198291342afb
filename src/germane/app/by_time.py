"""Anything in the order of its time, kept on the disk meanwhile: 16 bytes of memory for each."""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


class ByTime:
    """Takes bytes in any order; gives them by time, those of one time as they came."""

    def __init__(self, prefix: str) -> None:
        """``prefix``: how its temporary file is called."""
        self._file = tempfile.TemporaryFile(prefix=prefix)  # noqa: SIM115 - closed by us
        self._end = 0
        self._at = array("q")
        self._start = array("q")

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

    def add(self, at_ms: int, data: bytes) -> None:
        """Keep it."""
        self._at.append(at_ms)
        self._start.append(self._end)
        self._end += self._file.write(data)

    @property
    def at_ms(self) -> Ints:
        """Time of each, in the order in which they came, shape (each,)."""
        return np.array(self._at, dtype=np.int64)

    def groups(self) -> Iterator[tuple[int, list[bytes]]]:
        """Those of one time together, in the order of time; inside, as they came."""
        at = self.at_ms
        order = np.argsort(at, kind="stable")
        ends = np.append(np.array(self._start, dtype=np.int64)[1:], self._end)
        cuts = np.flatnonzero(np.diff(at[order])) + 1
        for rows in np.split(order, cuts) if len(order) else []:
            yield int(at[rows[0]]), [self._read(int(row), int(ends[row])) for row in rows]

    def _read(self, row: int, end: int) -> bytes:
        self._file.seek(self._start[row])
        return self._file.read(end - self._start[row])
