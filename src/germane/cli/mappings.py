"""By which columns files of the same form were imported last: what came in stays in the log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from germane.ingest.bulk import Mapping as Columns

_STAYS = {
    "events": "What came that way stays in the log. Rows that name another event, person or item now "
    "are new events; all others are known already, and keep what they meant. To be rid of what was "
    "wrong, import everything into an empty data folder.",
    "events by id": "What came that way stays in the log, and its rows are known by their ids (message_id): "
    "they keep what they meant. To be rid of what was wrong, import everything into an empty data folder.",
    "people": "What came that way stays with whom it named. To be rid of what was wrong, import "
    "everything into an empty data folder.",
    "catalogue": "Items with the same ids are replaced; others stay, until you remove them: "
    "DELETE /v1/items/ID.",
    "consents": "What was recorded that way stays in the ledger: no line is ever taken out. Rows that name "
    "another person, purpose, answer, time or end now are new statements. A no that nobody said is undone by a "
    "newer yes alone.",
}


def key_of(kind: str, names: tuple[str, ...]) -> str:
    """Where it is remembered for files of one kind with these columns."""
    packed = json.dumps(sorted(names)).encode()
    return f"import.columns.{kind}.{blake2b(packed, digest_size=8).hexdigest()}"


def packed(fields: Mapping[str, str]) -> bytes:
    """Fields and their columns, to be remembered."""
    return json.dumps(dict(sorted(fields.items()))).encode()


def changed(kind: str, before: bytes | None, fields: Mapping[str, str]) -> str:
    """What to know when files of this form were imported by other columns; empty if they were not."""
    known: dict[str, str] = json.loads(before) if before is not None else dict(fields)
    told = [
        f"{field} ← {known.get(field, 'no column')}"
        for field in sorted({*known, *fields})
        if known.get(field) != fields.get(field)
    ]
    if not told:
        return ""
    by_id = kind == "events" and "message_id" in fields
    stays = _STAYS["events by id" if by_id else kind]
    return f"Files with these columns were imported before with {', '.join(told)}. {stays}"


def lost(before: bytes | None, mapping: Columns) -> dict[str, str]:
    """Field -> the column that it was imported from, where it has none now, or another one that nobody
    named."""
    known: dict[str, str] = json.loads(before) if before is not None else {}
    return {
        field: column
        for field, column in known.items()
        if field not in mapping.said and mapping.all.get(field) != column
    }
