"""From content and what was decided to a message: pure, so that the same facts give the same words."""

from __future__ import annotations

from typing import Any

import msgspec

from germane.domain.content import Chosen, Content, Dropped, Rendered, Slot, Variant, best_locale
from germane.domain.errors import (
    BadRequest,
    ContentIncomplete,
    ContentNotApproved,
    ContentUntrue,
)
from germane.domain.item import Item
from germane.generate import layout, locales, textpart
from germane.generate.blocks import Block
from germane.generate.facts import Facts
from germane.generate.filling import Filling, Pieces
from germane.generate.missing import Missing, NotMeant

HEAD = ("subject", "preheader")
"""Kinds that stand before the message, not in it."""


def render(content: Content, chosen: Chosen, facts: Facts) -> Rendered:
    """What is said to one person.

    Args:
        content: The content item.
        chosen: What was decided: a variant for each slot that has several, items for those that show them.
        facts: The person and the occasion.

    Raises:
        ContentRefused: it cannot be said to this person; the error says why, and what to do.
    """
    picked = [(slot, _variant(slot, chosen)) for slot in content.slots]
    taken = [variant for _, variant in picked if variant is not None]
    locale = best_locale(facts.wanted, taken, content.default_locale)
    filling = Filling(content, facts, locale)
    blocks, pieces, dropped = [], Pieces(), []
    for slot, variant in picked:
        try:
            block, found = filling.block(slot, variant, chosen.items.get(slot.name))
        except Missing as missing:
            if slot.required or slot.kind == "subject":
                raise _incomplete(content, slot, missing) from None
            dropped.append(Dropped(slot.name, missing.reason))
        else:
            blocks.append(block)
            pieces.add(found)
    if not any(each.kind not in HEAD for each in blocks):
        why = " ".join(f"{each.slot}: {each.reason.rstrip('.')}." for each in dropped)
        raise ContentIncomplete(
            f"Nothing is left of {content.content_id}. {why}".strip(),
            dropped=msgspec.to_builtins(dropped),
        )
    _there(content, pieces.items, facts)
    return _message(content, locale, blocks, facts, pieces, dropped)


def _variant(slot: Slot, chosen: Chosen) -> Variant | None:
    """The chosen one; None where the slot is left out.

    Raises:
        ContentNotApproved: nobody has approved it.
        BadRequest: there is no such variant, or several and none was chosen.
    """
    name = chosen.variants.get(slot.name)
    if name is None:
        if len(slot.open) > 1:
            raise BadRequest(f"Slot {slot.name} has several variants, and none was chosen.")
        return slot.open[0] if slot.open else None
    if not name:
        return None
    variant = slot.variant(name)
    if variant is None:
        known = ", ".join(each.id for each in slot.variants)
        raise BadRequest(f"Slot {slot.name} has no variant {name!r}.", hint=f"Known: {known}.")
    if not variant.approved:
        raise ContentNotApproved(f"Variant {name} of slot {slot.name} is not approved.")
    return variant


def _incomplete(content: Content, slot: Slot, missing: Missing) -> ContentIncomplete:
    why = f"{slot.name} needs what is not there: {missing.reason}"
    if isinstance(missing, NotMeant):
        why = missing.reason
    return ContentIncomplete(
        f"{content.content_id} cannot be filled: {why}.",
        slot=slot.name,
        missing=missing.name,
    )


def _there(content: Content, items: dict[str, Item], facts: Facts) -> None:
    """
    Raises:
        ContentUntrue: something that it speaks of is not to be had.
    """
    gone = [name for name, each in items.items() if not each.available(facts.now_ms)]
    if content.needs_stock and gone:
        raise ContentUntrue(
            f"{content.content_id} speaks of {', '.join(gone)}, which is not to be had.", items=gone
        )


def _message(
    content: Content,
    locale: str,
    blocks: list[Block],
    facts: Facts,
    pieces: Pieces,
    dropped: list[Dropped],
) -> Rendered:
    said = {each.kind: each.text for each in blocks if each.kind in HEAD}
    body = [each for each in blocks if each.kind not in HEAD]
    common: dict[str, Any] = {
        "content_id": content.content_id,
        "version": content.version,
        "channel": content.channel,
        "locale": locale,
        "used": tuple(pieces.used),
        "dropped": tuple(dropped),
        "claims": tuple(dict.fromkeys(pieces.claims)),
        "links": tuple(dict.fromkeys(pieces.links)),
    }
    if content.channel != "email":
        return Rendered(**common, payload=_payload(content, locale, body))
    subject, preheader = said.get("subject", ""), said.get("preheader", "")
    return Rendered(
        **common,
        subject=subject,
        preheader=preheader,
        html=layout.html(body, subject, preheader, locale, facts),
        text=textpart.text(body, locale, facts),
    )


def _payload(content: Content, locale: str, body: list[Block]) -> dict[str, object]:
    """For in-app and webhook: the blocks in order, and the plain values by name."""
    payload: dict[str, object] = {
        "contentId": content.content_id,
        "version": content.version,
        "locale": locale,
        "direction": locales.direction(locale),
        "blocks": [msgspec.to_builtins(each) for each in body if each.kind != "value"],
    }
    values = {each.slot: each.text for each in body if each.kind == "value"}
    if values:
        payload["values"] = values
    if content.channel == "inapp":
        payload["form"] = content.form or "banner"
        if content.anchor:
            payload["anchor"] = content.anchor
    return payload
