"""The cells of a row, by the fields that a mapping gives them."""

from __future__ import annotations

from typing import Any

from germane.ingest.bulk.columns import Mapping
from germane.ingest.bulk.rows import Row
from germane.ingest.bulk.unusable import Unusable
from germane.ingest.bulk.values import blank, number, plain
from germane.ingest.limits import ID_CHARS


class Cells:
    """Reads rows of one file; an empty cell is no value."""

    def __init__(self, mapping: Mapping) -> None:
        """``mapping``: which column is which field."""
        self._mapping = mapping

    def _get(self, row: Row, field: str) -> Any:
        """The value of a field; ``None`` where the cell is empty or there is no such column."""
        column = self._mapping.fields.get(field)
        value = row.values.get(column) if column is not None else None
        return None if blank(value) else value

    def _rest(self, row: Row) -> dict[str, Any]:
        """What no field takes, by the names of declared attributes and traits where it is one."""
        return {k: plain(v) for k, v in self._mapping.rest_of(row.values).items() if not blank(v)}

    def _id(self, row: Row, field: str) -> str:
        value = self._get(row, field)
        if value is None:
            return ""
        if isinstance(value, list | dict):
            raise Unusable(f"{field} is no text and no number", repr(value))
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        text = str(value).strip()
        if len(text) > ID_CHARS or "\x00" in text:
            raise Unusable(f"{field} is longer than {ID_CHARS} characters, or has a zero byte")
        return text

    def _text(self, row: Row, field: str) -> str:
        value = self._get(row, field)
        return "" if value is None else str(value).strip()

    def _number(self, row: Row, field: str, high: float | None = None) -> float | None:
        return number(field, self._get(row, field), low=0.0, high=high)
