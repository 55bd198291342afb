"""A profile as a person can read it: what is known, how strongly, and from where."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

from germane.domain import decay, had
from germane.domain.consent import Stand
from germane.domain.event import Interaction
from germane.domain.hours import slot_of_week
from germane.domain.item import Item
from germane.domain.months import MS_PER_DAY, month_label
from germane.domain.muting import SOURCES, Muted, told_apart
from germane.domain.profile import Credit, Exposure, Mass, OpenChoice, OwnItem, Profile, Trait
from germane.domain.settings import Settings
from germane.domain.speaking import Speech
from germane.profile import orders, rhythm, words
from germane.profile.words import rfc3339

ItemOf = Callable[[str], Item | None]

RECENT = 20
OWN = 20
BUSIEST = 3
_MOST_LOG = 700.0
"""The exponential function of it is still a finite number."""

__all__ = ["consent_states", "rfc3339", "view"]


def view(profile: Profile, settings: Settings, item_of: ItemOf, now_ms: int) -> dict[str, Any]:
    """Readable JSON of one person. Times are RFC 3339, weights are as of ``now_ms``.

    The data is whole; its sentences (``text``) name nothing that is not speakable, and ``speakable``
    says of an interest, an own item or a trait whether it may be mentioned to the person.
    """
    speech = Speech(profile, settings, now_ms)
    return {
        "personId": profile.person,
        "userId": profile.user_id or _own_key(profile) or None,
        "anonymousIds": list(profile.anonymous_ids),
        "account": profile.account or None,
        "firstSeen": _seen(profile, profile.first_seen_ms),
        "lastSeen": _seen(profile, profile.last_seen_ms),
        "offset": profile.seq,
        "timezone": profile.timezone or None,
        "locale": profile.locale or None,
        "readiness": _readiness(profile, settings),
        "interests": {
            name: _interests(profile, name, settings, now_ms, speech) for name in profile.interests
        },
        "notInCatalogue": _unplaced(profile, now_ms, speech),
        "priceBand": _price(profile, settings),
        "traits": {
            name: _trait(name, trait, profile, settings, now_ms) | {"speakable": speech.trait(name)}
            for name, trait in sorted(profile.traits.items())
            if trait.value is not None
        },
        "ownItems": _own_items(profile, settings, item_of, now_ms, speech),
        "hadLongerAgo": had.count(had.less(profile.had, profile.own_items)),
        "recent": [_interaction(each, item_of) for each in profile.recent[: -RECENT - 1 : -1]],
        "rhythm": _rhythm(profile, settings),
        "exposures": [_exposure(each) for each in reversed(profile.exposures)],
        "choices": [_choice(each) for each in reversed(profile.choices)],
        "diversity": {
            name: {"slots": each.slots, "diverse": each.diverse, "short": each.short}
            for name, each in sorted(profile.quotas.items())
        },
        "consent": dict(sorted(profile.consent.items())),
        "consentStates": consent_states(profile, now_ms),
        "muted": _muted(profile.muted.now(now_ms), item_of),
    }


def consent_states(profile: Profile, now_ms: int) -> dict[str, dict[str, str | None]]:
    """How the last word to each purpose stands: ``granted``, ``withdrawn`` or ``expired``; since when, and of a
    yes, until when."""
    return {
        purpose: _consent(granted, profile.stands.get(purpose, Stand(0)), now_ms)
        for purpose, granted in sorted(profile.consent.items())
    }


def _consent(granted: bool, stand: Stand, now_ms: int) -> dict[str, str | None]:
    if (
        granted and stand.refused and stand.over(now_ms)
    ):  # the no before it stands again, since then
        granted, stand = False, Stand(stand.until_ms)
    yes = "expired" if stand.over(now_ms) else "granted"
    return {
        "state": yes if granted else "withdrawn",
        "at": rfc3339(stand.at_ms if granted else stand.refused_ms),
        "expiresAt": rfc3339(stand.until_ms),
    }


def _own_key(profile: Profile) -> str:
    """The user id that the person's key is made of."""
    kind, _, key = profile.person.partition(":")
    return key if kind == "u" else ""


def _seen(profile: Profile, at_ms: int) -> str | None:
    """A moment, which may be the beginning of 1970 for whoever was seen then."""
    return words.moment(at_ms) if at_ms or not profile.first_seen_ms else None


def _readiness(profile: Profile, settings: Settings) -> dict[str, Any]:
    trust = decay.readiness(profile.evidence, settings.profile.readiness_half)
    return {
        "value": round(trust, 4),
        "evidence": profile.evidence,
        "meaning": words.trust(trust),
    }


def _interests(
    profile: Profile, name: str, settings: Settings, now_ms: int, speech: Speech
) -> list[dict[str, Any]]:
    """Strongest first; what the person turned away from comes last, with a weight below 0."""
    weights = decay.interests(profile, name, settings, now_ms)
    total = sum(weight for weight in weights.values() if weight > 0)
    return [
        {
            "value": value,
            "weight": round(weight, 4),
            "share": round(weight / total, 4) if weight > 0 else 0.0,
            "from": _evidence(decay.live(profile.interests[name][value], now_ms), speech),
            "speakable": speech.interest(name, value, liked=weight > 0),
        }
        for value, weight in sorted(weights.items(), key=lambda pair: (-pair[1], pair[0]))
    ]


