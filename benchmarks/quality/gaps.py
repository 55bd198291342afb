"""Who has what Germane's candidates miss: each peer's best hundred, over the targets that were missed."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.quality import metrics
from benchmarks.quality.cells import Cells
from benchmarks.quality.frame import Ints
from benchmarks.quality.jobs import GERMANE, Job
from benchmarks.quality.protocols import Task

KINDS = ("all", "newcomer", "own", "new")
"""Targets: all; of people with no history; had before; not had before, by people with a history."""


def gaps(jobs: list[Job], cells: Cells) -> list[dict[str, Any]]:
    """One row for each data set, task and model that has been run."""
    out = []
    probed = {job.frame.name: _probe(job, cells) for job in jobs if job.model == GERMANE}
    for job in jobs:
        for task in job.tasks:
            table = probed.get(job.frame.name, {}).get(task.name)
            if table is None:
                continue
            lists, seen = table
            ours = metrics.ranks(lists, task.queries)[seen[:, 0]]
            for name, found in _ranks(job, task, cells).items():
                out.append(
                    {"data": job.frame.name, "task": task.name, "model": job.model, "setting": name}
                    | _shares(seen, ours, found[seen[:, 0]])
                )
    return out


def _probe(job: Job, cells: Cells) -> dict[str, tuple[Ints, Ints]]:
    """Task -> Germane's lists, and what the probe saw, one row a target (see ``Probe.arrays``)."""
    path = cells.path(job.keys()[0]).with_suffix(".npz")
    if not path.exists():
        return {}
    with np.load(path) as found:
        return {
            task.name: (found[task.name], found[f"probe/{task.name}"])
            for task in job.tasks
            if f"probe/{task.name}" in found
        }


def _ranks(job: Job, task: Task, cells: Cells) -> dict[str, Ints]:
    if job.model == GERMANE:
        return {}
    keys = {key.setting: key for key in job.keys()}  # noqa: SIM118 - not a mapping
    path = cells.path(next(iter(keys.values()))).with_suffix(".npz")
    if not path.exists():
        return {}
    with np.load(path) as found:
        return {
            name: metrics.ranks(found[name].astype(np.int64), task.queries)
            for name in keys
            if name.endswith("refit") or len(keys) == 2
        }


def _shares(seen: Ints, our_rank: Ints, their_rank: Ints) -> dict[str, Any]:
    """By kind of target: how many; the share that is among Germane's candidates, among the peer's
    hundred, and among the peer's hundred only; and both NDCG@10, each target on its own."""
    ours, theirs = seen[:, 1] > 0, their_rank > 0
    gained = [metrics.of_single(each)["ndcg10"] for each in (our_rank, their_rank)]
    newcomer, own = seen[:, 4] == 0, seen[:, 2] > 0
    kinds = (np.ones(len(seen), dtype=bool), newcomer, own, ~newcomer & ~own)
    out: dict[str, Any] = {}
    for name, kind in zip(KINDS, kinds, strict=True):
        n = int(kind.sum())
        if n:
            values = (ours, theirs, theirs & ~ours, *gained)
            names = ("germane", "peer", "peer_only", "germane_ndcg10", "peer_ndcg10")
            means = {
                key: round(float(each[kind].mean()), 4)
                for key, each in zip(names, values, strict=True)
            }
            out[name] = {"n": n} | means
    return out
