"""People opt out while everything goes on: `just bench consentraces`.

Each person has a history. Then, all at once and in an order that chance decides: events on time, late and
sent again, two ids that turn out to be one person's, questions, impressions and outcomes of what was
decided before, replays of dead letters; and in the midst of it they opt out, in one of five ways. After it
the server is started anew, more of the same comes, and a file of history is imported. No effect may begin
after the no was acknowledged: nothing of what they do may be in the log, nothing learned, no profile
changed, no list made for them. The log itself is looked over.

And what is decided for whoever has opted out is compared, byte for byte, with what is decided for somebody
of whom nothing was ever known, in the same context with the same seed:
`privacy.noninterference_mismatches`.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace
from rich.progress import Progress

from benchmarks.figures import record, write_result
from germane.app.crediting import Crediting
from germane.app.engine import Engine
from germane.app.opening import open_engine
from germane.app.steps import Steps
from germane.domain.decision import Ask, Context, Decision
from germane.domain.event import Event, Rejection
from germane.domain.moves import Stated
from germane.domain.outcome import Impression, Outcome
from germane.domain.profile import OwnItem, Trait
from germane.domain.purposes import PERSONALISATION
from germane.domain.record import Record, Txn
from germane.domain.settings import PrivacySpec
from germane.privacy.gate import Gate
from germane.testing import FakeWorld, a_campaign, an_item
from germane.testing.world import START_MS

COMMAND = "just bench consentraces"
RACES = int(os.environ.get("GERMANE_RACES", "100000"))
DECISIONS = int(os.environ.get("GERMANE_DECISIONS", "10000"))
ROUND = 250
"""People who race at a time."""
SPREAD_S = 0.1
"""They opt out within this time."""
ITEMS = 60
WAYS = ("api", "banner", "signal", "device", "alias")
ASKS = (Ask("home"), Ask("mail"))
SPEC = PrivacySpec(gpc=(PERSONALISATION,))
BARE = ("consent", "gpc")


@dataclass(slots=True)
class Person:
    """Somebody who races."""

    user: str
    device: str
    way: str
    made: list[Decision] = field(default_factory=list)
    letters: list[int] = field(default_factory=list)
    sent: list[Event] = field(default_factory=list)
    heard: int = 0
    """Offset of the log when their no was acknowledged."""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """It was."""


class Race:
    """One engine, many people."""

    def __init__(self, engine: Engine, seed: int) -> None:
        self.engine = engine
        self.chance = random.Random(seed)
        self.people: list[Person] = []
        self.number = 0

    def event(self, person: Person, *, device: bool = False, late: bool = False) -> Event:
        """Something that they do."""
        self.number += 1
        ids = ("", person.device) if device else (person.user, "")
        event = Event(
            f"e{self.number}",
            "track",
            START_MS - self.chance.randrange(10**9) if late else START_MS,
            name="Product Viewed",
            user_id=ids[0],
            anonymous_id=ids[1],
            properties={"product_id": f"i{self.chance.randrange(ITEMS)}"},
        )
        person.sent.append(event)
        return event

    def link(self, person: Person) -> Event:
        """Their two ids turn out to be one person's."""
        self.number += 1
        kind: Any = "alias" if person.way == "alias" else "identify"
        more: dict[str, Any] = {"previous_id" if kind == "alias" else "anonymous_id": person.device}
        return Event(f"l{self.number}", kind, START_MS, user_id=person.user, **more)

    async def round(self, people: list[Person]) -> None:
        """All of them race."""
        self.people += people
        await self._ready(people)
        tasks = [asyncio.create_task(self._opts_out(each)) for each in people]
        for each in people:
            tasks += [
                asyncio.create_task(self._goes_on(each)) for _ in range(self.chance.randrange(2, 5))
            ]
        self.chance.shuffle(tasks)
        await asyncio.gather(*tasks)

    async def _ready(self, people: list[Person]) -> None:
        history = [self.event(x, device=d) for x in people for d in (False, True, False)]
        await self.engine.accept(history)
        for each in people:
            each.made, _ = self.engine.decide(each.user, "", "", ASKS)
            body = json.dumps({"type": "track", "userId": each.user}).encode()
            await self.engine.accept([], [Rejection("event.missing_name", "no name", body)])
        await self.engine.durable()

    async def _opts_out(self, person: Person) -> None:
        """In their way; when it is acknowledged, they have."""
        await asyncio.sleep(self.chance.random() * SPREAD_S)
        event = self.event(person)
        if person.way == "api":
            await self.engine.move([Stated(f"u:{person.user}", PERSONALISATION, False, "api")])
        elif person.way == "banner":
            context = {"consent": {"categoryPreferences": {PERSONALISATION: False}}}
            await self.engine.accept([replace(event, context=context)])
        elif person.way == "signal":
            await self.engine.accept([replace(event, context={"gpc": True})])
        else:  # on a device that turns out to be theirs
            said = replace(event, user_id="", anonymous_id=person.device, context={"gpc": True})
            await self.engine.accept([said, self.link(person)])
        person.heard = self.engine.seq
        person.over.set()

    async def _goes_on(self, person: Person) -> None:
        """Whatever else happens with them."""
        if self.chance.random() < 0.5:
            await asyncio.sleep(self.chance.random() * SPREAD_S)
        else:  # as soon as the no was acknowledged
            await person.over.wait()
        await self.chance.choice(
            (self._acts, self._acts, self._is_shown, self._asks, self._replays)
        )(person)

    async def _acts(self, person: Person) -> None:
        device, late = self.chance.random() < 0.3, self.chance.random() < 0.5
        events = [self.event(person, device=device, late=late)]
        if self.chance.random() < 0.3:
            events.append(self.chance.choice(person.sent))
        if person.way in ("device", "alias") and self.chance.random() < 0.2:
            events.append(self.link(person))
        await self.engine.accept(events)

    async def _is_shown(self, person: Person) -> None:
        self.number += 1
        grid = person.made[0]
        seen = Impression(f"s{self.number}", grid.decision_id, (0, 1), START_MS)
        await self.engine.impressions([seen])
        item = grid.items[0].item_id if grid.items else ""
        bought = Outcome(f"o{self.number}", grid.decision_id, item, "purchase", None, START_MS)
        await self.engine.outcomes([bought])

    async def _asks(self, person: Person) -> None:
        person.made, _ = self.engine.decide(person.user, "", "", ASKS)

    async def _replays(self, person: Person) -> None:
        """Of an event that a mended declaration could use: here one that comes by that way."""
        await self.engine.accept([self.event(person)], source="replay")

    def after(self) -> None:
        """When all is over and the engine was started anew: once more, and from a file."""
        some = self.chance.sample(self.people, min(len(self.people), 2 * ROUND))
        for each in some:
            self.engine.decide(each.user, "", "", ASKS)
        events = [self.event(x, device=d, late=True) for x in some for d in (False, True)]
        self.engine.accept_now(events)


