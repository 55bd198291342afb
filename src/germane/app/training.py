"""Background training: lessons from the log to trees, and the proof they must give before they rank."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from germane.app.opening import REFOLD, catch_up, left, load_snapshot
from germane.app.trained import TREES, decode, encode
from germane.app.willing import Willing
from germane.domain.errors import RestartNeeded
from germane.domain.forest import AHEAD, AHEAD_NEW, BLENDED_AS, NEW, Forest, Trained, heads_ahead
from germane.domain.outcome import Observation
from germane.domain.ports import Blobs, Model, Store
from germane.domain.record import Record
from germane.domain.settings import Settings, TrainingSpec
from germane.predict.features import LAYOUT, WIDTH
from germane.predict.model import SharedModel
from germane.predict.residual import DEPTH
from germane.predict.trees import Trees
from germane.storage.blobs import FolderBlobs
from germane.storage.sqlite import SqliteStore
from germane.train import forest, judge
from germane.train.ahead import Ahead
from germane.train.lessons import Collector, Lessons

KEPT_VERSIONS = 10
LESSONS_MAX = 12_000
"""Newest lessons of each head that are learned from: some 170 MB of features a head."""
TAUGHT_DEPTH = 48
"""So many of the blend's best of a lesson are fitted to: trees of half the list rank all of it as well in half
the time (held-out lessons of YooChoose, online-retail and Moodle)."""
HELD_OUT = 0.15
"""Share of the lessons, the newest, on which a first challenger must prove itself; a later one is
judged on what came since the champion was trained, which neither has seen."""
HELD_OUT_MAX = 0.3
HEADS = ("", NEW)
HEAD_NAMES = {
    "": "all items",
    NEW: "items new to the person",
    AHEAD: "all items, made ahead",
    AHEAD_NEW: "items new to the person, made ahead",
}
_WHERE_FROM = (
    ". They are of people who came back after hours, and took something that day. Where there were such "
    "people, the log is one of an earlier version: germane rebuild makes them"
)
AHEAD_SHARE = 0.5
"""Of the lessons that a head needs, for one whose lists are made ahead: each tells of a day."""


@dataclass(frozen=True, slots=True)
class HeadReport:
    """What came of one head."""

    head: str
    lessons: int
    verdict: judge.Verdict | None
    """Against what ranks now, on held-out lessons; ``None``: there were too few."""
    promoted: bool
    why: str

    def as_dict(self) -> dict[str, Any]:
        """For people and programs."""
        found: dict[str, Any] = {
            "lessons": self.lessons,
            "promoted": self.promoted,
            "why": self.why,
        }
        if self.verdict is not None:
            found |= {
                "held_out": self.verdict.lessons,
                "champion_ndcg10": round(self.verdict.champion, 5),
                "challenger_ndcg10": round(self.verdict.challenger, 5),
                "standard_error": round(self.verdict.standard_error, 5),
            }
        return found


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """What one training came to."""

    version: str
    """Of what was promoted; empty: nothing was."""
    heads: tuple[HeadReport, ...]
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """For people and programs."""
        heads = {HEAD_NAMES[each.head]: each.as_dict() for each in self.heads}
        return {"version": self.version, "seconds": round(self.seconds, 1), "heads": heads}

    @property
    def promoted(self) -> bool:
        """Whether anything new ranks from now on."""
        return bool(self.version)


def train(
    settings: Settings,
    spec: TrainingSpec,
    data_dir: Path,
    progress: Callable[[str], None] = lambda _: None,
) -> TrainingReport:
    """Train from the log of a data folder, beside a server; store what proves itself.

    Raises:
        NotFound: there is no data folder.
        NoTrainer: LightGBM is not installed.
        RestartNeeded: somebody was erased, and the log has not been folded anew since.
    """
    if not forest.available():
        raise forest.NoTrainer()
    store = SqliteStore.open(data_dir, mode="read")
    try:
        if store.meta(REFOLD):
            raise RestartNeeded()
        blobs = FolderBlobs(data_dir / "models")
        progress("Reading the log")
        model = SharedModel(settings)
        gone = left(store)
        load_snapshot(model, blobs, settings, store.last_seq(), gone)
        catch_up(model, store)
        report = train_on(
            model,
            collect(store, settings),
            blobs,
            spec,
            heads=heads_of(settings),
            seq=store.last_seq(),
            left=gone,
            progress=progress,
        )
        if store.meta(REFOLD):  # somebody was erased meanwhile
            blobs.prune(TREES, 0)
            raise RestartNeeded()
        return report
    finally:
        store.close()


def heads_of(settings: Settings) -> tuple[str, ...]:
    """What there is to train: lists that are made ahead have heads of their own, where there are any."""
    return *HEADS, *heads_ahead(settings.surfaces.values())


def collector_of(settings: Settings) -> Collector:
    """Takes the lessons that there are under a declaration."""
    liking = [name for name, each in settings.signals.items() if each.weight > 0]
    heads = heads_ahead(settings.surfaces.values())
    return Collector(WIDTH, LESSONS_MAX, DEPTH, Ahead(liking, heads) if heads else None)


def collect(store: Store, settings: Settings) -> Collector:
    """The newest lessons in a log, but of people who have opted out."""
    collector = collector_of(settings)
    may_teach = Willing(store, settings)
    for record in store.read(0):
        if may_teach(record):
            learn_from(collector, (record,))
    return collector


def learn_from(collector: Collector, records: Iterable[Record]) -> None:
    """Take the lessons of some records, in log order."""
    for record in records:
        if record.derived:
            who = f"{record.tenant}\x00{record.person}"
            collector.tell(who, msgspec.msgpack.decode(record.derived, type=Observation))


def train_on(
    model: Model,
    collector: Collector,
    blobs: Blobs,
    spec: TrainingSpec,
    *,
    heads: Sequence[str] = HEADS,
    seq: int,
    left: str = "",
    progress: Callable[[str], None] = lambda _: None,
) -> TrainingReport:
    """Fit a challenger for each head; what is not worse than the champion takes its place. A champion that has
    learned from what has left the log since is none: without a better challenger the blend alone ranks."""
    started = time.perf_counter()
    champion = Champion.of(blobs, left)
    forests, learned = dict(champion.forests), dict(champion.learned)
    reports = []
    for head in heads:
        progress(f"Fitting: {HEAD_NAMES[head]}")
        seen = collector.seen.get(head, 0)
        report, made = _challenge(model, collector.lessons(head), seen, head, champion, spec)
        reports.append(report)
        if made is not None:
            forests[head], learned[head] = made, seen
    anew = champion.over or any(each.promoted for each in reports)
    version = f"{TREES}-{seq}" if anew else ""
    seconds = time.perf_counter() - started
    if version:
        manifest = _manifest(version, seq, reports, learned, seconds) | {"left": left}
        blobs.put(TREES, f"{seq:016d}", encode(Trained(version, forests)), manifest)
        blobs.prune(TREES, KEPT_VERSIONS)
    return TrainingReport(version, tuple(reports), seconds)


@dataclass(frozen=True, slots=True)
class Champion:
    """What ranks now."""

    forests: dict[str, Forest]
    learned: dict[str, int]
    """Head -> lessons that there were in the log when its forest was trained."""
    tried: dict[str, int] = field(default_factory=dict)
    """The same of the newest version there is, whether it ranks or was rolled back."""
    over: bool = False
    """There was one, and it has learned from what has left the log since."""

    @classmethod
    def of(cls, blobs: Blobs, left: str) -> Champion:
        """The newest that fits this code and this log; without one, the blend alone ranks."""
        found, versions = blobs.newest(TREES), blobs.versions(TREES)
        what = decode(found[0]) if found is not None else None
        last = versions[0].manifest if versions else {}
        tried = _learned(last) if last.get("left", "") == left else {}
        if found is None or what is None:
            return cls({}, {}, tried)
        if found[1].get("left", "") != left:
            return cls({}, {}, over=True)
        return cls(what.forests, _learned(found[1]), tried)


def _learned(manifest: Mapping[str, object]) -> dict[str, int]:
    learned = manifest.get("learned")
    return dict(learned) if isinstance(learned, dict) else {}


def _challenge(
    model: Model,
    lessons: Lessons,
    seen: int,
    head: str,
    champion: Champion,
    spec: TrainingSpec,
) -> tuple[HeadReport, Forest | None]:
    """Fit on the older lessons, compare on the newest; if not worse, fit on all of them."""

    def rejected(why: str, verdict: judge.Verdict | None = None) -> tuple[HeadReport, None]:
        return HeadReport(head, count, verdict, promoted=False, why=why), None

    weights = np.array(model.blend(BLENDED_AS[head]), dtype=np.float32)
    blend = (lessons.features @ weights).astype(np.float64)
    top, told = lessons.best(blend, DEPTH), len(lessons)
    lessons, blend = lessons.only(top), blend[top]
    count, now = len(lessons), champion.forests.get(head)
    least = spec.lessons_min if head in HEADS else int(AHEAD_SHARE * spec.lessons_min)
    if count < least:
        known = f"{count:,} lesson{'' if count == 1 else 's'}"
        old = head not in HEADS and not told
        anew = _WHERE_FROM if old else ""
        return rejected(f"{known}; from {least:,} on there is enough to learn{anew}")
    fresh = count if now is None else (seen - champion.learned.get(head, 0)) * count // told
    new = fresh
    if head in champion.tried:  # the lessons of what was rolled back would make the same again
        new = min(new, (seen - champion.tried[head]) * count // told)
    if new < spec.lessons_new // 10:
        return rejected(f"only {new:,} lesson{'' if new == 1 else 's'} since the last training")
    held = int(count * HELD_OUT)
    if now is not None:
        held = max(held, min(fresh, int(count * HELD_OUT_MAX)))
    verdict = _duel(lessons, blend, count - held, now, min(fresh, held))
    # The blend is made for the next step: for lists that are made ahead it has no lead to be overcome.
    if now is None and head in HEADS and not verdict.better:
        return rejected("not proven better than the blend alone", verdict)
    if not verdict.not_worse:
        return rejected("worse than what ranks now", verdict)
    return HeadReport(head, count, verdict, promoted=True, why="promoted"), _fitted(lessons, blend)


def _duel(
    lessons: Lessons,
    blend: npt.NDArray[np.float64],
    split: int,
    now: Forest | None,
    unseen: int,
) -> judge.Verdict:
    """How a challenger stands to what ranks now, on lessons that neither was fitted to.

    A first challenger is judged on the lessons after ``split``; a later one on the newest ``unseen``:
    the champion was fitted to those before them, and so is the challenger, or it would be judged for
    knowing less of late.
    """
    split = split if now is None else len(lessons) - unseen
    older, newer = lessons.part(0, split), lessons.part(split, len(lessons))
    rows = int(lessons.starts[split])
    made = _fitted(older, blend[:rows])
    standing = blend[rows:]
    champion = standing if now is None else standing + Trees(now).scores(newer.features)
    return judge.compare(newer, champion, standing + Trees(made).scores(newer.features))


def _fitted(lessons: Lessons, blend: npt.NDArray[np.float64]) -> Forest:
    best = lessons.best(blend, TAUGHT_DEPTH)
    return forest.fit(lessons.only(best), blend[best], LAYOUT, threads=_threads())


def _threads() -> int:
    """One less than there are processors: the server needs one."""
    return max((os.cpu_count() or 1) - 1, 1)


def _manifest(
    version: str, seq: int, reports: list[HeadReport], learned: dict[str, int], seconds: float
) -> dict[str, object]:
    """What a person or a later training wants to know of it."""
    return {
        "version": version,
        "layout": LAYOUT,
        "seq": seq,
        "made_ms": int(time.time() * 1000),
        "seconds": round(seconds, 1),
        "learned": learned,
        "heads": {HEAD_NAMES[each.head]: each.as_dict() for each in reports},
    }
