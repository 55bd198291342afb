"""What was refused because nothing declares it: names and counts, kept with the data, so that an operator who
forgot a declaration is told by whatever they look at. Never a value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from typing import Any

import msgspec

from germane.domain.event import Event
from germane.ingest.segment import KNOWN
from germane.privacy.declared import OF_VISITS, Declared

STORED = "undeclared"
"""Name of the value in the store."""
NAMES = 200
"""Names that are counted apart; they come from clients."""
OTHERS = "others"


class Undeclared:
    """Counts by name."""

    def __init__(self, stored: bytes | None) -> None:
        self.counts: Counter[str] = Counter(stored_counts(stored))

    def count(self, names: Collection[str]) -> bool:
        """Count these once more; whether one of them is new."""
        new = False
        for each in names:
            known = each in self.counts
            place = each if known or len(self.counts) < NAMES else OTHERS
            new |= place not in self.counts
            self.counts[place] += 1
        return new

    def packed(self) -> bytes:
        """To be stored."""
        return msgspec.json.encode(dict(self.counts))


def stored_counts(stored: bytes | None) -> dict[str, int]:
    """As they were stored."""
    return msgspec.json.decode(stored, type=dict[str, int]) if stored else {}


def trimmed(body: bytes, declared: Declared, used: Callable[[Event], bool]) -> bytes | None:
    """A message that cannot be used, as it may be kept in a dead letter: without what nothing declares.
    ``None``: nothing of it may be kept. What cannot be read stays as it is: it has no names.

    Args:
        body: JSON, as a Segment client sends it.
        declared: What is.
        used: (event): whether a campaign listens to such events.
    """
    if declared.all_kept:
        return body
    try:
        message = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return body
    kind = message.get("type")
    kept = {key: value for key, value in message.items() if key in KNOWN}
    if not _named(message, declared, used):
        if kind == "track":
            return None
        kept = {x: y for x, y in kept.items() if x not in ("name", "category", "properties")}
        if isinstance(kept.get("context"), dict):
            kept["context"] = {x: y for x, y in kept["context"].items() if x in OF_VISITS}
    fits = declared.of_account if kind == "group" else declared.trait
    if isinstance(kept.get("traits"), dict):
        kept["traits"] = {x: y for x, y in kept["traits"].items() if fits(x)}
    context = kept.get("context")
    if isinstance(context, dict):
        context = kept["context"] = declared.context(context)
    if isinstance(context, dict) and isinstance(context.get("traits"), dict):
        inside = {x: y for x, y in context["traits"].items() if declared.trait(x)}
        kept["context"] = context | {"traits": inside}
    return body if kept == message else msgspec.json.encode(kept)


def _named(message: dict[str, Any], declared: Declared, used: Callable[[Event], bool]) -> bool:
    """Whether something uses what a message is called; one without a name of its own is."""
    kind = message.get("type")
    name = message.get("event") if kind == "track" else message.get("name")
    if kind not in ("track", "page", "screen"):
        return True
    if kind == "track" and not (isinstance(name, str) and name):
        return True
    event = Event("", kind, 0, name=name.strip() if isinstance(name, str) else "")
    return declared.signal(event) or used(event)