def late_effects(race: Race) -> Counter[str]:
    """What began after the no of its person was acknowledged, by kind: from the log, and the profiles."""
    heard = {f"u:{each.user}": each.heard for each in race.people}
    theirs = {
        each.device: f"u:{each.user}" for each in race.people if each.way in ("device", "alias")
    }
    found: Counter[str] = Counter()
    for row in race.engine.store.read(0):
        person = theirs.get(row.person.removeprefix("a:"), row.person)
        if person in heard and row.seq > heard[person]:
            found.update(_effects(row))
    for each in race.people:
        profile = race.engine.profile_of(f"u:{each.user}")
        if profile.consent.get(PERSONALISATION) is not False:
            found["not opted out"] += 1
    return found


def _effects(record: Record) -> list[str]:
    """What a record does that is not to be done."""
    found = ["learned"] if record.derived else []
    if record.kind == "event":
        event = msgspec.msgpack.decode(record.body, type=Event)
        kept = event.name or event.properties or event.traits or {*event.context} - {*BARE}
        return [*found, "kept"] if kept else found
    return found if record.kind == "move" else [*found, record.kind]


class Blind(Gate):
    """The control: hears every no, and lets everything pass."""

    def allows(self, person: Any, purpose: str, now_ms: int) -> bool:
        """Everything is."""
        return True


