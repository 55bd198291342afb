"""What becomes of a record by its age: it stays, goes into the archive, or goes for good.

* What is older than 24 calendar months goes into the archive, if there is one.
* Data of a category that is kept for less long go for good, and leave no copy in the archive.
* Who is who, what somebody said no to, and which address nobody writes to any more, stay: without them a no
  would be unproven, and two histories of one person would fall apart. So does who belongs to which account.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal, NamedTuple

from msgspec.structs import replace

from germane.domain.event import Event
from germane.domain.settings import Settings
from germane.privacy import refusals
from germane.privacy.categories import BEHAVIOUR, CONTACT, category_of
from germane.privacy.gate import bare
from germane.privacy.retention import Limits

Place = Literal["log", "archive", "nowhere"]


class Fate(NamedTuple):
    """Of one event."""

    place: Place
    """Where all of it goes."""
    left: Event | None
    """What stays of it in the log; of one that stays: itself, or what is left of it."""


class Expiry:
    """As of one moment. Pure."""

    def __init__(self, settings: Settings, now_ms: int) -> None:
        self._settings = settings
        self._limits = Limits(settings, now_ms)
        self._named: dict[str, set[str]] = {}
        for each in settings.signals.values():
            self._named.setdefault(each.event, set()).add(each.category)

    def event(self, event: Event, at_ms: int) -> Fate:
        """What becomes of an event that is recorded as of ``at_ms``. One that loses traits is to be looked at
        again: what goes into the archive goes there without them."""
        young = self._without_traits(event, at_ms)
        place = self.place(self._categories(event), at_ms) if event.kind != "group" else "log"
        if place == "log" or young != event:
            return Fate("log", young)
        left = self._remains(event)
        return Fate("log", event) if left == event else Fate(place, left)

    def place(self, categories: Collection[str], at_ms: int) -> Place:
        """Where a record with data of some categories goes."""
        over = [x for x in categories if at_ms < self._limits.of_category(x)]
        if not over:
            return "log"
        spec = self._settings.privacy
        for_good = not spec.archive_months or any(x in spec.retention for x in over)
        return "nowhere" if for_good else "archive"

    def decision(self, at_ms: int) -> Place:
        """Where a decision, an impression or an outcome goes."""
        return self.place({BEHAVIOUR}, at_ms)

    def message(self, at_ms: int) -> Place:
        """Where a message goes with which nothing happens any more."""
        return self.place({CONTACT}, at_ms)

    # -- the parts -------------------------------------------------------------------------------

    def _categories(self, event: Event) -> set[str]:
        """What an event tells of. One of traits alone goes when the last of them does."""
        if event.kind in ("identify", "alias"):
            told = {category_of(each, self._settings) for each in event.traits}
            months = self._settings.privacy.kept_months
            return {max(sorted(told), key=months)} if told else {BEHAVIOUR}
        called = event.name if event.kind == "track" else f"{event.kind}:{event.name}"
        return self._named.get(called, {BEHAVIOUR})

    def _without_traits(self, event: Event, at_ms: int) -> Event:
        """Without traits of categories that are kept for less long than others, and are too old."""
        if event.kind == "identify":
            event = replace(event, traits=self._young(event.traits, at_ms))
        inside = event.context.get("traits")
        if isinstance(inside, dict):
            event = replace(event, context=event.context | {"traits": self._young(inside, at_ms)})
        return event

    def _young(self, traits: dict[str, Any], at_ms: int) -> dict[str, Any]:
        short = self._settings.privacy.retention
        return {
            name: value
            for name, value in traits.items()
            if self._limits.keeps_trait(name, at_ms)
            or category_of(name, self._settings) not in short
        }

    def _remains(self, event: Event) -> Event | None:
        """Who is who, and what it says no to or of an address."""
        two = bool(event.user_id and event.anonymous_id) or bool(event.previous_id)
        links = event.kind in ("identify", "alias") and two
        about = event.kind == "track" and event.name in refusals.ABOUT_ADDRESSES
        if links or about or refusals.said(event, (), self._settings.privacy):
            return bare(event, {})
        return None
