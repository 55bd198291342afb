"""A profile as a person can read it: what is known, how strongly, and from where."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from germane.domain import decay
from germane.domain.event import Interaction
from germane.domain.item import Item
from germane.domain.months import MS_PER_DAY, month_label
from germane.domain.profile import Mass, OwnItem, Profile, Trait
from germane.domain.settings import Settings

ItemOf = Callable[[str], Item | None]

RECENT = 20
OWN = 20
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def view(profile: Profile, settings: Settings, item_of: ItemOf, now_ms: int) -> dict[str, Any]:
    """Readable JSON of one person. Times are RFC 3339, weights are as of ``now_ms``."""
    trust = decay.readiness(profile.evidence, settings.profile.readiness_half)
    return {
        "personId": profile.person,
        "userId": profile.user_id or None,
        "anonymousIds": list(profile.anonymous_ids),
        "account": profile.account or None,
        "firstSeen": rfc3339(profile.first_seen_ms),
        "lastSeen": rfc3339(profile.last_seen_ms),
        "offset": profile.seq,
        "timezone": profile.timezone or None,
        "locale": profile.locale or None,
        "readiness": {
            "value": round(trust, 4),
            "evidence": profile.evidence,
            "meaning": _meaning(trust),
        },
        "interests": {
            name: _interests(profile, name, settings, now_ms) for name in profile.interests
        },
        "priceBand": _price(profile, settings),
        "traits": {
            name: _trait(name, trait, profile, settings, now_ms)
            for name, trait in sorted(profile.traits.items())
        },
        "ownItems": _own_items(profile, item_of, now_ms),
        "recent": [_interaction(each, item_of) for each in profile.recent[: -RECENT - 1 : -1]],
        "rhythm": _rhythm(profile),
        "exposures": [
            {
                "decisionId": each.decision_id,
                "surface": each.surface,
                "at": rfc3339(each.at_ms),
                "items": list(each.items),
                "credited": list(each.credited),
            }
            for each in reversed(profile.exposures)
        ],
        "diversity": {
            name: {"slots": each.slots, "diverse": each.diverse, "short": each.short}
            for name, each in profile.quotas.items()
        },
        "consent": dict(profile.consent),
    }


def rfc3339(at_ms: int) -> str | None:
    """A time on the wire; ``None`` for *never*."""
    if not at_ms:
        return None
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _meaning(trust: float) -> str:
    if trust == 0:
        return "Nothing is known yet: the slate is what most people like."
    if trust < 0.4:
        return "A first impression: the slate is mostly what most people like."
    if trust < 0.75:
        return "Known a little: behaviour and what most people like weigh about the same."
    return "Known well: the slate follows this person's own behaviour."


def _interests(
    profile: Profile, name: str, settings: Settings, now_ms: int
) -> list[dict[str, Any]]:
    weights = decay.interests(profile, name, settings, now_ms)
    total = sum(weight for weight in weights.values() if weight > 0)
    return [
        {
            "value": value,
            "weight": round(weight, 4),
            "share": round(weight / total, 4) if weight > 0 else 0.0,
            "from": _evidence(profile.interests[name][value]),
        }
        for value, weight in sorted(weights.items(), key=lambda pair: (-pair[1], pair[0]))
    ]


def _evidence(masses: tuple[Mass, ...]) -> dict[str, Any]:
    """``7 purchases, 3 views, last 2026-11``, and the counts behind it."""
    counts: dict[str, int] = {}
    for each in masses:
        counts[each.signal] = counts.get(each.signal, 0) + each.count
    last = month_label(max(each.month for each in masses))
    said = ", ".join(f"{count} × {signal}" for signal, count in sorted(counts.items()))
    months: dict[str, dict[str, int]] = {}
    for each in masses:
        months.setdefault(month_label(each.month), {})[each.signal] = each.count
    return {"text": f"{said}, last in {last}", "months": months}


def _price(profile: Profile, settings: Settings) -> dict[str, Any] | None:
    band = profile.price
    if not band.count:
        return None
    spread = math.sqrt(band.m2 / band.count)
    low, mid, high = (math.exp(band.mean + k * spread) for k in (-1, 0, 1))
    return {
        "low": round(low, 2),
        "typical": round(mid, 2),
        "high": round(high, 2),
        "currency": settings.currency or None,
        "from": int(band.count),
    }


def _trait(
    name: str, trait: Trait, profile: Profile, settings: Settings, now_ms: int
) -> dict[str, Any]:
    spec = settings.traits.get(name)
    out: dict[str, Any] = {
        "value": trait.value,
        "declared": rfc3339(trait.at_ms),
        "ageDays": max(0, (now_ms - trait.at_ms) // MS_PER_DAY),
    }
    if spec is not None:
        half = settings.profile.readiness_half
        weight = decay.trait_weight(trait, spec, now_ms, profile.evidence, half)
        out["weight"] = round(weight, 4)
        out["behaviourWeight"] = round(decay.readiness(profile.evidence, half), 4)
    return out


def _own_items(profile: Profile, item_of: ItemOf, now_ms: int) -> list[dict[str, Any]]:
    repeated = [(key, own) for key, own in profile.own_items.items() if own.count]
    repeated.sort(key=lambda pair: (-pair[1].count, -pair[1].last_s, pair[0]))
    return [_own(key, own, item_of, now_ms) for key, own in repeated[:OWN]]


def _own(key: str, own: OwnItem, item_of: ItemOf, now_ms: int) -> dict[str, Any]:
    item = item_of(key)
    last_s = own.times_s[-1] if own.times_s else own.last_s
    days = max(0, round((now_ms / 1000 - last_s) / 86_400))
    text = f"{own.count} ×, last {days} days ago"
    if len(own.times_s) > 1:
        every = (own.times_s[-1] - own.times_s[0]) / (len(own.times_s) - 1) / 86_400
        text += f", about every {max(1, round(every))} days"
    return {
        "itemId": key,
        "title": item.title if item is not None else None,
        "count": own.count,
        "last": rfc3339(last_s * 1000),
        "text": text,
    }


def _interaction(each: Interaction, item_of: ItemOf) -> dict[str, Any]:
    item = item_of(each.item_id)
    return {
        "itemId": each.item_id,
        "title": item.title if item is not None else None,
        "signal": each.signal,
        "at": rfc3339(each.at_ms),
    }


def _rhythm(profile: Profile) -> list[dict[str, Any]]:
    """The three busiest hours of the week, in the person's own time."""
    busiest = sorted(profile.rhythm.items(), key=lambda pair: (-pair[1], pair[0]))[:3]
    return [
        {"hour": f"{_DAYS[hour // 24]} {hour % 24:02d}:00", "count": int(count)}
        for hour, count in busiest
    ]
