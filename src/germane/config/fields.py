"""The table of settings: one row drives validation, the reference documentation and `germane init`."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from germane.config.problems import Problems, brief, did_you_mean

Check = Callable[[Any], str | None]
"""Answers what is wrong with a value, or ``None``."""


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a table."""

    name: str
    kind: str
    """text, number, whole, flag, texts, duration, or a choice written ``a|b|c``."""
    help: str
    default: Any = None
    required: bool = False
    low: float | None = None
    high: float | None = None


def read(
    table: dict[str, Any],
    fields: tuple[Field, ...],
    path: str,
    problems: Problems,
    also: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Typed values of a table by name; what is absent or wrong is left out, and errors are noted."""
    known = {field.name: field for field in fields}
    for name, value in table.items():
        if name not in known and name not in also:
            problems.add(
                f"{path}.{name}",
                brief(value),
                "There is no such setting here.",
                did_you_mean(name, (*known, *also)),
            )
    out: dict[str, Any] = {}
    for field in fields:
        if field.name not in table:
            if field.required:
                problems.add(
                    f"{path}.{field.name}", None, "It is missing.", f"Add it: {field.help}"
                )
            continue
        value = _value(field, table[field.name], f"{path}.{field.name}", problems)
        if value is not None:
            out[field.name] = value
    return out


_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


def _value(field: Field, value: Any, key: str, problems: Problems) -> Any:
    found, wanted = _typed(field.kind, value)
    if found is None:
        problems.add(key, brief(value), f"It must be {wanted}.", field.help)
        return None
    if isinstance(found, int | float) and not isinstance(found, bool):
        low, high = field.low, field.high
        if (low is not None and found < low) or (high is not None and found > high):
            span = (
                f"between {low:g} and {high:g}"
                if low is not None and high is not None
                else f"at least {low:g}"
                if low is not None
                else f"at most {high:g}"
            )
            problems.add(key, value, f"It must be {span}.", field.help)
            return None
    return found


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
            good = isinstance(value, int | float) and not isinstance(value, bool)
            good = good and math.isfinite(value)
            return (float(value) if good else None), "a number"
        case "texts":
            good = isinstance(value, list) and all(isinstance(each, str) for each in value)
            return (tuple(value) if good else None), 'a list of texts, like ["a", "b"]'
        case "duration":
            return _seconds(value), 'a duration, like "30m", "24h" or "7d"'
    choices = kind.split("|")
    return (value if value in choices else None), "one of " + ", ".join(choices)


def _seconds(value: Any) -> int | None:
    if not isinstance(value, str) or len(value) < 2 or value[-1] not in _UNITS:
        return None
    number = value[:-1]
    if not number.isascii() or not number.isdigit() or int(number) == 0:
        return None
    return int(number) * _UNITS[value[-1]]
