"""One row for each time that somebody chose something, one column for each list that was tried."""

from __future__ import annotations

from array import array

import numpy as np
import numpy.typing as npt

from germane.measure.ranking import Scores

Floats = npt.NDArray[np.float64]
METRICS = Scores._fields


class Sheet:
    """Grows row by row; columns may have gaps (NaN)."""

    def __init__(self) -> None:
        self._facts: dict[str, array[float]] = {}
        self._scores: dict[str, array[float]] = {}
        self._people: dict[int, int] = {}
        self._person = array("q")

    def __len__(self) -> int:
        return len(self._person)

    def row(self, person: int, **facts: float) -> None:
        """Begin a row: whose it is, and what is known of it. Every row has the same facts."""
        number = self._people.setdefault(person, len(self._people))
        for name, value in facts.items():
            self._facts.setdefault(name, array("d")).append(float(value))
        self._person.append(number)

    def amend(self, name: str, value: float) -> None:
        """A fact of the newest row that was not known when it was begun."""
        self._facts[name][-1] = value

    def put(self, name: str, scores: Scores) -> None:
        """What a list came to in the newest row."""
        self._scores.setdefault(name, array("d")).extend((len(self) - 1, *scores))

    @property
    def people(self) -> npt.NDArray[np.int64]:
        """Whose each row is, numbers from 0, shape (rows,)."""
        return np.array(self._person, dtype=np.int64)

    @property
    def lists(self) -> list[str]:
        """Names of all lists."""
        return list(self._scores)

    def fact(self, name: str) -> Floats:
        """One fact of every row, shape (rows,)."""
        return np.array(self._facts.get(name, ()), dtype=float)

    def score(self, name: str, metric: str) -> Floats:
        """One metric of one list, NaN where it was not tried, shape (rows,)."""
        found = np.full(len(self), np.nan)
        if name in self._scores:
            table = np.array(self._scores[name]).reshape(-1, 1 + len(METRICS))
            found[table[:, 0].astype(np.intp)] = table[:, 1 + METRICS.index(metric)]
        return found
