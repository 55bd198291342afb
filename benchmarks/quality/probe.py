"""Where the targets are lost: are they among Germane's candidates at all, and whose candidates are they?

The only part that looks inside the engine. What it finds is reported, and judges nothing.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from benchmarks.quality.frame import Frame, Ints
from benchmarks.quality.protocols import Task
from germane.app.engine import Engine
from germane.predict.candidates import TOGETHER, Candidates, _strongest
from germane.predict.model import SharedModel
from germane.predict.person import Person
from germane.predict.state import State

LIMIT = 4_000
"""Questions looked at per task: every so-manieth."""


class Probe:
    """Collects, per task, whether each target was a candidate and what the person's past says of it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._rows: dict[str, list[tuple[int, ...]]] = defaultdict(list)
        self._targets: dict[str, list[list[int]]] = {}
        self._counts: dict[str, list[int]] = defaultdict(list)
        self._by_source: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self._ids: dict[int, str] = {}

    def look(self, name: str, task: Task, query: int, user: str, number: dict[str, int]) -> None:
        """After a question, before anything is learned."""
        step = max(len(task.queries) // LIMIT, 1)
        if query % step:
            return
        if name not in self._targets:
            self._targets[name] = [[] for _ in range(len(task.queries))]
            for target, owner in enumerate(task.queries.target_query.tolist()):
                self._targets[name][owner].append(target)
        engine, model = self._engine, self._engine.model
        assert isinstance(model, SharedModel)
        profile = engine._deciding.whose(engine.tenant, user, "")
        at_ms = engine.world.now_ms()
        state = model.state
        person = Person(profile, state, engine.settings, at_ms)
        found = Candidates(state, person, engine.trust(profile))
        features = found.matrix()
        place_of = {state.ids[each]: n for n, each in enumerate(found.numbers.tolist())}
        self._counts[name].append(len(place_of))
        if not self._ids:
            self._ids = {n: each for each, n in number.items()}
        origins = _origins(found, person, state)
        reachable = set(found.goes[0].tolist()) | set(found.goes_long[0].tolist())
        scores = features @ state.blender.weights("", new=task.exclude_seen)
        order = np.argsort(-scores, kind="stable")
        rank = np.empty(len(order), dtype=int)
        rank[order] = np.arange(1, len(order) + 1)
        for target in self._targets[name][query]:
            item = self._ids[int(task.queries.target_item[target])]
            place = place_of.get(item)
            own = profile.own_items.get(item)
            known = state.index.get(item, -1)
            met = known >= 0 and state.slow.sums[known] > 0
            self._rows[name].append(
                (
                    target,
                    -1 if place is None else int(rank[place]),
                    int(own is not None and own.count > 0),
                    int(met),
                    len(profile.own_items),
                    int(known in reachable),
                    *(_place(counts.sums, known) for counts in (state.fast, state.mid, state.slow)),
                )
            )
            for source, numbers in origins.items():
                self._by_source[name][source] += known in numbers

    def summary(self, frame: Frame) -> dict[str, Any]:
        """Shares of the targets by what became of them."""
        out = {}
        for name, rows in self._rows.items():
            table = np.array(rows)
            inside, own, met = table[:, 1] > 0, table[:, 2] > 0, table[:, 3] > 0
            newcomer = table[:, 4] == 0
            out[name] = {
                "targets": len(table),
                "candidates": float(np.mean(self._counts[name])),
                "inside": float(inside.mean()),
                "inside_top20": float((inside & (table[:, 1] <= 20)).mean()),
                "inside_top100": float((inside & (table[:, 1] <= 100)).mean()),
                "own": float(own.mean()),
                "inside_of_own": _share(inside, own),
                "inside_of_new": _share(inside, ~own),
                "never_met_by_anyone": float((~met).mean()),
                "of_newcomers": float(newcomer.mean()),
                "inside_of_newcomers": _share(inside, newcomer),
                "inside_of_known_new": _share(inside, ~own & ~newcomer & met),
                "missed_but_goes_with_history": float((~inside & (table[:, 5] > 0)).mean()),
                "missed_but_popular_200": float(
                    (~inside & (table[:, 6:].min(axis=1) <= 200)).mean()
                ),
                "proposed_by": {
                    source: count / len(table) for source, count in self._by_source[name].items()
                },
            }
        return out

    def arrays(self) -> dict[str, Ints]:
        """Target number, rank among the candidates (-1: none), own, met by anyone, own items, goes with
        the history, place by popularity (days, weeks, months)."""
        return {f"probe/{name}": np.array(rows) for name, rows in self._rows.items()}


def _share(inside: Any, of: Any) -> float | None:
    return float(inside[of].mean()) if of.any() else None


def _origins(found: Candidates, person: Person, state: State) -> dict[str, set[int]]:
    """Who proposes which items, as ``Candidates`` gathers them."""
    whole = set(found.numbers.tolist())
    out = {
        "own": set(person.own.numbers),
        "together": set(_strongest(found.goes, TOGETHER)),
        "together_long": set(_strongest(found.goes_long, TOGETHER)),
        "popular": set(state.lists.popular),
        "new": set(found._new_items()),
    }
    known = set().union(*out.values())
    return out | {"interests_or_adjacent_only": whole - known}


def _place(sums: Any, number: int) -> int:
    """Place by a decayed count, from 1; a large number for what was never counted."""
    if number < 0 or sums[number] <= 0:
        return 1_000_000
    return int((sums > sums[number]).sum()) + 1
