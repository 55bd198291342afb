"""Named mappings for bulk imports: ``[imports.NAME]``."""

from __future__ import annotations

from typing import Any

import msgspec

from germane.config import tables
from germane.config.problems import Problems, did_you_mean
from germane.config.reading import read
from germane.ingest.bulk.columns import FIELDS, Kind
from germane.privacy.categories import OWN


class ImportSpec(msgspec.Struct, frozen=True):
    """What `germane import KIND FILE --as NAME` knows without being told again."""

    name: str
    kind: Kind
    event: str = ""
    columns: dict[str, str] = {}
    """Field -> column."""


def imports(whole: dict[str, Any], problems: Problems) -> dict[str, ImportSpec]:
    """The declared mappings; errors are noted in ``problems``."""
    declared = {
        "catalogue": _named(whole.get("catalogue", {}).get("attributes")),
        "people": (*_named(whole.get("traits")), *OWN),
    }
    out = {}
    for name, table in whole.get("imports", {}).items():
        path = f"imports.{name}"
        if not isinstance(table, dict):
            problems.add(path, table, "It must be a table.", f"Write it as [{path}].")
            continue
        values = read(table, tables.IMPORT, path, problems, ("columns",))
        kind = values.get("kind")
        if kind is None:
            continue
        if values.get("event") and kind != "events":
            problems.add(
                f"{path}.event", values["event"], f"Rows of {kind} have no event.", "Leave it out."
            )
        columns = _columns(
            table.get("columns", {}),
            (*FIELDS[kind], *declared.get(kind, ())),
            kind,
            f"{path}.columns",
            problems,
        )
        out[name] = ImportSpec(name, columns=columns, **values)
    return out


def _named(table: Any) -> tuple[str, ...]:
    """Names of declared attributes or traits, be they right or wrong in themselves."""
    return tuple(table) if isinstance(table, dict) else ()


def _columns(
    table: Any, known: tuple[str, ...], kind: Kind, path: str, problems: Problems
) -> dict[str, str]:
    """``field = "column"``; attributes of a catalogue and traits of people are fields, too."""
    if not isinstance(table, dict):
        problems.add(path, table, "It must be a table.", f"Write it as [{path}].")
        return {}
    found = {}
    for field, column in table.items():
        if field not in known:
            problems.add(
                f"{path}.{field}",
                column,
                f"Rows of {kind} have no such field.",
                did_you_mean(field, known),
            )
        elif not isinstance(column, str) or not column:
            problems.add(
                f"{path}.{field}", column, "It must be the name of a column.", "Write it as a text."
            )
        else:
            found[field] = column
    return found
