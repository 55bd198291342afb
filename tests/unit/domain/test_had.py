"""What was had longer ago: known by item and month, and no more of it than fits."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from germane.domain import had

ITEMS = st.integers(0, 30).map("i{}".format)
TAKEN = st.lists(st.tuples(ITEMS, st.integers(600, 606)), max_size=40)


def latest(items: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Of each item the last month."""
    found: dict[str, int] = {}
    for item, month in items:
        found[item] = max(found.get(item, 0), month)
    return found


def known(packed: had.Had) -> dict[int, int]:
    """Key -> month."""
    return {key: month for month, keys in packed.items() for key in had.keys_of({month: keys})}


@given(TAKEN, TAKEN, st.sets(ITEMS), st.integers(600, 607))
def test_it_is_a_mapping_from_items_to_their_last_month(
    first: list[tuple[str, int]], second: list[tuple[str, int]], gone: set[str], since: int
) -> None:
    one, two = had.more({}, first), had.more({}, second)
    assert known(one) == {had.key_of(item): month for item, month in latest(first).items()}
    both = had.more(one, second)
    assert had.joined(one, two) == had.joined(two, one) == both == had.more({}, [*first, *second])
    left = {x: m for x, m in latest([*first, *second]).items() if x not in gone and m >= since}
    rest = had.since(had.less(both, gone), since)
    assert rest == had.more({}, left.items())
    assert had.count(rest) == len(left)
    assert all(had.holds(rest, f"i{n}") == (f"i{n}" in left) for n in range(31))


def test_the_oldest_go_first() -> None:
    """A tenth too many: the latest ``KEPT`` stay."""
    many = [(f"item-{number}", 600 + number // 1_000) for number in range(5 * 1_000)]
    packed = had.more({}, many)
    assert had.count(packed) == had.KEPT
    assert set(packed) == {601, 602, 603, 604}
    assert had.more(packed, [("one more", 599)]) == packed | {
        599: had.more({}, [("one more", 599)])[599]
    }
    assert all(len(keys) % had.SIZE == 0 for keys in packed.values())
