"""Events that are sent again: in other batches, out of order, at the same time, before and after restarts.

What is sent is a function of its number, so a million need no memory. Batches are bodies as a client sends
them; they take the way of ``POST /v1/batch`` below the socket (``segment.parse``, ``Engine.accept``), several
at once, while the engine serves; between two lives of it, closed months are sealed. Then each event is sent
once, in the order in which the first copies came and at the times when they came, to a fresh engine: offsets,
state and shared model must be the same to the bit. The order is kept because it is a signal: what follows what
is learned from. What no order may change, how often each person did what, is counted apart, from the numbers.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec

from germane.app.engine import Engine
from germane.app.opening import open_engine, save_snapshot
from germane.app.receipt import Receipt
from germane.domain.event import Event
from germane.domain.ids import DEFAULT_TENANT
from germane.ingest.segment import parse
from germane.testing import FakeWorld, a_shop, an_item
from germane.testing.world import START_MS

ITEMS, ORDER_EVERY, MERGE_EVERY, NAMELESS_EVERY = 500, 12, 50, 10
"""Items there are; of every so many events one is an order, one tells whose a device is, one comes from a
device alone."""
SPAN_MS = 200 * 86_400_000
"""From the first event to the last one, by their own time."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How many events, how they are sent again."""

    events: int
    again: int
    """So many more messages, each a copy of one of them."""
    rounds: int
    """Batches of one round are sent at the same time."""
    lives: int
    """The engine is closed and opened again between two of them."""
    people: int = 500
    batch: int = 100
    senders: int = 8
    seed: int = 5

    def at_ms(self, number: int) -> int:
        """When an event happened."""
        return START_MS + number * SPAN_MS // self.events

    def user(self, number: int) -> int:
        """Whose an event is: some are there often."""
        return int(self.people * (_mixed(number, 1) % 10_007 / 10_007) ** 2)

    def sent(self) -> Iterator[list[int]]:
        """Numbers of the events of each round, shuffled: a first copy is sent within ten rounds of its turn,
        another one in any round, also before it."""
        chance, per = random.Random(self.seed), self.events / self.rounds
        rounds: list[list[int]] = [[] for _ in range(self.rounds)]
        for number in range(self.events):
            late = min(int(number / per) + chance.randrange(10), self.rounds - 1)
            rounds[late].append(number)
        for _ in range(self.again):
            rounds[chance.randrange(self.rounds)].append(chance.randrange(self.events))
        for each in rounds:
            chance.shuffle(each)
            yield each


@dataclass(slots=True)
class Found:
    """What came of it."""

    sent: int = 0
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    sealed: int = 0
    """Records that were moved into history meanwhile."""
    state: str = ""
    model: str = ""
    counted: Counter[str] = field(default_factory=Counter)
    """Interactions of each person, and events in the log."""

    def told(self, sent: int, receipt: Receipt) -> None:
        """What was said of a batch."""
        self.sent += sent
        self.accepted += receipt.accepted
        self.duplicates += receipt.duplicates
        self.rejected += receipt.rejected


def a_message(number: int, plan: Plan) -> dict[str, Any]:
    """The event of that number as a client sends it."""
    user = plan.user(number)
    message: dict[str, Any] = {
        "messageId": f"message-{number}",
        "timestamp": plan.at_ms(number),
        "userId": f"u{user}",
    }
    if number % MERGE_EVERY == 0:
        return message | {"type": "identify", "anonymousId": f"a{user}", "traits": {"likes": "c2"}}
    if number % NAMELESS_EVERY == 0:
        del message["userId"]
        message["anonymousId"] = f"a{user}"
    items = [f"i{_mixed(number, salt) % ITEMS}" for salt in (2, 3)]
    if number % ORDER_EVERY == 1:
        products = [{"product_id": each, "price": 9.5} for each in dict.fromkeys(items)]
        properties: dict[str, Any] = {"order_id": f"order-{number}", "products": products}
        return message | {"type": "track", "event": "Order Completed", "properties": properties}
    viewed = {"product_id": items[0]}
    return message | {"type": "track", "event": "Product Viewed", "properties": viewed}


