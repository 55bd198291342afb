"""From the log: who was decided for, what they answered, and what they did at all."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from germane.app.deciding import HOLDOUT_SALT
from germane.app.engine import Engine
from germane.app.lift.people import HELD_OUT, PERSONALISED, People
from germane.app.outcomes.made import key_of, of_event
from germane.deliver.compiled import Compiled, is_called
from germane.deliver.view import View
from germane.domain.decision import Arm
from germane.domain.event import Event, Interaction
from germane.domain.ids import share_of
from germane.domain.months import MS_PER_DAY
from germane.domain.moves import AnyMove, CampaignPut, CampaignTurned
from germane.domain.outcome import Reward
from germane.domain.record import Record


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
_event = msgspec.msgpack.Decoder(Event).decode
_move = msgspec.msgpack.Decoder(AnyMove).decode


class LiftLog:
    """Takes the records of the log in their order."""

    def __init__(self, engine: Engine, people: Iterable[People], days: int) -> None:
        """``people``: of campaigns, those who were met; of surfaces, nobody yet."""
        self.days, self._window_ms = days, days * MS_PER_DAY
        self._engine, self._settings = engine, engine.settings
        self.people = list(people)
        self._surfaces = {each.name: each for each in self.people if each.kind == "surface"}
        self._campaigns = {each.name: each for each in self.people if each.kind == "campaign"}
        self._stood: dict[str, tuple[float, bool]] = {}
        """Campaign -> the share of its holdout, and whether it was dry, as the log has come to it."""
        self._goals = {
            name: goal for name in self._campaigns if (goal := _goal(engine, name)) is not None
        }
        self._named = tuple({_mark(each) for each in self._goals.values()})
        self._now: dict[str, int] = {}
        """By a person's key in the log: what stands for whoever that is now."""
        self._paid: dict[tuple[int, str], float] = {}
        """(person, item) -> the latest price."""

    @property
    def goals(self) -> frozenset[str]:
        """Campaigns whose goal can be read from events."""
        return frozenset(self._goals)

    def take(self, record: Record) -> None:
        """One record."""
        if record.kind == "decision":
            self._decided(record)
        elif record.kind == "move":
            if self._campaigns and b"Campaign" in record.body:
                self._moved(_move(record.body), record.received_ms)
        elif record.person:
            if (
                self._named
                and record.kind == "event"
                and any(x in record.body for x in self._named)
            ):
                self._reached(record)
            if record.derived:
                self._did(record)

    def _moved(self, move: AnyMove, at_ms: int) -> None:
        """A comparison begins anew where a campaign has another holdout, or goes live after it was dry."""
        if isinstance(move, CampaignPut):
            name, share = move.campaign.name, move.campaign.holdout_share
            before, dry = self._stood.get(name, (share, True))
            self._stood[name] = share, dry
            changed = before != share
        elif isinstance(move, CampaignTurned):
            name = move.campaign
            share, dry = self._stood.get(name, (0.0, True))
            self._stood[name] = share, move.status == "dry" or (dry and move.status != "live")
            changed = dry and move.status == "live"
        else:
            return
        if changed and name in self._campaigns:
            self._campaigns[name].since_ms = at_ms - 1

    def _decided(self, record: Record) -> None:
        made = _made(record.body)
        there = self._surfaces.get(made.surface)
        if there is None or not made.person or made.arm == "opted_out":
            return
        arm = HELD_OUT if made.arm == "broadcast" else PERSONALISED
        place = share_of(self._engine.tenant, made.person, HOLDOUT_SALT)
        if arm != (HELD_OUT if place < there.share else PERSONALISED):
            there.since_ms = max(there.since_ms, made.at_ms)
        there.met(self._whose(made.person), arm, made.at_ms)

    def _reached(self, record: Record) -> None:
        """Perhaps the goal of a campaign."""
        event = _event(record.body)
        for name, made in self._goals.items():
            goal, there = made.campaign.goal, self._campaigns[name]
            if not is_called(event, goal.event):
                continue
            at_ms = min(event.at_ms, record.received_ms)
            row = there.within(self._whose(record.person), at_ms, self._window_ms)
            view = View(self._settings, record.received_ms, event=event)
            if row is not None and made.holds(goal.when, view)[0]:
                there.mark(row, "goal")

    def _did(self, record: Record) -> None:
        seen = _seen(record.derived)
        if not (seen.interactions or seen.rewards):
            return
        key = self._whose(record.person)
        for reward in seen.rewards:
            there = self._surfaces.get(reward.surface)
            row = None if there is None else there.within(key, reward.at_ms, self._window_ms)
            if there is not None and row is not None:
                there.add(row, "value", reward.value)
                if reward.value > 0:
                    there.mark(row, "answered")
        for each in seen.interactions:
            self._dealt(key, each)

    def _dealt(self, key: int, each: Interaction) -> None:
        """Something was bought, or is given back: at the price that it says, else at the person's latest."""
        spec = self._settings.signals.get(each.signal)
        undone = spec and self._settings.signals.get(spec.cancels)
        if spec is None or not (spec.repeat or (undone and undone.repeat)):
            return
        rows = [(x, x.within(key, each.at_ms, self._window_ms)) for x in self.people]
        if all(row is None for _, row in rows):
            return
        if spec.repeat and each.price is not None:
            self._paid[key, each.item_id] = each.price
        price = self._paid.get((key, each.item_id), 0.0) if each.price is None else each.price
        for there, row in rows:
            if row is not None:
                there.add(row, "revenue", (price if spec.repeat else -price) * each.quantity)
                if spec.repeat:
                    there.mark(row, "bought")

    def _whose(self, person: str) -> int:
        found = self._now.get(person)
        if found is None:
            now = self._engine.store.person_of(self._engine.tenant, person)
            found = self._now[person] = key_of(now or person)
        return found


def _goal(engine: Engine, name: str) -> Compiled | None:
    """A campaign whose goal asks for nothing but an event."""
    made = engine.library.compiled(name)
    goal = engine.library.campaigns[name].goal
    return made if made is not None and goal.event and of_event(made, goal.when) else None


def _mark(made: Compiled) -> bytes:
    """What the record of its goal has in it; page:NAME and screen:NAME are told apart when it is looked at."""
    return made.campaign.goal.event.rpartition(":")[2].encode()
