"""One row of the table of settings: it drives validation, the reference documentation and `germane init`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

UNITS_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a table."""

    name: str
    kind: str
    """text, number, whole, flag, texts, duration, or a choice written ``a|b|c``."""
    help: str
    default: Any = None
    required: bool = False
    """Must be there, and a text must not be empty."""
    low: float | None = None
    high: float | None = None
    """Bounds of a number, both or none; of a duration in seconds."""
    secret: bool = False
    """Never shown in an error."""

    @property
    def span(self) -> tuple[str, str] | None:
        """The bounds as they would be written."""
        if self.low is None or self.high is None:
            return None
        if self.kind == "duration":
            return written(self.low), written(self.high)
        if self.kind == "whole":
            return f"{self.low:.0f}", f"{self.high:.0f}"
        return f"{self.low:g}", f"{self.high:g}"


def written(seconds: float) -> str:
    """A duration in the largest unit, up to days, that divides it: 86400 is 1d."""
    for unit in ("d", "h", "m"):
        if seconds >= UNITS_S[unit] and seconds % UNITS_S[unit] == 0:
            return f"{seconds / UNITS_S[unit]:.0f}{unit}"
    return f"{seconds:.0f}s"
