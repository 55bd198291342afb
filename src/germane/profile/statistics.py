"""What is kept of many interactions as a few numbers: the price band."""

from __future__ import annotations

import math

from germane.domain.event import Interaction
from germane.domain.item import Item
from germane.domain.profile import PriceBand
from germane.domain.settings import SignalSpec


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
