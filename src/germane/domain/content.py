"""What is said to people: content with slots, slots with variants, variants in languages.

A content item is a record like a catalogue item: folded from the log, known by its version. Texts are
Liquid; which variant a person gets is decided elsewhere (each slot with several is a choice), and
``germane.generate`` renders what was decided.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cached_property
from hashlib import blake2b
from typing import Literal

import msgspec

from germane.domain import canonical as canonical_
from germane.domain.item import Item
from germane.domain.settings import ActionSpec, OutcomeSpec, SurfaceSpec

Channel = Literal["email", "inapp", "webhook"]
Kind = Literal["subject", "preheader", "heading", "text", "button", "image", "items", "value"]
Form = Literal["", "banner", "tooltip", "modal", "checklist"]
Author = Literal["person", "writer"]

FIELDS: dict[Kind, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "subject": (("text",), ("fallback",)),
    "preheader": (("text",), ("fallback",)),
    "heading": (("text",), ("fallback",)),
    "text": (("text",), ("fallback",)),
    "button": (("text", "url"), ("fallback",)),
    "image": (("image", "alt"), ("url",)),
    "items": ((), ("text", "button", "note")),
    "value": (("text",), ("fallback",)),
}
"""Kind of a slot -> the fields that a variant must have in each language, and those that it may have."""
LINKS = ("url", "image")
"""Fields that hold an address."""
FALLBACK = "fallback"
"""The field that takes the place of ``text`` where that one needs data that a person does not have."""


class Variant(msgspec.Struct, frozen=True):
    """One way to fill a slot."""

    id: str
    texts: dict[str, dict[str, str]] = {}
    """Language -> field -> Liquid. The content's default language is always there."""
    when: str = ""
    """CEL: whom it is for (over ``profile``, ``account``, ``context``, ``chosen``). Empty: everybody."""
    attributes: dict[str, str | float | bool] = {}
    """What learning may tell variants apart by: those with equal attributes are expected to do alike."""
    author: Author = "person"
    approved: bool = True
    """Whether it may be chosen. What a writer drafted waits for a person."""


class Slot(msgspec.Struct, frozen=True):
    """A place in the content. With several variants it is a choice."""

    name: str
    kind: Kind
    variants: tuple[Variant, ...] = ()
    required: bool = False
    """Without it nothing is sent; else it is left out whole where it cannot be filled."""
    surface: str = ""
    """For ``items``: the grid surface that is asked. Empty: the item that the message is about."""
    size: int = 0
    """For ``items``: how many; 0: as many as the surface has."""

    @property
    def open(self) -> tuple[Variant, ...]:
        """The variants that may be chosen."""
        return tuple(each for each in self.variants if each.approved)

    def variant(self, name: str) -> Variant | None:
        """The variant of that id, approved or not."""
        return next((each for each in self.variants if each.id == name), None)


class Content(msgspec.Struct, frozen=True, dict=True):
    """One thing to say, on one channel."""

    content_id: str
    channel: Channel
    title: str = ""
    """What people call it."""
    default_locale: str = "en"
    layout: str = "plain"
    """For e-mail: how it looks (``germane.generate.layout``)."""
    slots: tuple[Slot, ...] = ()
    """In the order in which they are read."""
    form: Form = ""
    """For in-app: how it is shown."""
    anchor: str = ""
    """For in-app: CSS selector of what it points at."""
    needs_stock: bool = True
    """Whether what it says of an item is only true while the item is to be had."""
    author: str = ""
    """Operator who wrote it, as its file says; empty: it does not say."""
    put_by: str = ""
    """Operator who put it here in this form; empty: nobody was named. No part of what is declared."""

    @cached_property
    def version(self) -> str:
        """Fingerprint of all that it says and may do: 16 hexadecimal digits."""
        return blake2b(canonical(self), digest_size=8).hexdigest()

    def slot(self, name: str) -> Slot | None:
        """The slot of that name."""
        return next((each for each in self.slots if each.name == name), None)


