"""What the state should be: the log folded anew, once for all the logs that begin alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from germane.app.consents import Blank
from germane.app.rebuild import Rebuild
from germane.domain.record import Record
from germane.domain.settings import Settings
from germane.storage.memory import MemoryStore

KEPT = 4


class Hashes(NamedTuple):
    """Of personal and of shared state."""

    state: str
    model: str


@dataclass(slots=True)
class Line:
    """A log that was folded, as far as it came, and the state at some places on the way."""

    blanks: Sequence[Blank]
    work: Rebuild
    records: list[Record] = field(default_factory=list)
    found: dict[int, Hashes] = field(default_factory=dict)

    def hashes(self, offsets: Mapping[int, int]) -> Hashes:
        """Of what was folded; the last offset of a slot stays when the record that had it was erased."""
        scratch = self.work.scratch
        assert isinstance(scratch, MemoryStore)
        own, scratch._offsets = scratch._offsets, dict(offsets)
        found = Hashes(scratch.state_hash(), self.work.model.digest())
        scratch._offsets = own
        return found

    def begins(self, records: Sequence[Record], blanks: Sequence[Blank]) -> bool:
        """Whether another log is the same up to where both are."""
        both = min(len(records), len(self.records))
        return self.blanks == blanks and all(
            mine is theirs or mine == theirs
            for mine, theirs in zip(self.records[:both], records[:both], strict=True)
        )


class Rebuilt:
    """Folds logs; of logs that grow, each record once."""

    def __init__(self, settings: Settings, key: bytes) -> None:
        self._settings, self._key = settings, key
        self._lines: list[Line] = []

    def hashes(
        self, records: Sequence[Record], blanks: Sequence[Blank], offsets: Mapping[int, int]
    ) -> Hashes:
        """The state that a log comes to."""
        line = self._line(records, blanks)
        if len(records) not in line.found:
            for each in records[len(line.records) :]:
                line.work.step(each)
                line.records.append(each)
            line.found[len(records)] = line.hashes(offsets)
        return line.found[len(records)]

    def _line(self, records: Sequence[Record], blanks: Sequence[Blank]) -> Line:
        for each in self._lines:
            known = len(records) in each.found or len(records) >= len(each.records)
            if known and each.begins(records, blanks):
                return each
        line = Line(blanks, Rebuild(self._settings, self._key, blanks=blanks))
        self._lines = [line, *self._lines][:KEPT]
        return line
