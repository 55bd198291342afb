"""What is wrong with a configuration, collected rather than raised one by one."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable
from typing import Any

import msgspec

from germane.domain.errors import ConfigInvalid


class Problem(msgspec.Struct, frozen=True):
    """One error: where, what stands there, what is wrong with it, what to do."""

    key: str
    value: Any
    problem: str
    remedy: str

    def __str__(self) -> str:
        shown = "" if self.value is None else f" = {self.value!r}"
        return f"{self.key}{shown}: {self.problem} {self.remedy}"


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


def brief(value: Any) -> Any:
    """A value as an error shows it: short, and of a kind that JSON knows."""
    if value is None or isinstance(value, bool | int):
        text = "" if value is None or abs(value) < 10**18 else repr(value)
        return value if not text else text[:77] + "..."
    if isinstance(value, float) and math.isfinite(value):
        return value
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def near(name: str, known: Iterable[str]) -> str | None:
    """The known name that was most likely meant; case, dashes and underscores do not count."""
    plain = {_plain(each): each for each in sorted(known)}
    found = difflib.get_close_matches(_plain(name), list(plain), 1, 0.6)
    return plain[found[0]] if found else None


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``Did you mean X?``, or the list of what is known."""
    names = sorted(set(known))
    meant = near(name, names)
    if meant is not None and meant != name:
        return f"Did you mean {meant!r}?"
    more = f", and {len(names) - 20} more" if len(names) > 20 else ""
    return f"Known: {', '.join(names[:20])}{more}." if names else "None is declared."
