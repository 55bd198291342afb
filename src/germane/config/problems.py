"""What is wrong with a configuration, collected rather than raised one by one."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from germane.domain.errors import ConfigInvalid, GermaneError
from germane.domain.near import did_you_mean, near

__all__ = ["Problem", "Problems", "brief", "did_you_mean", "invalid", "near", "problems_of"]


class Problem(msgspec.Struct, frozen=True):
    """One error: where, what stands there, what is wrong with it, what to do."""

    key: str
    value: Any
    problem: str
    remedy: str

    def __str__(self) -> str:
        shown = "" if self.value is None else f" = {self.value!r}"
        where = f"{self.key}{shown}: " if self.key else ""
        return f"{where}{self.problem} {self.remedy}"


class Problems:
    """All errors found so far."""

    def __init__(self) -> None:
        self.found: list[Problem] = []
        self.unsure: set[str] = set()
        """Top tables that are no tables, or whose name is wrong: what names their contents may be right."""

    def add(self, key: str, value: Any, problem: str, remedy: str) -> None:
        """Note an error; the same one is noted once."""
        if not any(each.key == key and each.problem == problem for each in self.found):
            self.found.append(Problem(key, brief(value), problem, remedy))

    def at(self, path: str) -> bool:
        """Whether something is wrong at a key, or below it."""
        below = (f"{path}.", f"{path}[")
        return any(each.key == path or each.key.startswith(below) for each in self.found)


def invalid(found: list[Problem]) -> ConfigInvalid:
    """One exception for all errors."""
    count = len(found)
    return ConfigInvalid(
        f"The configuration has {count} error{'s' if count != 1 else ''}:\n"
        + "\n".join(f"  {each}" for each in found),
        errors=[msgspec.to_builtins(each) for each in found],
    )


def problems_of(error: GermaneError) -> list[Problem]:
    """The single errors of one that has some; else itself."""
    found = error.details.get("errors")
    if not found:
        return [Problem("", None, error.message, error.hint)]
    return [Problem(**each) for each in found]


def brief(value: Any) -> Any:
    """A value as an error shows it: short, and of a kind that JSON knows."""
    if value is None or isinstance(value, bool | int):
        text = "" if value is None or abs(value) < 10**18 else repr(value)
        return value if not text else text[:77] + "..."
    if isinstance(value, float) and math.isfinite(value):
        return value
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
