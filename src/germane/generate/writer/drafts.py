"""Drafts: asked for, checked, asked for once more, kept for the next time that the same is asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import blake2b
from typing import Any, Protocol

import msgspec

from germane.domain.content import FALLBACK, Variant
from germane.domain.errors import WriterFailed
from germane.generate.writer.brief import LIMITS, Brief, messages, rules
from germane.generate.writer.judging import faults, rest_of

Ask = Callable[[list[dict[str, str]]], str]
"""From a conversation to what the model says; raises ``WriterFailed``."""
ROUNDS = 2


class Cache(Protocol):
    """Where answers are kept."""

    def get(self, key: str) -> bytes | None:
        """What was kept under a key."""
        ...

    def put(self, key: str, value: bytes) -> None:
        """Keep it."""
        ...


class Refused(msgspec.Struct, frozen=True):
    """A draft that may not be used, and why."""

    text: str
    faults: tuple[str, ...]


class Drafts(msgspec.Struct, frozen=True):
    """What came of a request."""

    kept: tuple[Variant, ...]
    """Not approved: a person reads them first."""
    refused: tuple[Refused, ...] = ()
    cached: bool = False


def draft(brief: Brief, ask: Ask, model: str, cache: Cache | None = None) -> Drafts:
    """Variants for a slot.

    Args:
        brief: What is wanted. There is nobody's data in it.
        ask: The endpoint.
        model: Its model's name: another one writes other drafts.
        cache: Where drafts are looked for before, and kept after.

    Raises:
        WriterFailed: nothing that can be used came; what was there stays in use.
    """
    if brief.slot.kind not in LIMITS:
        raise WriterFailed(
            f"A slot of kind {brief.slot.kind} has no text to draft.",
            hint=f"Drafts are written for {', '.join(LIMITS)}.",
        )
    key = key_of(brief, model)
    held = cache.get(key) if cache is not None else None
    found = _held(held)
    if found is not None:
        return found
    made = _asked(brief, ask)
    if cache is not None:
        cache.put(key, msgspec.json.encode(made))
    return made


def key_of(brief: Brief, model: str) -> str:
    """What a kept answer is found by: the brief and its rules, the place, the catalogue, the model."""
    place = [brief.content.content_id, brief.slot.name, brief.locale, brief.count]
    whole = json.dumps([rules(brief), brief.text, place, brief.catalogue.digest, model])
    return blake2b(whole.encode(), digest_size=16).hexdigest()


def _held(held: bytes | None) -> Drafts | None:
    if held is None:
        return None
    try:
        found = msgspec.json.decode(held, type=Drafts)
    except msgspec.DecodeError:
        return None  # it is written anew
    return Drafts(found.kept, found.refused, cached=True)


def _asked(brief: Brief, ask: Ask) -> Drafts:
    kept: dict[str, Variant] = {}
    refused: list[Refused] = []
    for _ in range(ROUNDS):
        told = [each for x in refused for each in x.faults]
        try:
            answers = _parsed(ask(messages(brief, told)))
        except WriterFailed:
            if kept:
                break
            raise
        for fields in answers:
            wrong = faults(fields, brief)
            variant = _variant(fields, brief)
            if wrong:
                refused.append(Refused(fields["text"], tuple(wrong)))
            elif not _there(variant, brief):
                kept.setdefault(variant.id, variant)
        if len(kept) >= brief.count:
            break
    if not kept:
        why = refused[0].faults[0] if refused else "It gave no new text."
        raise WriterFailed(
            f"None of {len(refused)} drafts can be used. {why}",
            refused=[msgspec.to_builtins(each) for each in refused],
        )
    return Drafts(tuple(kept.values())[: brief.count], tuple(refused))


def _parsed(said: str) -> list[dict[str, str]]:
    """The drafts in what a model said; a fence of code around them is taken off.

    Raises:
        WriterFailed: it is not what was asked for.
    """
    text = said.strip()
    if text.startswith("```"):
        text = text.strip("`").removeprefix("json").strip()
    try:
        whole: Any = json.loads(text)
        rows = whole["variants"]
        found = [_fields(each) for each in rows]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise WriterFailed(
            f"The writer's answer is not the JSON that was asked for: {said[:120]!r}."
        ) from None
    return found[:20]


def _fields(row: dict[str, Any]) -> dict[str, str]:
    found = {"text": row["text"]}
    if row.get(FALLBACK):
        found[FALLBACK] = row[FALLBACK]
    if not all(isinstance(each, str) and each.strip() for each in found.values()):
        raise TypeError
    return {name: each.strip() for name, each in found.items()}


def _variant(fields: dict[str, str], brief: Brief) -> Variant:
    digest = blake2b(json.dumps(fields, sort_keys=True).encode(), digest_size=4).hexdigest()
    whole = {**rest_of(brief.slot.variants, brief.locale), **fields}
    return Variant(f"w-{digest}", texts={brief.locale: whole}, author="writer", approved=False)


def _there(variant: Variant, brief: Brief) -> bool:
    """Whether the slot says the same already."""
    said = variant.texts[brief.locale]["text"].casefold()
    return any(
        fields.get("text", "").casefold() == said
        for each in brief.slot.variants
        for fields in each.texts.values()
    )
