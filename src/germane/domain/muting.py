"""What a person asked to be spared: single items, values of an attribute, reasons. Each for a time.

What a muted reason rests on is not used for this person at all, so that it cannot be given again.
"""

from __future__ import annotations

import msgspec

from germane.domain.months import MS_PER_DAY

ITEM_MS = 365 * MS_PER_DAY
VALUE_MS = 180 * MS_PER_DAY
SOURCE_MS = 365 * MS_PER_DAY
FACTOR = 0.05
"""What the odds of an item with a muted value are multiplied by."""
SAID_CHARS = 200
"""Longest reason that is kept as it was told."""
EXPLORE = "explore"
"""Stands for what is shown to find out whether it is liked."""
SOURCES = {
    "repeat": "what you had before",
    "covisitation": "what goes with what you looked at",
    "sequence": "what others took next",
    "linear": "what fits all that you had before",
    "interests": "what you are interested in",
    "trending": "what is popular right now",
    "bestsellers": "what is popular with everyone",
    "declared": "what you told us about yourself",
    "price": "the prices you usually look at",
    "adjacent": "being something new for you",
    "curated": "what we pick to begin with",
    "new": "being new here",
    "together": "what is bought with the thing on the page",
    EXPLORE: "trying out what you may like",
}
"""Sources that a person can mute -> what rests on them, in words."""
_APART = "\x1f"
_OTHER_CODES = {"quota.diverse": "adjacent", "explore": EXPLORE}


class Objection(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A source that is muted."""

    until_ms: int
    said: str
    """The reason as it was told when the person objected."""


class Muted(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """All that one person muted."""

    items: dict[str, int] = {}
    """Item (``item_key``) -> until when it is not shown, ms."""
    values: dict[str, dict[str, int]] = {}
    """Attribute -> value -> until when items with it are shown less, ms."""
    sources: dict[str, Objection] = {}

    @property
    def empty(self) -> bool:
        """Whether nothing is muted."""
        return not (self.items or self.values or self.sources)

    def now(self, at_ms: int) -> Muted:
        """What still holds at a time."""
        if self.empty:
            return self
        values = {name: _alive(each, at_ms) for name, each in self.values.items()}
        return Muted(
            _alive(self.items, at_ms),
            {name: each for name, each in values.items() if each},
            {name: each for name, each in self.sources.items() if each.until_ms > at_ms},
        )


NOTHING = Muted()


def source_of(code: str) -> str:
    """The source that a reason rests on; empty where a person cannot mute it: it is the shop's own choice,
    or it is not told what it is."""
    kind, _, name = code.partition(".")
    found = _OTHER_CODES.get(code, name if kind == "source" else "")
    return found if found in SOURCES else ""


def item_key(item_id: str, choice_of: str = "") -> str:
    """How an item is remembered; an action of a choice, under the surface that it is of."""
    return f"{choice_of}{_APART}{item_id}" if choice_of else item_id


def told_apart(key: str) -> tuple[str, str]:
    """The item, and the surface of a choice or nothing: what ``item_key`` put together."""
    surface, _, item_id = key.rpartition(_APART)
    return item_id, surface


def _alive(kept: dict[str, int], at_ms: int) -> dict[str, int]:
    return {name: until_ms for name, until_ms in kept.items() if until_ms > at_ms}
