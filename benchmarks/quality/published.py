"""The 387 next clicks for which lists of four published methods exist (YooChoose, session-rec).

The published lists were made by models fitted to the first six days; Germane has learned every click
before the one that is asked for, as it would have. ``python -m benchmarks.quality.published``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quality import metrics
from benchmarks.quality.cells import HERE, write
from benchmarks.quality.data import load, table
from benchmarks.quality.frame import Frame, Ints
from benchmarks.quality.germane_run import Runner, project
from benchmarks.quality.protocols import Queries, Task

DATA = "yoochoose-100k"
SIZE = 20


def questions(frame: Frame) -> tuple[Queries, dict[str, Ints]]:
    """What was clicked next, and the published lists by method."""
    rows = table(DATA, "peer_recommendations")
    item_number = {item: number for number, item in enumerate(frame.items)}
    user_number = {user: number for number, user in enumerate(frame.users)}
    clicks: dict[int, list[int]] = {}
    for row, user in enumerate(frame.user.tolist()):
        clicks.setdefault(user, []).append(row)
    place: dict[tuple[str, int], int] = {}
    target: list[int] = []
    lists: dict[str, dict[tuple[int, int], int]] = {}
    for method, session, position, rank, item in zip(
        *(rows[name] for name in ("method", "session_id", "position", "rank", "item_id")),
        strict=True,
    ):
        key = (session, position)
        if key not in place:
            place[key] = len(place)
            target.append(clicks[user_number[session]][position + 1])
        if rank <= SIZE:
            lists.setdefault(method, {})[place[key], rank - 1] = item_number.get(item, -1)
    order = np.argsort(np.array(target), kind="stable")
    new_place = np.empty(len(order), dtype=np.int64)
    new_place[order] = np.arange(len(order))
    asked = np.array(target)[order]
    queries = Queries(
        frame.user[asked], frame.at_ms[asked], np.arange(len(asked)), frame.item[asked]
    )
    out = {}
    for method, cells in lists.items():
        out[method] = np.full((len(asked), SIZE), -1)
        for (query, rank), item in cells.items():
            out[method][new_place[query], rank] = item
    return queries, out


def measure() -> dict[str, Any]:
    """MRR@20 and hit rate of Germane and the published methods on the same clicks."""
    frame = load(DATA)
    queries, lists = questions(frame)
    start = int(np.searchsorted(frame.at_ms, queries.at_ms.min(), "left"))
    task = Task("published", "temporal", frame, queries, start, False, True)
    runner = Runner(frame, project(DATA).read_text("utf-8"), probe=False)
    lists["germane"] = runner.run([task])["published"]
    out: dict[str, Any] = {"n": len(queries)}
    for name, found in lists.items():
        scored = metrics.scored(found, queries, single=True)
        out[name] = {
            "mrr20": round(scored.mean("mrr20"), 5),
            "recall20": round(scored.mean("recall20"), 5),
            "mrr20_95": [round(each, 5) for each in scored.interval("mrr20")],
        }
    return out


def ensured(folder: Path, digest: str) -> dict[str, Any]:
    """The measurement from the cache, made now when it is not there."""
    path = folder / DATA / f"published-{digest}.json"
    if not path.exists():
        write(path, measure())
    found: dict[str, Any] = json.loads(path.read_text())
    return found


if __name__ == "__main__":
    print(json.dumps(ensured(HERE / ".cache", "now"), indent=2))
