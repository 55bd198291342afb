"""Disks as a power cut leaves them, and what Germane finds there.

Every disk is opened by the store, which recovers it, and what is there afterwards is compared with what was
acknowledged before the cut. That is the same for many disks: each distinct content, byte for byte, is opened by
a whole engine, once, and looked at from all sides (``Replay._looked``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path
from random import Random
from shutil import rmtree
from typing import NamedTuple, Self

import msgspec

from germane.app import open_engine
from germane.app.consents import Blank, blanks
from germane.app.engine import Engine
from germane.app.erasing import LIST
from germane.config.load import load_text
from germane.domain.errors import GermaneError
from germane.domain.ids import DEFAULT_TENANT, known_person
from germane.domain.moves import AnyMove, Erased
from germane.domain.purposes import PERSONALISATION
from germane.domain.record import Record
from germane.privacy.erasure import Line, mark
from germane.storage.lines import lines
from germane.storage.sqlite import SqliteStore
from germane.storage.sqlite.checksums import connected
from germane.testing.world import FakeWorld
from tests.acceptance.powercut.disk import SHARED_MEMORY, Disk
from tests.acceptance.powercut.rebuilt import Hashes, Rebuilt
from tests.acceptance.powercut.recording import DATA, GONE, Ack, Recording

VICTIMS = tuple(known_person(each) for each in GONE)
_FLEETING = (SHARED_MEMORY, ".lock", ".address")
_decode_move = msgspec.msgpack.Decoder(AnyMove).decode


class Cut(NamedTuple):
    """A moment, and the chances of one power cut in it."""

    position: int
    seed: int


class Failure(NamedTuple):
    """A disk that Germane does not make whole again."""

    cut: Cut
    kind: str
    """``lost``: something acknowledged is not there. ``corrupt``: what is there cannot be used.
    ``half``: some of what belongs together is there, or counts twice."""
    why: str


BEFORE, NOTHING = Cut(0, 0), Hashes("", "")


class Broken(Exception):
    """Raised where a disk is looked at."""

    def __init__(self, kind: str, why: str) -> None:
        super().__init__(why)
        self.kind, self.why = kind, why


@dataclass(slots=True)
class Found:
    """What a disk holds."""

    there: dict[str, set[str]] = field(default_factory=dict)
    """Kind of what was acknowledged -> keys of it that are there."""
    erased: set[str] = field(default_factory=set)
    """Those of the victims who are."""
    records: list[Record] = field(default_factory=list)
    blanks: list[Blank] = field(default_factory=list)
    offsets: dict[int, int] = field(default_factory=dict)
    """Slot -> offset of its newest record."""
    hashes: Hashes = NOTHING
    first: Cut = BEFORE
    """A cut that left it."""


@dataclass(slots=True)
class Report:
    """Of some cuts."""

    states: int = 0
    contents: int = 0
    """Distinct ones among them, each opened by an engine."""
    failures: list[Failure] = field(default_factory=list)

    def __iadd__(self, other: Report) -> Self:
        """Take in another one."""
        self.states += other.states
        self.contents += other.contents
        self.failures += other.failures
        return self


def cuts(recording: Recording, count: int, seed: int) -> list[Cut]:
    """Spread evenly over all operations, in order."""
    last = len(recording.ops)
    return [Cut(1 + n * last // count, (seed << 32) + n) for n in range(count)]


class Replay:
    """Rebuilds disks of one recording, in order, in one process."""

    def __init__(self, recording: Recording, root: str, place: Path) -> None:
        """``root``: where the disk was recorded. ``place``: a folder to rebuild it in, best in memory."""
        self.recording, self._root = recording, root
        self._place, self._data = place, place / DATA
        self._disk, self._at = Disk(root), 0
        self._settings = load_text(recording.config, {}).settings
        self._known: dict[bytes, Found | Broken] = {}
        self._interned: dict[bytes, Record] = {}
        self._rebuilt: Rebuilt | None = None

    def run(self, wanted: Iterable[Cut]) -> Report:
        """Look at some cuts, in the order of their moments."""
        report, new = Report(), list[Found]()
        for cut in wanted:
            report.states += 1
            self._wind(cut.position)
            self._write(cut)
            try:
                found = self._found(cut, new)
                self._compare(found, self.acked(cut.position))
            except Broken as error:
                report.failures.append(Failure(cut, error.kind, error.why))
        report.contents = len(new)
        report.failures += self._unlike(new)
        return report

    def rebuild(self, cut: Cut) -> Path:
        """The data folder as one cut leaves it."""
        self._wind(cut.position)
        self._write(cut)
        return self._data

    def _wind(self, position: int) -> None:
        if position < self._at:
            self._disk, self._at = Disk(self._root), 0
        for op in self.recording.ops[self._at : position]:
            self._disk.apply(op)
        self._at = position

    def _write(self, cut: Cut) -> None:
        rmtree(self._place, ignore_errors=True)
        self._place.mkdir(parents=True)
        for path, content in self._disk.cut(Random(cut.seed)).items():
            if content is None:
                (self._place / path).mkdir()
            else:
                (self._place / path).write_bytes(content)

    def acked(self, position: int) -> Iterator[Ack]:
        """What was acknowledged before a moment."""
        for at, ack in self.recording.acks:
            if at > position:
                return
            yield ack

    # -- one disk ----------------------------------------------------------------------------------

    def _found(self, cut: Cut, new: list[Found]) -> Found:
        """What is there, once the store has opened and closed it."""
        self._recovered()
        key = self._content()
        known = self._known.get(key)
        if known is None:
            try:
                known = self._looked(cut)
                new.append(known)
            except Broken as error:
                known = error
            self._known[key] = known
        if isinstance(known, Broken):
            raise known
        return known

    def _recovered(self) -> None:
        try:
            SqliteStore.open(self._data).close()
        except GermaneError as error:
            raise Broken("corrupt", f"the store does not open: {error.message}") from None

    def _content(self) -> bytes:
        found = blake2b(digest_size=16)
        for path in sorted(self._data.rglob("*")):
            if path.is_file() and not path.name.endswith(_FLEETING):
                data = path.read_bytes()
                found.update(f"{path.relative_to(self._data)} {len(data)} ".encode())
                found.update(data)
        return found.digest()

    def _looked(self, cut: Cut) -> Found:
        """Everything, by a whole engine."""
        try:
            engine = open_engine(
                self._settings, self._data, world=FakeWorld(self.recording.ended_ms)
            )
        except GermaneError as error:
            raise Broken("corrupt", f"the engine does not start: {error.message}") from None
        try:
            found = self._told(engine, cut)
            if self._rebuilt is None:
                self._rebuilt = Rebuilt(engine.settings, engine.key)
        finally:
            engine.store.close()
        self._of_the_file(found)
        self._of_erased(found)
        return found

    def _told(self, engine: Engine, cut: Cut) -> Found:
        store = engine.store
        if damaged := store.damaged():
            raise Broken("corrupt", f"history is not what was written: {damaged}")
        records = [self._same(each) for each in store.read(0, archived=True)]
        if any(one.seq >= two.seq for one, two in pairwise(records)):
            raise Broken("half", "a record is both in the database and in history")
        found = Found(records=records, blanks=blanks(store, engine.tenant), first=cut)
        found.hashes = Hashes(store.state_hash(), engine.model.digest())
        found.there = {
            kind: _once(each.message_id for each in records if each.kind == kind)
            for kind in ("event", "impression", "outcome")
        }
        asked = [f"{each}" for kind in found.there.values() for each in kind]
        if unknown := {*asked} - store.seen(engine.tenant, asked):
            raise Broken("half", f"sent again they would count twice: {sorted(unknown)[:3]}")
        found.there["item"] = {each.item_id for each in store.items(engine.tenant)}
        found.there["letter"] = {
            name
            for each in store.letters(limit=100_000, pending_only=False)
            if (name := msgspec.json.decode(each.body).get("messageId"))
        }
        found.there["opt-out"] = {
            each.user_id or each.person.removeprefix("u:")
            for each in store.profiles(engine.tenant, limit=100_000)
            if each.consent.get(PERSONALISATION) is False
        }
        self._erasures(engine, found)
        return found

    def _erasures(self, engine: Engine, found: Found) -> None:
        """Who was erased, by the log; the list beside the database says the same."""
        moves = [_decode_move(each.body) for each in found.records if each.kind == "move"]
        erased = {each.receipt: {*each.people} for each in moves if isinstance(each, Erased)}
        listed = {each.receipt for each in lines(self._data / LIST, Line)}
        if listed != {*erased}:
            raise Broken("half", f"erasures in the log: {[*erased]}; in the list: {[*listed]}")
        marks = set[str]().union(*erased.values())
        found.erased = {each for each in VICTIMS if mark(engine.key, DEFAULT_TENANT, each) in marks}
        for each in found.records:
            if each.person in found.erased:
                raise Broken("half", f"{each.person} was erased, and a record of theirs is there")

    def _of_the_file(self, found: Found) -> None:
        """What SQLite says of it; decisions and the newest of each slot are where the database says."""
        connection = connected(self._data / "germane.db")
        try:
            said = connection.execute("PRAGMA integrity_check").fetchall()
            places = {row[0] for row in connection.execute("SELECT seq FROM decision")}
            found.offsets = dict(connection.execute("SELECT slot, seq FROM slot_offset"))
        finally:
            connection.close()
        if said != [("ok",)]:
            raise Broken("corrupt", f"integrity_check: {said[:3]}")
        decisions = {each.seq for each in found.records if each.kind == "decision"}
        if places != decisions:
            raise Broken("half", f"decisions are at {sorted(places ^ decisions)[:5]}, or are not")
        newest, there = {each.slot: each.seq for each in found.records}, set[int]()
        if found.erased:  # the offset of an erased record stays that of its slot
            there = {each.seq for each in found.records}
        for slot in {*newest, *found.offsets}:
            known, seq = found.offsets.get(slot, 0), newest.get(slot, 0)
            if known != seq and not (found.erased and known > seq and known not in there):
                raise Broken("half", f"slot {slot} ends at {seq}; the database says {known}")

    def _of_erased(self, found: Found) -> None:
        """No byte of them is left."""
        names = [each.removeprefix("u:").encode() for each in found.erased]
        for path in self._data.rglob("*") if names else ():
            if path.is_file() and any(each in path.read_bytes() for each in names):
                raise Broken("half", f"{path.name} holds the name of somebody who was erased")

    def _same(self, record: Record) -> Record:
        """The one object for records that are the same: they are many."""
        key = blake2b(msgspec.msgpack.encode(record), digest_size=16).digest()
        return self._interned.setdefault(key, record)

    # -- compared ----------------------------------------------------------------------------------

    def _compare(self, found: Found, acked: Iterable[Ack]) -> None:
        for ack in acked:
            if ack.kind == "erasure":
                there: Collection[str] = found.erased
                key: str = known_person(ack.key)
            else:
                there, key = found.there[ack.kind], _key(ack)
            if key not in there and known_person(ack.person) not in found.erased:
                raise Broken("lost", f"the {ack.kind} {ack.key} was acknowledged and is not there")

    def _unlike(self, new: Sequence[Found]) -> Iterator[Failure]:
        """Contents whose state is not what their log comes to."""
        for each in sorted(new, key=lambda found: len(found.records)):
            assert self._rebuilt is not None
            should = self._rebuilt.hashes(each.records, each.blanks, each.offsets)
            if should != each.hashes:
                parts = [
                    name
                    for name, one, two in zip(should._fields, should, each.hashes, strict=True)
                    if one != two
                ]
                why = f"{' and '.join(parts)} not as the log of {len(each.records)} records says"
                yield Failure(each.first, "half", why)


def _key(ack: Ack) -> str:
    """As the log knows it."""
    return f"{ack.kind}:{ack.key}" if ack.kind in ("impression", "outcome") else ack.key


def _once(ids: Iterable[str]) -> set[str]:
    counts = Counter(ids)
    if twice := [each for each, count in counts.items() if count > 1]:
        raise Broken("half", f"counted twice: {twice[:3]}")
    return {*counts}
