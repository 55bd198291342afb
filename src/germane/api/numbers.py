"""The number by which a request is found in the log: drawn, but no secret."""

from __future__ import annotations

from random import Random

_bits = Random().getrandbits  # noqa: S311 - seeded by the system, and nobody has to be kept from guessing


def drawn() -> str:
    """Sixteen hexadecimal digits."""
    return f"{_bits(64):016x}"
