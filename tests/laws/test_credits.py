"""What a slate or a choice was credited for an item never falls below nothing, in any history."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from germane.app.engine import Engine
from germane.app.rebuild import rebuild
from germane.domain.decision import Ask, Decision
from germane.domain.event import Event
from germane.domain.outcome import Impression, Observation, Outcome
from germane.domain.settings import OutcomeSpec, ProfileSpec, Settings
from germane.predict.model import SharedModel
from germane.storage.memory import MemoryStore
from germane.testing import FakeWorld, a_campaign, an_event, an_item

PAID = (
    OutcomeSpec("revenue", "purchase", 7 * 86_400, 1.0, "revenue"),
    OutcomeSpec("orders", "purchase", 7 * 86_400),
)
ITEMS = 4
Step = tuple[Any, ...]


def the_shop() -> Settings:
    """A grid and a choice, both weighed in money; refunds tell pieces and prices; a short ring."""
    shop = a_campaign(outcomes=PAID[:1])
    refund = replace(shop.signals["refund"], quantity="quantity", price="price")
    home = replace(shop.surfaces["home"], outcomes=PAID, size=3)
    return replace(
        shop,
        signals=shop.signals | {"refund": refund},
        surfaces=shop.surfaces | {"home": home},
        profile=ProfileSpec(recent=10, exposures=3),
    )


SHOP = the_shop()
LINES = st.lists(
    st.tuples(st.integers(0, ITEMS - 1), st.integers(1, 30), st.integers(1, 3)),
    min_size=1,
    max_size=3,
)
ORDERS = st.sampled_from(["", "o1", "o2", "o3"])
AGES = st.integers(0, 2 * 86_400)
NAMED = st.none() | st.integers(0, 5)
STEPS = st.one_of(
    st.tuples(st.just("slate"), st.sampled_from(["home", "mail"]), st.booleans(), st.booleans()),
    st.tuples(st.just("identify")),
    st.tuples(st.just("order"), LINES, ORDERS, AGES, NAMED, st.booleans()),
    st.tuples(st.just("refund"), st.just([]) | LINES, ORDERS, AGES, NAMED, st.booleans()),
    st.tuples(st.just("report"), st.integers(0, 5), st.integers(0, 40), ORDERS, st.booleans()),
    st.tuples(st.just("copies"), LINES, st.sampled_from(["o1", "o2"]), st.booleans()),
    st.tuples(st.just("wait"), st.integers(1, 5 * 86_400)),
)


class Life:
    """One person's, through the engine."""

    def __init__(self) -> None:
        self.world = FakeWorld()
        self.engine = Engine(SHOP, MemoryStore(), SharedModel(SHOP), self.world, key=b"k" * 32)
        self.made: list[Decision] = []

    async def live(self, steps: list[Step]) -> None:
        """All of it."""
        with self.engine.importer() as importer:
            importer.add_items([an_item(n) for n in range(ITEMS)])
        await self.engine.start()
        await self.engine.accept([an_event(at_ms=self.world.now_ms())])
        for number, (kind, *said) in enumerate((("slate", "home", True, True), *steps)):
            await getattr(self, kind)(f"s{number}", *said)
        await self.engine.stop()

    async def slate(self, name: str, surface: str, seen: bool, known: bool) -> None:
        """A decision, seen or not, for the user or for a visitor."""
        who = ("u1", "") if known else ("", "x")
        (decision,), _ = self.engine.decide(*who, "", [Ask(surface)])
        self.made.append(decision)
        if seen and decision.items:
            places = tuple(range(len(decision.items)))
            said = Impression(name, decision.decision_id, places, self.world.now_ms())
            await self.engine.impressions([said])

    async def order(self, name: str, *said: Any) -> None:
        """Lines of some items, perhaps the same one twice."""
        await self.engine.accept([self._event("Order Completed", name, *said)])

    async def copies(self, name: str, lines: Any, order: str, meet: bool) -> None:
        """An order under both ids, each of which a choice was made for; perhaps they meet then."""
        for known in (True, False):
            await self.slate(f"{name}{known}", "mail", seen=False, known=known)
            await self.order(f"{name}{known}o", lines, order, 0, None, known)
        if meet:
            await self.identify(f"{name}i")

    async def refund(self, name: str, *said: Any) -> None:
        """Some of it, all of it, or what was never bought."""
        await self.engine.accept([self._event("Order Refunded", name, *said)])

    async def identify(self, name: str) -> None:
        """The visitor is the user."""
        now_ms = self.world.now_ms()
        await self.engine.accept([Event(name, "identify", now_ms, user_id="u1", anonymous_id="x")])

    async def report(self, name: str, which: int, value: int, order: str, item: bool) -> None:
        """Revenue by decision id."""
        decision, now_ms = self._made(which), self.world.now_ms()
        choice = decision.surface == "mail"
        if not (choice or decision.items):
            return
        item_id = decision.items[which % len(decision.items)].item_id if not choice else "i1"
        outcome = "revenue"
        shown = item_id if item or not choice else ""
        said = Outcome(name, decision.decision_id, shown, outcome, float(value), now_ms, order)
        await self.engine.outcomes([said])

    async def wait(self, _: str, seconds: int) -> None:
        """Time."""
        self.world.advance(seconds=seconds)

    def _event(
        self,
        event: str,
        name: str,
        lines: Any,
        order: str,
        age_s: int,
        named: int | None,
        known: bool,
    ) -> Event:
        products = [{"product_id": f"i{n}", "price": p, "quantity": q} for n, p, q in lines]
        properties: dict[str, Any] = {"products": products, "order_id": order}
        if named is not None:
            properties["decision_id"] = self._made(named).decision_id
        at_ms = self.world.now_ms() - age_s * 1000
        who = {"user_id": "u1"} if known else {"user_id": "", "anonymous_id": "x"}
        return an_event(event, at_ms=at_ms, message_id=name, properties=properties, **who)

    def _made(self, which: int) -> Decision:
        return self.made[which % len(self.made)]


