"""The one way to write a declared thing down: equal things have equal bytes, whatever they came from."""

from __future__ import annotations

from typing import Any

import msgspec


def canonical(thing: msgspec.Struct) -> bytes:
    """JSON with its keys in order and without what is as it would be if nothing was said.

    ``omit_defaults`` alone would not do: it keeps a default that was written out.
    """
    return msgspec.json.encode(bare(thing), order="deterministic")


def bare(value: Any) -> Any:
    """Plain values, without what is as it would be if nothing was said. Of a struct: a dictionary."""
    if isinstance(value, msgspec.Struct):
        return {
            each.name: bare(held)
            for each in msgspec.structs.fields(value)
            if (held := getattr(value, each.name)) != _default(each)
        }
    if isinstance(value, list | tuple):
        return [bare(each) for each in value]
    if isinstance(value, dict):
        return {key: bare(each) for key, each in value.items()}
    return value


def _default(field: msgspec.structs.FieldInfo) -> Any:
    """What the field is where nothing was said; itself a mark where something must be."""
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default
