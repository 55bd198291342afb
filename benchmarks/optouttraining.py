"""A model trained beside the rows of people who opted out, and one trained without: `just bench
optouttraining`.

A shop with several hundred people; some of them opt out. Its data folder is copied, and in the copy every
row of theirs is taken out of the log. A model is trained on each with the same seed: both must be the same,
byte for byte. A control trains once more as if nobody had opted out: that model must be another one.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from benchmarks.figures import record, write_result
from germane.app.opening import load_snapshot, open_engine, write_snapshot
from germane.app.trained import encode
from germane.app.training import collect, collector_of, learn_from
from germane.domain.event import Event
from germane.domain.forest import Trained
from germane.domain.moves import Stated
from germane.domain.purposes import PERSONALISATION
from germane.predict.features import LAYOUT
from germane.predict.model import SharedModel
from germane.predict.residual import DEPTH
from germane.storage.blobs import FolderBlobs
from germane.storage.sqlite import SqliteStore
from germane.storage.sqlite.checksums import connected
from germane.testing import FakeWorld, a_shop, an_item
from germane.testing.world import START_MS
from germane.train import forest

COMMAND = "just bench optouttraining"
PEOPLE, EVENTS, ITEMS = 300, 9_000, 120


def shop(folder: Path, seed: int, events: int) -> list[str]:
    """Everybody looks at things that go together; every third opts out. Who did."""
    chance, world = Random(seed), FakeWorld(START_MS)
    engine = open_engine(a_shop(), folder, world=world)
    taste = [chance.randrange(7) for _ in range(PEOPLE)]
    with engine.importer() as importer:
        importer.add_items([an_item(n) for n in range(ITEMS)])
        for number in range(events):
            world.advance(seconds=600)
            person = chance.randrange(PEOPLE)
            item = 7 * chance.randrange(ITEMS // 7) + taste[person]
            event = Event(
                f"e{number}",
                "track",
                world.now_ms(),
                name="Product Viewed",
                user_id=f"p{person}",
                properties={"product_id": f"i{item}"},
            )
            importer.add([event])
    out = [f"u:p{n}" for n in range(0, PEOPLE, 3)]
    engine.put_moves([Stated(each, PERSONALISATION, False, "test") for each in out])
    write_snapshot(engine.model, FolderBlobs(folder / "models"), engine.settings)
    engine.store.close()
    return out


def without(folder: Path, people: list[str]) -> int:
    """Take what they did out of the log of a folder; how many rows that was."""
    with closing(connected(folder / "germane.db")) as database:
        marks = ",".join("?" * len(people))
        database.execute(
            f"DELETE FROM log WHERE kind = 'event' AND person IN ({marks})",  # noqa: S608
            people,
        )
        return database.changes()


def trained(folder: Path, *, everybody: bool = False) -> tuple[str, int]:
    """SHA-256 of the model that a training would hold against what ranks now, and how many lessons it learned
    from. ``everybody``: the control, as if nobody had opted out."""
    settings = a_shop()
    store = SqliteStore.open(folder, mode="read")
    model = SharedModel(settings)
    load_snapshot(model, FolderBlobs(folder / "models"), settings, store.last_seq())
    if everybody:
        collector = collector_of(settings)
        learn_from(collector, store.read(0))
    else:
        collector = collect(store, settings)
    store.close()
    lessons = collector.lessons("")
    weights = np.array(model.blend(""), dtype=np.float32)
    blend = (lessons.features @ weights).astype(np.float64)
    top = lessons.best(blend, DEPTH)
    made = forest.fit(lessons.only(top), blend[top], LAYOUT, threads=1)
    return sha256(encode(Trained("it", {"": made}))).hexdigest(), len(lessons)


def run(seed: int = 5, events: int = EVENTS) -> dict[str, Any]:
    """All three."""
    with tempfile.TemporaryDirectory() as base:
        here, there = Path(base) / "with", Path(base) / "without"
        out = shop(here, seed, events)
        shutil.copytree(here, there)
        rows = without(there, out)
        present, lessons = trained(here)
        absent, same = trained(there)
        everybody, more = trained(here, everybody=True)
    return {
        "people": PEOPLE,
        "opted_out": len(out),
        "rows_of_theirs": rows,
        "lessons": lessons,
        "lessons_without": same,
        "lessons_of_everybody": more,
        "equal": present == absent,
        "control_differs": everybody != present,
    }


def main() -> None:
    """Run, print, write."""
    result = run()
    print(json.dumps(result, indent=2))
    write_result("optouttraining", {"protocol": __doc__, **result})
    record(
        "privacy.training_optout_hash_equal",
        int(result["equal"]),
        n=result["lessons"],
        command=COMMAND,
    )
    assert result["equal"], result
    assert result["control_differs"], result


if __name__ == "__main__":
    main()
