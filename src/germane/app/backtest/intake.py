"""What a backtest is made from: events, items and people as they were read, with what was noticed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

from msgspec.structs import replace

from germane.app.backtest.spool import Spool, person_hash
from germane.domain.event import Event, Interaction
from germane.domain.ids import anonymous_person, known_person
from germane.domain.item import Item
from germane.domain.settings import Settings
from germane.ingest.bulk.occurrences import Occurrences
from germane.ingest.signals import Extractor

UNKNOWN_AGE_MS = 30 * 86_400_000
FOR_EVER_MS = 400 * 86_400_000
"""So long before the first event were items there of which nobody says since when."""


@dataclass(slots=True)
class Noticed:
    """Counts from reading."""

    rows: int = 0
    """Rows of events and people."""
    rejected: Counter[str] = field(default_factory=Counter)
    """Why rows could not be used -> how many."""
    first: dict[str, str] = field(default_factory=dict)
    """Why -> where the first of them stands."""
    item_rows: int = 0
    """Rows of the catalogue."""
    items_rejected: Counter[str] = field(default_factory=Counter)
    """Why rows of the catalogue could not be used -> how many."""
    items_first: dict[str, str] = field(default_factory=dict)
    items_again: int = 0
    """Rows of the catalogue with an item that an earlier row has."""
    duplicates: int = 0
    unused: Counter[str] = field(default_factory=Counter)
    """Names of events without a signal -> how many."""
    choices: int = 0
    """Single items that were chosen."""
    priced: int = 0
    """Of all interactions, those with a price."""
    interactions: int = 0
    midnight: int = 0
    """Events at exactly 00:00 UTC: their hour is probably not known."""


class Entry(NamedTuple):
    """An item on its way into the catalogue."""

    at_ms: int
    late: bool
    """With the first event that names it: nobody could know of it when that was predicted."""
    item: Item


class Intake:
    """Collects everything, so that it can be replayed in the order of time."""

    def __init__(self, settings: Settings, targets: frozenset[str], spool: Spool) -> None:
        """
        Args:
            settings: Its signals say what events mean.
            targets: Signals that count as a choice.
            spool: Where events are kept.
        """
        self.settings = settings
        self.targets = targets
        self.spool = spool
        self.noticed = Noticed()
        self.items: dict[str, Item] = {}
        self.described: dict[str, Item] = {}
        """Items that no catalogue has, as the first row that names them describes them."""
        self.told: dict[str, list[Event]] = {}
        """Person key -> what they told about themselves at a time that nobody knows."""
        self.chosen: Counter[str] = Counter()
        """Item -> how often it was chosen."""
        self.first_ms: dict[str, int] = {}
        """Item -> when it was first met in an event."""
        self._tellers: set[int] = set()
        self._extractor = Extractor(settings)
        self._seen = Occurrences()

    def item(self, item: Item) -> None:
        """A catalogue entry."""
        self.noticed.items_again += item.item_id in self.items
        self.items[item.item_id] = item

    def event(self, event: Event, *, timed: bool = True) -> None:
        """Something that happened; ``timed`` is false when only that, and not when, is known."""
        digest = blake2b(event.message_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        if self._seen.count(digest) > 1:
            self.noticed.duplicates += 1
            return
        if not timed:
            self.told.setdefault(key_of(event), []).append(event)
            return
        interactions, _ = self._extractor.extract(event)
        chosen = {each.item_id for each in interactions if each.signal in self.targets}
        if event.traits:
            self._tellers.add(person_hash(key_of(event)))
        if event.kind == "track":
            self._notice(event, interactions, chosen)
        self.spool.add(event, key_of(event), len(chosen))

    def _notice(self, event: Event, interactions: list[Interaction], chosen: set[str]) -> None:
        noticed = self.noticed
        if not interactions:
            noticed.unused[event.name] += 1
        noticed.interactions += len(interactions)
        noticed.priced += sum(each.price is not None for each in interactions)
        noticed.choices += len(chosen)
        noticed.midnight += event.at_ms % 86_400_000 == 0
        self.chosen.update(chosen)
        for each in interactions:
            first = self.first_ms.get(each.item_id)
            if first is None or event.at_ms < first:
                self.first_ms[each.item_id] = event.at_ms
            if first is None and each.item_id not in self.items:
                self._describe(event, each)

    def _describe(self, event: Event, interaction: Interaction) -> None:
        """An item that no catalogue has may be described by the first row that names it."""
        said = event.properties
        self.described[interaction.item_id] = Item(
            interaction.item_id,
            title=str(said.get("title") or ""),
            category=str(said.get("category") or ""),
            brand=str(said.get("brand") or ""),
            price=interaction.price,
        )

    def entries(self, begin_ms: int, end_ms: int) -> list[Entry]:
        """When each item comes into the catalogue, by time.

        With the date that the catalogue gives (``available_from``, or when it first heard of it);
        without one, or with one that is too late, with the first event that names it, which nobody
        can predict then. What no event names was there all the time. How old an item is that the first
        month already has (of a short log, the first quarter) nobody can tell: it counts as old.
        """
        found, unknown_ms = [], min(UNKNOWN_AGE_MS, (end_ms - begin_ms) // 4)
        for item_id in {**self.items, **self.described}:
            item = self.items.get(item_id) or self.described[item_id]
            first = self.first_ms.get(item_id)
            # what the catalogue heard of after all events tells when it was imported
            heard_ms = item.created_ms if item.created_ms <= end_ms else 0
            dated = item.available_from_ms or heard_ms or None
            early = first is None or (dated is not None and dated <= first)
            at_ms = begin_ms - FOR_EVER_MS if first is None else first
            if dated is not None and early:
                at_ms = dated
            since_ms = at_ms
            if not early and at_ms - begin_ms < unknown_ms:
                since_ms = begin_ms - FOR_EVER_MS
            entered = replace(
                item, created_ms=max(since_ms, 1), available_from_ms=None, available_until_ms=None
            )
            found.append(Entry(at_ms, not early, entered))
        return sorted(found, key=lambda entry: (*entry[:2], entry.item.item_id))

    def kind(self, item_id: str) -> str:
        """An item's category (its first value of the attribute of the diversity quota); empty: none."""
        item = self.items.get(item_id) or self.described.get(item_id)
        values = item.values_of(self.settings.diversity_attribute) if item is not None else ()
        return values[0] if values else ""

    @property
    def tellers(self) -> int:
        """How many people declared anything about themselves."""
        return len(self._tellers | {person_hash(key) for key in self.told})

    @property
    def misdated(self) -> list[str]:
        """Items whose ``available_from`` is later than the first event that names them."""
        return [
            item_id
            for item_id, item in self.items.items()
            if (item.available_from_ms or 0)
            > self.first_ms.get(item_id, item.available_from_ms or 0)
        ]

    @property
    def dated(self) -> int:
        """How many items tell since when they are there."""
        return sum(bool(each.available_from_ms or each.created_ms) for each in self.items.values())


def key_of(event: Event) -> str:
    """The person of an event, as they called themselves."""
    if event.user_id:
        return known_person(event.user_id)
    return anonymous_person(event.anonymous_id)
