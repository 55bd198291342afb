"""What a slot needs and that is not there."""

from __future__ import annotations

from germane.domain.content import Slot

_SHOWN, _CHARS = 5, 120
"""Conditions that are named, and how much of each."""


class Missing(Exception):
    """A text cannot be filled: what it puts out is not known (or may not be said, which looks the same)."""

    def __init__(self, name: str, why: str = "is not known") -> None:
        self.name = name
        self.reason = f"{name} {why}"
        super().__init__(self.reason)


class NotMeant(Missing):
    """No variant of a slot is for this person."""

    def __init__(self, slot: Slot) -> None:
        named = [f"{each.id} ({_short(each.when)})" for each in slot.open if each.when]
        if not named:
            super().__init__(
                slot.name, "was not chosen" if slot.open else "has no approved variant"
            )
            return
        more = f"; and {len(named) - _SHOWN} more" if len(named) > _SHOWN else ""
        told = "; ".join(named[:_SHOWN]) + more
        super().__init__(slot.name, f"has no variant for this person. No `when` held: {told}")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _CHARS else line[: _CHARS - 1] + "…"
