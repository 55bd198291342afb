"""The one place that compiles and evaluates CEL (the Common Expression Language).

Google's own library reads it (``cel-expr-python``). What is wrong is found when an expression is read, and is a
``Slip``. Looking never raises: what cannot be told is a ``Failure``.

The work of one look is bounded: at most 1,000 characters, 32 expressions in one another; one loop, over lists
of 500 and texts of 4,000 characters, of 10,000 turns; regular expressions are RE2's, which take linear time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cel_expr_python import cel

from germane.domain import expressions, slips
from germane.domain.slips import Failure, Slip

Type = str
"""``text``, ``number``, ``whole``, ``flag``, ``time``, ``list`` (of texts), ``map`` (of anything),
``map of map of number``, ``map of map of whole``."""
Names = tuple[tuple[str, Type], ...]
"""What an expression may speak of. A name may have points: ``item.price``."""

LOOP_LIST_MAX, LOOP_TEXT_MAX = 500, 4_000
"""What an expression with a loop looks at, in entries and characters: what it does is done for each of them."""
_FOREIGN = ("out of range", "Non-CEL value type")


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled expression."""

    source: str
    kind: str
    """Of its value, in CEL's words: ``bool``; ``dyn`` where only a look can tell."""
    fields: Mapping[str, tuple[str, ...] | None]
    """Of each map that it may speak of (but those with points): the fields that it reads; ``None``: any."""
    looped: tuple[tuple[str, ...], ...]
    """What it looks at, if it loops."""
    expression: Any

    def look(self, values: Mapping[str, Any]) -> bool | Failure:
        """Whether it holds, by the values of its names; or why that cannot be told. Never raises."""
        seen = {name: self._narrowed(name, value) for name, value in values.items()}
        for path in self.looped:
            if what := _too_large(_at(path, seen)):
                return Failure("large", what)
        answer = self._answer(seen)
        if isinstance(answer, Failure) and any(each in answer.text for each in _FOREIGN):
            answer = self._answer({name: _tamed(each) for name, each in seen.items()})
        return answer

    def _narrowed(self, name: str, value: Any) -> Any:
        """Each value that is handed over costs more than the expression: only those that are read."""
        fields = self.fields.get(name)
        return value if fields is None else {each: value[each] for each in fields if each in value}

    def _answer(self, values: dict[str, Any]) -> bool | Failure:
        try:
            found = self.expression.eval(data=values)
            value = found.value()
        except (RuntimeError, TypeError, ValueError, KeyError, OverflowError) as error:
            return slips.failure(str(error))
        if isinstance(value, bool):
            return value
        kind = found.type().name()
        return slips.failure(value) if kind == "ERROR" else Failure("value", slips.spoken(kind))


def compiled(source: str, names: Names) -> Program:
    """The expression, ready to be looked at.

    Raises:
        Slip: where it is wrong, and how to mend it.
    """
    if expressions.too_long(source):
        raise Slip(1, f"It is longer than {expressions.MAX_LENGTH:,} characters.", "Say less.")
    if expressions.too_many_loops(source):
        raise Slip(1, "It has more than one loop (map, filter, all, exists).", "Use one.")
    try:
        expression = _environment(names).compile(source)
    except (RuntimeError, ValueError) as error:
        raise slips.slip(source, str(error)) from None
    maps = [name for name, kind in names if kind == "map" and "." not in name]
    return Program(
        source,
        expression.return_type().name().lower(),
        {name: expressions.fields_read(name, source) for name in maps},
        expressions.paths(source, [n for n, _ in names]) if expressions.loops(source) else (),
        expression,
    )


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
    """Tuples as lists. JSON has whole numbers of any size, CEL those of 64 bits: greater ones as floats."""
    if isinstance(value, dict):
        return {name: _tamed(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_tamed(each) for each in value]
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**63:
        return float(value) if abs(value) < 10**300 else float("inf")
    return value


def _at(path: tuple[str, ...], values: Mapping[str, Any]) -> Any:
    """The value at a path, or as far down as there are entries."""
    value: Any = values
    for step in path:
        if not isinstance(value, dict):
            break
        value = value.get(step)
    return value


@lru_cache(maxsize=64)
def _environment(names: Names) -> cel.Env:
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
    return cel.NewEnv(config=config, variables={name: kinds[kind] for name, kind in names})


def _maps(value: Any) -> Any:
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
