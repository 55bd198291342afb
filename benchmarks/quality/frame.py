"""A data set as arrays: who did something with what, and when, in the order of time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Frame:
    """Rows are sorted by time. Rows of one person at one time may come in any order."""

    name: str
    users: tuple[str, ...]
    """Id by user number."""
    items: tuple[str, ...]
    """Id by item number: the whole catalogue that has events."""
    user: Ints
    item: Ints
    at_ms: Ints
    repeats: bool
    """Whether items that the person had before may be shown (the primary view)."""
    price: Floats | None = None
    order: Ints | None = None
    """Number of the order (an invoice, a basket) that a row belongs to: its rows are one event."""
    catalogue: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Item id -> fields of a catalogue entry."""
    asked: npt.NDArray[np.bool_] | None = None
    """People who are predicted, by user number; ``None``: everyone. All are learned."""
    last_out: bool = False
    """Only the order inside each person is known: the last row of each is the test."""

    def __len__(self) -> int:
        """Rows."""
        return len(self.user)

    @cached_property
    def digest(self) -> str:
        """Names the content."""
        found = blake2b(digest_size=6)
        for array in (self.user, self.item, self.at_ms):
            found.update(np.ascontiguousarray(array).tobytes())
        return found.hexdigest()

    @cached_property
    def category(self) -> Ints | None:
        """Number of the first category by item number, -1 for none; ``None`` without categories."""
        names: dict[str, int] = {}
        out = np.full(len(self.items), -1)
        for number, item in enumerate(self.items):
            fields = self.catalogue.get(item, {})
            value = fields.get("category") or next(iter(fields.get("categories", ())), "")
            if value:
                out[number] = names.setdefault(value, len(names))
        return out if names else None

    def take(self, rows: npt.NDArray[Any]) -> Frame:
        """Only some rows: what is left out is not in it in any form."""

        def some(values: npt.NDArray[Any] | None) -> Any:
            return None if values is None else values[rows].copy()

        return replace(
            self,
            user=some(self.user),
            item=some(self.item),
            at_ms=some(self.at_ms),
            price=some(self.price),
            order=some(self.order),
        )

    def before(self, row: int) -> Frame:
        """Only the rows before one."""
        return self.take(np.arange(row))

    def save(self, path: Path) -> None:
        """Write what a peer gets to see: numbers, no names."""
        path.parent.mkdir(parents=True, exist_ok=True)
        sizes = np.array([len(self.users), len(self.items)])
        asked = np.ones(len(self.users), bool) if self.asked is None else self.asked
        np.savez(
            path, user=self.user, item=self.item, at_ms=self.at_ms, sizes=sizes, asked=asked,
            last_out=np.array(self.last_out), repeats=np.array(self.repeats),
        )  # fmt: skip


def read(path: Path) -> Frame:
    """What ``save`` wrote."""
    with np.load(path) as found:
        users, items = (int(each) for each in found["sizes"])
        return Frame(
            path.stem,
            tuple(map(str, range(users))),
            tuple(map(str, range(items))),
            found["user"],
            found["item"],
            found["at_ms"],
            repeats=bool(found["repeats"]),
            asked=found["asked"],
            last_out=bool(found["last_out"]),
        )
