"""Events before their catalogue: what an event says of interests depends on its item as it is known then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from germane.domain.item import Item
    from germane.domain.settings import Settings


def unlearned(settings: Settings, items: Mapping[str, Item]) -> list[str]:
    """Attributes that events would teach no interest in, if they were imported now: of no item any is known."""
    return [] if items else [name for name, spec in settings.attributes.items() if spec.interest]


def told(names: Sequence[str]) -> str:
    """That, in words; empty where there are none."""
    if not names:
        return ""
    return (
        f"The catalogue is empty, so no interests ({', '.join(names)}) are learned from these events: an event "
        "counts for what its item is when it comes in. Neither a later import of the catalogue nor a rebuild "
        "mends that. Import the catalogue first (germane import catalogue FILE), then the events; where they "
        "are in already, import everything into an empty data folder."
    )
