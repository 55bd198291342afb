"""One message in a hundred is poison: it cannot be read, or something raises while it is read or folded.

The engine serves. What is broken in it is broken at the seams at which it calls its parts, for marked messages
only: the parser, the look at what is declared, a signal's mapping, the profile's fold, the features of a
lesson, a campaign's rules, and the ledger at the very end. Nothing of such a message may stay behind, no other
message may wait for it, and each is a dead letter with its reason. Then all is mended, and each dead letter is
replayed. (Where the gate of privacy itself breaks, a dead letter keeps no more than whose the event is and what
it is called: nobody could ask whether more may be kept.)

Two engines that never were broken say what is right. To the first one the poisonous messages come last, when
they are replayed to the other: it must have the same offsets, state and shared model, to the bit. To the second
they come in their turn: what does not depend on the order must be the same, that is all of a profile but its
offset (sums up to rounding).
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec

from germane.app import steps
from germane.app.engine import Engine
from germane.app.enrolling import Enrolling
from germane.app.opening import open_engine
from germane.app.rebuild import rebuild
from germane.app.steps import Steps
from germane.app.unheard import Unheard
from germane.domain.ids import DEFAULT_TENANT
from germane.domain.profile import Profile
from germane.ingest import limits, segment
from germane.testing import FakeWorld, a_shop, an_item
from tests.laws.resending import ITEMS, NAMELESS_EVERY, Plan, a_message

EVERY = 100
"""One message of so many is poison."""
READ = "parser"
SEAMS: dict[str, tuple[Any, str]] = {
    READ: (segment, "_event"),
    "declared": (Unheard, "look"),
    "mapping": (Steps, "_told"),
    "profile": (steps, "fold"),
    "lesson": (Steps, "_observe"),
    "campaign": (Enrolling, "event"),
    "ledger": (Steps, "_ended"),
}
"""What breaks, and what the engine calls there."""
WRONG: dict[str, Callable[[dict[str, Any]], Any]] = {
    "event.unknown_type": lambda message: message | {"type": "trakc"},
    "event.missing_id": lambda message: message | {"userId": None},
    "event.bad_id": lambda message: message | {"userId": {"id": 7}},
    "event.bad_timestamp": lambda message: message | {"timestamp": "yesterday"},
    "event.bad_property": lambda message: message | {"properties": [1]},
    "event.not_an_object": lambda message: message["messageId"],
}
"""Code of the dead letter -> a message that nothing mends, for its sender is wrong."""
LARGE = "event.too_large"
"""A replay takes it as it is."""
KINDS = (*SEAMS, LARGE, *WRONG)
_BUG = {each: "event.parse_failed" if each == READ else "event.fold_failed" for each in SEAMS}


@dataclass(slots=True)
class Found:
    """What came of it."""

    accepted: int = 0
    rejected: int = 0
    seconds: float = 0.0
    """That sending all took."""
    before: tuple[str, str] = ("", "")
    """State and model, when all was sent and nothing replayed."""
    after: tuple[str, str] = ("", "")
    letters: Counter[str] = field(default_factory=Counter)
    """Dead letters by their code; none without a reason."""
    order: list[str] = field(default_factory=list)
    """Message ids in dead letters that a replay used, in its order."""
    still: Counter[str] = field(default_factory=Counter)
    """Those that no replay could use, each with its reason."""
    rebuilds: bool = False


def numbers_of(plan: Plan) -> list[int]:
    """Of events whose person is named: what a merge of two makes of them depends on the order."""
    return [each for each in range(plan.events) if each % NAMELESS_EVERY]


def kind_of(place: int) -> str:
    """What is wrong with the message at a place in the stream; empty: nothing."""
    return KINDS[place // EVERY % len(KINDS)] if place % EVERY == EVERY // 2 else ""


def expected(plan: Plan) -> Counter[str]:
    """Dead letters by code."""
    kinds = filter(None, map(kind_of, range(len(numbers_of(plan)))))
    return Counter(_BUG.get(each, each) for each in kinds)


def messages(plan: Plan) -> Iterator[tuple[str, dict[str, Any]]]:
    """The stream: what is wrong with a message, and the message as it should have been."""
    for place, number in enumerate(numbers_of(plan)):
        kind, message = kind_of(place), a_message(number, plan)
        if kind:
            message["messageId"] = f"{kind}-{number}"
        if kind == LARGE:
            message["properties"]["note"] = "x" * limits.MESSAGE_BYTES
        yield kind, message


def poisoned(plan: Plan, folder: Path, tick: Callable[[], None] = lambda: None) -> Found:
    """Send all while the engine is broken, mend it, replay."""
    found, engine = Found(), _opened(folder)

    async def live() -> None:
        await engine.start()
        with broken():
            async for batch in _batches(plan, engine, found, tick):
                sent = [WRONG[kind](each) if kind in WRONG else each for kind, each in batch]
                now_ms = engine.world.now_ms()
                body = json.dumps({"batch": sent}).encode()
                parsed = segment.parse(body, route="batch", wall_ms=now_ms, now_ms=now_ms)
                receipt = await engine.accept(parsed.events, parsed.rejected)
                found.accepted += receipt.accepted
                found.rejected += receipt.rejected
        found.before = hashes(engine)
        await _replay(engine, found)
        await engine.stop()

    asyncio.run(live())
    found.after = hashes(engine)
    found.rebuilds = rebuild(engine).equal
    engine.store.close()
    return found


def whole(
    plan: Plan, folder: Path, last: Sequence[str] = (), tick: Callable[[], None] = lambda: None
) -> Found:
    """Send all that can be used to an engine that is not broken; those of ``last`` at the end."""
    found, engine = Found(), _opened(folder)
    late, waiting = {*last}, {}

    async def live() -> None:
        await engine.start()
        async for batch in _batches(plan, engine, found, tick):
            good = [each for kind, each in batch if kind not in WRONG]
            waiting.update({x["messageId"]: x for x in good if x["messageId"] in late})
            await accept([each for each in good if each["messageId"] not in late])
        found.before = hashes(engine)
        for each in last:
            await accept([waiting[each]])
        await engine.stop()

    async def accept(batch: list[dict[str, Any]]) -> None:
        read = [segment.parse_kept(json.dumps(x).encode(), engine.world.now_ms()) for x in batch]
        receipt = await engine.accept([each for each in read if not isinstance(each, str)])
        found.accepted += receipt.accepted
        found.rejected += receipt.rejected + sum(isinstance(each, str) for each in read)

    asyncio.run(live())
    found.after = hashes(engine)
    engine.store.close()
    return found


def different_people(one: Path, two: Path) -> list[str]:
    """Whose profiles are not the same but for their offset, and for the rounding of sums."""
    profiles = []
    for folder in (one, two):
        engine = open_engine(a_shop(), folder, mode="read")
        profiles.append({each.person: _plain(each) for each in _people(engine)})
        engine.store.close()
    first, second = profiles
    return [x for x in {*first, *second} if not alike(first.get(x), second.get(x))]


def alike(one: Any, two: Any) -> bool:
    """Equal, sums up to rounding."""
    if isinstance(one, float) and isinstance(two, float):
        return math.isclose(one, two, rel_tol=1e-9, abs_tol=1e-9)
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(alike(one[each], two[each]) for each in one)
    if isinstance(one, list | tuple) and isinstance(two, list | tuple):
        return len(one) == len(two) and all(map(alike, one, two))
    return bool(one == two)


def hashes(engine: Engine) -> tuple[str, str]:
    """Of the state and the shared model."""
    return engine.store.state_hash(), engine.model.digest()


@contextmanager
def broken() -> Iterator[None]:
    """Every seam raises at its marked messages."""
    with ExitStack() as stack:
        for name, (owner, attribute) in SEAMS.items():
            function = _raising(name, getattr(owner, attribute))
            stack.enter_context(patch.object(owner, attribute, function))
        yield


def _raising(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def breaking(*arguments: Any, **named: Any) -> Any:
        if any(_message_id(each).startswith(f"{name}-") for each in arguments):
            raise RuntimeError(f"the {name} is broken")
        return function(*arguments, **named)

    return breaking


def _message_id(value: Any) -> str:
    known = value.get("messageId") if isinstance(value, dict) else getattr(value, "message_id", "")
    return known if isinstance(known, str) else ""


async def _batches(
    plan: Plan, engine: Engine, found: Found, tick: Callable[[], None]
) -> AsyncIterator[list[tuple[str, dict[str, Any]]]]:
    """The stream in batches; the clock goes on before each."""
    world, stream = engine.world, messages(plan)
    assert isinstance(world, FakeWorld)
    began = time.perf_counter()
    while batch := [*islice(stream, plan.batch)]:
        at_ms = max(each["timestamp"] for _, each in batch)
        world.advance(seconds=(at_ms - world.now_ms()) / 1000)
        yield batch
        tick()
    found.seconds = time.perf_counter() - began


async def _replay(engine: Engine, found: Found) -> None:
    """Every dead letter in its order."""
    after = 0
    while page := engine.letters(after=after):
        for each in page:
            found.letters[each.code if each.message else "without a reason"] += 1
            body = msgspec.json.decode(each.body)
            if said := await engine.replay(each.letter_id):
                assert said == each.message, (said, each)
                found.still[each.code] += 1
            else:
                found.order.append(body.get("messageId") or body["message_id"])
        after = page[-1].letter_id


def _people(engine: Engine) -> Iterator[Profile]:
    after = ""
    while page := engine.store.profiles(DEFAULT_TENANT, after=after, limit=1000):
        yield from page
        after = page[-1].person


def _plain(profile: Profile) -> Any:
    """Without its offset, as sequences, mappings, texts and numbers."""
    plain = msgspec.structs.replace(profile, seq=0)
    return msgspec.to_builtins(plain, str_keys=True)


def _opened(folder: Path) -> Engine:
    engine = open_engine(a_shop(), folder, world=FakeWorld())
    with engine.importer() as importer:
        importer.add_items([an_item(n) for n in range(ITEMS)])
    return engine