async def _raced(race: Race, races: int, shown: Progress) -> None:
    await race.engine.start()
    task = shown.add_task("races", total=races)
    for start in range(0, races, ROUND):
        people = [
            Person(f"r{n}", f"d{n}", WAYS[n % len(WAYS)])
            for n in range(start, min(start + ROUND, races))
        ]
        await race.round(people)
        shown.update(task, completed=start + len(people))
    await race.engine.stop()


def run(races: int, seed: int = 5, *, blind: bool = False) -> dict[str, Any]:
    """On a fresh data folder. ``blind``: with a gate that lets everything pass, to show that it is seen."""
    with tempfile.TemporaryDirectory() as folder, Progress() as shown:
        path, settings = Path(folder) / "data", replace(a_campaign(), privacy=SPEC)
        engine = open_engine(settings, path, world=FakeWorld(START_MS))
        steps: Steps = engine._steps
        if blind:
            steps.gate = steps.admission.gate = Blind(steps.settings)
            steps.credits = Crediting(steps.settings, steps.memory, steps.gate)
        with engine.importer() as importer:
            importer.add_items([an_item(n) for n in range(ITEMS)])
        race = Race(engine, seed)
        asyncio.run(_raced(race, races, shown))
        refused = engine.refused.total()
        engine.store.close()
        race.engine = open_engine(settings, path, world=FakeWorld(START_MS))
        if not blind:
            race.after()
        found = late_effects(race)
        race.engine.store.close()
    return {
        "races": races,
        "late": found.total(),
        "by_kind": dict(found),
        "events": race.number,
        "refused": refused,
    }


def mismatches(decisions: int, seed: int = 5) -> dict[str, int]:
    """How many decisions for people who opted out differ from those for nobody."""
    chance, wrong = random.Random(seed), 0
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(a_campaign(), Path(folder) / "data", world=FakeWorld(START_MS))
        with engine.importer() as importer:
            importer.add_items([an_item(n) for n in range(ITEMS)])
            for n in range(2_000):
                event = Event(
                    f"e{n}", "track", START_MS, name="Product Viewed", user_id=f"o{n % 97}"
                )
                item = {"product_id": f"i{chance.randrange(ITEMS)}"}
                importer.add([replace(event, properties=item)])
        for n in range(decisions):
            ask = Ask(
                chance.choice(("home", "mail")),
                context=Context(extra={"device": chance.choice(("phone", "desk"))}),
            )
            _mutated(engine, chance)
            found = []
            for who in (("x", ""), ("", "")):
                engine.world = FakeWorld(START_MS, seed=n)
                (made,), trust = engine.decide(
                    *who, chance.choice(("", "acme")), [ask], record=False
                )
                found.append((msgspec.json.encode(made), trust))
            wrong += found[0] != found[1]
        engine.store.close()
    return {"decisions": decisions, "mismatches": wrong}


def _mutated(engine: Engine, chance: random.Random) -> None:
    """Something else is known of who opted out: put there past every gate."""
    person = replace(
        engine.profile_of("u:x"),
        evidence=chance.random() * 100,
        account=chance.choice(("", "acme")),
        traits={"likes": Trait(f"c{chance.randrange(7)}", START_MS)},
        own_items={
            f"i{chance.randrange(ITEMS)}": OwnItem(chance.randrange(9))
            for _ in range(chance.randrange(9))
        },
        consent={PERSONALISATION: False},
    )
    engine.commit(engine._held(Txn(profiles={(engine.tenant, "u:x"): person})))


def main() -> None:
    """Run, print, write."""
    result = run(RACES) | {"noninterference": mismatches(DECISIONS)}
    print(json.dumps(result, indent=2))
    write_result("consentraces", {"protocol": __doc__, **result})
    record("privacy.consent_races", result["races"], n=result["events"], command=COMMAND)
    record("privacy.consent_late_effects", result["late"], n=result["races"], command=COMMAND)
    same = result["noninterference"]
    record(
        "privacy.noninterference_mismatches",
        same["mismatches"],
        n=same["decisions"],
        command=COMMAND,
    )
    assert result["late"] == 0, result


if __name__ == "__main__":
    main()
