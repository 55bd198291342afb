"""What somebody said to a purpose, as it is proven later."""

from __future__ import annotations

from typing import Literal

import msgspec

State = Literal["granted", "withdrawn"]
NAME_CHARS = 64
"""Of how it was said, and of the notice and its version."""
SOURCE_CHARS = 200
"""Of where it was said."""


class Stand(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """How a purpose stands: beside ``Profile.consent``, which says yes or no."""

    at_ms: int
    """When it was last said; where a no came late, when the yes was said that it undid."""
    until_ms: int = 0
    """A yes holds until then; 0: until it is withdrawn."""
    heard_ms: int = 0
    """When it was recorded."""
    refused: bool = False
    """Of a yes with an end: a no stood before it, and stands again after it."""
    no_ms: int = 0
    """When that no was said, or the one that stands; 0: none, or it is not known (of earlier versions)."""

    @property
    def refused_ms(self) -> int:
        """When the no was said that stands, or stands again, in milliseconds since 1970."""
        return self.no_ms or self.at_ms

    def over(self, now_ms: int) -> bool:
        """Whether a yes has come to its end."""
        return 0 < self.until_ms <= now_ms


class Statement(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One line of the consent ledger."""

    person: str
    """Key of the person who said it, as it was then."""
    purpose: str
    state: State
    at_ms: int
    """When they said it."""
    received_ms: int
    method: str
    """How: ``api``, ``event``, ``gpc``, ``unsubscribe link`` ..."""
    notice: str = ""
    """Name of the text that they were shown."""
    version: str = ""
    """Its version."""
    text_sha256: str = ""
    """SHA-256 of that text, in hexadecimal; empty: the text is not known."""
    source: str = ""
    """Where: a page, a form, an import."""
    until_ms: int = 0
    """A yes holds until then; 0: until it is withdrawn."""
    stands: bool = True
    """Whether it changed how the purpose stands: a yes that is older than the last no does not."""
