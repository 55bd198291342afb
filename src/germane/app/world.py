"""Real, accelerated and replayed clocks."""

from __future__ import annotations

import secrets
import time
from random import Random


class SystemWorld:
    """The machine's clock (never backwards) and its randomness."""

    def __init__(self) -> None:
        self._last_ms = 0

    def now_ms(self) -> int:
        """Milliseconds since 1970 UTC."""
        self._last_ms = max(self._last_ms, time.time_ns() // 1_000_000)
        return self._last_ms

    def seed(self) -> int:
        """63 random bits."""
        return secrets.randbits(63)


class AcceleratedWorld:
    """A clock that starts at ``start_ms`` and runs ``speed`` times as fast as the machine's."""

    def __init__(self, start_ms: int, speed: float) -> None:
        self._start_ms = start_ms
        self._speed = speed
        self._origin_s = time.monotonic()

    @property
    def speed(self) -> float:
        """Simulated seconds per real second."""
        return self._speed

    def now_ms(self) -> int:
        """Simulated milliseconds since 1970 UTC."""
        return self._start_ms + int((time.monotonic() - self._origin_s) * 1000 * self._speed)

    def rebase(self, start_ms: int, speed: float) -> None:
        """Go on from ``start_ms`` at another speed; a time before now is ignored."""
        self._start_ms = max(start_ms, self.now_ms())
        self._speed = speed
        self._origin_s = time.monotonic()

    def seed(self) -> int:
        """63 random bits."""
        return secrets.randbits(63)


class ReplayWorld:
    """A clock that stands where the replay is; seeds follow from one seed."""

    def __init__(self, at_ms: int, seed: int = 1) -> None:
        self._at_ms = at_ms
        self._random = Random(seed)  # noqa: S311 - a replay gives the same again

    def now_ms(self) -> int:
        """Where the replay is, in milliseconds since 1970 UTC."""
        return self._at_ms

    def move(self, at_ms: int) -> None:
        """Go on to a later time; an earlier one is ignored."""
        self._at_ms = max(self._at_ms, at_ms)

    def seed(self) -> int:
        """The next of a fixed sequence."""
        return self._random.getrandbits(63)
