"""What the CEL library says of a mistake, in plain words: where it is, what it is, and the remedy."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from germane.domain import expressions

FUNCTIONS = (
    "has", "size", "contains", "startsWith", "endsWith", "matches", "exists", "all", "exists_one",
    "filter", "map", "int", "double", "string", "bool", "timestamp", "duration", "getHours",
    "getDayOfWeek", "getDayOfMonth", "getMonth", "getFullYear",
)  # fmt: skip
"""Of CEL, for whoever looks for one."""
_ERROR = re.compile(r"ERROR: <input>:(\d+):(\d+): (.+)")
_UNKNOWN = re.compile(r"undeclared reference to '([^']+)'")
_OVERLOAD = re.compile(r"found no matching overload for '([^']+)' applied to '\(?([^')]*)\)?'")
_NO_OVERLOAD = re.compile(r"No matching overloads found : ([^(\s]+)(?:\((.*)\))?$")
_MISSING = re.compile(r'No value with name "([^"]+)"|Key not found in map : "?([^"]+)"?')
_NO_FIELDS = "Applying SELECT to non-message type"
_INDEX = re.compile(r"Index error: index=(-?\d+)")
_SPOKEN = {
    "string": "a text", "bytes": "bytes", "double": "a number", "bool": "true or false",
    "int": "a whole number", "int64": "a whole number", "uint": "a whole number with u",
    "uint64": "a whole number with u", "null": "null", "null_type": "null",
    "timestamp": "a time", "google.protobuf.timestamp": "a time",
    "duration": "a duration", "google.protobuf.duration": "a duration",
    "map": "a map", "list": "a list", "type": "a type",
}  # fmt: skip


class Slip(Exception):
    """A mistake in an expression; ``position`` counts from 1."""

    def __init__(self, position: int, problem: str, hint: str, unknown: str = "") -> None:
        """``unknown``: the name that nobody declared, if that is it."""
        super().__init__(problem)
        self.position = position
        self.problem = problem
        self.hint = hint
        self.unknown = unknown


@dataclass(frozen=True, slots=True)
class Failure:
    """Why it cannot be told whether an expression holds."""

    kind: Literal["missing", "types", "large", "value", "other"]
    """``value``: it is neither true nor false."""
    text: str
    """The name that is missing, or what is wrong."""
    hint: str = ""


def spoken(kind: str) -> str:
    """A type in plain words."""
    return _SPOKEN.get(kind.partition("<")[0].lower(), kind)


def failure(said: str) -> Failure:
    """What the library says where an expression has no value."""
    missing, index = _MISSING.search(said), _INDEX.search(said)
    if missing:
        return Failure("missing", missing[1] or missing[2])
    if index:
        return Failure("missing", f"Entry {index[1]}")
    overload = _NO_OVERLOAD.search(said)
    if overload:
        return Failure("types", *_unfit(overload[1], overload[2] or ""))
    if _NO_FIELDS in said:
        hint = "Texts, numbers and lists have none; only maps do."
        return Failure("types", "It asks for a field of what has no fields.", hint)
    return Failure("other", said.partition(": ")[2] or said)


def slip(source: str, said: str) -> Slip:
    """What the library says where an expression cannot be compiled."""
    found = _ERROR.search(said)
    if "recursion" in said:
        return Slip(
            1, "Too much stands in one another.", "Nest less than 32 deep; say it in several."
        )
    if found is None:
        return Slip(1, said[:160], "")
    position = _position(source, int(found[1]), int(found[2]))
    unknown, overload = _UNKNOWN.search(found[3]), _OVERLOAD.search(found[3])
    if unknown:
        return _unknown(source, unknown[1], position)
    if overload:
        return Slip(position, *_unfit(overload[1], overload[2]))
    return _misread(position, found[3].removeprefix("Syntax error: "))


def _misread(position: int, said: str) -> Slip:
    said = said.partition(" expecting ")[0][:120]
    if "'= '" in said or "'='" in said:
        return Slip(position, "One = compares nothing.", "Write == to compare.")
    if "<EOF>" in said:
        return Slip(position, "It ends too early.", "Say what follows.")
    if "String must end with" in said:
        hint = r'Write the text without r: "\\".'
        return Slip(position, "A raw text cannot end with a backslash.", hint)
    return Slip(position, f"It cannot be read here: {said}.", "Look at what stands there.")


def _unknown(source: str, name: str, position: int) -> Slip:
    if source[position - 1 :].startswith("("):
        return _no_function(name, position - len(name))
    words = expressions.words(source)
    name, position = next((each for each in words if each[0].startswith(name)), (name, position))
    if source[position - 1 + len(name) :].lstrip().startswith("("):
        return _no_function(name, position)
    return Slip(position, f"Unknown name {name!r}.", "", unknown=name)


def _no_function(name: str, position: int) -> Slip:
    near = expressions.nearest(name, FUNCTIONS)
    hint = f"Did you mean {near}?" if near else f"There are: {', '.join(FUNCTIONS)}."
    return Slip(position, f"There is no function {name!r}.", hint)


def _unfit(operator: str, kinds: str) -> tuple[str, str]:
    """The problem and the hint where an operator does not go with its types."""
    parts = [spoken(each.strip()) for each in kinds.split(",") if each.strip()]
    sign = operator.strip("_").replace("_", " ").replace("@", "") or operator
    of = f" of {' and '.join(parts)}" if parts else ""
    if set(parts) == {"a whole number", "a number"}:
        hint = "Write the whole number with a point, such as 3.0."
    elif sign in ("&&", "||", "!"):
        hint = "Both sides must be true or false: compare them with something."
    elif "a text" in parts:
        hint = "Texts stand between quotes, numbers and true or false without."
    else:
        hint = "Compare what is of the same kind."
    return f"The types do not fit: {sign}{of}.", hint


def _position(source: str, line: int, column: int) -> int:
    before = source.split("\n")[: line - 1]
    return sum(len(each) + 1 for each in before) + column
