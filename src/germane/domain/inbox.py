"""In-app messages that wait for a person, as a browser shows them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal

import msgspec

Form = Literal["banner", "tooltip", "checklist"]
"""Across the top of the page; beside an element of it; a list of steps in a corner."""


class Button(msgspec.Struct, frozen=True, rename="camel"):
    """What a message asks for."""

    label: str
    url: str = ""
    """Where it leads, http or https or within the site; empty: it only closes the message."""


class Step(msgspec.Struct, frozen=True, rename="camel"):
    """One entry of a checklist."""

    step_id: str
    title: str
    url: str = ""
    done: bool = False


class Nudge(msgspec.Struct, frozen=True, rename="camel"):
    """One message. Its texts are plain: no markup is read from them."""

    message_id: str
    form: Form
    title: str
    text: str = ""
    """Lines stay lines."""
    anchor: str = ""
    """For a tooltip: CSS selector of the element that it stands beside. It may appear later."""
    buttons: tuple[Button, ...] = ()
    steps: tuple[Step, ...] = ()
    decision_id: str = ""
    """The decision that it came of, if one did."""
    campaign: str = ""
    reasons: tuple[str, ...] = ()
    """Why the person is told this, as sentences for them."""
    why_url: str = ""
    """The page that tells more of it, and lets them change it; a path on this server, or an address."""
    expires_at: str = ""
    """RFC 3339; empty: it stays true."""


Inbox = Callable[[str, str], Awaitable[Sequence[Nudge]]]
"""User id and anonymous id (one may be empty) -> what waits for the person, the most important first."""


async def nothing(user_id: str, anonymous_id: str) -> Sequence[Nudge]:
    """The inbox of a server that sends no in-app messages."""
    return ()
