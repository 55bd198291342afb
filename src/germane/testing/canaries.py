"""People with a canary in every field: a word that stands nowhere else, so that its bytes can be looked for.

Each person lives a whole life: seen before they said who they are, ordering, deciding, written to, complaining.
What is compressed (sealed history, what was rendered) is opened when it is looked for.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec.structs import replace

from germane.app.composing import Composer
from germane.app.delivery import Delivery
from germane.app.engine import Engine
from germane.app.writing import rendered_of
from germane.deliver import outbox
from germane.domain.approval import ApprovalPolicy, Verdict
from germane.domain.campaign import Campaign, Enter, Leave, Step
from germane.domain.content import Rendered
from germane.domain.decision import Ask, Context
from germane.domain.event import Event, Rejection
from germane.domain.message import Message, Why
from germane.domain.moves import (
    AnyMove,
    Appointed,
    Asked,
    CampaignPut,
    CampaignTurned,
    ContentPut,
    Held,
    Judged,
    Planned,
    Stated,
    Ticked,
)
from germane.domain.operator import Operator
from germane.domain.outcome import Impression, Outcome
from germane.domain.purposes import EMAIL_MARKETING
from germane.domain.sending import Outgoing, Refused, Result, Sent
from germane.domain.settings import DeliverySpec, PrivacySpec, Settings
from germane.storage import codec
from germane.testing.builders import a_shop, an_item
from germane.testing.contents import a_content, a_slot
from germane.testing.world import START_MS, FakeWorld

CANARY = re.compile(rb"zq(\d{4})x[a-y]+z")
SLICE = 24
DAY_MS = 86_400_000
ITEMS = 40


def canary(number: int, name: str) -> str:
    """The word of one person and one field (small letters, no z)."""
    return f"zq{number:04d}x{name}z"


def a_canary_shop() -> Settings:
    """Nothing holds a message back."""
    return replace(
        a_shop(),
        delivery=DeliverySpec(quiet_hours=None, caps=(), spread_s=0),
        privacy=PrivacySpec(undeclared="keep"),  # all that they send is somewhere, to be found
    )


def user(number: int) -> str:
    """A user id."""
    return canary(number, "user")


class Mailbox:
    """A channel that says whom it wrote to; some addresses do not exist."""

    async def send(self, outgoing: Outgoing) -> Result:
        """Taken, or refused for good."""
        number = int(outgoing.to[2:6])
        if number % 7 == 3:
            return Refused("smtp.550", f"550 5.1.1 <{outgoing.to}> is unknown", suppress=True)
        return Sent(f"250 ok, to {outgoing.to}")

    async def close(self) -> None:
        """Nothing to close."""


@dataclass(slots=True)
class Lives:
    """So many people on one engine, in one loop.

    Args of the fields: ``plain``: without decisions, so that nobody's record depends on anybody else.
    """

    engine: Engine
    people: int
    plain: bool = False
    skipped: frozenset[int] = frozenset()
    """They never come; the clock, the offsets and the seeds go on as if they did."""
    marks: list[tuple[int, Any]] = field(default_factory=list)
    """Offset and state of the seeds after each act."""
    at: int = 0

    @property
    def world(self) -> FakeWorld:
        """Its clock."""
        world = self.engine.world
        assert isinstance(world, FakeWorld)
        return world

    async def live(self) -> None:
        """All of it, from four months ago until now."""
        await self.engine.put_items([an_item(n) for n in range(ITEMS)])
        self._begin()
        for days, act in self._acts():
            self.world.advance(days=days)
            for number in range(self.people):
                await self._act(number, act)

    def _begin(self) -> None:
        content = replace(
            a_content(a_slot("body", "text", "Dear {{ person.first_name }}, it is here.")),
            content_id="welcome",
        )
        campaign = Campaign(
            "welcome",
            enter=Enter(event="Order Completed"),
            steps=(Step("mail", "welcome"),),
            goal=Leave(event="Goal Reached"),
        )
        self._moves(
            ContentPut(content),
            CampaignPut(campaign),
            CampaignTurned("welcome", "live", Why(START_MS, "test", "Because.")),
            Appointed(Operator("ann", ("approver",)), "test"),
        )

    def _acts(self) -> list[tuple[float, Callable[[int], Any]]]:
        acts: list[tuple[float, Callable[[int], Any]]] = [
            (0.0, self._visits),
            (3.0, self._introduces),
            (60.0, self._views),
            (50.0, self._orders),
            (1.0, self._fails),
            (0.1, self._waits),
            (0.1, self._answers),
        ]
        return acts if self.plain else [*acts[:3], (0.5, self._decides), *acts[3:]]

    async def _act(self, number: int, act: Callable[[int], Any]) -> None:
        """One act of one person; of who never comes, only the traces in offsets and seeds."""
        if number not in self.skipped:
            await act(number)
            if not self.skipped:
                self.marks.append((self.engine.seq, self.world.state()))
        else:
            self.engine._seq = self.marks[self.at][0]  # noqa: SLF001 - offsets that nobody has
            self.world.resume(self.marks[self.at][1])
        self.at += 1

    # -- what they do --------------------------------------------------------------------------------

    async def _visits(self, n: int) -> None:
        seen = {"url": f"https://shop.example/{canary(n, 'url')}", "title": canary(n, "title")}
        device = {"ip": canary(n, "ip"), "userAgent": canary(n, "agent"), "page": seen}
        await self._hears(
            self._event(n, "page", "page", name=canary(n, "page"), context=device, properties=seen),
            self._event(
                n,
                "search",
                name="Product Viewed",
                properties={"product_id": canary(n, "item"), "query": canary(n, "query")},
                extra={canary(n, "extrakey"): canary(n, "extra")},
            ),
        )

    async def _introduces(self, n: int) -> None:
        traits = {
            "email": f"{canary(n, 'mail')}@example.org",
            "firstName": canary(n, "name"),
            "likes": f"c{n % 5}",
            canary(n, "traitname"): [canary(n, "trait")],
        }
        await self._hears(
            self._event(n, "hello", "identify", user_id=user(n), traits=traits),
            self._event(
                n, "team", "group", user_id=user(n), group_id=canary(n, "account"),
                traits={"company": canary(n, "company")},
            ),
            self._event(
                n, "alias", "alias", user_id=user(n), anonymous_id="", previous_id=canary(n, "old")
            ),
        )  # fmt: skip
        said = Stated(f"u:{user(n)}", EMAIL_MARKETING, True, canary(n, "how"), canary(n, "notice"))
        self._moves(said)

    async def _views(self, n: int) -> None:
        chance = random.Random(n)  # noqa: S311 - the same each time
        for step in range(4):
            item = f"i{chance.randrange(ITEMS)}"
            await self._hears(
                self._event(
                    n, f"view{'abcd'[step]}", name="Product Viewed", user_id=user(n),
                    properties={"product_id": item, canary(n, "key"): canary(n, "value")},
                )
            )  # fmt: skip

    async def _decides(self, n: int) -> None:
        context = Context(device=canary(n, "device"), extra={canary(n, "askkey"): canary(n, "ask")})
        ask = Ask("home", exclude=(canary(n, "exclude"),), context=context)
        (decision,), _ = self.engine.decide(user(n), canary(n, "anon"), "", [ask])
        at_ms = self.world.now_ms()
        await self.engine.impressions(
            [Impression(canary(n, "seen"), decision.decision_id, (0, 1), at_ms)]
        )
        item = decision.items[0].item_id
        await self.engine.outcomes(
            [
                Outcome(
                    canary(n, "bought"), decision.decision_id, item, "purchase", 9.0, at_ms,
                    canary(n, "reported"),
                )
            ]
        )  # fmt: skip

    async def _orders(self, n: int) -> None:
        products = [{"product_id": f"i{n % ITEMS}", "price": 9.5, "quantity": 1}]
        products.append({"product_id": canary(n, "rare"), "price": 1.0, "quantity": 1})
        await self._hears(
            self._event(
                n, "order", name="Order Completed", user_id=user(n),
                properties={"order_id": canary(n, "orderid"), "products": products},
            ),
            self._event(n, "custom", name="Looked Around", user_id=user(n)),
        )  # fmt: skip
        await self._sent()

    async def _fails(self, n: int) -> None:
        bad = {"userId": user(n), "event": 7, "properties": {"note": canary(n, "rejected")}}
        cut = f'{{"userId": "{user(n)}", "note": "{canary(n, "cutoff")}'
        wrong = f"Nobody can use {canary(n, 'reason')}."
        rejected = [
            Rejection("event.invalid", wrong, msgspec.json.encode(bad)),
            Rejection("event.malformed", wrong, cut.encode()),
        ]
        await self.engine.accept([], rejected)

    async def _waits(self, n: int) -> None:
        """A message that people judge, one that is held back, a reminder to a third, a tick for nothing."""
        now_ms = self.world.now_ms()
        judged, held = self._mail(n, "judged"), self._mail(n, "held")
        policy = ApprovalPolicy(remind_s=0)
        reminder = Outgoing(
            message_id=canary(n, "reminder"), person="", payload={"personId": f"u:{user(n)}"}
        )
        key = f"{canary(n, 'remindkey')}"
        verdict = Verdict("ann", "reject", judged.message.digest, now_ms, canary(n, "verdict"))
        self._moves(
            judged,
            Asked(judged.message.message_id, (policy,), "germane"),
            Judged(judged.message.message_id, verdict),
            held,
            Held(held.message.message_id, "skipped", 0, Why(now_ms, "x", canary(n, "why"))),
            outbox.errand(canary(n, "errand"), "webhook:team", reminder, now_ms, key=key),
            Ticked("welcome", f"u:{user(n)}|{canary(n, 'ticked')}"),
        )

    async def _answers(self, n: int) -> None:
        said = {0: "Email Marked as Spam", 1: "Email Opened", 2: "Email Link Clicked"}.get(n % 5)
        messages = [
            outbox.read(each)
            for each in self.engine.entries.of(self.engine.tenant, f"u:{user(n)}", "message")
        ]
        sent = next((each for each in messages if each.campaign == "welcome"), None)
        if said is None or sent is None:
            return
        about = {"email_id": sent.message_id, "link": canary(n, "link")}
        await self._hears(self._event(n, "answer", name=said, user_id=user(n), properties=about))

    # -- how -------------------------------------------------------------------------------------------

    def _event(self, n: int, name_: str, kind: str = "track", **more: Any) -> Event:
        named: dict[str, Any] = {
            "message_id": canary(n, f"id{name_}"),
            "kind": kind,
            "at_ms": self.world.now_ms(),
            "anonymous_id": canary(n, "anon"),
        }
        return Event(**(named | more))

    def _mail(self, n: int, name: str) -> Planned:
        rendered = Rendered("welcome", "v", "email", "en", canary(n, name), text=canary(n, name))
        data, digest = outbox.packed(rendered)
        now_ms = self.world.now_ms()
        made = Message(
            message_id=canary(n, f"m{name}"),
            person=f"u:{user(n)}",
            channel="email",
            campaign="",
            version="v",
            content="welcome",
            purpose=EMAIL_MARKETING,
            kind="never_twice",
            priority="normal",
            created_ms=now_ms,
            status="queued",
            due_ms=now_ms + 900 * DAY_MS,
            digest=digest,
        )
        return Planned(made, data)

    async def _hears(self, *events: Event) -> None:
        await self.engine.accept(events)

    def _moves(self, *moves: AnyMove) -> None:
        self.engine.put_moves(moves)

    async def _sent(self) -> None:
        """Whatever is due is made and sent."""
        engine = self.engine

        def written(message: Message) -> Outgoing:
            text = rendered_of(engine, message).text
            return Outgoing(
                message_id=message.message_id, person=message.person, to=message.address, text=text
            )

        await Delivery(engine, {"email": Mailbox()}, written).idle()
        assert Composer(engine).drafts() == []


def lived(lives: Lives) -> None:
    """In a loop of its own, as a server would."""

    async def run() -> None:
        await lives.engine.start()
        await lives.live()
        await lives.engine.durable()
        await lives.engine.stop()

    asyncio.run(run())


def compressed(engine: Engine) -> dict[int, list[bytes]]:
    """Person -> slices of what is stored of their rendered messages and their profile, which nobody else's
    have: these bytes are no words."""
    found: dict[int, set[bytes]] = {}
    for data, opened in (*_messages(engine), *_profiles(engine)):
        whole = CANARY.search(opened)
        if whole is not None:
            slices = (data[each : each + SLICE] for each in range(len(data) - SLICE))
            found.setdefault(int(whole[1]), set()).update(slices)
    counts = Counter(each for mine in found.values() for each in mine)
    return {n: sorted(x for x in mine if counts[x] == 1)[::8] for n, mine in found.items()}


def _messages(engine: Engine) -> Iterator[tuple[bytes, bytes]]:
    """What was rendered: as it is stored, and as it reads."""
    for record in engine.store.read(0, archived=True):
        if record.kind == "move" and b"Planned" in record.body:
            data = msgspec.msgpack.decode(record.body)["rendered"]
            yield data, msgspec.json.encode(outbox.unpacked(data))


def _profiles(engine: Engine) -> Iterator[tuple[bytes, bytes]]:
    """Each person, likewise."""
    after = ""
    while page := engine.store.profiles(engine.tenant, after=after):
        for each in page:
            opened = codec.encode(each)
            yield codec.pack(opened), opened
        after = page[-1].person


def words_in(folder: Path) -> set[bytes]:
    """Every canary in any file of a folder, sealed history opened."""
    return {word for data in contents(folder) for word in _words(data)}


def _words(data: bytes) -> Iterable[bytes]:
    return (each[0] for each in CANARY.finditer(data))


def contents(folder: Path) -> Iterable[bytes]:
    """The bytes of every file, and the names; a Parquet file also as it reads."""
    for path in sorted(folder.rglob("*")):
        yield path.name.encode()
        if path.is_file():
            yield path.read_bytes()
            if path.suffix == ".parquet":
                yield _opened(path)


def _opened(path: Path) -> bytes:
    import pyarrow.parquet as pq

    columns = pq.read_table(path).to_pydict().values()
    return b"\n".join(
        each if isinstance(each, bytes) else str(each).encode() for rows in columns for each in rows
    )


def of_whom(words: Collection[bytes]) -> set[int]:
    """People by number."""
    return {int(CANARY.fullmatch(each)[1]) for each in words}  # type: ignore[index]


def pieces_in(folder: Path, slices: dict[int, list[bytes]]) -> set[int]:
    """People of whom a piece of a rendered message lies in some file."""
    whose = {piece: n for n, mine in slices.items() for piece in mine}
    heads = np.unique(np.frombuffer(b"".join(each[:8] for each in whose), dtype="<u8"))
    found: set[int] = set()
    for data in contents(folder):
        for start in range(8):  # wherever it lies
            whole = data[start : start + (len(data) - start) // 8 * 8]
            places = np.flatnonzero(np.isin(np.frombuffer(whole, dtype="<u8"), heads)) * 8 + start
            pieces = (data[place : place + SLICE] for place in places.tolist())
            found |= {whose[each] for each in pieces if each in whose}
    return found
