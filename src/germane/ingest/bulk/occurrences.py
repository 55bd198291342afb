"""How often the same content came before in a file, in 16 to 32 bytes for each that is different."""

from __future__ import annotations

from array import array

_FULL = 0.75


class Occurrences:
    """A table of 64-bit hashes with their counts: open addressing, linear probing.

    Two contents with the same 64 bits would count as one (for ten million rows: a chance of one in
    hundreds of thousands); the number is then too high, which is harmless.
    """

    def __init__(self) -> None:
        self._keys, self._counts = _empty(1024)
        self._used = 0

    def count(self, digest: bytes) -> int:
        """How often this digest (8 bytes or more) has come, this time included."""
        key = int.from_bytes(digest[:8], "little") or 1  # 0 marks a free place
        place = self._place(key)
        if not self._counts[place]:
            if self._used >= _FULL * len(self._keys):
                self._grow()
                place = self._place(key)
            self._keys[place] = key
            self._used += 1
        self._counts[place] += 1
        return self._counts[place]

    def __contains__(self, digest: bytes) -> bool:
        """Whether it has come before."""
        key = int.from_bytes(digest[:8], "little") or 1
        return bool(self._counts[self._place(key)])

    def _place(self, key: int) -> int:
        keys, last = self._keys, len(self._keys) - 1
        place = key & last
        while keys[place] and keys[place] != key:
            place = (place + 1) & last
        return place

    def _grow(self) -> None:
        keys, counts = self._keys, self._counts
        self._keys, self._counts = _empty(2 * len(keys))
        for key, count in zip(keys, counts, strict=True):
            if key:
                place = self._place(key)
                self._keys[place], self._counts[place] = key, count


def _empty(places: int) -> tuple[array[int], array[int]]:
    return array("Q", [0]) * places, array("I", [0]) * places
