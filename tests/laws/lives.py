"""Generated histories of a small shop, and how they are lived: through the real engine, on any storage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from hypothesis import strategies as st
from msgspec.structs import replace

from germane.app.engine import Engine
from germane.app.feedback import Feedback, Kind, take
from germane.app.opening import catch_up, open_engine, save_snapshot
from germane.domain.decision import Ask, Context, Decision
from germane.domain.event import Event
from germane.domain.forest import Forest, Trained, Tree
from germane.domain.muting import source_of
from germane.domain.outcome import Impression, Outcome
from germane.domain.ports import Store
from germane.domain.record import Txn
from germane.domain.settings import ProfileSpec, Settings
from germane.predict.features import COLUMN, LAYOUT
from germane.predict.model import SharedModel
from germane.storage.memory import MemoryStore
from germane.storage.sqlite import SqliteStore
from germane.testing import FakeWorld, a_campaign, an_event, an_item, an_order

KEY = b"0123456789abcdef0123456789abcdef"
USERS, VISITORS, ITEMS = 3, 3, 12
EXPLORATION, EXPLORE_FROM = 0.25, 2
LIMITS = ProfileSpec(values_per_attribute=5, recent=10, own_items=6, exposures=3)
"""Small, so that short lives come to the bounds."""
TREES = {
    name: Trained(
        name, {"": Forest(LAYOUT, (Tree((COLUMN[on],), (0.0,), (-1,), (-2,), (0.0,), (0.0, 3.0)),))}
    )
    for name, on in (("trees-1", "popular_mid"), ("trees-2", "own"))
}


def the_shop() -> Settings:
    """A grid that explores, *together*, and a choice; nobody is known for long."""
    shop = replace(a_campaign(), profile=LIMITS)
    home = replace(
        shop.surfaces["home"],
        exploration_share=EXPLORATION,
        explore_from=EXPLORE_FROM,
        diversity_quota=0.3,
        holdout_share=0.2,
        default=("i3", "i1"),
    )
    return replace(shop, surfaces=shop.surfaces | {"home": home})


# -- what can happen ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Act:
    """An event of a user or (negative numbers) of a visitor; ``age_s`` seconds ago, ``None``: in 1970."""

    kind: str
    who: int
    item: int
    age_s: int | None


@dataclass(frozen=True)
class Batch:
    """Events that come together, the first of them twice where ``again``; then some that came before."""

    acts: tuple[Act, ...]
    again: bool
    resent: int
    imported: bool


@dataclass(frozen=True)
class Decide:
    """A question; which positions were seen; which of them was answered (modulo), late by so much; what the
    person said to *why am I seeing this?*."""

    who: int
    surface: str
    filtered: bool
    seen: tuple[int, ...]
    answered: int | None
    late_s: int
    said: Kind | None = None


@dataclass(frozen=True)
class Catalogue:
    """An item is added or changed, or taken out."""

    item: int
    gone: bool
    price: int


@dataclass(frozen=True)
class Pass:
    """Time."""

    seconds: int


@dataclass(frozen=True)
class Do:
    """``restart``, ``snapshot`` (and restart), ``seal``, or the name of trees; ``blend``: none of them."""

    what: str


SAID: tuple[Kind, ...] = ("less_like_this", "not_this_reason", *get_args(Kind))
Step = Batch | Decide | Catalogue | Pass | Do
KINDS = (
    "view",
    "dismiss",
    "order",
    "part",
    "refund",
    "identify",
    "link",
    "alias",
    "page",
    "screen",
    "group",
    "unknown",
)
_DAY_S = 86_400
AGES = st.one_of(
    st.integers(0, 3 * _DAY_S),
    st.integers(0, 900 * _DAY_S),
    st.sampled_from([0, -_DAY_S, -3_650 * _DAY_S, None]),
)
"""Now, late, very late; ahead of the clock; 1970."""


def acts(kinds: Sequence[str] = KINDS) -> st.SearchStrategy[Act]:
    """One event of some kinds."""
    return st.builds(
        Act,
        st.sampled_from(kinds),
        st.integers(-VISITORS, USERS - 1),
        st.integers(0, ITEMS + 1),
        AGES,
    )


def lives(size: int = 12) -> st.SearchStrategy[list[Step]]:
    """Histories of up to ``size`` steps."""
    batches = st.builds(
        Batch,
        st.lists(acts(), min_size=1, max_size=4).map(tuple),
        st.booleans(),
        st.integers(0, 3),
        st.booleans(),
    )
    decide = st.builds(
        Decide,
        st.integers(-VISITORS, USERS - 1),
        st.sampled_from(["home", "home", "mail", "together"]),
        st.booleans(),
        st.lists(st.integers(0, 5), unique=True, max_size=4).map(tuple),
        st.none() | st.integers(0, 4),
        st.sampled_from([0, 60, 30 * _DAY_S]),
        st.none() | st.sampled_from(SAID),
    )
    others = st.one_of(
        st.builds(Catalogue, st.integers(0, ITEMS + 1), st.booleans(), st.integers(1, 99)),
        st.builds(Pass, st.sampled_from([1, 3_600, 3 * _DAY_S, 70 * _DAY_S, 500 * _DAY_S])),
        st.builds(Do, st.sampled_from(["restart", "snapshot", "seal", "blend", *sorted(TREES)])),
    )
    return st.lists(st.one_of(batches, batches, decide, decide, others), min_size=1, max_size=size)


# -- how it is lived ---------------------------------------------------------------------------------


@dataclass
class Life:
    """An engine, its world, and what it decided. ``folder``: on SQLite; none: in memory."""

    folder: Path | None = None
    duplicates: bool = True
    """Whether what is sent again really is sent: it must make no difference."""
    settings: Settings = field(default_factory=the_shop)
    made: list[Decision] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world = FakeWorld()
        self._sent: list[Event] = []
        self._number = 0
        self._store: Store = MemoryStore()
        if self.folder is not None:
            first = SqliteStore.open(self.folder)
            first.commit(Txn(meta={"decision_key": KEY}))  # the same ids on every storage
            first.close()
        self.engine = self._opened()
        with self.engine.importer() as importer:
            importer.add_items([an_item(n) for n in range(ITEMS)])

    def _opened(self) -> Engine:
        if self.folder is not None:
            return open_engine(self.settings, self.folder, world=self.world)
        model = SharedModel(self.settings)
        catch_up(model, self._store)
        return Engine(self.settings, self._store, model, self.world, key=KEY)

    async def live(self, steps: Sequence[Step]) -> None:
        """All of them, in order."""
        await self.engine.start()
        for step in steps:
            self.world.advance(seconds=1)
            match step:
                case Batch():
                    await self._send(step)
                case Decide():
                    await self._decide(step)
                case Catalogue():
                    await self._change(step)
                case Pass():
                    self.world.advance(seconds=step.seconds)
                case Do():
                    await self._do(step.what)
        await self.engine.stop()

    def reopen(self) -> None:
        """Let go of the files and open them again."""
        self.engine.store.close()
        self.engine = self._opened()

    def close(self) -> None:
        """Let go of the files."""
        self.engine.store.close()

    async def _send(self, batch: Batch) -> None:
        now, events = self.world.now_ms(), []
        for act in batch.acts:
            self._number += 1
            events.append(event_of(act, self._number, now))
        self._sent += events
        if self.duplicates:
            events += events[:1] * batch.again + self._sent[: batch.resent]
        if not batch.imported:
            await self.engine.accept(events)
            return
        await self._restart(lambda: self.engine.accept_now(events))

    async def _decide(self, step: Decide) -> None:
        filter_ = "item.price < 16.0" if step.filtered and step.surface != "mail" else ""
        context = Context(item="i1" if step.surface == "together" else "", device="phone")
        ask = Ask(step.surface, filter=filter_, context=context)
        user, anonymous = _ids(step.who)
        (decision,), _ = self.engine.decide(user, anonymous, "", [ask])
        self.made.append(decision)
        number, now = len(self.made), self.world.now_ms()
        positions = tuple(each for each in step.seen if each < len(decision.items))
        if positions:
            seen = Impression(f"imp{number}", decision.decision_id, positions, now)
            await self.engine.impressions([seen] * (1 + self.duplicates))
        await self._say(step, decision)
        if step.answered is None or not decision.items or step.surface == "together":
            return
        self.world.advance(seconds=step.late_s)
        chosen = decision.items[step.answered % len(decision.items)].item_id
        at_ms = self.world.now_ms()
        said = Outcome(f"out{number}", decision.decision_id, chosen, "purchase", 1.0, at_ms)
        await self.engine.outcomes([said] * (1 + self.duplicates))

    async def _say(self, step: Decide, decision: Decision) -> None:
        """What the person says about the first item, or its first reason that they can mute."""
        if step.said is None or not decision.items:
            return
        codes = (each.code for each in decision.items[0].reasons if source_of(each.code))
        said = Feedback(step.said, decision.decision_id, position=0, reason=next(codes, ""))
        if said.reason or step.said != "not_this_reason":
            await take(self.engine, decision.person, said)

    async def _change(self, step: Catalogue) -> None:
        if step.gone:
            await self.engine.remove_items([f"i{step.item}"])
        else:
            await self.engine.put_items([an_item(step.item, price=float(step.price))])

    async def _do(self, what: str) -> None:
        if what in TREES or what == "blend":
            self.engine.model.use(TREES.get(what))
            return
        if what == "snapshot" and self.folder is not None:
            await self._restart(before=self._snapshot)
        elif what == "seal":
            await self._restart(
                after=lambda: self.engine.seal()  # noqa: PLW0108 - of the new engine
            )
        else:
            await self._restart()

    async def _restart(
        self,
        after: Callable[[], object] = lambda: None,
        before: Callable[[], object] = lambda: None,
    ) -> None:
        """Stop, open again, and serve; something may be done while nobody is served."""
        await self.engine.stop()
        before()
        if self.folder is not None:
            self.engine.store.close()
        self.engine = self._opened()
        after()
        await self.engine.start()

    def _snapshot(self) -> None:
        assert self.folder is not None
        save_snapshot(self.engine, self.folder)


def _ids(who: int) -> tuple[str, str]:
    return (f"u{who}", "") if who >= 0 else ("", f"x{-who}")


def event_of(act: Act, number: int, now_ms: int) -> Event:
    """The event; its id and its order's are its number's, so that every life has the same."""
    user, anonymous = _ids(act.who)
    at_ms = 0 if act.age_s is None else now_ms - act.age_s * 1000
    mine = {"user": user, "anonymous_id": anonymous, "message_id": f"m{number}", "at_ms": at_ms}
    item = f"i{act.item}"
    plain = {"user_id": user, "anonymous_id": anonymous}
    match act.kind:
        case "view" | "dismiss" | "unknown":
            names = {"view": "Product Viewed", "dismiss": "Product Dismissed"}
            return an_event(names.get(act.kind, "Something Else"), item=item, **mine)  # type: ignore[arg-type]
        case "order":
            items = [item, f"i{act.item // 2}"]
            return an_order(items, order_id=f"o{number}", **mine)  # type: ignore[arg-type]
        case "part":  # of one of three orders, which come under any id
            return an_order([item], order_id=f"p{act.item % 3}", **mine)  # type: ignore[arg-type]
        case "refund":
            products = {"products": [{"product_id": item}]}
            return an_event("Order Refunded", properties=products, **mine)  # type: ignore[arg-type]
        case "identify":
            traits = {"likes": f"c{act.item}", f"t{number % 3}": number}
            return Event(f"m{number}", "identify", at_ms, traits=traits, **plain)
        case "link":
            ids = {"user_id": f"u{act.who % USERS}", "anonymous_id": f"x{1 + act.item % VISITORS}"}
            return Event(f"m{number}", "identify", at_ms, **ids)
        case "alias":
            before = f"x{1 + act.item % VISITORS}" if act.item % 4 else f"u{(act.who + 1) % USERS}"
            return Event(
                f"m{number}", "alias", at_ms, user_id=f"u{act.who % USERS}", previous_id=before
            )
        case "group":
            return Event(f"m{number}", "group", at_ms, group_id=f"g{act.item}", **plain)
    kind = "page" if act.kind == "page" else "screen"
    context = {"timezone": "Europe/Paris"}
    return Event(f"m{number}", kind, at_ms, name="Home", context=context, **plain)
