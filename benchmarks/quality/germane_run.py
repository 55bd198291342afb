"""Germane itself on a data set: one pass of its own engine over the stream, asked before it learns.

``python -m benchmarks.quality.germane_run DATA OUT.npz`` is run as a process of its own, so that its
peak of memory is its own too.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quality.cells import HERE
from benchmarks.quality.data import load
from benchmarks.quality.frame import Frame, Ints
from benchmarks.quality.probe import Probe
from benchmarks.quality.protocols import NEVER, Task, tasks
from germane.app.beside import Beside
from germane.app.engine import Engine
from germane.config import load_text
from germane.domain.decision import Ask
from germane.domain.event import Event
from germane.domain.item import Item
from germane.predict.model import SharedModel
from germane.storage.memory import MemoryStore
from germane.testing import FakeWorld

SLATE = 20
SHIPPED = "shipped"
"""The surface as it ships, with diversity quota and exploration; asked on streams beside the main one."""
DAY_MS = 86_400_000
Progress = Callable[[int, int], None]


def project(name: str) -> Path:
    """The configuration for a data set."""
    return HERE / "projects" / f"{name}.toml"


class Runner:
    """Feeds a stream to an engine, and asks it the tasks' questions at their time."""

    def __init__(self, frame: Frame, configuration: str, *, probe: bool = True) -> None:
        settings = load_text(configuration, {}).settings
        self.frame = frame
        self.event = next(iter(settings.signals.values())).event
        self.world = FakeWorld(int(frame.at_ms[0]))
        self.engine = Engine(
            settings, MemoryStore(), SharedModel(settings), self.world, key=b"q" * 32
        )
        self.number = {item: number for number, item in enumerate(frame.items)}
        self.learn_ms: list[float] = []
        self.decide_ms: dict[str, list[float]] = {}
        self.beside = Beside(self.engine)
        self.train_s = 0.0
        self.probe = Probe(self.engine) if probe else None
        for item in sorted({*frame.items, *frame.catalogue}):
            self.engine.fold_item(an_item(item, frame.catalogue.get(item, {})))

    def run(self, tasks: list[Task], progress: Progress | None = None) -> dict[str, Ints]:
        """Lists by the name of the task, shape (queries, 20); learns all that is known."""
        known = tasks[0].known
        asked = [(task, task.name, surface_of(task)) for task in tasks]
        asked += [
            (task, f"{task.name}/{SHIPPED}", SHIPPED)
            for task in tasks
            if task.protocol == "prequential"
        ]
        lists = {name: np.full((len(task.queries), SLATE), -1) for task, name, _ in asked}
        waiting = sorted(
            (int(at), place, query)
            for place, (task, _, _) in enumerate(asked)
            for query, at in enumerate(task.queries.at_ms)
        )
        starts = np.flatnonzero(np.diff(known.at_ms, prepend=known.at_ms[0] - 1))
        next_up = 0
        for start, stop in zip(starts, [*starts[1:], len(known)], strict=True):
            at_ms = int(known.at_ms[start])
            self.world._now_ms = at_ms
            self.train(at_ms)
            while next_up < len(waiting) and waiting[next_up][0] <= at_ms:
                self._answer(asked, lists, *waiting[next_up][1:])
                next_up += 1
            self._learn(known, int(start), int(stop))
            if progress is not None:
                progress(int(stop), len(known))
        self.world._now_ms = int(known.at_ms[-1]) + DAY_MS
        for at, place, query in waiting[next_up:]:
            assert at == NEVER
            self._answer(asked, lists, place, query)
        return lists

    def train(self, at_ms: int) -> None:
        """Background training when it is due, timed."""
        started = time.perf_counter()
        if self.beside.train(at_ms) is not None:
            self.train_s += time.perf_counter() - started

    def _answer(
        self, asked: list[tuple[Task, str, str]], lists: dict[str, Ints], place: int, query: int
    ) -> None:
        task, name, surface = asked[place]
        user = self.frame.users[task.queries.user[query]]
        started = time.perf_counter()
        (decision,), _ = self.engine.decide(user, "", "", [Ask(surface, size=SLATE)])
        self.decide_ms.setdefault(name, []).append(1000 * (time.perf_counter() - started))
        numbers = [self.number.get(each.item_id, -1) for each in decision.items]
        lists[name][query, : len(numbers)] = numbers
        if self.probe is not None and surface != SHIPPED:
            self.probe.look(name, task, query, user, self.number)

    def _learn(self, known: Frame, start: int, stop: int) -> None:
        for event in events(known, start, stop, self.event):
            started = time.perf_counter()
            txn, _, _ = self.engine.fold_events([event])
            self.learn_ms.append(1000 * (time.perf_counter() - started))
            self.beside.folded(txn)


def surface_of(task: Task) -> str:
    """Where the task is asked."""
    if task.name.startswith("temporal"):
        return "ahead-new" if task.exclude_seen else "ahead"
    return "new" if task.exclude_seen else "all"


def events(frame: Frame, start: int, stop: int, name: str) -> list[Event]:
    """The rows of one time as events: one for each row, or one for each order."""
    if frame.order is None:
        return [
            Event(
                f"row-{row}",
                "track",
                int(frame.at_ms[row]),
                name=name,
                user_id=frame.users[frame.user[row]],
                properties={"product_id": frame.items[frame.item[row]]},
            )
            for row in range(start, stop)
        ]
    found: dict[tuple[int, int], list[int]] = {}
    for row in range(start, stop):
        found.setdefault((int(frame.user[row]), int(frame.order[row])), []).append(row)
    return [
        Event(
            f"order-{order}-{rows[0]}",
            "track",
            int(frame.at_ms[rows[0]]),
            name=name,
            user_id=frame.users[user],
            properties={
                "order_id": f"{order}-{rows[0]}",
                "products": [_product(frame, row) for row in rows],
            },
        )
        for (user, order), rows in found.items()
    ]


def _product(frame: Frame, row: int) -> dict[str, Any]:
    price = {} if frame.price is None else {"price": round(float(frame.price[row]), 2)}
    return {"product_id": frame.items[frame.item[row]]} | price


def an_item(item_id: str, fields: dict[str, Any]) -> Item:
    """A catalogue entry."""
    return Item(item_id=item_id, **fields)


def report(done: int, of: int) -> None:
    """Progress for the parent process."""
    if done % 2_000 < 2 or done == of:
        print(json.dumps({"done": done, "of": of}), flush=True)


def main() -> None:
    """Run one data set and write its lists and times."""
    name, out = sys.argv[1], Path(sys.argv[2])
    frame = load(name)
    runner = Runner(frame, project(name).read_text("utf-8"))
    found = tasks(frame)
    started = time.perf_counter()
    lists = runner.run(found, report)
    learn = np.array(runner.learn_ms)
    times = {
        "seconds": time.perf_counter() - started,
        "train_s": runner.train_s,
        "learn_ms_p50": float(np.median(learn)),
        "learn_ms_p99": float(np.quantile(learn, 0.99)),
        "learn_ms_per_row": float(learn.sum() / len(found[0].known)),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "decide_ms": {
            each: [float(np.quantile(ms, 0.5)), float(np.quantile(ms, 0.99)), len(ms)]
            for each, ms in runner.decide_ms.items()
        },
        "probe": runner.probe.summary(frame) if runner.probe else {},
    }
    arrays: dict[str, Any] = lists | (runner.probe.arrays() if runner.probe else {})
    np.savez_compressed(out, times=np.array(json.dumps(times)), **arrays)


if __name__ == "__main__":
    main()
