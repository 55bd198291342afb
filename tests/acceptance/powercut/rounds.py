"""One recording and many cuts, by several processes; and the controls."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from rich.progress import track

from tests.acceptance.powercut.recording import DISK, Hole, Recording, record, record_short
from tests.acceptance.powercut.replay import Cut, Failure, Replay, Report, cuts
from tests.acceptance.powercut.served import wrong

CHUNK = 250
CONTROL_STATES = 300
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
_replay: list[Replay] = []
"""That of this process."""


def a_round(states: int, *, seed: int = 1, servers: int = 3, workers: int = 0) -> dict[str, Any]:
    """Record once, cut the power ``states`` times; some disks are started by a real server, too."""
    with tempfile.TemporaryDirectory() as made, _in_memory() as memory:
        project = Path(made) / "shop"
        started = time.perf_counter()
        recording = record(project, seed=seed)
        recorded_s = time.perf_counter() - started
        kept = Path(made) / "recording"
        recording.save(kept)
        wanted = cuts(recording, states, seed)
        started = time.perf_counter()
        report = _replayed(kept, project / DISK, memory, wanted, workers or os.cpu_count() or 1)
        seconds = time.perf_counter() - started
        served = _served(
            recording, project, memory / "served", Random(seed).sample(wanted, servers)
        )
    return {
        "states": report.states,
        "contents": report.contents,
        "operations": len(recording.ops),
        "acknowledged": len(recording.acks),
        "kinds": dict(Counter(ack.kind for _, ack in recording.acks)),
        **told(report.failures),
        "servers": servers,
        "servers_wrong": served,
        "recorded_s": round(recorded_s, 1),
        "states_per_s": round(states / seconds, 1),
    }


def told(failures: list[Failure]) -> dict[str, Any]:
    """Failures by kind, and the first of them."""
    kinds = Counter(each.kind for each in failures)
    return {
        **{kind: kinds[kind] for kind in ("lost", "corrupt", "half")},
        "examples": [f"{each.cut}: {each.kind}: {each.why}" for each in failures[:5]],
    }


def control(hole: Hole, states: int = CONTROL_STATES) -> dict[str, Any]:
    """The same of a program with a hole: there must be failures."""
    with tempfile.TemporaryDirectory() as made, _in_memory() as memory:
        project = Path(made) / "shop"
        recording = record_short(project, hole)
        replay = Replay(recording, str(project / DISK), memory / "control")
        report = replay.run(cuts(recording, states, 1))
    return {"states": report.states, **told(report.failures)}


def _replayed(kept: Path, disk: Path, memory: Path, wanted: list[Cut], workers: int) -> Report:
    chunks = [wanted[start : start + CHUNK] for start in range(0, len(wanted), CHUNK)]
    report = Report()
    with ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(kept, disk, memory),
    ) as pool:
        for each in track(pool.map(_run, chunks), "cutting the power", total=len(chunks)):
            report += each
    return report


def _begin(kept: Path, disk: Path, memory: Path) -> None:
    _replay.append(Replay(Recording.load(kept), str(disk), memory / f"{os.getpid()}"))


def _run(wanted: list[Cut]) -> Report:
    return _replay[0].run(wanted)


def _served(recording: Recording, project: Path, place: Path, sample: list[Cut]) -> list[str]:
    """What real servers say of some of the disks."""
    found, replay = [], Replay(recording, str(project / DISK), place)
    for cut in sorted(sample):
        said = wrong(project, replay.rebuild(cut), replay.acked(cut.position))
        found += [f"{cut}: {each}" for each in said]
    return found


@contextmanager
def _in_memory() -> Iterator[Path]:
    """A folder for disks: in memory where there is such a file system."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as made:
        yield Path(made)