def oracle(plan: Plan) -> Counter[str]:
    """How many interactions each person has, and how many events there are, counted from the numbers."""
    found: Counter[str] = Counter({"events": plan.events})
    for number in range(plan.events):
        message = a_message(number, plan)
        things = message.get("properties", {})
        found[f"u{plan.user(number)}"] += len(things.get("products", [1] if things else []))
    return +found


def resend(plan: Plan, folder: Path, tick: Callable[[], None] = lambda: None) -> Found:
    """Send everything, with restarts; ``tick`` is called after each round."""
    found, world = Found(), FakeWorld(START_MS)
    for life, rounds in enumerate(_lives(plan), 1):
        engine = _opened(folder, world)
        asyncio.run(_live(engine, world, rounds, plan, found, tick))
        found.sealed += engine.seal()
        if life % 2:  # every other start folds the tail of the log
            save_snapshot(engine, folder)
        if life == plan.lives:
            _look(engine, found)
        engine.store.close()
    return found


def send_once(first: Path, folder: Path, tick: Callable[[], None] = lambda: None) -> Found:
    """Each event once, in the order and at the times in which ``first`` has them."""
    found, world, read = Found(), FakeWorld(START_MS), open_engine(a_shop(), first, mode="read")
    records = (each for each in read.store.read(0) if each.kind == "event")
    engine = _opened(folder, world)
    for received_ms, group in groupby(records, lambda x: x.received_ms):
        world.advance(seconds=(received_ms - world.now_ms()) / 1000)
        events = [msgspec.msgpack.decode(each.body, type=Event) for each in group]
        found.told(len(events), engine.accept_now(events))
        tick()
    read.store.close()
    _look(engine, found)
    engine.store.close()
    return found


def _lives(plan: Plan) -> Iterator[list[list[int]]]:
    """The rounds between two restarts."""
    rounds, lives = [*plan.sent()], plan.lives
    for each in range(lives):
        yield rounds[each * len(rounds) // lives : (each + 1) * len(rounds) // lives]


async def _live(
    engine: Engine,
    world: FakeWorld,
    rounds: list[list[int]],
    plan: Plan,
    found: Found,
    tick: Callable[[], None],
) -> None:
    await engine.start()
    for numbers in rounds:
        world.advance(seconds=SPAN_MS / plan.rounds / 1000)
        batches = [numbers[n : n + plan.batch] for n in range(0, len(numbers), plan.batch)]
        shares = [batches[n :: plan.senders] for n in range(plan.senders)]
        await asyncio.gather(*(_sender(engine, share, plan, found) for share in shares))
        tick()
    await engine.stop()


async def _sender(engine: Engine, batches: list[list[int]], plan: Plan, found: Found) -> None:
    for numbers in batches:
        body = json.dumps({"batch": [a_message(each, plan) for each in numbers]}).encode()
        now_ms = engine.world.now_ms()
        parsed = parse(body, route="batch", wall_ms=now_ms, now_ms=now_ms)
        found.told(len(numbers), await engine.accept(parsed.events, parsed.rejected))


def _opened(folder: Path, world: FakeWorld) -> Engine:
    engine = open_engine(a_shop(), folder, world=world)
    if engine.seq == 0:
        with engine.importer() as importer:
            importer.add_items([an_item(n) for n in range(ITEMS)])
    return engine


def _look(engine: Engine, found: Found) -> None:
    """State, model, and what was counted of each person."""
    found.state, found.model = engine.store.state_hash(), engine.model.digest()
    found.counted["events"] = sum(x.kind == "event" for x in engine.store.read(0, archived=True))
    after = ""
    while page := engine.store.profiles(DEFAULT_TENANT, after=after, limit=1000):
        for each in page:
            found.counted["u" + each.person[3:]] += int(each.evidence)
        after = page[-1].person
    found.counted = +found.counted


def _mixed(number: int, salt: int) -> int:
    """A number that looks random, the same each time."""
    x = (number * 4 + salt) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
    return (x ^ x >> 31) * 0xBF58476D1CE4E5B9 >> 33 & 0x7FFFFFFF
