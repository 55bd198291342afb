"""What many positive interactions add up to, by calendar month: evidence, and the prices met.

``Profile.evidence`` and ``Profile.price`` are the sums of all months, kept beside them for those who read.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from germane.domain.decay import month_at
from germane.domain.event import Interaction
from germane.domain.item import Item
from germane.domain.profile import MonthSum, PriceBand, Profile
from germane.domain.settings import Settings, SignalSpec
from germane.privacy.features import apart

Months = tuple[MonthSum, ...]


def positive(spec: SignalSpec) -> bool:
    """Whether a signal is evidence *for* something: counted for readiness and for the price band. What needs a
    consent of its own is in no sum: it could not be taken out of it."""
    return spec.weight > 0 and not spec.cancels and not apart(spec.category)


def log_price(each: Interaction, item: Item | None) -> float | None:
    """The natural log of the price that was met: the event's own, else the catalogue's."""
    price = each.price
    if price is None and item is not None:
        price = item.price
    return math.log(price) if price is not None and price > 0 else None


def met(band: PriceBand, value: float) -> PriceBand:
    """The band with one more log price (Welford 1962)."""
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


def parted(whole: PriceBand, part: PriceBand) -> PriceBand:
    """The band without a part of it: what, joined with the part, is the whole."""
    count = whole.count - part.count
    if count <= 0:
        return PriceBand()
    mean = (whole.mean * whole.count - part.mean * part.count) / count
    delta = part.mean - mean
    m2 = whole.m2 - part.m2 - delta * delta * count * part.count / whole.count
    return PriceBand(count, mean, max(m2, 0.0))


def add(months: Months, at_ms: int, value: float | None) -> Months:
    """The months with one positive interaction more, and its log price where it has one."""
    month = month_at(at_ms)
    if not months or months[-1].month != month:
        return put(months, single(at_ms, value))
    last = months[-1]
    if value is None:
        more = MonthSum(month, last.evidence + 1, last.prices, last.mean, last.m2)
    else:
        count = last.prices + 1
        mean = last.mean + (value - last.mean) / count
        m2 = last.m2 + (value - last.mean) * (value - mean)
        more = MonthSum(month, last.evidence + 1, count, mean, m2)
    return (*months[:-1], more)


def put(months: Months, more: MonthSum) -> Months:
    """The months with what one adds. Looks from the end: most evidence is new."""
    place = len(months)
    while place and months[place - 1].month > more.month:
        place -= 1
    if place and months[place - 1].month == more.month:
        return (*months[: place - 1], _plus(months[place - 1], more), *months[place:])
    return (*months[:place], more, *months[place:])


def take(months: Months, less: MonthSum) -> Months:
    """The months without what was put: at most all of it."""
    out = []
    for each in months:
        if each.month != less.month:
            out.append(each)
        elif each.evidence > less.evidence:
            band = parted(_band(each), _band(less))
            out.append(_month(each.month, each.evidence - less.evidence, band))
    return tuple(out)


def single(at_ms: int, value: float | None) -> MonthSum:
    """One positive interaction, with its log price where it has one."""
    month = month_at(at_ms)
    return MonthSum(month, 1) if value is None else MonthSum(month, 1, 1, value)


def totals(months: Months) -> dict[str, Any]:
    """The parts of a profile that these months make."""
    band, evidence = PriceBand(), 0
    for each in months:
        band = joined(band, _band(each))
        evidence += each.evidence
    return {"months": months, "price": band, "evidence": float(evidence)}


def dated(profile: Profile, undated: float, months: Months) -> Profile:
    """An earlier version's profile, which kept sums alone, with its evidence by month.

    Args:
        profile: Before; not changed.
        undated: What of its evidence ``months`` does not tell.
        months: What it still remembers of single interactions. The rest was before: it is of the
            first of these months, so that nothing young is lost. `germane rebuild` makes it exact.
    """
    known: PriceBand = totals(months)["price"]
    band = parted(profile.price, known)
    first = months[0].month if months else month_at(max(profile.last_seen_ms, 0))
    count = round(undated)
    rest = _month(first, max(count, round(band.count)), band)
    return replace(profile, **totals(put(months, rest) if rest.evidence > 0 else months))


def of_ring(interactions: Iterable[Interaction], item_of: Any, settings: Settings) -> Months:
    """What interactions add up to by month."""
    months: Months = ()
    for each in interactions:
        spec = settings.signals.get(each.signal)
        if spec is not None and positive(spec):
            item = item_of(each.item_id) if item_of is not None else None
            months = add(months, each.at_ms, log_price(each, item))
    return months


def _plus(one: MonthSum, two: MonthSum) -> MonthSum:
    band = joined(_band(one), _band(two))
    return _month(one.month, one.evidence + two.evidence, band)


def _band(each: MonthSum) -> PriceBand:
    return PriceBand(each.prices, each.mean, each.m2)


def _month(month: int, evidence: int, band: PriceBand) -> MonthSum:
    return MonthSum(month, evidence, round(band.count), band.mean, band.m2)
