"""What a rendering is given: the person, the occasion, the addresses. All of it values: no clock, no chance."""

from __future__ import annotations

from typing import Any

import msgspec

from germane.domain.event import Event
from germane.domain.item import Item
from germane.domain.profile import Profile
from germane.domain.settings import ContentSpec, Settings


class Links(msgspec.Struct, frozen=True):
    """Addresses of one message that Germane itself answers; an empty one is left out."""

    unsubscribe: str = ""
    why: str = ""
    """*Why am I seeing this?*"""
    view: str = ""
    """The same message as a web page."""
    pixel: str = ""
    """A picture of one point that tells that the message was opened."""


class Facts(msgspec.Struct, frozen=True):
    """What may go into words. Only what is speakable of it is ever seen by a template."""

    settings: Settings
    profile: Profile
    now_ms: int
    spec: ContentSpec = ContentSpec()
    account: Profile | None = None
    """Profile of the account that the person acts for."""
    item: Item | None = None
    """What the message is about, as the catalogue has it now."""
    event: Event | None = None
    """What set it off."""
    context: dict[str, Any] = {}
    locales: tuple[str, ...] = ()
    """Languages that are wanted, before the person's own."""
    links: Links = Links()

    @property
    def wanted(self) -> tuple[str, ...]:
        """Languages, what is liked best first."""
        return tuple(each for each in (*self.locales, self.profile.locale) if each)
