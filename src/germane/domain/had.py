"""Items that a person had longer ago than single items are remembered: of each no more than that it was had,
and the month of the last time, so that it can be left out for as long as that counts.

By month (since January 1970) the keys of its items, four bytes each and sorted. Of four thousand million pairs
of items one has the same key: whoever had one of the two is taken to have had the other.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, insort
from collections.abc import Collection, Iterable, Mapping
from zlib import crc32

Had = dict[int, bytes]

KEPT = 4_000
"""Items of one person, the latest; looked at a tenth beyond it."""
SIZE = 4
"""Bytes of a key."""


def key_of(item_id: str) -> int:
    """32 bits that stand for an item."""
    return crc32(item_id.encode("utf-8", "surrogatepass"))


def keys_of(had: Mapping[int, bytes]) -> frozenset[int]:
    """The keys of all of them."""
    return frozenset().union(*map(_keys, had.values()))


def holds(had: Mapping[int, bytes], item_id: str) -> bool:
    """Whether the item is among them."""
    key = key_of(item_id)
    return any(_place(keys, key) is not None for keys in map(_keys, had.values()))


def more(had: Mapping[int, bytes], items: Iterable[tuple[str, int]]) -> Had:
    """With these items, each with the month of the last time; what there is too much of goes, the oldest first.
    Of an item that is there with another month, the later one counts."""
    found = {month: _keys(keys) for month, keys in had.items()}
    for item_id, month in items:
        key = key_of(item_id)
        known = next((m for m, keys in found.items() if _place(keys, key) is not None), None)
        if known is not None and known >= month:
            continue
        if known is not None:
            found[known].remove(key)
        insort(found.setdefault(month, array("I")), key)
    return _bounded(found)


def less(had: Had, items: Collection[str]) -> Had:
    """Without these items; the same, where there are none of them."""
    if not any(holds(had, each) for each in items):
        return had
    found = {month: _keys(keys) for month, keys in had.items()}
    for key in map(key_of, items):
        for keys in found.values():
            if _place(keys, key) is not None:
                keys.remove(key)
    return _bounded(found)


def since(had: Mapping[int, bytes], month: int) -> Had:
    """Without what was had before a month."""
    return {each: keys for each, keys in had.items() if each >= month}


def joined(one: Mapping[int, bytes], two: Mapping[int, bytes]) -> Had:
    """What either of two people had, as one person's; of an item that both had, the later month counts."""
    found: dict[int, array[int]] = {}
    seen: set[int] = set()
    for month in sorted({*one, *two}, reverse=True):
        keys = {*_keys(one.get(month, b"")), *_keys(two.get(month, b""))} - seen
        found[month] = array("I", sorted(keys))
        seen |= keys
    return _bounded(found)


def count(had: Mapping[int, bytes]) -> int:
    """How many there are."""
    return sum(map(len, had.values())) // SIZE


def _keys(packed: bytes) -> array[int]:
    return array("I", packed)


def _place(keys: array[int], key: int) -> int | None:
    place = bisect_left(keys, key)
    return place if place < len(keys) and keys[place] == key else None


def _bounded(found: Mapping[int, array[int]]) -> Had:
    left = sum(map(len, found.values()))
    if left > KEPT + KEPT // 10:
        left = KEPT
    kept: Had = {}
    for month in sorted(found, reverse=True):
        keys = found[month][-left:] if left else found[month][:0]
        left -= len(keys)
        if keys:
            kept[month] = keys.tobytes()
    return dict(sorted(kept.items()))
