"""Conditions in CEL (the Common Expression Language), typed against what the project declares.

Google's own checker reads them (``cel-expr-python``): an unknown name, a wrong type or a slip of the pen is
found when a campaign is read, with its position and what was probably meant. When they are looked at they
cannot fail: what is missing makes them false, and the reason says what.

The work of one look is bounded: at most 1,000 characters, over one event (32 kB) and one profile; one loop,
over lists of 500 and texts of 4,000 characters; regular expressions are RE2's, which take linear time.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Collection
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from germane.deliver.schema import Root, Type, declare, entries, names
from germane.deliver.view import View
from germane.domain import expressions
from germane.domain.errors import BadCondition
from germane.domain.plan import Reason
from germane.domain.settings import Settings

if TYPE_CHECKING:
    from cel_expr_python import cel

ALL: tuple[Root, ...] = ("now", "local", "event", "profile", "account", "item", "own", "change")
FUNCTIONS = (
    "has", "size", "contains", "startsWith", "endsWith", "matches", "exists", "all", "exists_one",
    "filter", "map", "int", "double", "string", "bool", "timestamp", "duration", "getHours",
    "getDayOfWeek", "getDayOfMonth", "getMonth", "getFullYear",
)  # fmt: skip
"""Of CEL, for whoever looks for one."""
KEPT = 512
"""Compiled conditions that are remembered."""
LOOP_LIST_MAX, LOOP_TEXT_MAX = 500, 4_000
"""What a condition with a loop looks at, in entries and characters: what it does is done for each of them."""
_WORD = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)*")
_ERROR = re.compile(r"ERROR: <input>:(\d+):(\d+): (.+)")
_UNKNOWN = re.compile(r"undeclared reference to '([^']+)'")
_OVERLOAD = re.compile(r"found no matching overload for '([^']+)' applied to '\(?([^')]*)\)?'")
_MISSING = re.compile(r'No value with name "([^"]+)"|Key not found in map : "?([^"]+)"?')
_TOO_GREAT = "out of range"
_SPOKEN = {
    "string": "a text", "int": "a whole number", "double": "a number", "bool": "true or false",
    "timestamp": "a time", "duration": "a duration", "null": "null", "bytes": "bytes",
    "google.protobuf.Timestamp": "a time", "google.protobuf.Duration": "a duration",
}  # fmt: skip


class Condition:
    """A compiled condition."""

    def __init__(self, source: str, program: Any, reads: tuple[str, ...]) -> None:
        self.source = source
        self.reads = reads
        """Names that it needs."""
        self._program = program
        self._looped = _paths(source, reads) if expressions.loops(source) else ()

    def __call__(self, view: View) -> tuple[bool, Reason | None]:
        """Whether it holds, and where it does not, why. Never raises."""
        values = view.values(self.reads)
        what = next((w for path in self._looped if (w := _too_large(_at(path, values)))), "")
        if what:
            text = f"{what} is too much for a condition with a loop: {self.source}"
            return False, Reason("condition_too_large", text)
        value = self._evaluated(values)
        if isinstance(value, str) and _TOO_GREAT in value:
            value = self._evaluated({name: _tamed(each) for name, each in values.items()})
        if value is True:
            return True, None
        if value is False:
            return False, Reason("condition_false", f"It does not hold: {self.source}")
        return False, self._failed(str(value))

    def _evaluated(self, values: dict[str, Any]) -> Any:
        """The value; of what cannot be told, why, as a text."""
        try:
            value = self._program.eval(data=values).value()
        except (RuntimeError, TypeError, ValueError, KeyError, OverflowError) as error:
            return str(error)
        return value if isinstance(value, bool) else str(value)

    def _failed(self, why: str) -> Reason:
        missing = _MISSING.search(why)
        if missing:
            name = missing[1] or missing[2]
            text = f"{name} is not known, so it does not hold: {self.source}"
            return Reason("condition_missing", text)
        return Reason("condition_failed", f"It cannot be told ({why[:120]}): {self.source}")


class Conditions:
    """Compiles conditions for one declaration; the same text once."""

    def __init__(self, settings: Settings) -> None:
        self._names = names(settings)
        self._entries = entries(settings)
        self._known: OrderedDict[tuple[str, tuple[Root, ...]], Condition] = OrderedDict()

    def get(self, source: str, roots: tuple[Root, ...] = ALL) -> Condition:
        """The compiled condition.

        Args:
            source: CEL.
            roots: What may be spoken of where it stands.

        Raises:
            BadCondition: with ``position`` (from 1), what is wrong and what was probably meant.
        """
        found = self._known.get((source, roots))
        if found is None:
            found = self._known[source, roots] = self._compile(source, roots)
            if len(self._known) > KEPT:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end((source, roots))
        return found

    def _compile(self, source: str, roots: tuple[Root, ...]) -> Condition:
        if expressions.too_long(source):
            raise _bad(
                source, 1, f"It is longer than {expressions.MAX_LENGTH} characters.", "Say less."
            )
        if expressions.too_many_loops(source):
            raise _bad(
                source, 1, "It has more than one loop (map, filter, all, exists).", "Use one."
            )
        here = tuple((n, t) for n, t in self._names.items() if n.partition(".")[0] in roots)
        try:
            program = _environment(here).compile(source)
        except (RuntimeError, ValueError) as error:
            raise self._explained(source, str(error), dict(here), roots) from None
        self._check_entries(source)
        kind = program.return_type().name()
        if kind.lower() not in ("bool", "dyn"):
            said = _SPOKEN.get(kind.lower(), kind)
            raise _bad(source, 1, f"It must be true or false, and is {said}.", "Compare it.")
        return Condition(source, program, _read(source, {name for name, _ in here}))

    def _check_entries(self, source: str) -> None:
        """What follows the name of a map must be declared."""
        for name, known in self._entries.items():
            for entry, position in _entries_of(name, source):
                if entry not in known:
                    near = expressions.nearest(entry, known)
                    hint = f"Did you mean {near}?" if near else declare(name, entry)
                    raise _bad(source, position, f"{name} has no {entry!r}.", hint)

    def _explained(
        self, source: str, message: str, here: dict[str, Type], roots: Collection[str]
    ) -> BadCondition:
        found = _ERROR.search(message)
        if found is None:
            return _bad(source, 1, message[:160], "")
        position = _position(source, int(found[1]), int(found[2]))
        unknown, overload = _UNKNOWN.search(found[3]), _OVERLOAD.search(found[3])
        if unknown:
            return self._unknown(source, unknown[1], position, here, roots)
        if overload:
            return _types(source, position, overload[1], overload[2])
        said = found[3].removeprefix("Syntax error: ").split(" expecting ")[0][:120]
        if "'= '" in said or "'='" in said:
            return _bad(source, position, "One = compares nothing.", "Write == to compare.")
        if "<EOF>" in said:
            return _bad(source, position, "It ends too early.", "Say what follows.")
        return _bad(
            source, position, f"It cannot be read here: {said}.", "Look at what stands there."
        )

    def _unknown(
        self, source: str, name: str, position: int, here: dict[str, Type], roots: Collection[str]
    ) -> BadCondition:
        if source[position - 1 :].startswith("("):
            return _no_function(source, name, position - len(name))
        name, position = next(
            (each for each in _words(source) if each[0].startswith(name)), (name, position)
        )
        if source[position - 1 + len(name) :].lstrip().startswith("("):
            return _no_function(source, name, position)
        root = name.partition(".")[0]
        if root in ALL and root not in roots:
            return _bad(
                source,
                position,
                f"There is no {root} where this condition stands.",
                f"It may speak of {', '.join(roots)}.",
            )
        if name in {each.partition(".")[0] for each in here}:
            fields = ", ".join(sorted(each for each in here if each.startswith(f"{name}.")))
            return _bad(source, position, f"{name!r} alone says nothing.", f"There are {fields}.")
        known = sorted(each for each in here if each.partition(".")[0] == root)
        by_field = {each.partition(".")[2]: each for each in known}
        near = expressions.nearest(name.partition(".")[2], by_field) if known else None
        meant = by_field[near] if near else expressions.nearest(name, here) if not known else None
        hint = f"Did you mean {meant}?" if meant else f"There are: {', '.join(known or roots)}."
        return _bad(source, position, f"Unknown name {name!r}.", hint)


def _too_large(value: Any) -> str:
    """What is too large to be looked at in a loop; empty: nothing."""
    if isinstance(value, str) and len(value) > LOOP_TEXT_MAX:
        return f"A text of {len(value):,} characters"
    if isinstance(value, list) and len(value) > LOOP_LIST_MAX:
        return f"A list of {len(value):,}"
    if isinstance(value, list | dict):
        inner = value.values() if isinstance(value, dict) else value
        return next((found for each in inner if (found := _too_large(each))), "")
    return ""


def _tamed(value: Any) -> Any:
    """JSON has whole numbers of any size, CEL those of 64 bits: greater ones are taken as floats."""
    if isinstance(value, dict):
        return {name: _tamed(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_tamed(each) for each in value]
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**63:
        return float(value) if abs(value) < 10**300 else float("inf")
    return value


def _no_function(source: str, name: str, position: int) -> BadCondition:
    near = expressions.nearest(name, FUNCTIONS)
    hint = f"Did you mean {near}?" if near else f"There are: {', '.join(FUNCTIONS)}."
    return _bad(source, position, f"There is no function {name!r}.", hint)


def _types(source: str, position: int, operator: str, kinds: str) -> BadCondition:
    parts = [each.strip() for each in kinds.split(",")]
    spoken = " and ".join(_SPOKEN.get(each, each) for each in parts)
    sign = operator.strip("_").replace("_", " ").replace("@", "") or operator
    if set(parts) == {"int", "double"}:
        hint = "Write the whole number with a point, such as 3.0."
    elif "string" in parts:
        hint = "Texts stand between quotes, numbers and true or false without."
    else:
        hint = "Compare what is of the same kind."
    return _bad(source, position, f"The types do not fit: {sign} of {spoken}.", hint)


def _bad(source: str, position: int, problem: str, hint: str) -> BadCondition:
    return BadCondition(
        f"At character {position}: {problem}", hint=hint, expression=source, position=position
    )


def _position(source: str, line: int, column: int) -> int:
    before = source.split("\n")[: line - 1]
    return sum(len(each) + 1 for each in before) + column


def _words(source: str) -> list[tuple[str, int]]:
    """Dotted names with their positions, from 1."""
    return [
        (re.sub(r"\s", "", each[0]), each.start() + 1)
        for each in _WORD.finditer(expressions.bare(source))
    ]


def _read(source: str, known: Collection[str]) -> tuple[str, ...]:
    """Known names that occur in an expression: the longest that each word begins with."""
    found: dict[str, None] = {}
    for word, _ in _words(source):
        steps = word.split(".")
        for length in range(len(steps), 0, -1):
            name = ".".join(steps[:length])
            if name in known:
                found[name] = None
                break
    return tuple(found)


def _paths(source: str, reads: Collection[str]) -> tuple[tuple[str, ...], ...]:
    """What an expression looks at: each name that it reads, and the entries that follow it."""
    found = []
    for word, _ in _words(source):
        name = next((each for each in reads if word == each or word.startswith(f"{each}.")), None)
        if name is not None:
            found.append((name, *word[len(name) :].split(".")[1:]))
    return tuple(dict.fromkeys(found))


def _at(path: tuple[str, ...], values: dict[str, Any]) -> Any:
    """The value at a path, or as far down as there are entries."""
    value: Any = values
    for step in path:
        if not isinstance(value, dict):
            break
        value = value.get(step)
    return value


def _entries_of(name: str, source: str) -> list[tuple[str, int]]:
    """Entries of a map that are named, as ``map.entry`` or ``map["entry"]``, with their positions."""
    dotted = re.escape(name).replace(r"\.", r"\s*\.\s*")
    pattern = rf"(?<![\w.]){dotted}\s*(?:\.\s*([A-Za-z_]\w*)|\[\s*[\"']([^\"']*)[\"']\s*\])"
    plain = expressions.bare(source)
    return [
        (each[1] or each[2], each.start(1 if each[1] else 2) + 1)
        for each in re.finditer(pattern, source)
        if plain[each.start()] == source[each.start()]  # it does not stand in a text
    ]


@lru_cache(maxsize=64)
def _environment(here: tuple[tuple[str, Type], ...]) -> cel.Env:
    from cel_expr_python import cel

    kinds = {
        "text": cel.Type.STRING,
        "number": cel.Type.DOUBLE,
        "whole": cel.Type.INT,
        "flag": cel.Type.BOOL,
        "time": cel.Type.TIMESTAMP,
        "list": cel.Type.List(cel.Type.STRING),
        "map": cel.Type.Map(cel.Type.STRING, cel.Type.DYN),
        "map of map of number": _maps(cel.Type.DOUBLE),
        "map of map of whole": _maps(cel.Type.INT),
    }
    config = cel.NewEnvConfigFromYaml(_mixed_numbers())
    return cel.NewEnv(config=config, variables={name: kinds[kind] for name, kind in here})


def _maps(value: Any) -> Any:
    from cel_expr_python import cel

    return cel.Type.Map(cel.Type.STRING, cel.Type.Map(cel.Type.STRING, value))


def _mixed_numbers() -> str:
    """The standard comparisons, and those of whole numbers with others: ``item.price < 100``."""
    same = ("int64", "uint64", "double", "string", "bytes", "bool", "timestamp", "duration")
    pairs = [(each, each) for each in same] + [("int64", "double"), ("double", "int64")]
    kinds = {"int64": "int", "uint64": "uint"}
    verbs = {
        "_<_": "less",
        "_<=_": "less_equals",
        "_>_": "greater",
        "_>=_": "greater_equals",
    }
    lines = ["name: germane", "stdlib:", "  exclude_functions:"]
    lines += [f"  - name: {each}" for each in verbs]
    lines.append("functions:")
    for sign, verb in verbs.items():
        lines += [f"- name: {sign}", "  overloads:"]
        for one, two in pairs:
            ending = one if one == two else f"{one}_{two}"
            lines += [
                f"  - id: {verb}_{ending}",
                "    args:",
                *(f"    - type_name: {kinds.get(each, each)}" for each in (one, two)),
                "    return:",
                "      type_name: bool",
            ]
    return "\n".join(lines)
