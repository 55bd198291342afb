"""The same work every time: a small shop, events that are folded, questions that are answered.

What it costs is counted (machine instructions, bytecodes), so that a change that makes the hot paths dearer is
seen on any machine, whatever else runs there: nothing here reads a clock or waits.

    python -m germane.testing.work FOLDS DECISIONS

folds, then decides; between the parts it calls ``getpriority``, where a counter can be read
(``valgrind --tool=callgrind --dump-before=getpriority``).
"""

from __future__ import annotations

import gc
import os
import sys
from random import Random

from germane.app.engine import Engine
from germane.app.world import ReplayWorld
from germane.domain.decision import Ask
from germane.domain.event import Event
from germane.domain.settings import RuleSpec, Settings
from germane.predict.model import SharedModel
from germane.storage.memory import MemoryStore
from germane.testing.builders import a_shop, an_event, an_item, an_order
from germane.testing.world import START_MS

ITEMS, PEOPLE = 1_000, 100
TAUGHT = 500
"""Events before anything is counted: caches are filled, the people have a history."""
STEP_MS = 1_000
PARTS = ("start", "fold", "decide")
"""What the counter is read after."""


class Work:
    """An engine in memory that has seen the first events."""

    def __init__(self) -> None:
        settings = shop()
        self._clock = ReplayWorld(START_MS)
        self._chance = Random(1)  # noqa: S311 - the same each time
        self._events = 0
        self.engine = Engine(
            settings, MemoryStore(), SharedModel(settings), self._clock, key=b"k" * 32
        )
        with self.engine.importer() as importer:
            importer.add_items([an_item(number) for number in range(ITEMS)])
        self.fold(TAUGHT)
        self.decide(PEOPLE)

    def fold(self, count: int) -> None:
        """So many events are accepted, one by one."""
        for _ in range(count):
            self._clock.move(START_MS + self._events * STEP_MS)
            self.engine.accept_now([self._event()])
            self._events += 1

    def decide(self, count: int) -> None:
        """So many slates, each logged."""
        for number in range(count):
            decisions, _ = self.engine.decide(f"u{number % PEOPLE}", "", "", [Ask("home")])
            assert len(decisions[0].items) == 10

    def _event(self) -> Event:
        chance, at_ms = self._chance, self._clock.now_ms()
        user, message_id = f"u{chance.randrange(PEOPLE)}", f"m{self._events}"
        item = f"i{int(ITEMS ** chance.random()) - 1}"
        if self._events % 20:
            return an_event(user=user, item=item, at_ms=at_ms, message_id=message_id)
        ids = {"order_id": f"o{self._events}", "message_id": message_id}
        return an_order([item, "i1"], user=user, at_ms=at_ms, **ids)


def shop() -> Settings:
    """With ten places, rules of two kinds, a quota and exploration."""
    rules = (
        RuleSpec("exclude", when="item.price > 900.0"),
        RuleSpec("boost", when='item.brand == "b1"', factor=1.2),
    )
    return a_shop(surface={"size": 10, "diversity_quota": 0.15, "rules": rules})


def main() -> None:
    """The parts, one after the other."""
    folds, decisions = int(sys.argv[1]), int(sys.argv[2])
    work = Work()
    gc.collect()
    gc.disable()  # when it collects depends on all that was imported
    os.getpriority(os.PRIO_PROCESS, 0)
    work.fold(folds)
    os.getpriority(os.PRIO_PROCESS, 0)
    work.decide(decisions)
    os.getpriority(os.PRIO_PROCESS, 0)


if __name__ == "__main__":
    main()
