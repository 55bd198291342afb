"""What personalisation brings on a surface, read from the log: its holdout against everybody else.

A person belongs to the arm that their first decision of the surface was of, and counts from there on for some
days, whatever they do and wherever. Who turns out to be somebody else, too, may see the other arm later on, and
stays where they began: left out, those who sign in would be rare in the smaller arm alone. Who was there before
the holdout was, or had another share, does not count: they are other people than those who came since.
"""

from __future__ import annotations

from array import array
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from germane.app import lift_words as words
from germane.app.deciding import HOLDOUT_SALT
from germane.app.engine import Engine
from germane.app.outcomes.made import key_of
from germane.domain.decision import Arm
from germane.domain.event import Interaction
from germane.domain.ids import share_of
from germane.domain.months import MS_PER_DAY
from germane.domain.outcome import Reward
from germane.domain.record import Record
from germane.domain.settings import SurfaceSpec
from germane.measure import holdout
from germane.measure.holdout import Lift

EVERY = 500
"""Records that are read between two looks at other work."""
PERSONALISED, HELD_OUT = 1, 0
Measure = Literal["answered", "value", "bought", "revenue"]
OF_SURFACE: tuple[Measure, ...] = ("answered", "value")
OF_PERSON: tuple[Measure, ...] = ("bought", "revenue")
Bools = npt.NDArray[np.bool_]


class _Made(msgspec.Struct, gc=False):
    """Of ``Decision``."""

    person: str
    surface: str
    arm: Arm
    at_ms: int


class _Seen(msgspec.Struct, gc=False, array_like=True):
    """Of ``Observation``, as far as its rewards; what is not needed stays packed."""

    at_ms: int
    interactions: tuple[Interaction, ...] = ()
    before: msgspec.Raw = msgspec.Raw()
    owned: msgspec.Raw = msgspec.Raw()
    examples: msgspec.Raw = msgspec.Raw()
    shown: msgspec.Raw = msgspec.Raw()
    rewards: tuple[Reward, ...] = ()


_made = msgspec.msgpack.Decoder(_Made).decode
_seen = msgspec.msgpack.Decoder(_Seen).decode


class MeasureLift(msgspec.Struct, frozen=True, rename="camel"):
    """One measure of both arms, a person."""

    measure: Measure
    lift: Lift


class SurfaceLift(msgspec.Struct, frozen=True, rename="camel"):
    """One surface."""

    surface: str
    holdout_share: float
    days: int
    """A person counts for so long after their first decision."""
    people: int
    """Whom the surface was decided for."""
    earlier: int
    """Of these, who were there before the holdout was what it is."""
    waiting: int
    """Of the others, whose days are not over yet."""
    of_both: int
    """Of the others, who saw both arms: each counts where they began."""
    first_counts_ms: int | None
    """When the first person counts, where nobody does yet."""
    split_is_off: bool
    """Whether the arms have other numbers of people than the share explains."""
    measures: list[MeasureLift]
    answer: str = ""
    notes: list[str] = []


@dataclass(slots=True)
class _People:
    """Whom one surface was decided for, a row each."""

    spec: SurfaceSpec
    row: dict[int, int] = field(default_factory=dict)
    """By the key of a person."""
    arm: array[int] = field(default_factory=lambda: array("b"))
    first_ms: array[int] = field(default_factory=lambda: array("q"))
    both: array[int] = field(default_factory=lambda: array("b"))
    since_ms: int = -1
    """The latest decision that the present share of the holdout does not explain."""
    sums: dict[Measure, array[float]] = field(
        default_factory=lambda: {each: array("d") for each in (*OF_SURFACE, *OF_PERSON)}
    )

    def decided(self, key: int, arm: int, at_ms: int) -> None:
        """A decision was made for somebody."""
        found = self.row.setdefault(key, len(self.row))
        if found == len(self.arm):
            self.arm.append(arm)
            self.first_ms.append(at_ms)
            self.both.append(0)
            for each in self.sums.values():
                each.append(0.0)
        elif self.arm[found] != arm:
            self.both[found] = 1

    def counts(self, key: int, at_ms: int, window_ms: int) -> int | None:
        """Row of a person, if what they did at a time counts."""
        found = self.row.get(key)
        if found is None or not 0 <= at_ms - self.first_ms[found] < window_ms:
            return None
        return found


