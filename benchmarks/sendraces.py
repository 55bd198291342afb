"""People say no while their message goes out: `just bench sendraces`.

Thousands of messages are due at once; while they go out, each person says no in one of four ways (an
unsubscription, a preference, by API, a complaint), at a moment that chance decides; some are stopped by the
kill switch instead. No message may begin after the no was acknowledged.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.figures import record, write_result
from germane.app.engine import Engine
from germane.app.opening import open_engine
from germane.app.posting import Postman
from germane.app.release import Release
from germane.domain.event import Event
from germane.domain.message import Why
from germane.domain.moves import AnyMove, Stated, Switched
from germane.domain.sending import Outgoing, Result, Sent
from germane.testing import FakeWorld
from germane.testing.builders import a_shop
from germane.testing.privacy_contract import due_mail
from germane.testing.world import START_MS

COMMAND = "just bench sendraces"
RACES = int(os.environ.get("GERMANE_RACES", "100000"))
ROUND = 1_000
"""People who race at a time."""
SWITCH_EVERY = 10
"""Of so many rounds one is stopped by the kill switch."""
LEAD = 100
"""Refusals under way before as many messages began."""
PURPOSE = "email_marketing"
WAYS = ("unsubscribed", "preference", "api", "complaint")


class Clock:
    """Counts: of two moments in one process, the later has the higher number."""

    def __init__(self) -> None:
        self._next = itertools.count(1)

    def now(self) -> int:
        """The next number."""
        return next(self._next)


class Watched:
    """A channel that notes when each message begins."""

    def __init__(self, clock: Clock, chance: random.Random) -> None:
        self.began: dict[str, int] = {}
        self._clock, self._chance = clock, chance

    async def send(self, outgoing: Outgoing) -> Result:
        """It begins now, and takes a while."""
        self.began[outgoing.person] = self._clock.now()
        await asyncio.sleep(self._chance.choice((0.0, 0.0, 0.001)))
        return Sent()

    async def close(self) -> None:
        """Nothing to close."""


def no(way: str, user: str, number: int) -> Event | Stated:
    """How somebody says it."""
    named = {"message_id": f"no-{user}-{number}", "kind": "track", "at_ms": START_MS}
    if way == "api":
        return Stated(f"u:{user}", PURPOSE, False, "api")
    if way == "preference":
        denied = {"consent": {"categoryPreferences": {PURPOSE: False}}}
        return Event(**named, name="Page", user_id=user, context=denied)  # type: ignore[arg-type]
    name = "Unsubscribed" if way == "unsubscribed" else "Email Marked as Spam"
    return Event(**named, name=name, user_id=user)  # type: ignore[arg-type]


class Race:
    """One engine, one postman, many people."""

    def __init__(self, engine: Engine, seed: int, release: type[Release]) -> None:
        self.engine = engine
        self.chance = random.Random(seed)
        self.clock = Clock()
        self.channel = Watched(self.clock, self.chance)
        self.heard: dict[str, int] = {}
        self.postman = Postman(
            release.of(engine),
            {"email": self.channel},
            engine,
            lambda each: Outgoing(message_id=each.message_id, person=each.person, to=each.address),
        )

    async def round(self, users: list[str], *, switch: bool) -> None:
        """All of them race."""
        await self._ready(users)
        running = asyncio.create_task(self._send())
        if switch:
            await self._switched(users)
        else:
            await self._refusals(users, running)
        await running
        if switch:
            why = Why(START_MS, "race", "over")
            await self.engine.move([Switched("all", "", False, why)])
            await asyncio.gather(*(self._refuse(user) for user in users))
            self.engine.world.advance(seconds=100)  # type: ignore[attr-defined]
            await self._send()

    async def _ready(self, users: list[str]) -> None:
        told = [
            Event(
                f"i-{user}",
                "identify",
                START_MS,
                user_id=user,
                traits={"email": f"{user}@x.example"},
            )
            for user in users
        ]
        await self.engine.accept(told)
        moves: list[AnyMove] = []
        for user in users:
            moves += [Stated(f"u:{user}", PURPOSE, True, "test"), due_mail(user, "race")]
        await self.engine.move(moves)

    async def _send(self) -> None:
        busy = True
        while busy:
            busy = await self.postman.round() or await self.postman.landed()
            await asyncio.sleep(0)

    async def _refusals(self, users: list[str], sending: asyncio.Task[None]) -> None:
        """Everybody, in any order, about as fast as messages go out: so that both happen at once."""
        before, tasks = len(self.channel.began), list[asyncio.Task[None]]()
        for user in self.chance.sample(users, len(users)):
            while not sending.done() and len(tasks) > len(self.channel.began) - before + LEAD:
                await asyncio.sleep(0)
            tasks.append(asyncio.create_task(self._refuse(user)))
        await asyncio.gather(*tasks)

    async def _refuse(self, user: str) -> None:
        for _ in range(self.chance.randrange(20)):
            await asyncio.sleep(0)
        said = no(self.chance.choice(WAYS), user, self.clock.now())
        if isinstance(said, Stated):
            await self.engine.move([said])
        else:
            await self.engine.accept([said])
        self.heard[f"u:{user}"] = self.clock.now()

    async def _switched(self, users: list[str]) -> None:
        upto = len(self.channel.began) + self.chance.randrange(len(users))
        while len(self.channel.began) < upto:
            await asyncio.sleep(0)
        why = Why(START_MS, "race", "stop")
        await self.engine.move([Switched("all", "", True, why)])
        now = self.clock.now()
        self.heard |= {f"u:{user}": now for user in users}


async def race(
    engine: Engine, races: int, seed: int, switch_every: int, release: type[Release]
) -> dict[str, Any]:
    """So many races; how many began too late."""
    await engine.start()
    made = Race(engine, seed, release)
    for start in range(0, races, ROUND):
        users = [f"r{n}" for n in range(start, min(start + ROUND, races))]
        before = set(made.channel.began)
        switch = start // ROUND % switch_every == switch_every - 1
        await made.round(users, switch=switch)
        if switch:  # who came through before the switch is as it was; nobody began after it
            began = {x: made.channel.began[x] for x in set(made.channel.began) - before}
            assert all(each in made.heard for each in began)
    await engine.stop()
    began = made.channel.began
    late = [who for who, at in began.items() if at > made.heard[who]]
    return {"races": races, "sent": len(began), "late": len(late)}


def run(
    races: int, seed: int = 5, switch_every: int = SWITCH_EVERY, release: type[Release] = Release
) -> dict[str, Any]:
    """On a fresh data folder.

    Args:
        races: How many people race.
        seed: Of the chances.
        switch_every: Of so many rounds one is stopped by the kill switch.
        release: What says whether a message may go out; one that is blind shows that the races see it.
    """
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(a_shop(), Path(folder) / "data", world=FakeWorld(START_MS))
        found = asyncio.run(race(engine, races, seed, switch_every, release))
        engine.store.close()
    return found


def main() -> None:
    """Run, print, write."""
    result = run(RACES)
    print(json.dumps(result, indent=2))
    write_result("sendraces", {"protocol": __doc__, **result})
    record("send.optout_races", result["races"], n=result["sent"], command=COMMAND)
    record("send.optout_late", result["late"], n=result["races"], command=COMMAND)
    assert result["late"] == 0, result
    assert 0.05 < result["sent"] / result["races"] < 0.95, "the races were none"


if __name__ == "__main__":
    main()
