"""The plain-text part of an e-mail, from the same blocks: readable, links kept, no tables."""

from __future__ import annotations

from collections.abc import Iterable

from germane.generate.blocks import Block, Card
from germane.generate.facts import Facts
from germane.generate.words import words


def text(blocks: Iterable[Block], locale: str, facts: Facts) -> str:
    """The whole part, lines ended by ``\\n``."""
    parts = [part for each in blocks if (part := _block(each))]
    return "\n\n".join([*parts, _foot(locale, facts)]) + "\n"


def _block(block: Block) -> str:
    match block.kind:
        case "heading":
            return f"{block.text}\n{'=' * min(len(block.text), 60)}"
        case "button":
            return f"{block.text}:\n{block.url}"
        case "image":
            return f"{block.alt}:\n{block.url}" if block.url else ""
        case "items":
            cards = "\n\n".join(_card(each) for each in block.cards)
            return f"{block.text}\n\n{cards}" if block.text else cards
        case "value":
            return ""
    return block.text


def _card(card: Card) -> str:
    price = f": {card.price}" if card.price else ""
    before = f" ({card.list_price})" if card.list_price else ""
    lines = [f"* {card.title}{price}{before}"]
    lines += [f"  {each}" for each in (card.note, card.url) if each]
    return "\n".join(lines)


def _foot(locale: str, facts: Facts) -> str:
    unsubscribe, why, view = words(locale)
    links = facts.links
    lines = ["--", facts.spec.sender_name or facts.settings.project]
    lines += [each.strip() for each in facts.spec.sender_address.splitlines() if each.strip()]
    for label, url in ((view, links.view), (why, links.why), (unsubscribe, links.unsubscribe)):
        if url:
            lines.append(f"{label}: {url}")
    return "\n".join(lines)
