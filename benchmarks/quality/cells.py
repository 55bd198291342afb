"""Finished work: one small file for each measured thing, named by all that it depends on."""

from __future__ import annotations

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
    """The cache folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, key: Key) -> Path:
        """Where a cell is, or will be."""
        return self.folder / key.file

    def get(self, key: Key) -> Cell | None:
        """A finished cell."""
        path = self.path(key)
        if not path.exists():
            return None
        found = json.loads(path.read_text())
        return Cell(**(found | {"key": Key(**found["key"])}))

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
