"""What leaves the log because of its age, in one transaction."""

from __future__ import annotations

import msgspec

ARCHIVE = "archive/"


class Piece(msgspec.Struct, frozen=True):
    """Some records of one month that lie together."""

    name: str
    """It tells what is in it: the same name, the same records. Of the archive it begins with ``archive/``."""
    month: str
    """``2026-11``."""
    rows: int = 0
    """How many records are in it."""
    first_seq: int = 0
    """The lowest log offset in it; 0: not known."""
    last_seq: int = 0

    @property
    def archived(self) -> bool:
        """Whether it lies in the archive."""
        return self.name.startswith(ARCHIVE)


class Retirement(msgspec.Struct, frozen=True):
    """Of one piece."""

    piece: str
    month: str
    """The one that it is now: the archive counts from it how long it has had them."""
    archived: frozenset[int] = frozenset()
    """Log offsets of the records that go into the archive as they are."""
    gone: frozenset[int] = frozenset()
    """Log offsets of those that go for good."""
    left: dict[int, bytes] = {}
    """Offset of one of these, or of another one -> the body that it has in the log from now on. Nothing is
    derived from it any more."""

    @property
    def leaves(self) -> frozenset[int]:
        """Offsets that are in the log no more."""
        return (self.archived | self.gone) - self.left.keys()
