"""What there is to do, and which of it is done already."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quality import germane_run
from benchmarks.quality.cells import HERE, Cells, Key, digest, score
from benchmarks.quality.environment import ROOT, Told, child, peers_python
from benchmarks.quality.frame import Frame
from benchmarks.quality.peers import catalogue
from benchmarks.quality.protocols import Task

GERMANE = "germane"
ENGINE = ("predict", "profile", "app", "ingest", "domain", "train", "storage")


@dataclass(frozen=True)
class Job:
    """One process: Germane on all tasks of a data set, or a peer on one task."""

    frame: Frame
    model: str
    tasks: tuple[Task, ...]
    seed: int

    @property
    def name(self) -> str:
        """For people."""
        what = self.tasks[0].name if self.model != GERMANE else "all protocols"
        return f"{self.frame.name} · {self.model} · {what}"

    def keys(self) -> list[Key]:
        """The cells that it fills."""
        if self.model == GERMANE:
            return germane_keys(self.frame, self.tasks, self.seed)
        return [
            _peer_key(self.frame, self.tasks[0], self.model, setting, self.seed)
            for setting in settings_of(self.tasks[0])
        ]


def settings_of(task: Task) -> tuple[str, ...]:
    """How a peer is run."""
    if task.protocol == "prequential":
        return ("tuned", "tuned-refit", "wrapped", "wrapped-refit")
    return ("tuned", "wrapped")


def germane_digest(frame: Frame) -> str:
    """Of the data, the engine, its runner and its configuration."""
    engine = ROOT / "src" / "germane"
    files = [path for part in ENGINE for path in (engine / part).rglob("*.py")]
    files.append(HERE / "germane_run.py")
    return digest(frame, files, germane_run.project(frame.name).read_text("utf-8"))


def germane_keys(frame: Frame, tasks: tuple[Task, ...], seed: int) -> list[Key]:
    """Cells of one pass."""
    version = germane_digest(frame)
    pairs = [(task.name, "default") for task in tasks]
    pairs += [(task.name, "shipped") for task in tasks if task.protocol == "prequential"]
    return [Key(frame.name, name, GERMANE, setting, seed, version) for name, setting in pairs]


def _peer_key(frame: Frame, task: Task, model: str, setting: str, seed: int) -> Key:
    module = catalogue.MODULES[model][0]
    files = [HERE / "peers" / f"{name}.py" for name in ("base", "worker", module)]
    version = digest(frame, files, (HERE / "requirements.txt").read_text())
    return Key(frame.name, task.name, model, setting, seed, version)


def do(job: Job, cells: Cells, told: Told) -> None:
    """Run a job and keep its cells."""
    out = cells.path(job.keys()[0]).with_suffix(".npz")
    out.parent.mkdir(parents=True, exist_ok=True)
    if job.model == GERMANE:
        child(None, ["benchmarks.quality.germane_run", job.frame.name, str(out)], told)
        _keep_germane(job, cells, out)
        return
    frame = cells.folder / "frames" / f"{job.frame.name}-{job.frame.digest}.npz"
    if not frame.exists():
        job.frame.save(frame)
    task = job.tasks[0]
    python = peers_python(cells.folder, told)
    module = "benchmarks.quality.peers.worker"
    child(python, [module, str(frame), task.name, job.model, str(job.seed), str(out)], told)
    with np.load(out) as found:
        meta = json.loads(str(found["meta"]))
        for key in job.keys():  # noqa: SIM118 - not a mapping
            name = key.setting
            times = _peer_times(meta, name)
            extra = {"params": meta["params"], "trials": meta["trials"]}
            if name.startswith("wrapped"):
                extra |= {"wrap": meta["wrap"], "wraps": meta["wraps"]}
            lists = found[name].astype(np.int64)
            cells.put(score(key, task, job.frame, lists, times, extra))


def _peer_times(meta: dict[str, Any], setting: str) -> dict[str, Any]:
    fits = meta["times"]["fit_s"]
    return {
        "fit_s": sum(fits) if setting.endswith("refit") else fits[0],
        "fits": len(fits) if setting.endswith("refit") else 1,
        "tune_s": meta["times"]["tune_s"],
        "predict_ms": meta["times"][f"{setting.removesuffix('-refit')}_ms"],
        "peak_mb": meta["peak_mb"],
    }


def _keep_germane(job: Job, cells: Cells, out: Path) -> None:
    with np.load(out) as found:
        times = json.loads(str(found["times"]))
        probe = times.pop("probe")
        decide = times.pop("decide_ms")
        for key in job.keys():  # noqa: SIM118 - not a mapping
            task = next(each for each in job.tasks if each.name == key.task)
            name = key.task if key.setting == "default" else f"{key.task}/{key.setting}"
            p50, p99, n = decide[name]
            mine = times | {"predict_ms_p50": p50, "predict_ms_p99": p99, "predictions": n}
            extra = {"probe": probe.get(key.task, {})} if key.setting == "default" else {}
            cells.put(score(key, task, job.frame, found[name].astype(np.int64), mine, extra))