@given(st.lists(STEPS, min_size=2, max_size=14))
def test_nothing_falls_below_nothing(steps: list[Step]) -> None:
    """By item, and for a choice as a whole; each order counts once; a rebuild finds the same."""
    life = Life()
    asyncio.run(life.live(steps))
    left: dict[tuple[str, str, str], float] = defaultdict(float)
    sums: dict[tuple[str, str], float] = defaultdict(float)
    for record in life.engine.store.read(0):
        if not record.derived:
            continue
        for each in msgspec.msgpack.decode(record.derived, type=Observation).rewards:
            left[each.decision_id, each.outcome, each.item_id] += each.value
            sums[each.decision_id, each.outcome] += each.value
            assert left[each.decision_id, each.outcome, each.item_id] >= -1e-9
            assert sums[each.decision_id, each.outcome] >= -1e-9
    each_order_counts_once(life)
    assert rebuild(life.engine).equal


def each_order_counts_once(life: Life) -> None:
    """An item of an order, for one slate, and for one choice of a surface: under however many ids it came; for
    a slate also where it was reported and came as an event."""
    for person in life.engine.store.profiles("main"):
        every = [
            credit
            for shown in person.exposures
            for credit in shown.credits
            if credit.order and credit.left
        ]
        slates, told = (
            [(x.item_id, x.outcome, x.order) for x in every if x.reported is reported]
            for reported in (False, True)
        )
        chosen = [
            (made.surface, credit.item_id, credit.outcome, credit.order)
            for made in person.choices
            for credit in made.credits
            if credit.order and credit.left and not credit.reported
        ]
        assert len(slates) == len(set(slates))
        assert not set(slates) & set(told)
        assert len(chosen) == len(set(chosen))
