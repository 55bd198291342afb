"""Finished work: one small file for each measured thing, named by all that it depends on."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quality import metrics
from benchmarks.quality.frame import Frame, Ints
from benchmarks.quality.metrics import Scored
from benchmarks.quality.protocols import Task

HERE = Path(__file__).parent
COMMON = ("frame.py", "protocols.py")
KEPT = HERE.parent / "results" / "cells"
"""What peers reached, kept with the code: it takes hours, and does not change with Germane."""


@dataclass(frozen=True)
class Key:
    """What a cell depends on."""

    data: str
    task: str
    model: str
    setting: str
    seed: int
    digest: str
    """Of the data, the code that made it, and its configuration."""

    @property
    def file(self) -> str:
        """Name of its file inside the cache."""
        model = f"{self.model}-{self.setting}-s{self.seed}-{self.digest}"
        return f"{self.data}/{self.task}/{model}.json"


@dataclass
class Cell:
    """A measured thing."""

    key: Key
    cut: int
    metrics: dict[str, float | None]
    person: list[int]
    n: list[float]
    sums: dict[str, list[float]]
    times: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def scored(self) -> Scored:
        """Sums per person, for intervals."""
        sums = {name: np.array(values) for name, values in self.sums.items()}
        return Scored(np.array(self.person), np.array(self.n), sums)


class Cells:
    """The cache folder, and what is kept beside it."""

    def __init__(self, folder: Path, kept: Path = KEPT) -> None:
        self.folder = folder
        self._kept = kept

    def path(self, key: Key) -> Path:
        """Where a cell is, or will be."""
        return self.folder / key.file

    def get(self, key: Key) -> Cell | None:
        """A finished cell."""
        path, kept = self.path(key), self._kept_at(key)
        if path.exists():
            found = json.loads(path.read_text())
        elif kept.exists():
            found = json.loads(gzip.decompress(kept.read_bytes()))
        else:
            return None
        return Cell(**(found | {"key": Key(**found["key"])}))

    def keep(self, keys: Iterable[Key]) -> int:
        """Keep the finished ones of these, and no others; how many there are."""
        cells = [each for each in map(self.get, keys) if each is not None]
        for path in sorted({*self._kept.rglob("*.gz")} - {self._kept_at(x.key) for x in cells}):
            path.unlink()
        for each in cells:
            path, data = self._kept_at(each.key), json.dumps(asdict(each), separators=(",", ":"))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(gzip.compress(data.encode(), mtime=0))
        return len(cells)

    def _kept_at(self, key: Key) -> Path:
        return self._kept / f"{key.file}.gz"

    def put(self, cell: Cell) -> None:
        """Keep a finished cell; whole or not at all."""
        write(self.path(cell.key), asdict(cell))


def write(path: Path, content: Any) -> None:
    """Write JSON so that a file that is there is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    unfinished.write_text(json.dumps(content))
    unfinished.rename(path)


def digest(frame: Frame, files: Iterable[Path], *more: str) -> str:
    """Names data, code and configuration together."""
    found = blake2b(frame.digest.encode(), digest_size=5)
    for path in (*(HERE / name for name in COMMON), *sorted(files)):
        found.update(path.read_bytes())
    for text in more:
        found.update(text.encode())
    return found.hexdigest()


def score(
    key: Key, task: Task, frame: Frame, lists: Ints, times: dict[str, Any], extra: dict[str, Any]
) -> Cell:
    """Judge the lists of a task."""
    found = metrics.scored(lists, task.queries, single=task.single)
    values: dict[str, float | None] = {name: found.mean(name) for name in metrics.NAMES}
    values["coverage10"] = metrics.coverage(lists)
    values["diversity10"] = metrics.diversity(lists, frame.category)
    depth = lists.shape[1]
    if depth > 20:
        values[f"recall{depth}"] = float((metrics.ranks(lists, task.queries) > 0).mean())
    sums = {name: [round(float(x), 6) for x in each] for name, each in found.sums.items()}
    return Cell(
        key,
        task.start,
        values,
        [int(x) for x in found.person],
        [float(x) for x in found.n],
        sums,
        times,
        extra | {"queries": len(task.queries), "targets": len(task.queries.target_item)},
    )
