"""Data that a text needs and that is not there."""

from __future__ import annotations


class Missing(Exception):
    """A text cannot be filled: what it puts out is not known (or may not be said, which looks the same)."""

    def __init__(self, name: str, why: str = "is not known") -> None:
        self.name = name
        self.reason = f"{name} {why}"
        super().__init__(self.reason)
