"""Which words may stand where a request has another one, or none: the decoder's error names the place alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from msgspec import inspect

_MESSAGE = re.compile(r"Invalid (?:enum )?value .*?(?: - at (`key` in )?`\$([^`]*)`)?", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `([^`]*)`(?: - at `\$([^`]*)`)?")
_STEP = re.compile(r"\.([^.\[]+)|\[([^\]]+)\]")
_info = lru_cache(inspect.type_info)


def allowed(error: str, kind: Any) -> list[str]:
    """The words that a body of that type may have at the place of an error; none if it is about something else.

    Args:
        error: The message of a ``msgspec.ValidationError``.
        kind: What was decoded.
    """
    found = _place(error)
    if found is None:
        return []
    path, at_key = found
    here = [*_plain(_info(kind))]
    for field, place in _STEP.findall(path):
        here = [x for each in here for inner in _inside(each, field, place) for x in _plain(inner)]
    if at_key:
        keys = (each.key_type for each in here if isinstance(each, inspect.DictType))
        here = [x for each in keys for x in _plain(each)]
    words = (word for each in here for word in _words(each))
    return [str(each) for each in dict.fromkeys(words)]


def _place(error: str) -> tuple[str, bool] | None:
    """Where a word is wrong or missing, as a path, and whether it is a key there; ``None``: neither is it."""
    if found := _MESSAGE.fullmatch(error):
        return found[2] or "", bool(found[1])
    if found := _MISSING.fullmatch(error):
        return f"{found[2] or ''}.{found[1]}", False
    return None


def _plain(kind: inspect.Type) -> Iterator[inspect.Type]:
    """A type without what only describes it; of a union each."""
    if isinstance(kind, inspect.Metadata):
        yield from _plain(kind.type)
    elif isinstance(kind, inspect.UnionType):
        for each in kind.types:
            yield from _plain(each)
    else:
        yield kind


def _inside(kind: inspect.Type, field: str, place: str) -> Iterator[inspect.Type]:
    """What a type has in a field, or at a place of a list."""
    match kind:
        case inspect.StructType() if field and field == kind.tag_field:
            yield inspect.LiteralType((kind.tag,))
        case inspect.StructType() if field:
            yield from (each.type for each in kind.fields if each.encode_name == field)
        case inspect.DictType() if place:
            yield kind.value_type
        case inspect.ListType() | inspect.VarTupleType() if place:
            yield kind.item_type
        case inspect.TupleType() if place.isdigit():
            yield kind.item_types[int(place)]


def _words(kind: inspect.Type) -> tuple[Any, ...]:
    match kind:
        case inspect.LiteralType():
            return kind.values
        case inspect.EnumType():
            return tuple(each.value for each in kind.cls)
    return ()
