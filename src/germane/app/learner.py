"""A process that learns what is shared, while another one folds people: one half of ``app.apart``.

It is told all that a model is asked and folds in log order, does both, and says what the log is to keep.
"""

from __future__ import annotations

import sys
from typing import BinaryIO, NamedTuple

import msgspec

from germane.app.lessons import is_lesson, tells_of_a_day
from germane.app.pipes import get, put
from germane.domain.decision import Decision
from germane.domain.event import Interaction
from germane.domain.item import Item
from germane.domain.moment import ActiveHour
from germane.domain.outcome import Observation, Reward, Trial
from germane.domain.profile import Profile
from germane.domain.settings import Settings, SurfaceSpec
from germane.predict.model import SharedModel

encode = msgspec.msgpack.encode


class Start(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What a learner begins with."""

    settings: Settings
    model: bytes
    """A dump of the shared model."""


class Asked(NamedTuple):
    """What ``Model.observe`` is asked about one event."""

    profile: Profile
    whole: bool
    """Whether all of the profile is here, which a lesson needs."""
    interactions: tuple[Interaction, ...]
    at_ms: int
    rewards: tuple[tuple[Reward, Decision | None], ...]
    active: ActiveHour | None
    trials: tuple[Trial, ...]
    shown: tuple[str, ...]


class Removed(NamedTuple):
    """An item left the catalogue."""

    item_id: str


class Brought(NamedTuple):
    """The choices that a content item brings, as ``Learner.put_surfaces`` is told."""

    prefix: str
    surfaces: tuple[SurfaceSpec, ...]


class Told(NamedTuple):
    """What a model is told of one record: one of these."""

    asked: Asked | None = None
    """Of an event, a decision, or a report."""
    item: Item | None = None
    removed: Removed | None = None
    brought: Brought | None = None


class Task(NamedTuple):
    """One record for the shared model."""

    seq: int
    message_id: str
    at_ms: int
    received_ms: int
    told: Told


class Learned(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What came of a group of records."""

    lessons: int
    """Lessons of the model so far."""
    derived: list[bytes]
    """Of each record, in order."""


def learn(model: SharedModel, task: Task) -> bytes:
    """Fold one record into the model; what the log keeps of it."""
    told = task.told
    if told.asked is not None:
        return encode(_observed(model, task, told.asked))
    if told.item is not None:
        model.put_item(task.seq, told.item)
    elif told.removed is not None:
        model.remove_item(task.seq, told.removed.item_id)
    elif told.brought is not None:
        model.put_surfaces(task.seq, *told.brought)
    return b""


def _observed(model: SharedModel, task: Task, told: Asked) -> Observation:
    lesson = ahead = False
    if told.interactions or told.active is not None:
        lesson = is_lesson(
            task.message_id, task.at_ms, task.received_ms, model.lessons, model.latest_ms
        )
        ahead = tells_of_a_day(task.at_ms, task.received_ms, model.latest_ms)
    foreseen = told.whole or not (lesson or (ahead and model.settings.makes_ahead))
    assert foreseen, "a lesson was not foreseen"
    observation = model.observe(
        told.profile,
        told.interactions,
        at_ms=told.at_ms,
        lesson=lesson,
        ahead=ahead,
        rewards=told.rewards,
        shown=told.shown,
        active=told.active,
        trials=told.trials,
    )
    model.fold(task.seq, observation)
    return observation


def run(source: BinaryIO, out: BinaryIO) -> None:
    """Learn group by group; an empty message asks for the model, and is the last one."""
    start = msgspec.msgpack.decode(get(source), type=Start)
    model = SharedModel(start.settings)
    model.load(start.model)
    tasks, task = msgspec.msgpack.Decoder(list[msgspec.Raw]), msgspec.msgpack.Decoder(Task)
    while data := get(source):  # one by one: people take more memory than what tells of them
        derived = [learn(model, task.decode(each)) for each in tasks.decode(data)]
        put(out, encode(Learned(model.lessons, derived)))
    put(out, model.dump())


def main() -> None:
    """Until all is learned, or nobody is there any more."""
    try:
        # Not the standard streams themselves: with PYTHONUNBUFFERED they may write a part and no more.
        with open(0, "rb", closefd=False) as source, open(1, "wb", closefd=False) as out:
            run(source, out)
    except (EOFError, BrokenPipeError):
        sys.exit(1)
