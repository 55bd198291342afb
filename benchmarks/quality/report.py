"""From finished cells to the result file, the page and the figures."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.figures import record, write_result
from benchmarks.quality import page
from benchmarks.quality.cells import Cell, Cells
from benchmarks.quality.environment import ROOT
from benchmarks.quality.gaps import gaps
from benchmarks.quality.jobs import GERMANE, Job

COMMAND = "just bench quality"
TUNED, WRAPPED = ("tuned", "tuned-refit"), ("wrapped", "wrapped-refit")
GOALS = {
    "yoochoose-100k": "quality.yoochoose_prequential_ndcg10",
    "online-retail": "quality.retail_prequential_ndcg10",
    "moodle-course": "quality.moodle_prequential_ndcg10",
    "grocery": "quality.grocery_prequential_ndcg10",
    "ml-latest-small": "quality.movielens_prequential_ndcg10",
    "completejourney": "quality.journey_prequential_ndcg10",
}
LEAST_FIT_S = 0.001
"""What only counts is fitted in no time."""
TIMED = "ml-latest-small"
"""Times are told for the set with about 10,000 items."""


@dataclass
class Measured:
    """All cells of one task on one data set."""

    data: str
    task: str
    cells: list[Cell]
    missing: list[str]
    """Peers without a result yet."""

    def of(self, model: str, setting: str) -> Cell | None:
        """One cell."""
        found = (x for x in self.cells if (x.key.model, x.key.setting) == (model, setting))
        return next(found, None)

    def best(self, settings: Iterable[str]) -> Cell | None:
        """The best peer, chosen on the test itself, which favours the peers."""
        peers = [
            each
            for each in self.cells
            if each.key.model != GERMANE and each.key.setting in settings
        ]
        return max(peers, key=_ndcg, default=None)


def report(jobs: list[Job], cells: Cells, published: dict[str, Any] | None = None) -> None:
    """Write all that is measured: `results/quality.json`, the page, the figures that are complete."""
    found = collected(jobs, cells)
    rows = [row for each in found if (row := summary(each))]
    if not rows:
        print("Nothing is measured yet.")
        return
    whole = [_plain(cell) for each in found for cell in each.cells]
    missed = gaps(jobs, cells)
    result = {"summary": rows, "published": published, "gaps": missed, "cells": whole}
    write_result("quality", result)
    target = ROOT / "docs" / "explanation" / "quality.md"
    target.write_text(page.write(rows, whole, missed, published))
    for row in rows:
        print(page.line(row))
    figures(rows, [each for each in found if each.of(GERMANE, "default") is None])
    if published is not None:
        _record("quality.yoochoose_peer_mrr20", published["germane"]["mrr20"], published["n"])


def collected(jobs: list[Job], cells: Cells) -> list[Measured]:
    """The cells that are there and current, by data set and task."""
    out: dict[tuple[str, str], Measured] = {}
    for job in jobs:
        for task in job.tasks:
            out.setdefault((job.frame.name, task.name), Measured(job.frame.name, task.name, [], []))
        keys = job.keys()
        got = [cell for key in keys if (cell := cells.get(key)) is not None]
        for cell in got:
            out[job.frame.name, cell.key.task].cells.append(cell)
        if len(got) < len(keys) and job.model != GERMANE:
            out[job.frame.name, job.tasks[0].name].missing.append(job.model)
    return list(out.values())


def summary(measured: Measured) -> dict[str, Any] | None:
    """Germane against the best peers of a task."""
    ours = measured.of(GERMANE, "default")
    if ours is None:
        return None
    row: dict[str, Any] = {
        "data": measured.data,
        "task": measured.task,
        "n": int(sum(ours.n)),
        "people": len(ours.person),
        "germane": _figures(ours),
        "missing_peers": measured.missing,
        "probe": ours.extra.get("probe", {}),
        "times": ours.times,
    }
    shipped = measured.of(GERMANE, "shipped")
    if shipped is not None:
        row["shipped"] = _figures(shipped)
    for name, settings in (("tuned", TUNED), ("wrapped", WRAPPED)):
        peer = measured.best(settings)
        if peer is not None:
            ratio, interval = ours.scored.ratio(peer.scored, "ndcg10")
            row[name] = _figures(peer) | {
                "model": peer.key.model,
                "setting": peer.key.setting,
                "ratio": _finite(ratio),
                "ratio_95": [_finite(each) for each in interval],
                "times": peer.times,
            }
    if (peer := measured.best(TUNED)) and (refitted := measured.of(peer.key.model, "tuned-refit")):
        ratio = ours.times["train_s"] / max(refitted.times["fit_s"], LEAST_FIT_S)
        row["training"] = {
            "train_s": round(ours.times["train_s"], 3),
            "peer": peer.key.model,
            "peer_fits_s": round(refitted.times["fit_s"], 3),
            "ratio": round(ratio, 3),
        }
    return row


def figures(rows: list[dict[str, Any]], unseen: list[Measured]) -> None:
    """Record what is complete; say what is not. ``unseen``: tasks that Germane was not run on."""
    for row in rows:
        if row["task"] == "prequential" and row["data"] in GOALS:
            _record(GOALS[row["data"]], row["germane"]["ndcg10"], row["n"])
        if row["task"] == "last-out":
            _record("quality.beauty_ndcg10", row["germane"]["ndcg10"], row["n"])
        if row["task"] == "prequential" and row["data"] == TIMED:
            times = row["times"]
            _record("quality.predict_p50_ms", times["predict_ms_p50"], times["predictions"])
            _record("quality.predict_p99_ms", times["predict_ms_p99"], times["predictions"])
            _record("quality.event_update_p50_ms", times["learn_ms_p50"], row["n"] * 10)
    stream = [row for row in rows if row["task"] == "prequential"]
    lists = [row for row in rows if row["task"].startswith("temporal")]
    streams = sum(each.task == "prequential" for each in unseen)
    splits = sum(each.task.startswith("temporal") for each in unseen)
    _least("quality.prequential_min_ratio", stream, "tuned", streams)
    _least("quality.prequential_min_ratio_wrapped", stream, "wrapped", streams)
    _least("quality.temporal_min_ratio", lists, "tuned", splits)
    if not streams and all("training" in row and not row["missing_peers"] for row in stream):
        ratio = median(row["training"]["ratio"] for row in stream)
        _record("quality.train_seconds_ratio", ratio, len(stream))


def _least(key: str, rows: list[dict[str, Any]], kind: str, unseen: int) -> None:
    """Record the smallest ratio, once Germane and every peer have been run on every data set."""
    missing = unseen + sum(len(row["missing_peers"]) for row in rows)
    measured = [row for row in rows if kind in row]
    if not measured:
        return
    least = min(measured, key=lambda row: row[kind]["ratio"])
    value, n = least[kind]["ratio"], sum(row["n"] for row in measured)
    if missing:
        print(f"{key} so far {value:g} ({least['data']}); not recorded, missing runs: {missing}")
    else:
        _record(key, value, n)


def _record(key: str, value: float, n: int) -> None:
    record(key, round(value, 5), n=n, command=COMMAND)


def _figures(cell: Cell) -> dict[str, Any]:
    out: dict[str, Any] = {name: _rounded(value) for name, value in cell.metrics.items()}
    out["ndcg10_95"] = [_rounded(each) for each in cell.scored.interval("ndcg10")]
    return out


def _plain(cell: Cell) -> dict[str, Any]:
    """A cell for the result file: without the sums per person."""
    extra = {key: value for key, value in cell.extra.items() if key not in ("trials", "wraps")}
    return {
        "data": cell.key.data,
        "task": cell.key.task,
        "model": cell.key.model,
        "setting": cell.key.setting,
        "seed": cell.key.seed,
        "digest": cell.key.digest,
        "trials": len(cell.extra.get("trials", ())),
        "metrics": _figures(cell),
        "times": json.loads(json.dumps(cell.times), parse_float=lambda x: round(float(x), 4)),
        "extra": json.loads(json.dumps(extra), parse_float=lambda x: round(float(x), 5)),
    }


def _ndcg(cell: Cell) -> float:
    return cell.metrics["ndcg10"] or 0.0


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 5)


def _finite(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None
