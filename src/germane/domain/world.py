"""The outside world as the core may see it: time and chance, both injected (law 5)."""

from __future__ import annotations

from typing import Protocol


class World(Protocol):
    """Clock and source of seeds. Nothing inside a fold or a policy reads any other."""

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC. Never goes backwards within one process."""
        ...

    def seed(self) -> int:
        """A fresh 63-bit seed. It is stored with whatever it decided, so that can be replayed."""
        ...
