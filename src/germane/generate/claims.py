"""What was said of items, looked at again before it is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from germane.domain.content import Claim
from germane.domain.item import Item
from germane.domain.settings import Settings
from germane.generate.views import field_of


class Broken(msgspec.Struct, frozen=True):
    """A claim that does not hold any more."""

    claim: Claim
    text: str
    """What was said, and what is so now."""


def check_claims(
    claims: Iterable[Claim], items: Mapping[str, Item], settings: Settings, now_ms: int
) -> tuple[Broken, ...]:
    """The claims that do not hold in the catalogue as it is now; empty: the message is true.

    Args:
        claims: Of a rendered message.
        items: Item id -> item, for all that are there.
        settings: Which attributes may be said: one that was muted since is broken as well.
        now_ms: Milliseconds since 1970 UTC: items have dates.
    """
    found = []
    for claim in claims:
        text = _wrong(claim, items.get(claim.item_id), settings, now_ms)
        if text:
            found.append(Broken(claim, text))
    return tuple(found)


def _wrong(claim: Claim, item: Item | None, settings: Settings, now_ms: int) -> str:
    if item is None:
        return f"{claim.item_id} is not in the catalogue any more."
    if claim.field == "in_stock" and claim.value is True:
        return "" if item.available(now_ms) else f"{claim.item_id} is not to be had any more."
    now = field_of(item, claim.field, settings)
    if same(claim.value, now):
        return ""
    said = claim.shown or claim.value
    current = "nothing" if now is None else str(now)
    return f"{claim.item_id}: {claim.field} was said to be {said}, and is {current}."


def same(said: str | float | bool | None, now: object) -> bool:
    """Whether a value is what was said; amounts to the tenth of a cent."""
    if isinstance(said, bool) or isinstance(now, bool):
        return said is now
    if isinstance(said, int | float) and isinstance(now, int | float):
        return abs(said - now) < 0.001
    return said == now if isinstance(now, str) else said == str(now)
