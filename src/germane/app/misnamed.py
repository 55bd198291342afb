"""Purposes and categories that somebody names and nothing has: they are told, and so is the server's log."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from typing import Any

from germane.app.engine import Engine
from germane.config.audit_purposes import of_campaign
from germane.domain.campaign import Campaign
from germane.domain.event import Event
from germane.domain.hours import known_zone
from germane.domain.near import did_you_mean
from germane.privacy.declared import UNTOLD, told
from germane.privacy.purposes import Fault, Purposes
from germane.privacy.refusals import speaks, strange

LONGEST = 80
"""Characters of a time zone that are told."""
NAMES = 100
"""Names that the log tells of; they come from clients."""
_log = logging.getLogger(__name__)


class Misnamed:
    """Of one server. Each name is in the log once."""

    def __init__(self, engine: Engine, titled: Collection[str] = ()) -> None:
        """``titled``: purposes that the configuration gives a title."""
        self._engine = engine
        self._titled = titled
        self._told: set[str] = set()

    @property
    def purposes(self) -> Purposes:
        """Those that there are now."""
        campaigns = self._engine.library.campaigns.values()
        own = (*self._titled, *(each.purpose for each in campaigns))
        return Purposes.of(self._engine.settings.privacy, own)

    def said_to(self, name: str) -> Fault | None:
        """What to know of a purpose that somebody said something to; ``None``: something has it."""
        found = self.purposes.undeclared(name)
        if found is not None:
            self._tell(told(f"purpose {name}"), found)
        return found

    def in_campaign(self, campaign: Campaign) -> list[Fault]:
        """What to know of the purposes that a campaign names, beside those that there are."""
        spec = self._engine.settings.privacy
        purposes = Purposes.of(spec, {*self.purposes.own, campaign.purpose})
        return [Fault(x.text, x.remedy) for x in of_campaign(campaign, self._titled, purposes)]

    def in_events(self, events: Iterable[Event]) -> list[str]:
        """Names of what nothing has and events speak of: ``purpose weekly``, ``category Ads``."""
        speaking = [each for each in events if speaks(each)]
        if not speaking:
            return []
        purposes, spec = self.purposes, self._engine.settings.privacy
        found = {told(x): x for each in speaking for x in strange(each, spec, purposes.known)}
        for shown, whole in found.items():
            kind, _, name = whole.partition(" ")
            fault = purposes.undeclared(name) if kind == "purpose" else None
            self._tell(shown, fault or _no_category(name, {*spec.categories, *purposes.known}))
        return list(found)

    def _tell(self, shown: str, fault: Fault) -> None:
        if not self._engine.serving or shown in self._told or len(self._told) >= NAMES:
            return  # a command tells by itself
        self._told.add(shown)
        if shown.endswith(UNTOLD):
            _log.warning("somebody said something to a %s, which nothing has", shown)
        else:
            _log.warning("%s %s", fault.text, fault.remedy)


def strange_zones(events: Iterable[Event]) -> list[str]:
    """Time zones that are named and not known: ``timezone Mars/Olympus``. They are passed over."""
    found: dict[str, None] = {}
    for each in events:
        inside = each.context.get("traits")
        for told_by in (each.context, inside, each.traits if each.kind == "identify" else None):
            zone = told_by.get("timezone") if isinstance(told_by, dict) else None
            if _strange(zone):
                found[f"timezone {str(zone)[:LONGEST]}"] = None
    return list(found)


def _strange(zone: Any) -> bool:
    return bool(zone) and not (isinstance(zone, str) and known_zone(zone))


def _no_category(name: str, known: Collection[str]) -> Fault:
    """Of a category of a banner."""
    return Fault(
        f"A banner speaks of {name!r}, which is no purpose and no category under [privacy.categories]: "
        "a yes to it is not heard.",
        f"{did_you_mean(name, known)} Or say which purposes it is about; if none: {name!r} = [].",
    )
