"""Cells of declared attributes, by their kind: a CSV holds texts alone."""

from __future__ import annotations

import re
from typing import Any

from germane.domain.settings import AttributeKind
from germane.ingest.bulk.unusable import Unusable
from germane.ingest.bulk.values import number, plain, whether

MARK = "|"
"""What separates the values of a list in one cell."""
_WHOLE = re.compile(r"-?(?:0|[1-9]\d{0,14})")
_PLAIN = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d+)?|true|false")
"""What is a number or a flag, and hardly an id: no zeros in front, no plus, not more than 15 digits."""


def of_kind(name: str, kind: AttributeKind, value: Any) -> Any:
    """A value that is not blank, as its attribute is declared; ``None``: there is none after all.

    Raises:
        Unusable: it cannot be that.
    """
    if kind == "number":
        return _number(name, value)
    if kind == "flag":
        return whether(name, value)
    if kind == "list":
        return _list(value)
    return plain(value)


def in_one(kind: AttributeKind, value: Any) -> bool:
    """Whether a cell of a list may be meant as several values, separated by something else."""
    return (
        kind == "list"
        and isinstance(value, str)
        and MARK not in value
        and {*value} & {*",;"} != set()
    )


def looks_typed(value: Any) -> bool:
    """Whether a text is plainly a number, or true or false."""
    return isinstance(value, str) and _PLAIN.fullmatch(value) is not None


def _number(name: str, value: Any) -> int | float | None:
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        return int(value)
    if isinstance(value, bool):
        raise Unusable(f"{name} is no number", repr(value))
    if isinstance(value, int):
        return value
    return number(name, value)


def _list(value: Any) -> Any:
    if not isinstance(value, str):
        return plain(value)
    return [each.strip() for each in value.split(MARK) if each.strip()] or None
