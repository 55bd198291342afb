"""A byte on the disk changes; whoever opens the folder says so, or answers as if nothing had been."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any, Literal, NamedTuple, get_args

from msgspec.structs import replace

from germane.app import access, open_engine, save_snapshot
from germane.app.consents import proven
from germane.app.engine import Engine
from germane.app.trained import TREES, encode
from germane.domain.decision import Ask
from germane.domain.errors import GermaneError
from germane.domain.forest import Forest, Trained, Tree
from germane.domain.ledger import EntryKind
from germane.predict.features import LAYOUT
from germane.storage.blobs import FolderBlobs
from germane.testing import FakeWorld, an_event
from germane.testing.canaries import DAY_MS, Lives, a_canary_shop, lived, user
from germane.testing.world import START_MS

SHOP = a_canary_shop()
OLD_DAYS = 27 * 31
Fate = Literal["harmless", "detected", "wrong", "crashed"]
LEFT_OUT = {"germane.lock", "germane.address"}


class Flip(NamedTuple):
    """One byte of one file, and which of its bits change."""

    file: str
    place: int
    mask: int

    def __str__(self) -> str:
        return f"{self.file}[{self.place}] ^ {self.mask:#04x}"


class Found(NamedTuple):
    """What became of a flip."""

    fate: Fate
    what: str = ""


def base(folder: Path, people: int) -> Path:
    """A data folder with everything in it: a log, sealed history, an archive, entries, dead letters, a
    snapshot, trees."""
    engine = open_engine(SHOP, folder, world=FakeWorld(START_MS - OLD_DAYS * DAY_MS))
    engine.accept_now(_events(engine, people, "long ago"))
    engine.world = FakeWorld(START_MS - 120 * DAY_MS)
    lived(Lives(engine, people))
    engine.store.close()
    engine = open_engine(SHOP, folder, world=FakeWorld())
    engine.accept_now(_events(engine, people, "lately"))
    engine.retain()
    engine.store.close()
    engine = open_engine(SHOP, folder, world=FakeWorld())
    save_snapshot(engine, folder)
    tree = Tree((0,), (0.0,), (-1,), (-2,), (0.0,), (0.0, 50.0))
    trees = encode(Trained(f"{TREES}-1", {"": Forest(LAYOUT, (tree,))}))
    FolderBlobs(folder / "models").put(
        TREES, f"{1:016d}", trees, {"version": f"{TREES}-1", "seq": 1}
    )
    engine.store.close()
    return folder


def _events(engine: Engine, people: int, when: str) -> list[Any]:
    at_ms = engine.world.now_ms()
    return [
        replace(an_event(user=user(n), item=f"i{n % 7}", message_id=f"{when} {n}"), at_ms=at_ms + n)
        for n in range(people)
    ]


def answers(folder: Path, people: int) -> dict[str, Any]:
    """All that a folder answers, by what was asked; a refusal is an answer, too."""
    engine = open_engine(SHOP, folder, world=FakeWorld())
    try:
        return {name: _asked(ask) for name, ask in _questions(engine, folder, people)}
    finally:
        engine.store.close()


def _asked(ask: Callable[[], Any]) -> Any:
    try:
        return sha256(repr(ask()).encode()).hexdigest()
    except GermaneError as error:
        return error


def _questions(
    engine: Engine, folder: Path, people: int
) -> Iterator[tuple[str, Callable[[], Any]]]:
    store, tenant, blobs = engine.store, engine.tenant, FolderBlobs(folder / "models")
    yield "policy", lambda: engine.model.policy
    yield "model", engine.model.digest
    for n in range(people):
        yield f"everything {n}", partial(access.everything, engine, user(n))
        yield f"decision {n}", partial(_decided, engine, n)
    yield "log", lambda: [*store.read(0)]
    yield "archive", lambda: [*store.read(0, archived=True)]
    yield "people", lambda: [*engine.people(None)]
    yield "items", lambda: [*store.items(tenant)]
    yield "counts", store.counts
    yield "letters", lambda: store.letters(pending_only=False)
    for kind in get_args(EntryKind):
        yield f"{kind} pages", partial(store.entries, tenant, kind)
        yield f"{kind} due", partial(store.due, tenant, kind, 2**60)
        yield f"{kind} counts", partial(store.entry_counts, tenant, kind)
    yield "ledger", lambda: proven(engine.entries, tenant)
    yield "state", store.state_hash
    yield "pieces", lambda: (store.pieces(), store.pieces(archived=True), store.archive())
    yield "models", lambda: [*blobs.versions(TREES), *blobs.versions("shared")]
    yield "key", lambda: engine.key
    yield "again", lambda: _again(engine, people)


def _decided(engine: Engine, n: int) -> Any:
    engine.world = FakeWorld(seed=n)
    (decision,), _ = engine.decide(user(n), "", "", [Ask("home")], record=False)
    return decision


def _again(engine: Engine, people: int) -> Any:
    """Events that were sent before and new ones: the old ones count for nothing, the new ones once."""
    engine.world = FakeWorld()
    sent = [
        *_events(engine, people, "long ago"),
        *_events(engine, people, "lately"),
        *_events(engine, people, "now"),
    ]
    receipt = engine.accept_now(sent)
    return (receipt, [engine.profile_of(f"u:{user(n)}") for n in range(people)])


def flips(folder: Path, count: int, seed: int = 11) -> list[Flip]:
    """So many, spread evenly over all bytes of the folder, and at least some in each file."""
    chance = Random(seed)
    files = [x for x in sorted(folder.rglob("*")) if x.is_file() and x.name not in LEFT_OUT]
    total = sum(x.stat().st_size for x in files)
    found = []
    for file in files:
        size = file.stat().st_size
        number = max(min(size, count // (4 * len(files))), round(count * size / total))
        step = size / number if number else 0
        name = file.relative_to(folder).as_posix()
        places = [int(step * (n + chance.random())) for n in range(number)]
        found += [Flip(name, place, chance.randrange(1, 256)) for place in places]
    return found


class Listener(logging.Handler):
    """Keeps what is warned of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.said.append(record.getMessage())


