"""Two processes import what one does, byte for byte."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from threading import Timer

import msgspec
import pytest
from msgspec.structs import replace

from germane.app.apart import Apart, LearnerEnded, importer_apart
from germane.app.engine import Engine
from germane.app.importer import Importer
from germane.app.opening import open_engine
from germane.app.rebuild import rebuild
from germane.domain.decision import Ask
from germane.domain.event import Event
from germane.domain.outcome import Observation
from germane.domain.record import Record
from germane.testing import FakeWorld, a_campaign, an_event, an_item
from germane.testing.world import START_MS

DAY_MS = 86_400_000
CHANCE = Random(5)
ITEMS = [an_item(n) for n in range(40)]


@contextmanager
def opened(folder: Path, *, days: int = 1) -> Iterator[Engine]:
    """At one and the same time, whoever opens it."""
    world = FakeWorld()
    world.advance(seconds=days * 86_400)
    plain = a_campaign()
    home = replace(plain.surfaces["home"], horizon="day")
    settings = replace(plain, surfaces=plain.surfaces | {"home": home})
    engine = open_engine(settings, folder, world=world)
    with closing(engine.store):
        yield engine


@pytest.fixture
def begun(tmp_path: Path) -> tuple[Path, list[str]]:
    """A folder in which something happened already, and its decisions."""
    folder = tmp_path / "begun"
    with opened(folder, days=0) as engine:
        with engine.importer() as importer:
            importer.add_items(ITEMS[:20])
            importer.add(past(60))
        made = engine.decide("u1", "", "", [Ask("mail"), Ask("home")])[0]
    return folder, [each.decision_id for each in made]


def past(many: int, decisions: tuple[str, ...] = ()) -> list[Event]:
    """Orders, views and refunds of half a year; some name a decision, some make two people one."""
    found = []
    for number in range(many):
        name = CHANCE.choice(["Order Completed", "Product Viewed", "Order Refunded"])
        ids = [f"i{CHANCE.randrange(40)}" for _ in range(CHANCE.randrange(1, 6))]
        properties = (
            {"product_id": ids[0]}
            if name == "Product Viewed"
            else {"products": [{"product_id": each, "price": 3.5} for each in ids]}
        )
        at_ms = START_MS - (many - number) * 180 * DAY_MS // many
        if decisions and number % 3 == 0:
            at_ms = START_MS + DAY_MS - (many - number) * 150_000  # of the last hours
            properties["decision_id"] = decisions[number % len(decisions)]
        found.append(
            an_event(
                name,
                at_ms=at_ms,
                user_id=f"u{CHANCE.randrange(5)}",
                anonymous_id=f"a{CHANCE.randrange(30)}",
                message_id=f"m{CHANCE.getrandbits(64)}",
                properties=properties,
            )
        )
    return found


def bring(importer: Importer, events: list[Event]) -> None:
    """A catalogue, then events group by group, each with its mark."""
    importer.add_items(ITEMS)
    for place in range(0, len(events), 25):
        importer.add(events[place : place + 25])
        importer.mark("place", str(place).encode())
        importer.flush()


def test_it_is_the_same_byte_for_byte(begun: tuple[Path, list[str]], tmp_path: Path) -> None:
    """The log with what was learned, the state, the model; and a rebuild finds it."""
    folder, decisions = begun
    events = past(400, tuple(decisions))
    shutil.copytree(folder, tmp_path / "alone")
    with opened(folder) as apart, opened(tmp_path / "alone") as alone:
        with importer_apart(apart, "import", group=30) as importer:
            bring(importer, events)
        with alone.importer(group=30) as importer:
            bring(importer, events)
        assert list(apart.store.read(0)) == list(alone.store.read(0))
        assert apart.store.state_hash() == alone.store.state_hash()
        assert apart.model.digest() == alone.model.digest()
        assert apart.model.seq == alone.model.seq
        learned = [
            msgspec.msgpack.decode(each.derived, type=Observation)
            for each in apart.store.read(60)
            if each.derived and each.kind == "event"
        ]
        assert sum(bool(each.examples) for each in learned) > 20
        assert any(x.keys for each in learned for x in each.examples)
        assert any(each.rewards for each in learned)
        assert any(each.trials for each in learned)
        assert any(each.activity is not None for each in learned)
        assert apart.store.meta("place") == b"375"
        assert apart.decide("u1", "", "", [Ask("home")], record=False)[0][0].items
        assert rebuild(apart).equal


def test_what_is_waited_for_is_known_before_it_is_durable(begun: tuple[Path, list[str]]) -> None:
    """An event that is sent again is one, whether its group is folded, on its way or committed."""
    folder, _ = begun
    again = past(30)
    with opened(folder) as engine:
        before = engine.seq
        with importer_apart(engine, "import", group=1_000) as importer:
            for _ in range(4):
                importer.add(again)
                importer.flush()
            assert importer.receipt.accepted == 30
            assert importer.receipt.duplicates == 90
        assert engine.store.last_seq() == before + 30


def test_a_learner_that_ends_leaves_whole_groups(
    begun: tuple[Path, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was committed is there, with its mark, and the next start goes on behind it."""
    folder, _ = begun
    started: list[Apart] = []
    send = Apart.send

    def kept(self: Apart, records: object) -> None:
        started.append(self)
        send(self, records)  # type: ignore[arg-type]

    monkeypatch.setattr(Apart, "send", kept)
    events = past(100)

    def broken_off(engine: Engine) -> None:
        with importer_apart(engine, "import", group=1_000) as importer:
            bring(importer, events[:50])
            started[0]._child.kill()
            bring(importer, events[50:])

    with opened(folder) as engine, pytest.raises(LearnerEnded):
        broken_off(engine)
    with opened(folder) as engine:
        assert engine.store.meta("place") == b"0"  # the group at 25 was on its way
        with importer_apart(engine, "import", group=1_000) as importer:
            bring(importer, events)
        assert engine.store.counts()["records"] == engine.store.last_seq()
        assert rebuild(engine).equal


def test_a_learner_that_is_stopped_in_the_middle_of_an_answer_ends_it(
    begun: tuple[Path, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write that a signal breaks off is taken up again, also where streams are not buffered."""
    folder, _ = begun
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    finished = Apart.finished

    def interrupted(self: Apart, records: Sequence[Record]) -> list[Record]:
        child = self._child
        rescue = Timer(20, child.kill)
        rescue.start()
        time.sleep(0.5)  # the answer is larger than the pipe: the child stands in the middle of it
        child.send_signal(signal.SIGSTOP)
        time.sleep(0.05)
        child.send_signal(signal.SIGCONT)
        time.sleep(0.05)
        found = finished(self, records)
        rescue.cancel()
        return found

    monkeypatch.setattr(Apart, "finished", interrupted)
    with opened(folder) as engine:
        before = engine.seq
        with importer_apart(engine, "import", group=1_000) as importer:
            importer.add(past(200))
        assert engine.store.last_seq() == before + 200
