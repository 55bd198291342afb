"""Small streams to test the quality benchmark with."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from benchmarks.quality.frame import Frame

USERS, ITEMS = 6, 12


def a_frame(rows: list[tuple[int, int, int]], **more: object) -> Frame:
    """Rows of (user, item, second), in any order."""
    rows = sorted(rows, key=lambda row: row[2])
    user, item, at = (np.array([row[n] for row in rows], dtype=np.int64) for n in range(3))
    fields = {"repeats": True} | more
    return Frame(
        "test",
        tuple(f"u{n}" for n in range(USERS)),
        tuple(f"i{n}" for n in range(ITEMS)),
        user,
        item,
        1_700_000_000_000 + 1000 * at,
        **fields,  # type: ignore[arg-type]
    )


def some_rows(least: int = 20, most: int = 80) -> st.SearchStrategy[list[tuple[int, int, int]]]:
    """Rows with few different times, so that many share one."""
    row = st.tuples(st.integers(0, USERS - 1), st.integers(0, ITEMS - 1), st.integers(0, 25))
    return st.lists(row, min_size=least, max_size=most)
