"""``[surfaces.NAME]`` with its outcomes and rules."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from germane.config import choices, signals, tables
from germane.config.problems import Problems
from germane.config.reading import misspelt, read
from germane.domain.errors import BadFilter
from germane.domain.settings import OutcomeSpec, RuleSpec, SurfaceSpec
from germane.predict.filters import Filter

PLACES = 200
"""No pin is beyond it: a slate has at most this many."""


def surface(
    name: str,
    table: dict[str, Any],
    values: dict[str, Any],
    attributes: Collection[str],
    declared: Collection[str],
    problems: Problems,
) -> SurfaceSpec:
    """One surface; ``values`` are its plain settings, ``declared`` the names of all signals."""
    path = f"surfaces.{name}"
    expires = values.pop("expires", None)
    if expires is not None:
        values["expires_s"] = expires
    return SurfaceSpec(
        name,
        **values,
        actions=choices.actions(table.get("actions", []), path, problems),
        outcomes=_outcomes(table.get("outcomes", []), path, declared, problems),
        rules=_rules(table.get("rules", []), path, attributes, problems),
    )


def _outcomes(
    rows: Any, path: str, declared: Collection[str], problems: Problems
) -> tuple[OutcomeSpec, ...]:
    out, names = [], set()
    for place, table in enumerate(_list(rows, f"{path}.outcomes", problems)):
        where = f"{path}.outcomes[{place}]"
        values = read(table, tables.OUTCOME, where, problems)
        signals.known(f"{where}.signal", values.get("signal"), declared, problems)
        name = values.get("name")
        if name is not None and name in names:
            problems.add(f"{where}.name", name, "Two outcomes have this name.", "Rename one.")
        names.add(name)
        if {"name", "signal", "window"} <= values.keys():
            values["window_s"] = values.pop("window")
            out.append(OutcomeSpec(**values))
    return tuple(out)


def _rules(
    rows: Any, path: str, attributes: Collection[str], problems: Problems
) -> tuple[RuleSpec, ...]:
    out = []
    pins: dict[int | str, int] = {}
    for place, table in enumerate(_list(rows, f"{path}.rules", problems)):
        where = f"{path}.rules[{place}]"
        values = read(table, tables.RULE, where, problems)
        kind = values.get("kind")
        if kind is None:
            continue
        _says_something(where, kind, table, problems)
        if values.get("when"):
            try:
                Filter(values["when"], attributes)
            except BadFilter as error:
                problems.add(f"{where}.when", values["when"], error.message, error.hint)
        if kind == "pin":
            _pins(where, path, values, pins, place, problems)
        else:
            values.pop("position", None)
        out.append(RuleSpec(**values))
    return tuple(out)


def _says_something(where: str, kind: str, table: dict[str, Any], problems: Problems) -> None:
    if kind == "pin":
        if table.get("items", []) == [] and not misspelt(table, "items"):
            problems.add(
                f"{where}.items",
                None,
                "A pin needs the items it is about.",
                'Add items = ["SKU"] and position = 0.',
            )
    elif _about_nothing(table):
        problems.add(where, None, "The rule is about nothing.", "Add when or items.")
    for key, only in (("position", "pin"), ("factor", "boost")):
        if key in table and kind != only:
            problems.add(
                f"{where}.{key}",
                table[key],
                f"It says nothing in a rule of kind {kind!r}.",
                f'Leave it out, or set kind = "{only}".',
            )
    if kind == "pin" and "when" in table:
        problems.add(
            f"{where}.when",
            table["when"],
            "A pin has no condition: its items stand there for everyone.",
            "Leave it out.",
        )
    plain = table.get("factor", 1.0) == 1.0 and not misspelt(table, "factor")
    if kind == "boost" and plain:
        problems.add(
            f"{where}.factor",
            table.get("factor"),
            "A boost by 1 changes nothing.",
            "Above 1 lifts, below 1 lowers: factor = 1.5.",
        )


def _about_nothing(table: dict[str, Any]) -> bool:
    empty = table.get("when", "") == "" and table.get("items", []) == []
    return empty and not any(misspelt(table, name) for name in ("when", "items"))


def _pins(
    where: str,
    path: str,
    values: dict[str, Any],
    pins: dict[int | str, int],
    place: int,
    problems: Problems,
) -> None:
    """One item a place, one place an item; ``pins`` tells which rule took which place and item."""
    first = values.get("position", 0)
    placed = list(enumerate(values.get("items", ()), first))
    again = next((item for _, item in placed if item in pins), None)
    taken = next((position for position, _ in placed if position in pins), None)
    if again is not None:
        problems.add(
            f"{where}.items",
            again,
            f"It is pinned already by {path}.rules[{pins[again]}].",
            "Take it out of one of the two.",
        )
    elif taken is not None:
        problems.add(
            f"{where}.position",
            first,
            f"Two items are pinned to place {taken}: {path}.rules[{pins[taken]}] has it.",
            "Choose another position; items of one pin follow one another from there.",
        )
    elif placed and placed[-1][0] >= PLACES:
        problems.add(
            f"{where}.items",
            placed[-1][1],
            f"It would stand beyond place {PLACES - 1}.",
            "Pin fewer, or further up.",
        )
    for position, item in placed:
        pins.setdefault(position, place)
        pins.setdefault(item, place)


def _list(rows: Any, path: str, problems: Problems) -> list[dict[str, Any]]:
    if isinstance(rows, list) and all(isinstance(each, dict) for each in rows):
        return rows
    problems.add(path, None, "It must be a list of tables.", f"Write [[{path}]] before each.")
    return []