class Trial:
    """Flips of one folder, each in a fresh copy."""

    def __init__(self, pristine: Path, folder: Path, people: int) -> None:
        self._pristine, self._folder, self._people = pristine, folder, people
        self._listener = Listener()
        shutil.copytree(pristine, folder)
        self.oracle = answers(folder, people)
        refused = [name for name, each in self.oracle.items() if isinstance(each, GermaneError)]
        assert not refused, refused

    def tried(self, flip: Flip) -> Found:
        """What becomes of it."""
        shutil.rmtree(self._folder)
        shutil.copytree(self._pristine, self._folder)
        path = self._folder / flip.file
        data = bytearray(path.read_bytes())
        data[flip.place] ^= flip.mask
        path.write_bytes(data)
        self._listener.said.clear()
        log = logging.getLogger("germane")
        log.addHandler(self._listener)
        try:
            return self._judged(answers(self._folder, self._people), flip)
        except GermaneError as error:
            return Found("detected", f"it does not open: {error.code} {error.message}")
        except Exception as error:
            return Found("crashed", f"{type(error).__name__}: {error}")
        finally:
            log.removeHandler(self._listener)

    def _judged(self, found: dict[str, Any], flip: Flip) -> Found:
        refused = {name: each for name, each in found.items() if isinstance(each, GermaneError)}
        wrong = [x for x in self.oracle if found[x] != self.oracle[x] and x not in refused]
        version = Path(flip.file).parent.name if flip.file.startswith("models/") else None
        told = [each for each in self._listener.said if version and version in each]
        if wrong and not told:
            return Found("wrong", ", ".join(wrong[:6]))
        if refused:
            name, error = next(iter(refused.items()))
            return Found("detected", f"{name}: {error.code} {error.message}")
        return Found("detected", told[0]) if wrong else Found("harmless")
