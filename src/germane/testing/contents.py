"""Content and facts with sensible defaults, so that a test names only what it is about."""

from __future__ import annotations

from typing import Any

from germane.domain.content import Channel, Content, Kind, Slot, Variant
from germane.domain.item import Item
from germane.domain.profile import Profile, Trait
from germane.domain.settings import ContentSpec, Settings
from germane.generate.facts import Facts
from germane.testing.builders import a_shop, an_item
from germane.testing.world import START_MS

HOSTS = ContentSpec(link_hosts=("shop.example",), sender_address="Harbour Street 1\nHamburg")


def a_slot(name: str, kind: Kind, text: str = "", **fields: Any) -> Slot:
    """A slot with one English variant; what is no field of a text is a setting of the slot."""
    settings = {k: fields.pop(k) for k in ("required", "surface", "size") if k in fields}
    texts = {"en": {**({"text": text} if text else {}), **fields}}
    return Slot(name, kind, (Variant("one", texts=texts),), **settings)


def a_content(*slots: Slot, channel: Channel = "email", **changes: Any) -> Content:
    """Content with these slots; an e-mail gets a subject where none is among them."""
    if channel == "email" and not any(each.kind == "subject" for each in slots):
        slots = (a_slot("subject", "subject", "A subject"), *slots)
    return Content("news", channel, slots=slots, **changes)


def facts(
    traits: dict[str, Any] | None = None,
    *,
    item: Item | None = None,
    settings: Settings | None = None,
    spec: ContentSpec = HOSTS,
    **changes: Any,
) -> Facts:
    """Facts of a person with these traits, about item ``i1``."""
    profile = changes.pop("profile", None) or Profile("u:ann")
    said = {name: Trait(value, START_MS) for name, value in (traits or {}).items()}
    made = Profile(
        profile.person,
        traits=said or profile.traits,
        interests=profile.interests,
        locale=profile.locale,
    )
    return Facts(
        settings or a_shop(),
        made,
        START_MS,
        spec,
        item=an_item(1, title="Tent", price=129.0, currency="EUR") if item is None else item,
        **changes,
    )
