"""When a person is there, and when they answer: what is learned, and what comes of it."""

from __future__ import annotations

import msgspec


class ActiveHour(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """An hour in which a person was seen for the first time, and their hours before. Local, since 1970."""

    hour: int
    before: tuple[int, ...] = ()


class Activity(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A person was there in an hour in which they had not been seen yet."""

    slot: int
    """Hour of the week on the person's own clock, 0 (Monday 00:00) to 167."""
    evidence: tuple[float, ...] = ()
    """Log likelihood (nats) of the hour, given its date, under each setting that competes; empty: no lesson."""


class Week(msgspec.Struct, frozen=True, gc=False):
    """How likely each hour of the week is to find a person there."""

    shares: tuple[float, ...]
    """168 probabilities that sum to 1: of the person's next active hour, which slot it is in."""
    everyone: tuple[float, ...]
    """The same of all people together."""
    own: tuple[float, ...]
    """Of each share, the part that comes from the person's own hours, in [0, 1]."""
    evidence: float
    """The person's active hours, decayed to now."""
    trust: float
    """How far the person's own hours are trusted, in [0, 1): evidence / (evidence + strength)."""
    strength: float
    """How many active hours of the person weigh as much as what is known of everyone."""
    width_h: float
    """Standard deviation, in hours, by which an active hour speaks for its neighbours."""
    known: float
    """Active hours of all people, decayed to now: 0 means that nothing was learned yet."""


class Touch(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Something that reached a person at an hour, and whether they answered it."""

    hour: int
    """Local hour since 1970 in which it was sent."""
    answered: bool
    machine: bool = False
    """A mail scanner or a privacy proxy opened it: that says nothing of the person, so it is left out."""
