"""What is wrong with a configuration, collected rather than raised one by one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

import msgspec


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

    def add(self, key: str, value: Any, problem: str, remedy: str) -> None:
        """Note an error."""
        self.found.append(Problem(key, value, problem, remedy))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``Did you mean X?``, or the list of what is known."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, 1, 0.6)
    if near:
        return f"Did you mean {near[0]!r}?"
    return f"Known: {', '.join(names)}." if names else "None is declared."
