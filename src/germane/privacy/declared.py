"""What a project declared, and what it did not: undeclared data is refused by name.

Events are declared by what uses them: a signal, a campaign, an answer to a message. Traits are declared by
``[traits.NAME]``; a few of Segment's need none (``privacy.categories``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from germane.domain.event import Event
from germane.domain.near import near
from germane.domain.settings import Settings
from germane.domain.toml import toml_key
from germane.privacy.categories import DECLARED, OWN, OWN_OF_ACCOUNTS, RESERVED, own_of
from germane.privacy.refusals import GPC

OF_VISITS = ("locale", "timezone", "groupId", "traits", "consent", GPC)
"""What is kept of the context of a page or screen that nothing uses: it tells who was there, and when."""
OF_EVENTS = (*OF_VISITS, "library", "campaign", "app", "os", "screen", "channel", "active")
"""What is kept of the context of any call: nothing that tells a device, an address or a place from another."""
OF_PAGES = ("path", "title")
"""What is kept of ``context.page``: addresses and what led there may hold anything."""
LONGEST = 64
"""Characters of a name that are told."""
UNTOLD = "with a name that may hold data of people"
_DATA = re.compile(r"@|%40|\d{5}", re.IGNORECASE)


def told(name: str) -> str:
    """A name of what was refused, ``track Order Viewed``, as it may be counted and shown: it comes from
    clients, so one that looks like an address or a number of somebody is not told."""
    kind, _, own = name.encode("utf-8", "replace").decode().partition(" ")
    return f"{kind} {UNTOLD}" if _DATA.search(own) else f"{kind} {own}".strip()[:LONGEST]


class Declared:
    """Asked what the declaration knows. Pure."""

    def __init__(self, settings: Settings) -> None:
        self.all_kept = settings.privacy.undeclared == "keep"
        self._events = frozenset(each.event for each in settings.signals.values())
        self._traits = frozenset((*settings.traits, *OWN))
        self._of_accounts = frozenset((*settings.traits, *OWN_OF_ACCOUNTS))

    def trait(self, name: str) -> bool:
        """Whether a trait of a person may be kept at all."""
        return self.all_kept or name in self._traits

    def of_account(self, name: str) -> bool:
        """Whether a trait of an account may be kept at all."""
        return self.all_kept or name in self._of_accounts

    def context(self, context: dict[str, Any]) -> dict[str, Any]:
        """What may be kept of a call's context; itself where that is all of it."""
        if self.all_kept:
            return context
        kept = {name: value for name, value in context.items() if name in OF_EVENTS}
        page = context.get("page")
        if isinstance(page, dict):
            kept["page"] = {name: page[name] for name in OF_PAGES if name in page}
        return context if kept == context else kept

    def event(self, event: Event) -> bool:
        """Whether what a track, page or screen call tells may be kept at all."""
        return self.all_kept or self.signal(event)

    def signal(self, event: Event) -> bool:
        """Whether a signal is declared for what a call is named."""
        return called(event) in self._events

    def near(self, name: str) -> str | None:
        """The event of a signal that was most likely meant by another name."""
        return near(name, self._events)

    def missing(self, event: Event, *, used: bool) -> tuple[str, ...]:
        """Names of what somebody may have forgotten to declare; pages and screens are visits, whatever their
        name.

        Args:
            event: As it came.
            used: Whether anything beside signals uses events of its name.
        """
        if self.all_kept:
            return ()
        if event.kind == "track" and not used and not self.event(event):
            return (told(f"track {event.name}"),)
        names = [f"trait {each}" for each in traits_of(event) if not self.trait(each)]
        if event.kind == "group":
            names += [f"account {each}" for each in event.traits if not self.of_account(each)]
        return tuple(told(each) for each in dict.fromkeys(names))

    def remedies(
        self, refused: Iterable[str], used: Callable[[Event], bool]
    ) -> Iterator[tuple[str, str]]:
        """Of names of what was refused, those that nothing declares, with what to do about each.

        Args:
            refused: As they were counted.
            used: Whether anything beside signals uses such an event now.
        """
        for each in refused:
            kind, _, name = each.partition(" ")
            if self.all_kept or name == UNTOLD:
                continue
            fits = {"trait": self.trait, "account": self.of_account}.get(kind)
            if fits is not None and not fits(name):
                meant = own_of(name) if kind == "trait" else None
                called_so = f"Call it {meant}, which needs no declaration"
                yield each, called_so if meant is not None else _declare_trait(name)
            elif kind == "track" and not (
                name in self._events or used(Event("", "track", 0, name=name))
            ):
                meant = self.near(name)
                near = f"Did you mean {meant!r}? Else declare" if meant is not None else "Declare"
                text = f"{near} [signals.NAME] with event = {name!r} and the item that it is about"
                yield each, f"{text}; what is about no item, a campaign may name"


def called(event: Event) -> str:
    """How a signal names an event; empty: no signal can."""
    if event.kind == "track":
        return event.name
    return f"{event.kind}:{event.name}" if event.kind in ("page", "screen") else ""


def traits_of(event: Event) -> Mapping[str, Any]:
    """What an event declares of its person: the traits of its context, and of an ``identify`` its own."""
    said = event.context.get("traits")
    inside = said if isinstance(said, dict) else {}
    return {**inside, **event.traits} if event.kind == "identify" else inside


def _declare_trait(name: str) -> str:
    return f'Declare [traits.{toml_key(name)}] with category = "{RESERVED.get(name, DECLARED)}"'
