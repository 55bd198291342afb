"""One subject in one campaign, and what the machine asked for: what the ledger does, in memory."""

from __future__ import annotations

import tomllib
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from germane.config.campaigns import read_campaign
from germane.deliver.compiled import Compiled
from germane.deliver.entering import begun, on_change, on_clock, on_event, settled
from germane.deliver.view import View
from germane.domain.campaign import ItemChange
from germane.domain.enrolment import Cancel, Compose, Effect, Enrolment
from germane.domain.event import Event
from germane.domain.item import Item
from germane.domain.plan import Reason
from germane.domain.profile import Profile, Trait
from germane.domain.settings import PrivacySpec, Settings, SignalSpec, TraitSpec

HOUR_S, DAY_S = 3_600, 86_400

SETTINGS = Settings(
    timezone="Europe/Berlin",
    signals={
        "purchase": SignalSpec("purchase", "Order Completed", "properties.products[].product_id"),
        "cart": SignalSpec("cart", "Product Added", "properties.product_id"),
    },
    traits={
        "role": TraitSpec("role"),
        "calendar": TraitSpec("calendar"),
        "paid": TraitSpec("paid"),
    },
    privacy=PrivacySpec(undeclared="keep"),
)


def ms(text: str) -> int:
    """A moment from RFC 3339 (an offset must be there)."""
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def a_campaign(text: str, name: str = "camp", settings: Settings = SETTINGS) -> Compiled:
    """A campaign from TOML."""
    return read_campaign(name, tomllib.loads(text), settings)


class Life:
    """Time passes, things happen; ``composed`` and ``cancelled`` tell what came of them."""

    def __init__(
        self,
        text: str,
        at: str = "2026-11-24T10:00:00+00:00",
        *,
        zone: str = "",
        subject: str = "u:ann",
        item: str = "",
        traits: dict[str, Any] | None = None,
        account: dict[str, Any] | None = None,
    ) -> None:
        self.made = a_campaign(text)
        self.now = ms(at)
        self.account = account or {}
        self.item = Item(item) if item else None
        self.profile = Profile("u:ann", timezone=zone, first_seen_ms=self.now)
        self.say(**(traits or {}))
        self.composed: list[Compose] = []
        self.cancelled: list[Cancel] = []
        self.state: Enrolment = begun(self.made, self.view(), subject, "u:ann", item)

    @property
    def code(self) -> str:
        """Of the last reason."""
        return self.state.reason.code if self.state.reason is not None else ""

    def say(self, **traits: Any) -> None:
        """The person declares something."""
        known = {name: Trait(value, self.now) for name, value in traits.items()}
        self.profile = replace(self.profile, traits={**self.profile.traits, **known})

    def move(self, zone: str) -> None:
        """The person is in another zone from now on."""
        self.profile = replace(self.profile, timezone=zone)

    def view(self, **more: Any) -> View:
        """What is the case now."""
        found: dict[str, Any] = {
            "profile": self.profile,
            "account": "acme",
            "account_traits": self.account,
            "item": self.item,
        }
        return View(SETTINGS, self.now, **{**found, **more})

    def track(self, name: str, *items: str, at: int | None = None, **properties: Any) -> None:
        """An event comes in now; ``at``: it happened then."""
        event = Event("m", "track", self.now if at is None else at, name, properties=properties)
        self._take(on_event(self.made, self.state, self.view(event=event, items=items)))

    def change(self, kind: Any, at: int | None = None, old: float = 100, new: float = 100) -> None:
        """The item changes in the catalogue."""
        change = ItemChange(kind, self.state.item, at or self.now, "k", old, new)
        self._take(on_change(self.made, self.state, self.view(change=change)))

    def pass_(self, *, days: float = 0, hours: float = 0) -> None:
        """Time passes; the clock looks whenever something is due."""
        end = self.now + int(days * DAY_S * 1000 + hours * HOUR_S * 1000)
        for _ in range(200):
            if not self.state.due_ms or self.state.due_ms > end:
                break
            self.now = max(self.now, self.state.due_ms)
            self.tick()
        self.now = end

    def jump(self, **time: float) -> None:
        """Time passes, and nobody looks."""
        self.now += int((time.get("days", 0) * DAY_S + time.get("hours", 0) * HOUR_S) * 1000)

    def tick(self) -> None:
        """The clock looks now."""
        self._take(on_clock(self.made, self.state, self.view()))

    def settle(self, *, sent: bool = True, key: str = "") -> None:
        """The last message went out, or never will."""
        why = Reason("sent" if sent else "dropped", "")
        view = self.view()
        key = key or self.state.message
        self._take(settled(self.made, self.state, view, key, sent=sent, at_ms=self.now, why=why))

    def edit(self, text: str) -> None:
        """The campaign is pushed anew."""
        self.made = a_campaign(text)

    def _take(self, change: tuple[Enrolment, tuple[Effect, ...]]) -> None:
        self.state, effects = change
        for each in effects:
            if isinstance(each, Compose):
                self.composed.append(each)
            else:
                self.cancelled.append(each)
