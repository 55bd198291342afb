"""A TOML table read by the table of settings: typed values, and every error with its remedy."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from germane.config import channel_tables, tables
from germane.config.fields import UNITS_S, Field
from germane.config.problems import Problems, did_you_mean, near

_DURATION = re.compile(r"([+-]?)(\d+)([smhdw])", re.ASCII)
_ENDLESS_S = 10**15
FREE = ("when", "title", "still", "audience")
"""Texts that may begin or end with a space; others are compared, letter by letter."""


def read(
    table: dict[str, Any],
    fields: tuple[Field, ...],
    path: str,
    problems: Problems,
    also: tuple[str, ...] = (),
    tables_: Mapping[str, tuple[Field, ...]] = tables.TABLES,
) -> dict[str, Any]:
    """Typed values of a table by name; what is absent or wrong is left out, and errors are noted.
    ``tables_`` are those of its file, where a setting may belong that stands in the wrong one."""
    known = [field.name for field in fields]
    meant = set()
    for name, value in table.items():
        if name not in known and name not in also:
            meant.add(near(name, known))
            hidden = any(field.secret for field in fields)
            problems.add(
                under(path, name),
                None if hidden or isinstance(value, dict | list) else value,
                "There is no such setting here.",
                belongs(name, path, tables_) or did_you_mean(name, (*known, *also)),
            )
    out: dict[str, Any] = {}
    for field in fields:
        if field.name not in table:
            if field.required and field.name not in meant:
                problems.add(
                    under(path, field.name), None, "It is missing.", f"Add it: {field.help}"
                )
            continue
        value = value_of(field, table[field.name], under(path, field.name), problems)
        if value is not None:
            out[field.name] = value
    return out


def under(path: str, name: str) -> str:
    """The key of a setting in a table; at the top of a file it is the name alone."""
    return f"{path}.{name}" if path else name


def named(
    whole: dict[str, Any],
    section: str,
    fields: tuple[Field, ...],
    problems: Problems,
    also: tuple[str, ...] = (),
) -> dict[str, dict[str, Any]]:
    """The tables ``[section.NAME]``, each read."""
    out = {}
    for name, table in whole.get(section, {}).items():
        path = f"{section}.{name}"
        if not isinstance(table, dict):
            shown = None if isinstance(table, list) else table
            remedy = belongs(name) or f"Write it as [{path}]."
            problems.add(path, shown, "It must be a table.", remedy)
        elif not name.strip():
            problems.add(path, None, "The name is empty.", f"Write [{section}.NAME].")
        else:
            out[name] = read(table, fields, path, problems, also)
    return out


def misspelt(table: dict[str, Any], name: str) -> bool:
    """Whether a setting is not there, but what is most likely a misspelling of it (an error itself)."""
    return name not in table and any(near(each, [name]) is not None for each in table)


def belongs(
    name: str, path: str = "", tables_: Mapping[str, tuple[Field, ...]] = tables.TABLES
) -> str | None:
    """Where a setting belongs that stands in the wrong table, if there is one such place."""
    if not name:
        return None
    found = [table for table, fields in tables_.items() if name in {f.name for f in fields}]
    root = path.partition(".")[0]
    close = [table for table in found if table.partition(".")[0] == root] or found
    if len(close) > 1:  # what most files have is meant, rather than a channel
        close = [table for table in close if table not in channel_tables.TABLES] or close
    if len(close) != 1:
        return None
    if close[0] == "campaign":
        return "It stands at the top of the file, before the first table."
    mark = ("[[", "]]") if close[0] in (*tables.LISTS, "steps") else ("[", "]")
    return f"It belongs under {mark[0]}{close[0]}{mark[1]}."


def value_of(field: Field, value: Any, key: str, problems: Problems) -> Any:
    """One typed value, or None with an error noted."""
    found, wanted = _typed(field.kind, value)
    shown = None if field.secret else value
    if found is None:
        problems.add(key, shown, f"It must be {wanted}.", _how(field, value))
        return None
    if isinstance(found, int | float) and not isinstance(found, bool) and field.span:
        low, high = field.span
        if not field.low <= found <= field.high:  # type: ignore[operator]
            problems.add(
                key,
                shown,
                f"It must be between {low} and {high}.",
                f"Choose a value in that span: {field.help}",
            )
            return None
    wrong = _slips(field, found)
    if wrong is not None:
        problems.add(key, shown, *wrong)
        return None
    return found


def _slips(field: Field, value: Any) -> tuple[str, str] | None:
    """What is of the right type and still says nothing, or says it twice."""
    if isinstance(value, str) and field.name not in FREE and value.strip() != value:
        return "It begins or ends with a space.", "Take the space away: names must match exactly."
    if value == "" and field.required:
        return "It is empty.", f"Fill it in: {field.help}"
    if isinstance(value, tuple):
        if any(not each.strip() for each in value):
            return "An entry is empty.", "Fill it in, or take it out."
        twice = next((each for place, each in enumerate(value) if each in value[:place]), None)
        if twice is not None:
            return f"{twice!r} stands in it twice.", "Take one of them out."
    return None


def _how(field: Field, value: Any) -> str:
    """How to write what was probably meant."""
    name, kind = field.name, field.kind
    if isinstance(value, str):
        plain = value.strip().lower()
        if kind in ("whole", "number") and re.fullmatch(r"[+-]?\d+([.,]\d+)?", plain, re.ASCII):
            return f"Write it without quotes: {name} = {plain.replace(',', '.')}."
        if kind == "flag" and plain in ("true", "false"):
            return f"Write it without quotes: {name} = {plain}."
        if kind == "texts":
            return f'Write it as a list: {name} = ["{value[:40]}"].'
        if "|" in kind:
            return did_you_mean(value, kind.split("|"))
    if isinstance(value, bool | int | float):
        if kind == "text" and not field.secret:
            return f'Write it with quotes: {name} = "{str(value).lower()[:40]}".'
        if kind == "duration" and not isinstance(value, bool):
            return f'Write it as a text with a unit: {name} = "30m".'
    return field.help


def _typed(kind: str, value: Any) -> tuple[Any, str]:
    match kind:
        case "text":
            return (value if isinstance(value, str) else None), "text"
        case "flag":
            return (value if isinstance(value, bool) else None), "true or false"
        case "whole":
            good = isinstance(value, int) and not isinstance(value, bool)
            return (value if good else None), "a whole number"
        case "number":
            return _number(value), "a number"
        case "texts":
            good = isinstance(value, list) and all(isinstance(each, str) for each in value)
            return (tuple(value) if good else None), 'a list of texts, like ["a", "b"]'
        case "duration":
            return _seconds(value), 'a duration, like "30m", "24h" or "7d"'
    choices = kind.split("|")
    return (value if value in choices else None), "one of " + ", ".join(choices)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return 1e308 if value > 0 else -1e308  # beyond all bounds
    return number if math.isfinite(number) else None


def _seconds(value: Any) -> int | None:
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    sign, digits, unit = found.groups()
    number = int(digits) * UNITS_S[unit] if len(digits) < 12 else _ENDLESS_S
    return -number if sign == "-" else number
