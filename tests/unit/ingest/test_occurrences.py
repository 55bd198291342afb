"""Counting what came before, in little memory."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from hashlib import blake2b

from hypothesis import given
from hypothesis import strategies as st

from germane.ingest.bulk.occurrences import Occurrences


def digest(number: int) -> bytes:
    """What a row may be known by."""
    return blake2b(str(number).encode(), digest_size=16).digest()


@given(st.lists(st.integers(0, 20)))
def test_each_is_counted(numbers: list[int]) -> None:
    """As a counter would."""
    found, wanted = Occurrences(), Counter[int]()
    for number in numbers:
        assert (digest(number) in found) == (number in wanted)
        wanted[number] += 1
        assert found.count(digest(number)) == wanted[number]


def test_what_is_free_is_a_digest_too() -> None:
    """Eight zero bytes mark a free place; as a digest they are counted all the same."""
    found = Occurrences()
    assert [found.count(bytes(16)) for _ in range(3)] == [1, 2, 3]


def test_a_row_takes_little() -> None:
    """Under 50 bytes at any moment, also while the table grows; and all are still known then."""
    found, rows = Occurrences(), 50_000
    tracemalloc.start()
    for number in range(rows):
        assert found.count(digest(number)) == 1
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50 * rows
    assert all(found.count(digest(number)) == 2 for number in range(rows))