def _unplaced(profile: Profile, now_ms: int, speech: Speech) -> list[dict[str, Any]]:
    """What waits for its item to come into the catalogue, to tell of interests then."""
    return [
        {"itemId": item_id, "from": _evidence(masses, speech)}
        for item_id, each in sorted(profile.unplaced.items())
        if (masses := decay.live(each, now_ms))
    ]


def _evidence(masses: tuple[Mass, ...], speech: Speech) -> dict[str, Any]:
    """In words, and the counts behind them by month and signal, without what was taken back."""
    months: dict[str, dict[str, int]] = {}
    for each in masses:
        months.setdefault(month_label(each.month), {})[each.signal] = each.count
    return {"text": words.evidence(masses, speech.signal), "months": months}


def _price(profile: Profile, settings: Settings) -> dict[str, Any] | None:
    """The typical price (geometric mean), and one standard deviation of the logarithm around it."""
    band = profile.price
    if not band.count:
        return None
    spread = math.sqrt(max(band.m2, 0.0) / band.count)
    low, mid, high = (math.exp(min(band.mean + k * spread, _MOST_LOG)) for k in (-1, 0, 1))
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
    """Both weights, where the trait guides a slate: its own, and that of behaviour against it."""
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


def _own_items(
    profile: Profile, settings: Settings, item_of: ItemOf, now_ms: int, speech: Speech
) -> list[dict[str, Any]]:
    """What the person has had most often, with its rhythm."""
    repeated = [(key, own) for key, own in profile.own_items.items() if own.count]
    repeated.sort(key=lambda pair: (-pair[1].count, -pair[1].last_s, pair[0]))
    return [
        _own(key, own, item_of, now_ms, speech)
        | {"pieces": orders.pieces_of(profile, key, own, settings)}
        for key, own in repeated[:OWN]
    ]


def _own(key: str, own: OwnItem, item_of: ItemOf, now_ms: int, speech: Speech) -> dict[str, Any]:
    last_s = own.times_s[-1] if own.times_s else own.last_s
    every = words.every_days(own)
    return {
        "itemId": key,
        "title": _title(key, item_of),
        "count": own.count,
        "last": rfc3339(last_s * 1000),
        "daysAgo": words.days_ago(last_s, now_ms),
        "everyDays": None if every is None else round(every, 1),
        "text": words.again(own, now_ms) if speech.repeats(key) else words.UNSPOKEN,
        "speakable": speech.repeats(key),
    }


def _interaction(each: Interaction, item_of: ItemOf) -> dict[str, Any]:
    return {
        "itemId": each.item_id,
        "title": _title(each.item_id, item_of),
        "signal": each.signal,
        "at": rfc3339(each.at_ms),
    }


def _title(item_id: str, item_of: ItemOf) -> str | None:
    item = item_of(item_id)
    return item.title if item is not None else None


def _rhythm(profile: Profile, settings: Settings) -> dict[str, Any]:
    """The busiest hours of the week, in the person's own time where it is known."""
    hours = rhythm.hours_of(profile)
    counts = Counter(map(slot_of_week, hours))
    busiest = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:BUSIEST]
    return {
        "text": words.habit(counts),
        "timezone": profile.timezone or settings.timezone,
        "activeHours": len(hours),
        "busiest": [{"hour": words.hour(number), "count": count} for number, count in busiest],
    }


def _muted(muted: Muted, item_of: ItemOf) -> dict[str, Any]:
    """What the person asked to be spared, and until when."""
    keys = [(*told_apart(key), until_ms) for key, until_ms in sorted(muted.items.items())]
    return {
        "items": [
            {
                "itemId": item_id,
                "title": None if surface else _title(item_id, item_of),
                "choiceOf": surface or None,
                "until": rfc3339(until_ms),
            }
            for item_id, surface, until_ms in keys
        ],
        "values": [
            {"attribute": name, "value": value, "until": rfc3339(until_ms)}
            for name, values in sorted(muted.values.items())
            for value, until_ms in sorted(values.items())
        ],
        "reasons": [
            {
                "source": name,
                "text": SOURCES.get(name, name),
                "said": each.said,
                "until": rfc3339(each.until_ms),
            }
            for name, each in sorted(muted.sources.items())
        ],
    }


def _choice(each: OpenChoice) -> dict[str, Any]:
    return {
        "decisionId": each.decision_id,
        "surface": each.surface,
        "at": rfc3339(each.at_ms),
        "credited": list(each.credited),
        "credits": [_credit(x) for x in each.credits],
        "value": each.value,
    }


def _exposure(each: Exposure) -> dict[str, Any]:
    return {
        "decisionId": each.decision_id,
        "surface": each.surface,
        "at": rfc3339(each.at_ms),
        "items": list(each.items),
        "credited": list(each.credited),
        "credits": [_credit(x) for x in each.credits],
    }


def _credit(each: Credit) -> dict[str, Any]:
    """``left``: what of the value is not taken back."""
    return {
        "itemId": each.item_id or None,
        "outcome": each.outcome,
        "value": each.value,
        "left": each.left,
        "at": rfc3339(each.at_ms),
    }
