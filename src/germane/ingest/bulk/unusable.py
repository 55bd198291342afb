"""Why a row cannot be used."""

from __future__ import annotations

from germane.ingest.bulk.rows import Row


class Unusable(ValueError):
    """A row cannot be used; the text says why, and what to do."""

    def __init__(
        self,
        reason: str,
        detail: str = "",
        *,
        remedy: str = "",
        rows: dict[int, Unusable] | None = None,
    ) -> None:
        """
        Args:
            reason: What is wrong, the same for all rows that it is wrong with.
            detail: With what: the value.
            remedy: What to do.
            rows: What is wrong with which of the rows of one event, by number.
        """
        does = f" ({remedy})" if remedy else ""
        super().__init__(f"{reason}: {detail}{does}" if detail else reason + does)
        self.kind = reason + does
        """The text without the value: by this, rejects are counted."""
        self._rows = rows or {}

    @classmethod
    def read(cls, problem: str) -> Unusable:
        """Of a row that the reader could not read."""
        reason, _, detail = problem.partition(": ")
        return cls(reason, detail)

    @classmethod
    def lines(cls, wrong: dict[int, Unusable]) -> Unusable:
        """Of an event, some lines of which cannot be used."""
        first = next(iter(wrong.values()))
        found = cls(str(first), rows=wrong)
        found.kind = first.kind
        return found

    def of(self, row: Row) -> Unusable:
        """Why this row cannot be used: its own fault, or that of another line of its order."""
        if not self._rows:
            return self
        if row.number in self._rows:
            return self._rows[row.number]
        number, reason = next(iter(self._rows.items()))
        return Unusable("another line of the same order cannot be used", f"line {number}, {reason}")