def canonical(content: Content) -> bytes:
    """The one way to write a content item down, without who put it here."""
    return canonical_.canonical(msgspec.structs.replace(content, put_by=""))


def choice_surface(content_id: str, slot: str) -> str:
    """Name of the choice that a slot with several variants is."""
    return f"content:{content_id}:{slot}"


def as_choice(
    content_id: str,
    slot: Slot,
    *,
    outcomes: tuple[OutcomeSpec, ...] = (),
    features: tuple[str, ...] = (),
    exploration_share: float = 0.05,
) -> SurfaceSpec:
    """A slot as the choice surface that decides it: its actions are the variants that may be chosen.

    Args:
        content_id: Of the content that the slot is in.
        slot: One with two approved variants or more.
        outcomes: What a good variant brings.
        features: What of the person may matter (``predict.bandit.features``).
        exploration_share: The least share of decisions that try variants evenly, 0 to 0.5.
    """
    return SurfaceSpec(
        choice_surface(content_id, slot.name),
        kind="choice",
        outcomes=outcomes,
        features=features,
        exploration_share=exploration_share,
        actions=tuple(ActionSpec(each.id, attributes=each.attributes) for each in slot.open),
        default=tuple(each.id for each in slot.open[:1]),
    )


class Chosen(msgspec.Struct, frozen=True):
    """What was decided before rendering."""

    variants: dict[str, str] = {}
    """Slot -> id of its variant; empty: left out. A slot that is not named has its only variant."""
    items: dict[str, tuple[Item, ...]] = {}
    """Slot of kind ``items`` -> what the surface answered, best first."""


class Used(msgspec.Struct, frozen=True):
    """One sentence, and what of the person, the item and the event it rests on."""

    slot: str
    sentence: str
    names: tuple[str, ...]
    """As the template names them: ``person.first_name``, ``item.price``."""
    signals: tuple[str, ...] = ()
    """Signals behind what was named: those that speak for an interest, or that the event meant."""


class Claim(msgspec.Struct, frozen=True):
    """Something said of an item that must still be true when it is sent."""

    item_id: str
    field: str
    """``price``, ``title``, ``in_stock``, ``discount`` or an attribute of the item."""
    value: str | float | bool | None
    shown: str
    """As it was put into words; empty: not said, but meant (it is to be had)."""


class Dropped(msgspec.Struct, frozen=True):
    """A slot that was left out, and why."""

    slot: str
    reason: str


class Rendered(msgspec.Struct, frozen=True):
    """What is said to one person: everything a channel needs, and what it rests on."""

    content_id: str
    version: str
    channel: Channel
    locale: str
    subject: str = ""
    preheader: str = ""
    html: str = ""
    text: str = ""
    payload: dict[str, object] = {}
    """For in-app and webhook: JSON."""
    used: tuple[Used, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    claims: tuple[Claim, ...] = ()
    links: tuple[str, ...] = ()
    """Every address in it that a person can follow, in order, once each."""


def locales_for(wanted: str) -> tuple[str, ...]:
    """A language tag and what it falls back to, nearest first: ``de-AT`` -> ``de-at``, ``de``."""
    parts = wanted.strip().lower().replace("_", "-").split("-")
    return tuple("-".join(parts[:n]) for n in range(len(parts), 0, -1) if parts[0])


def best_locale(wanted: Iterable[str], variants: Collection[Variant], default: str) -> str:
    """The language in which all of the variants that say anything can speak: one message never mixes two.

    Args:
        wanted: Tags such as ``de-AT``, what is liked best first.
        variants: Those that were chosen.
        default: The content's own language; every variant has it.
    """
    spoken = [
        {name.lower().replace("_", "-"): name for name in each.texts}
        for each in variants
        if any(each.texts.values())
    ]
    for tag in wanted:
        for name in locales_for(tag):
            if spoken and all(name in each for each in spoken):
                return spoken[0][name]
    return default
