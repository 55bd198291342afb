"""Orders of one import whose lines lie apart in the file, and those with a line that cannot be used."""

from __future__ import annotations

from hashlib import blake2b

from germane.ingest.bulk.occurrences import Occurrences

NAMED = 5
"""Orders in part that are named."""


class Orders:
    """Keeps account of parts of orders, in a few bytes each."""

    def __init__(self) -> None:
        self._parts, self._used, self._broken = Occurrences(), Occurrences(), Occurrences()
        self._told = Occurrences()
        self.apart = 0
        """Orders so far whose lines did not all follow one another."""
        self.in_part = 0
        """Orders so far of which a part was taken before a line that cannot be used."""
        self.named: list[str] = []
        """The first of them."""

    def part(self, key: object) -> None:
        """Lines that followed one another; of one order they have one key."""
        self.apart += self._parts.count(_digest(key)) == 2

    def used(self, order: object) -> None:
        """A part of the order was taken."""
        self._used.count(_digest(order))

    def broke(self, order: object, name: str) -> None:
        """A part of it cannot be used."""
        digest = _digest(order)
        self._broken.count(digest)
        if digest in self._used and self._told.count(digest) == 1:
            self.in_part += 1
            if len(self.named) < NAMED:
                self.named.append(name)

    def is_broken(self, order: object) -> bool:
        """Whether an earlier part of it could not be used."""
        return _digest(order) in self._broken


def _digest(key: object) -> bytes:
    return blake2b(repr(key).encode("utf-8", "surrogatepass"), digest_size=8).digest()
