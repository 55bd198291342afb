"""A world that stands still until it is told to move."""

from __future__ import annotations

from random import Random

START_MS = 1_763_978_400_000
"""2025-11-24T10:00:00Z."""


class FakeWorld:
    """Implements ``domain.world.World``: time is set by the test, seeds come from one seed."""

    def __init__(self, now_ms: int = START_MS, seed: int = 1) -> None:
        self._now_ms = now_ms
        self._random = Random(seed)  # noqa: S311 - repeatable on purpose

    def now_ms(self) -> int:
        """The time that was set."""
        return self._now_ms

    def seed(self) -> int:
        """The next of a fixed sequence."""
        return self._random.getrandbits(63)

    def state(self) -> object:
        """Where the sequence of seeds stands."""
        return self._random.getstate()

    def resume(self, state: object) -> None:
        """Go on from where it stood."""
        self._random.setstate(state)  # type: ignore[arg-type]

    def advance(self, *, days: float = 0, seconds: float = 0) -> None:
        """Let time pass."""
        self._now_ms += int((days * 86_400 + seconds) * 1000)
