"""Filling a slot for somebody of whom nothing is known, to tell who will not get it."""

from __future__ import annotations

from msgspec.structs import replace

from germane.domain.content import Content, Slot, Variant
from germane.domain.item import Item
from germane.domain.profile import Profile
from germane.domain.settings import ContentSpec, Settings
from germane.generate.facts import Facts
from germane.generate.filling import Filling
from germane.generate.missing import Missing


def needs(
    content: Content,
    slot: Slot,
    variant: Variant,
    tag: str,
    settings: Settings,
    spec: ContentSpec,
) -> str | None:
    """What a variant needs that a stranger does not have; None where it can always be filled.

    Items are taken to have all that items have: what is missing in the catalogue is looked at with it.

    Raises:
        TemplateRefused: it cannot be filled for anybody.
    """
    facts = Facts(settings, Profile("a:nobody"), 0, _open(spec), item=_sample(settings))
    only = replace(content, default_locale=tag, slots=(slot,))
    try:
        Filling(only, facts, tag).block(slot, variant, (_sample(settings),))
    except Missing as missing:
        return missing.reason
    return None


def _open(spec: ContentSpec) -> ContentSpec:
    """With the sample's host allowed: addresses are looked at elsewhere."""
    return replace(spec, link_hosts=(*spec.link_hosts, "sample.invalid"))


def _sample(settings: Settings) -> Item:
    attributes = dict.fromkeys(settings.attributes, "sample") | {"list_price": 2.0}
    return Item(
        "sample",
        title="Sample",
        category="Sample",
        categories=("Sample",),
        brand="Sample",
        price=1.0,
        currency=settings.currency or "EUR",
        url="https://sample.invalid/",
        image_url="https://sample.invalid/x.png",
        attributes=attributes,
    )
