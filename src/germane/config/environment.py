"""Settings from the environment and ``.env``: ``GERMANE_SECTION__KEY=value``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from germane.config import source, tables
from germane.config.fields import Field
from germane.config.problems import Problem, Problems, did_you_mean

PREFIX = "GERMANE_"
NAMED = {
    ("signals",): "signal",
    ("traits",): "trait",
    ("surfaces",): "surface",
    ("imports",): "import",
    ("catalogue", "attributes"): "attribute",
    ("channels", "webhook"): "webhook",
}
"""Tables whose names the file alone gives."""


def override(
    whole: dict[str, Any], environment: Mapping[str, str], problems: Problems
) -> dict[str, str]:
    """Put what the environment sets into the tables: ``GERMANE_SERVER__PORT`` is ``server.port``.

    Returns:
        Which variable each key was set by, for the errors that may come of it.
    """
    origins = {}
    for name in sorted(environment):
        if not name.startswith(PREFIX) or "__" not in name:
            continue
        steps = [each.lower() for each in name.removeprefix(PREFIX).split("__")]
        key = _set(whole, steps, environment[name], name, problems)
        if key is not None:
            origins[key] = name
    return origins


def told(found: list[Problem], origins: Mapping[str, str]) -> list[Problem]:
    """The errors, with the variable that set what is wrong."""
    return [replace(each, remedy=each.remedy + _by(each.key, origins)) for each in found]


def _by(key: str, origins: Mapping[str, str]) -> str:
    name = origins.get(key) or origins.get(key.partition("[")[0])
    if name is not None:
        return f" (The environment sets it: {name}.)"
    below = [name for path, name in origins.items() if path.startswith(f"{key}.")]
    return f" (The environment sets something in it: {', '.join(below)}.)" if below else ""


def _set(
    whole: dict[str, Any], steps: list[str], text: str, name: str, problems: Problems
) -> str | None:
    """The key that was set, or None with an error noted."""
    field = _field(steps)
    secret = steps[0].startswith("key") or (field is not None and field.secret)
    shown = None if secret or steps[0] in ("channels", "links", "providers") else text
    if steps[0] not in tables.TOP:
        problems.add(name, shown, "There is no such table.", did_you_mean(steps[0], tables.TOP))
        return None
    table, path = whole, [_existing(whole, steps[0])]
    for step in steps[1:]:
        kind = NAMED.get(tuple(path))
        below = table.setdefault(path[-1], {})
        if not isinstance(below, dict):
            _refuse(name, shown, ".".join(path), below, problems)
            return None
        table, known = below, _existing(below, step)
        if kind is not None and known not in below:
            there = f"There are: {', '.join(sorted(below))}." if below else "None is declared."
            problems.add(
                name, shown, f"There is no {kind} {step!r}; only the file declares one.", there
            )
            return None
        path.append(known)
    if isinstance(table.get(path[-1]), dict) or _is_list(table.get(path[-1])) or len(path) == 1:
        _refuse(name, shown, ".".join(path), table.get(path[-1]), problems)
        return None
    table[path[-1]] = _from_text(text, field)
    return ".".join(path)


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(each, dict) for each in value)


def _refuse(name: str, shown: str | None, path: str, there: Any, problems: Problems) -> None:
    if _is_list(there):
        what, remedy = (
            "a list of tables",
            "Change it in the file: the environment cannot name one of them.",
        )
    elif isinstance(there, dict):
        what, remedy = "a table", f"Name one of its settings: {name}__SETTING."
    else:
        what, remedy = (
            "a setting, not a table",
            f"Leave out what follows {path.rpartition('.')[2].upper()}.",
        )
    problems.add(name, shown, f"{path} is {what}.", remedy)


def _existing(table: dict[str, Any], name: str) -> str:
    """Environment names have no case or dashes: ``HOME_GRID`` means ``home-grid``."""
    for known in table:
        if known.lower().replace("-", "_") == name.replace("-", "_"):
            return known
    return name


def _field(path: list[str]) -> Field | None:
    for table, fields in tables.TABLES.items():
        parts = table.split(".")
        if len(parts) == len(path) - 1 and all(
            part in (step, "NAME") for part, step in zip(parts, path[:-1], strict=True)
        ):
            return next((f for f in fields if f.name == path[-1]), None)
    return None


def _from_text(text: str, field: Field | None) -> Any:
    kind = field.kind if field is not None else "text"
    if kind == "texts":
        return [each.strip() for each in text.split(",") if each.strip()]
    if kind in ("whole", "number", "flag"):
        try:
            return tomllib.loads(f"x = {text.strip().lower()}")["x"]
        except (ValueError, RecursionError):
            return text
    return text


def dotenv(path: Path) -> dict[str, str]:
    """``NAME=value`` lines; ``#`` begins a comment.

    Raises:
        ConfigInvalid: it is there and cannot be read.
    """
    if not path.exists():
        return {}
    found = {}
    for line in source.read_text(path).splitlines():
        name, mark, value = line.strip().removeprefix("export ").partition("=")
        if mark and not name.startswith("#"):
            found[name.strip()] = value.strip().strip("\"'")
    return found
