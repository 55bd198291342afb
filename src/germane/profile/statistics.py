"""What is kept of many interactions as a few numbers: the price band and the rhythm of the week."""

from __future__ import annotations

import math
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from germane.domain.event import Interaction
from germane.domain.item import Item
from germane.domain.profile import PriceBand
from germane.domain.settings import SignalSpec
from germane.profile import bounds

HOURS = 24


def positive(spec: SignalSpec) -> bool:
    """Whether a signal is evidence *for* something: counted for readiness and for the price band."""
    return spec.weight > 0 and not spec.cancels


def met(band: PriceBand, each: Interaction, item: Item | None) -> PriceBand:
    """The band with one more price: the event's own, else the catalogue's (Welford 1962)."""
    price = each.price
    if price is None and item is not None:
        price = item.price
    if price is None or price <= 0:
        return band
    value = math.log(price)
    count = band.count + 1
    mean = band.mean + (value - band.mean) / count
    return PriceBand(count, mean, band.m2 + (value - band.mean) * (value - mean))


def joined(one: PriceBand, two: PriceBand) -> PriceBand:
    """Two bands as one (Chan, Golub & LeVeque 1979)."""
    count = one.count + two.count
    if count == 0:
        return PriceBand()
    delta = two.mean - one.mean
    mean = (one.mean * one.count + two.mean * two.count) / count
    return PriceBand(count, mean, one.m2 + two.m2 + delta * delta * one.count * two.count / count)


def hour_of_week(at_ms: int, zone: ZoneInfo) -> int:
    """0 is Monday 00:00 to 01:00 in that zone, 167 Sunday 23:00 to 24:00."""
    local = datetime.fromtimestamp(at_ms / 1000, zone)
    return local.weekday() * HOURS + local.hour


def zone_of(*names: Any) -> ZoneInfo:
    """The first of the names that is a known time zone, else UTC."""
    for name in names:
        if isinstance(name, str) and name:
            zone = known_zone(name)
            if zone is not None:
                return zone
    return _UTC


@lru_cache(maxsize=1024)
def known_zone(name: str) -> ZoneInfo | None:
    """A time zone by its IANA name; ``None`` if there is no such zone."""
    if len(name) > bounds.TEXT_CHARS:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


_UTC = ZoneInfo("UTC")
