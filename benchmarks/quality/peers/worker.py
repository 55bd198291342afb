"""One peer on one task, in a process and an environment of its own: tune, fit, list.

``python -m benchmarks.quality.peers.worker FRAME.npz TASK PEER SEED OUT.npz``
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quality.frame import Ints, read
from benchmarks.quality.peers import catalogue
from benchmarks.quality.peers.base import (
    TAU_DAYS,
    Asked,
    Params,
    Wrap,
    fitted,
    lists,
    ndcg,
)
from benchmarks.quality.protocols import Task, stretches, tasks, tuning

TRIALS = 10
BUDGET_S = 75.0
"""No further trial is begun after this."""


def draw(space: dict[str, tuple[Any, ...]], seed: int, trials: int) -> list[Params]:
    """The default, then random settings, none twice."""
    rng = np.random.default_rng(seed)
    found = [{name: values[0] for name, values in space.items()}]
    for _ in range(20 * trials):
        if len(found) > trials:
            break
        new = {name: values[rng.integers(len(values))] for name, values in space.items()}
        if new not in found:
            found.append(new)
    return found


def tune(make: Any, task: Task, seed: int, trials: int = TRIALS) -> tuple[Params, Wrap, list[Any]]:
    """The best setting, and the best weighting of histories with it, on a task that holds no test."""
    asked, started = Asked(task), time.perf_counter()
    tried: list[tuple[float, Params, float]] = []
    for number, params in enumerate(draw(make.space, seed, trials)):
        if tried and time.perf_counter() - started > BUDGET_S:
            break
        peer, popular, seconds = fitted(make, params, task.known, task.start, seed)
        found, _ = lists(peer, popular, asked, Wrap())
        tried.append((ndcg(found, task.queries, single=task.single), params, seconds))
        say(f"trial {number + 1}", number + 1, trials + 1)
    best = max(tried, key=lambda each: each[0])[1]
    peer, popular, _ = fitted(make, best, task.known, task.start, seed)
    wraps: list[tuple[float, Wrap]] = []
    for tau in TAU_DAYS:
        for pile in ("max", "sum"):
            found, _ = lists(peer, popular, asked, Wrap(tau, pile))
            wraps.append((ndcg(found, task.queries, single=task.single), Wrap(tau, pile)))
    return best, max(wraps, key=lambda each: each[0])[1], [tried, wraps]


def run(
    make: Any, task: Task, params: Params, wrap: Wrap, seed: int
) -> tuple[dict[str, Ints], dict[str, Any]]:
    """Lists by setting: fitted once, fitted anew along the stream, and both wrapped."""
    asked, parts = Asked(task), stretches(task)
    out: dict[str, Ints] = {}
    times: dict[str, Any] = {"fit_s": []}
    for number, (row, span) in enumerate(parts):
        peer, popular, seconds = fitted(make, params, task.known, row, seed)
        times["fit_s"].append(seconds)
        for name, how in (("tuned", Wrap()), ("wrapped", wrap)):
            if number == 0:
                found, ms = lists(peer, popular, asked, how)
                out[name] = found
                times[f"{name}_ms"] = ms
                if len(parts) > 1:
                    out[f"{name}-refit"] = found.copy()
            elif span[1] > span[0]:
                out[f"{name}-refit"][span[0] : span[1]], _ = lists(peer, popular, asked, how, span)
        say(f"fit {number + 1}", number + 1, len(parts))
    return out, times


def say(what: str, done: int, of: int) -> None:
    """Progress for the parent process."""
    print(json.dumps({"what": what, "done": done, "of": of}), flush=True)


def main() -> None:
    """Do one job."""
    frame_path, task_name, name, seed, out = sys.argv[1:6]
    frame = read(Path(frame_path))
    make = catalogue.make(name)
    task = next(each for each in tasks(frame) if each.name == task_name)
    started = time.perf_counter()
    params, wrap, trials = tune(make, tuning(task), int(seed))
    tuned_s = time.perf_counter() - started
    found, times = run(make, task, params, wrap, int(seed))
    tried, wraps = trials
    meta = {
        "params": params,
        "wrap": {"tau_days": wrap.tau_days, "pile": wrap.pile},
        "trials": [[round(value, 5), each, round(s, 3)] for value, each, s in tried],
        "wraps": [[round(value, 5), each.tau_days, each.pile] for value, each in wraps],
        "times": times | {"tune_s": tuned_s},
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    arrays: dict[str, Any] = {setting: rows.astype(np.int32) for setting, rows in found.items()}
    np.savez_compressed(out, meta=np.array(json.dumps(meta)), **arrays)


if __name__ == "__main__":
    main()
