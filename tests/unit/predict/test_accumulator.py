"""Sparse sums: what was added, and nothing left over for the next."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from germane.predict.accumulator import NOWHERE, Accumulator

entries = st.lists(
    st.lists(
        st.tuples(st.integers(0, 19), st.floats(0.01, 10.0)), min_size=1, max_size=12, unique=True
    ),
    max_size=4,
)


@given(entries, entries)
def test_sums_as_a_dictionary_does(
    one: list[list[tuple[int, float]]], two: list[list[tuple[int, float]]]
) -> None:
    """Each item once, in order; twice over the same room, so that nothing may be left in it."""
    room = Accumulator()
    room.grow(20)
    for rows in (one, two, one):
        wanted: dict[int, float] = {}
        for number, weight in (each for row in rows for each in row):
            wanted[number] = wanted.get(number, 0.0) + weight
        numbers, sums = room.summed(
            [np.array([n for n, _ in row]) for row in rows],
            [np.array([w for _, w in row]) for row in rows],
        )
        assert numbers.tolist() == sorted(wanted)
        assert sums.tolist() == [wanted[number] for number in sorted(wanted)]
        everywhere = room.looked_up((numbers, sums), np.arange(20)).tolist()
        assert everywhere == [wanted.get(number, 0.0) for number in range(20)]


def test_nothing() -> None:
    """No entries at all, and rows without any."""
    room = Accumulator()
    room.grow(3)
    assert room.summed([], []) is NOWHERE
    assert room.summed([NOWHERE[0]], [NOWHERE[1]]) is NOWHERE
    assert room.looked_up(NOWHERE, np.array([0, 2])).tolist() == [0.0, 0.0]
