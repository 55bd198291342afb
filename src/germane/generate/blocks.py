"""What a message consists of once it is filled; layouts, the plain part and payloads are made of it."""

from __future__ import annotations

import msgspec

from germane.domain.content import Kind


class Card(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One item in a message. Texts are plain; money is written in the message's language."""

    item_id: str
    title: str
    price: str = ""
    list_price: str = ""
    """What it cost before."""
    image_url: str = ""
    url: str = ""
    button: str = ""
    note: str = ""


class Block(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One filled slot. Addresses are those that are sent."""

    slot: str
    kind: Kind
    text: str = ""
    """Plain."""
    html: str = ""
    """Of a ``text``: the same as safe HTML."""
    url: str = ""
    image_url: str = ""
    alt: str = ""
    cards: tuple[Card, ...] = ()
