"""What a surface's boost rules add to each candidate's score, kept by item number.

Asked of every candidate of every question, so it is one look into an array. Where a rule reads the
question's context there is nothing to keep, and each item is asked.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from germane.domain.decision import Ask
from germane.predict.rules import Rules
from germane.predict.state import State

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.intp]


class Boosts:
    """Logarithms of the factors of one surface's rules."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._kept: Floats = np.zeros(0)
        """By item number; NaN: not asked yet."""
        self._changes = -1
        """Of the catalogue (``State.changes``), when what is kept was true."""

    def added(self, state: State, numbers: Numbers, ask: Ask) -> Floats:
        """A boost multiplies an item's odds, so it adds its logarithm.

        Args:
            state: Has the items.
            numbers: Item numbers.
            ask: The question.
        """
        if self._rules.boosts_read_context:
            return self._asked(state, numbers, ask)
        if self._changes != state.changes:
            self._kept, self._changes = np.full(len(state.ids), np.nan), state.changes
        found = self._kept[numbers]
        new = np.isnan(found)
        if new.any():
            found[new] = self._kept[numbers[new]] = self._asked(state, numbers[new], ask)
        return found

    def _asked(self, state: State, numbers: Numbers, ask: Ask) -> Floats:
        items = [state.items[number] for number in numbers.tolist()]
        logarithms: Floats = np.log(np.array(self._rules.factors(items, ask)))
        return logarithms
