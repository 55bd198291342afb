"""The items that are most in demand: lists for everybody, made anew now and then."""

from __future__ import annotations

from functools import cached_property

import msgspec

POPULAR = 150
"""So many of each list are candidates for everybody."""


class TopLists(msgspec.Struct, frozen=True, dict=True):
    """Item numbers, best first, by how long they have been in demand."""

    rising: tuple[int, ...] = ()
    """In hours."""
    trending: tuple[int, ...] = ()
    """In days."""
    bestsellers: tuple[int, ...] = ()
    """In months."""
    tried: tuple[int, ...] = ()
    """In days, among those who had them for the first time."""

    @cached_property
    def popular(self) -> dict[int, None]:
        """The heads of all lists as an ordered set. Not to be changed."""
        lists = (self.rising, self.trending, self.bestsellers, self.tried)
        return dict.fromkeys(number for each in lists for number in each[:POPULAR])