class LiftLog:
    """Takes the records of the log in their order."""

    def __init__(self, engine: Engine, surfaces: list[str], days: int) -> None:
        self.days, self._window_ms = days, days * MS_PER_DAY
        self._engine, self._settings = engine, engine.settings
        self.people = {name: _People(self._settings.surfaces[name]) for name in surfaces}
        self._now: dict[str, int] = {}
        """By a person's key in the log: what stands for whoever that is now."""

        self._paid: dict[tuple[int, str], float] = {}
        """(person, item) -> the latest price."""

    def take(self, record: Record) -> None:
        """One record."""
        if record.kind == "decision":
            self._decided(record)
        elif record.derived and record.person:
            self._did(record)

    def _decided(self, record: Record) -> None:
        made = _made(record.body)
        there = self.people.get(made.surface)
        if there is None or not made.person or made.arm == "opted_out":
            return
        arm = HELD_OUT if made.arm == "broadcast" else PERSONALISED
        place = share_of(self._engine.tenant, made.person, HOLDOUT_SALT)
        if arm != (HELD_OUT if place < there.spec.holdout_share else PERSONALISED):
            there.since_ms = max(there.since_ms, made.at_ms)
        there.decided(self._whose(made.person), arm, made.at_ms)

    def _did(self, record: Record) -> None:
        seen = _seen(record.derived)
        if not (seen.interactions or seen.rewards):
            return
        key = self._whose(record.person)
        for reward in seen.rewards:
            there = self.people.get(reward.surface)
            if there is None:
                continue
            row = there.counts(key, reward.at_ms, self._window_ms)
            if row is not None:
                there.sums["value"][row] += reward.value
                if reward.value > 0:
                    there.sums["answered"][row] = 1.0
        for each in seen.interactions:
            self._dealt(key, each)

    def _dealt(self, key: int, each: Interaction) -> None:
        """Something was bought, or is given back: at the price that it says, else at the person's latest."""
        spec = self._settings.signals.get(each.signal)
        undone = spec and self._settings.signals.get(spec.cancels)
        if spec is None or not (spec.repeat or (undone and undone.repeat)):
            return
        rows = [(x, x.counts(key, each.at_ms, self._window_ms)) for x in self.people.values()]
        rows = [(there, row) for there, row in rows if row is not None]
        if not rows:
            return
        if spec.repeat and each.price is not None:
            self._paid[key, each.item_id] = each.price
        price = self._paid.get((key, each.item_id), 0.0) if each.price is None else each.price
        worth = price * each.quantity if spec.repeat else -price * each.quantity
        for there, row in rows:
            assert row is not None
            there.sums["bought"][row] = max(there.sums["bought"][row], float(spec.repeat))
            there.sums["revenue"][row] += worth

    def _whose(self, person: str) -> int:
        found = self._now.get(person)
        if found is None:
            now = self._engine.store.person_of(self._engine.tenant, person)
            found = self._now[person] = key_of(now or person)
        return found


def gathered(engine: Engine, surfaces: list[str], days: int) -> Generator[int, None, LiftLog]:
    """Read the log once; yields how many more records were read, returns what was found."""
    log, seen, done = LiftLog(engine, surfaces, days), 0, 0
    for record in engine.store.read(0, until=engine.store.last_seq()):
        log.take(record)
        seen += 1
        if seen % EVERY == 0:
            yield EVERY
            done += EVERY
    yield seen - done
    return log


def figures(log: LiftLog, *, now_ms: int) -> list[SurfaceLift]:
    """What every surface that was asked for came to."""
    return [_surface(each, log.days, now_ms) for each in log.people.values()]


def _surface(there: _People, days: int, now_ms: int) -> SurfaceLift:
    arm, first_ms = np.array(there.arm), np.array(there.first_ms, dtype=np.int64)
    since = first_ms > there.since_ms
    over = since & (first_ms + days * MS_PER_DAY <= now_ms)
    ours, theirs = (over & (arm == each) for each in (PERSONALISED, HELD_OUT))
    counts = int(ours.sum()), int(theirs.sum())
    waits = first_ms[since & ~over]
    found = SurfaceLift(
        surface=there.spec.name,
        holdout_share=there.spec.holdout_share,
        days=days,
        people=len(arm),
        earlier=int((~since).sum()),
        waiting=len(waits),
        of_both=int((np.array(there.both, dtype=bool) & since).sum()),
        first_counts_ms=int(waits.min()) + days * MS_PER_DAY
        if len(waits) and not any(counts)
        else None,
        split_is_off=any(counts) and holdout.split_is_off(*counts, there.spec.holdout_share),
        measures=_measures(there, ours, theirs),
    )
    return msgspec.structs.replace(found, answer=words.answer(found), notes=words.notes(found))


def _measures(there: _People, ours: Bools, theirs: Bools) -> list[MeasureLift]:
    """Those of which there was anything at all."""
    sums = {name: np.array(each) for name, each in there.sums.items()}
    return [
        MeasureLift(name, holdout.compare(values[ours], values[theirs]))
        for name, values in sums.items()
        if values[ours | theirs].any()
    ]
