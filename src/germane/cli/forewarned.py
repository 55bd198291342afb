"""Events before their catalogue: what an event says depends on its item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from germane.profile.bounds import UNPLACED

if TYPE_CHECKING:
    from germane.domain.item import Item
    from germane.domain.settings import Settings


def waiting(settings: Settings, items: Mapping[str, Item]) -> list[str]:
    """Attributes that events would teach no interest in yet, if they were imported now: of no item any is
    known."""
    return [] if items else [name for name, spec in settings.attributes.items() if spec.interest]


def told(names: Sequence[str]) -> str:
    """That, in words; empty where there are none."""
    if not names:
        return ""
    return (
        f"The catalogue is empty, so what these events tell of interests ({', '.join(names)}) waits until "
        f"their items come in (of {UNPLACED} items a person, those that say most), and which values go "
        "together, and what an item costs, is learned from later events alone. "
        "Better import the catalogue first (germane import catalogue FILE), then the events."
    )
