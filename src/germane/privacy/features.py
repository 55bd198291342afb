"""Where everything comes from that is stored of a person, and that a prediction sees: data, held to be whole by
tests. What is not declared here is in no profile and in no feature.

Categories of what comes from signals and traits are those that each declares: a feature may be kept and used
for no more than what it is made of.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from germane.domain.settings import Settings
from germane.privacy.categories import BEHAVIOUR, CONTACT, NEEDS, SERVICE

Origin = Literal[
    "signals", "traits", "visits", "identity", "place", "shown", "asked", "consent", "housekeeping"
]
"""What a field of a profile is made from. ``identity``: who calls are from; ``place``: language and zone;
``shown``: what Germane decided and what came of it; ``asked``: what the person asked for."""
Shared = Literal["catalogue", "everybody", "surface"]
"""What a feature sees beside the person: items; what all people do, without whose it was; the configuration."""
Undone = Literal["exact", "not counted", "not told", "stays"]


class Field(NamedTuple):
    """A field of ``Profile``."""

    origin: Origin
    category: str
    """Its category; empty: that of each signal or trait that it is from."""
    undone: Undone
    """What becomes of what a signal told when the consent that its category needs ends. ``exact``: it goes;
    ``not counted``: such signals never count in it; ``not told``: no signal tells it."""
    why: str = ""
    """Of ``stays``: the reason."""


_STAYS = "When somebody was there says nothing of what they did."
FIELDS: Mapping[str, Field] = {
    "person": Field("identity", BEHAVIOUR, "not told"),
    "seq": Field("housekeeping", "", "stays", "Place in the log of the latest record."),
    "first_seen_ms": Field("visits", BEHAVIOUR, "stays", _STAYS),
    "last_seen_ms": Field("visits", BEHAVIOUR, "stays", _STAYS),
    "user_id": Field("identity", BEHAVIOUR, "stays", "Whose the event was, by its own id."),
    "anonymous_ids": Field("identity", BEHAVIOUR, "stays", "Whose the event was, by its own id."),
    "account": Field("identity", BEHAVIOUR, "stays", "It is of the call, not of the signal."),
    "timezone": Field("place", SERVICE, "stays", "It is of the call, not of the signal."),
    "locale": Field("place", SERVICE, "stays", "It is of the call, not of the signal."),
    "traits": Field("traits", "", "stays", "Each trait has a category of its own."),
    "interests": Field("signals", "", "exact"),
    "recent": Field("signals", "", "exact"),
    "own_items": Field("signals", "", "exact"),
    "price": Field("signals", BEHAVIOUR, "not counted"),
    "rhythm": Field("visits", BEHAVIOUR, "not counted"),
    "evidence": Field("signals", BEHAVIOUR, "not counted"),
    "exposures": Field("shown", BEHAVIOUR, "exact"),
    "quotas": Field("shown", BEHAVIOUR, "not told"),
    "orders": Field(
        "signals", "", "stays", "Of an earlier version: names of orders, to know them again."
    ),
    "consent": Field("consent", "", "not told"),
    "swept_month": Field("housekeeping", "", "not told"),
    "choices": Field("shown", BEHAVIOUR, "exact"),
    "months": Field("signals", BEHAVIOUR, "not counted"),
    "known_orders": Field("signals", "", "exact"),
    "stands": Field("consent", "", "not told"),
    "muted": Field("asked", BEHAVIOUR, "not told"),
    "apart": Field("signals", "", "exact"),
    "had": Field("signals", "", "not counted"),
    "unplaced": Field("signals", "", "exact"),
}
"""Every field of ``domain.profile.Profile``. What a bounded list let go for something that was dropped later
does not come back, and of an item that other signals told of, too, they leave what the latest interactions
tell."""

_OWN, _SALES, _INTEREST = ("own_items", "recent"), ("everybody",), ("interests", "catalogue")
_FRESH = "fresh_"
_FEATURES: Mapping[str, tuple[str, ...]] = {
    "own": (*_OWN, "had"),
    **dict.fromkeys(
        (
            "own_count", "own_recent", "own_lasting", "own_rate", "own_visits_80", "own_visits_90",
            "own_visits_95", "own_visits_98", "own_recent_log", "own_lasting_log", "own_gap_short",
            "own_gap_month", "own_gap_hours", "own_latest", "own_due", "own_early",
        ),
        _OWN,
    ),
    "own_repeatable": (*_OWN, "everybody"),
    **dict.fromkeys(
        (
            "together", "together_rank", "together_long", "followed", "followed_rank", "followed_last",
        ),
        ("recent", "own_items", "everybody"),
    ),
    **dict.fromkeys(("linear", "linear_rank", "linear_latest"), (*_OWN, "everybody")),
    **dict.fromkeys(("category_interest", "brand_interest", "fine_interest"), _INTEREST),
    **dict.fromkeys(("category_pull", "fine_pull"), (*_INTEREST, "everybody")),
    "category_just": ("recent", "catalogue"),
    **dict.fromkeys(
        (
            "tried_fast", "tried_mid", "popular_hours", "popular_fast", "popular_mid", "popular_slow",
            "trend", "trend_now",
        ),
        _SALES,
    ),
    "price_fit": ("price", "catalogue"),
    "declared": ("traits", "catalogue"),
    "new": ("catalogue",),
    "adjacent": ("recent", "own_items", "catalogue", "everybody"),
    "cold_popular": ("evidence", "everybody"),
    "cold_declared": ("evidence", "traits", "catalogue"),
    "cold_curated": ("evidence", "surface"),
    "person_items": ("own_items",),
    **dict.fromkeys(("person_visits", "person_days", "person_away"), ("recent",)),
}  # fmt: skip


def made_from(feature: str) -> tuple[str, ...]:
    """Fields of the profile, and shared things, that a feature of the ranker is made from. What is asked anew
    of an item that the person never had (``fresh_``) is made from the same, and from what they had.

    Raises:
        KeyError: nothing declares it.
    """
    plain = _FEATURES[feature.removeprefix(_FRESH)]
    return (
        plain if not feature.startswith(_FRESH) else (*dict.fromkeys((*plain, "own_items", "had")),)
    )


def categories_of(feature: str, settings: Settings) -> frozenset[str]:
    """Categories that a feature may rest on under a declaration."""
    found: set[str] = set()
    for name in made_from(feature):
        field = FIELDS.get(name)
        if field is None:
            continue
        if field.category:
            found.add(field.category)
        elif field.origin == "traits":
            found |= {x.category for x in settings.traits.values() if x.category != CONTACT}
        else:
            found |= {each.category for each in settings.signals.values()}
    return frozenset(found)


def in_brief(settings: Settings) -> dict[str, dict[str, object]]:
    """Categories that a declaration has: its signals and traits, what they need, and how many features of the
    ranker may rest on them."""
    found: dict[str, dict[str, object]] = {}
    declared = {each.category for each in settings.signals.values()}
    declared |= {each.category for each in settings.traits.values()}
    features = [categories_of(name, settings) for name in _FEATURES]
    for category in sorted(declared):
        found[category] = {
            "signals": sorted(x.name for x in settings.signals.values() if x.category == category),
            "traits": sorted(x.name for x in settings.traits.values() if x.category == category),
            "needs": list(NEEDS.get(category, ())),
            "features": sum(category in each for each in features),
        }
    return found


def apart(category: str) -> bool:
    """Whether data of it need more than personalisation: they are stored so that all of them can be taken out
    again, and count in no sum that does not tell from what it is."""
    return len(NEEDS.get(category, ())) > 1
