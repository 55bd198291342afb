"""A data folder of a given size, made once and kept: items, people, their events, the shared model.

What people do is made up: each likes three categories, and in each the popular items most. The first
20,000 people's events go through the engine, as an import does. What is missing to the size is written
beside it through the store: the same profiles and log records again, under other names and offsets.
A row more is a row more, whoever it tells of; what the shared model knows is of the first people alone.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from msgspec.structs import replace
from rich.progress import Progress

from germane.app.engine import Engine
from germane.app.opening import open_engine, save_snapshot
from germane.app.world import ReplayWorld
from germane.config.load import load
from germane.domain.event import Event
from germane.domain.ids import PersonId, slot_of
from germane.domain.item import Item
from germane.domain.ports import Store
from germane.predict.dump import FORMAT
from germane.predict.features import LAYOUT
from germane.storage.codec import dedupe_key, pack, unpack
from germane.storage.sqlite import SqliteStore

CACHE = Path(os.environ.get("GERMANE_SPEED_CACHE", Path.home() / ".cache" / "germane-speed"))
CONFIG = Path(__file__).with_name("germane.toml")
TAUGHT_PEOPLE, EVENTS_EACH = 20_000, 10
DAYS = 30
"""Over which what happened is spread: as much as an import brings of the newest month."""
FORM = f"2-{FORMAT}-{LAYOUT}"
"""Of the folder: another number makes it anew, and so do a snapshot of another format and other features."""


class World:
    """So many items, people and events."""

    def __init__(self, items: int, people: int, events: int) -> None:
        self.items, self.people, self.events = items, people, events

    @property
    def folder(self) -> Path:
        """Where it is kept."""
        return CACHE / f"{FORM}-{self.items}-{self.people}-{self.events}"

    def made(self) -> Path:
        """The project's folder, made if it is not there."""
        if not (self.folder / "made").exists():
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
            shutil.copy(CONFIG, self.folder / "germane.toml")
            with Progress() as progress:
                self._make(progress)
            (self.folder / "made").touch()
        return self.folder

    def copied(self, to: Path) -> Path:
        """A copy that may be changed, and is on the disk: what is still to be written would hold up who is
        measured."""
        copied = Path(shutil.copytree(self.made(), to))
        os.sync()
        return copied

    def _make(self, progress: Progress) -> None:
        taught = min(TAUGHT_PEOPLE, self.people, max(self.events // EVENTS_EACH, 1))
        data = self.folder / "germane-data"
        settings = load(self.folder / "germane.toml", {}).settings
        end_ms = time.time_ns() // 1_000_000
        events = taught * EVENTS_EACH
        clock = ReplayWorld(end_ms - DAYS * 86_400_000)
        engine = open_engine(settings, data, mode="write", world=clock)
        try:
            with engine.importer() as importer:
                bar = progress.add_task(f"{self.items:,} items", total=self.items)
                kinds = categories(self.items)
                for number in range(0, self.items, 1_000):
                    part = range(number + 1, min(number + 1_000, self.items) + 1)
                    importer.add_items([an_item(each, kinds) for each in part])
                    progress.update(bar, advance=len(part))
                bar = progress.add_task(f"{events:,} events folded", total=events)
                step_ms = DAYS * 86_400_000 / events
                for number, event in enumerate(self._stream(taught, events)):
                    clock.move(int(end_ms - DAYS * 86_400_000 + number * step_ms))
                    importer.add([replace(event, at_ms=clock.now_ms())])
                    progress.update(bar, advance=1)
            self._multiply(engine, taught, events, progress)
            save_snapshot(engine, data)
        finally:
            engine.store.close()

    def _stream(self, people: int, events: int) -> Iterator[Event]:
        """Everybody comes by about as often, in random order."""
        chance = Random(1)
        shop = Shop(self.items)
        for number in range(events):
            yield shop.event(user(chance.randrange(people)), f"n000-m{number:07d}", chance)

    def _multiply(self, engine: Engine, people: int, events: int, progress: Progress) -> None:
        """The same people and events again and again under other names, up to the size."""
        copies = Copies(engine.store)
        bar = progress.add_task(f"{self.people:,} people", total=self.people, completed=people)
        for turn, room in turns(self.people, people):
            copies.people(turn, room)
            progress.update(bar, advance=room)
        bar = progress.add_task(f"{self.events:,} events", total=self.events, completed=events)
        seq = engine.seq
        for turn, room in turns(self.events, events):
            copies.events(turn, room, seq, self.items)
            seq += room
            progress.update(bar, advance=room)
        engine.model.seq = seq  # what is the same again would teach the same


def turns(wanted: int, there: int) -> Iterator[tuple[int, int]]:
    """(number of the turn, rows in it) until as many are there as are wanted."""
    for turn, start in enumerate(range(there, wanted, there), 1):
        yield turn, min(there, wanted - start)


class Copies:
    """Rows of the first people under other names. Names are of one length, so that bytes can stay bytes."""

    def __init__(self, store: Store) -> None:
        assert isinstance(store, SqliteStore)
        assert store._writer is not None
        self._database, self._sql = store._writer, store._sql
        self._profiles: list[Any] = self._database.execute(
            "SELECT tenant, person, body FROM profile ORDER BY person"
        ).fetchall()
        self._links: list[Any] = self._database.execute(
            "SELECT tenant, external, person FROM identity ORDER BY person"
        ).fetchall()

    def people(self, turn: int, count: int) -> None:
        """So many of them, and their links."""
        name, data = _renamed(turn)
        with self._all():
            self._database.executemany(
                self._sql["put_profile"],
                (
                    (t, name(person), pack(data(unpack(body))))
                    for t, person, body in self._profiles[:count]
                ),
            )
            self._database.executemany(
                self._sql["put_identity"],
                ((t, name(external), name(person)) for t, external, person in self._links[:count]),
            )

    def events(self, turn: int, count: int, seq: int, after: int) -> None:
        """So many of the records that follow offset ``after``, as the next after ``seq``; without the lessons
        that the shared model learned of the first ones, which a start does not read: 10 M would be 20 GB."""
        name, data = _renamed(turn)
        with self._all():
            first = self._database.execute(self._sql["records"], (after, after + count, count))
            while rows := list(islice(first, 10_000)):
                again: list[tuple[Any, ...]] = []
                keys: list[tuple[bytes, int]] = []
                offsets: dict[int, int] = {}
                for _, tenant, _, old, kind, sent, at_ms, received_ms, body, _ in rows:
                    seq, person, message = seq + 1, PersonId(name(old)), name(sent)
                    slot = slot_of(tenant, person)
                    head = (seq, tenant, slot, person, kind, message, at_ms, received_ms)
                    again.append((*head, data(body), b""))
                    keys.append((dedupe_key(tenant, message), seq))
                    offsets[slot] = seq
                self._database.executemany(self._sql["add_record"], again)
                self._database.executemany(self._sql["add_dedupe"], keys)
                self._database.executemany(self._sql["set_offset"], list(offsets.items()))

    @contextmanager
    def _all(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        yield
        self._database.execute("COMMIT")
        self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _renamed(turn: int) -> tuple[Callable[[str], str], Callable[[bytes], bytes]]:
    """Texts and bytes of the first turn as those of another."""
    assert turn < 1_000, "there are three digits for it"
    old, new = b"n000-", b"n%03d-" % turn
    return (
        lambda text: text.replace(old.decode(), new.decode()),
        lambda data: data.replace(old, new),
    )


def user(number: int, taught: int = TAUGHT_PEOPLE) -> str:
    """The id of one of all people."""
    return f"n{number // taught:03d}-{number % taught:06d}"


class Shop:
    """What people do in it."""

    def __init__(self, items: int) -> None:
        self._items = items
        self._categories = categories(items)
        self._liked: dict[str, list[int]] = {}

    def event(self, user: str, message_id: str, chance: Random) -> Event:
        """The next thing that somebody does."""
        liked = self._liked.get(user)
        if liked is None:
            liked = self._liked[user] = [chance.randrange(self._categories) for _ in range(3)]
        item = self._item(chance.choice(liked), chance)
        what = chance.random()
        name, properties = "Product Viewed", self._product(item)
        if what > 0.95:
            name = "Order Completed"
            products = [self._product(item), self._product(self._item(liked[0], chance))]
            properties = {"order_id": f"o-{message_id}", "products": products}
        elif what > 0.85:
            name = "Product Added"
        return Event(message_id, "track", 0, name, user_id=user, properties=properties)

    def item(self, chance: Random) -> str:
        """One item, the popular ones most."""
        return f"i{self._item(chance.randrange(self._categories), chance)}"

    def _item(self, category: int, chance: Random) -> int:
        """One of a category: the first ones most (a Zipf of exponent about 1)."""
        size = self._items // self._categories
        place = int(size ** chance.random()) - 1
        return place * self._categories + category + 1

    def _product(self, number: int) -> dict[str, object]:
        return {"product_id": f"i{number}", "price": price(number), "quantity": 1}


def categories(items: int) -> int:
    """How many there are: of about 500 items each."""
    return max(20, items // 500)


def price(number: int) -> float:
    """Of an item."""
    return 5.0 + number * 7 % 500


def an_item(number: int, kinds: int) -> Item:
    """Of the catalogue, of one of so many categories."""
    return Item(
        item_id=f"i{number}",
        title=f"Item {number}",
        category=f"c{number % kinds}",
        brand=f"b{number % 97}",
        attributes={"department": f"d{number % 20}"},
        price=price(number),
    )
