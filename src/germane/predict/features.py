"""What the blender sees of a candidate: names, and the weights it starts with.

The prior weights ship with Germane; they are what a new installation ranks with before it has
learned anything of its own. Their origin is documented in docs/explanation/prediction.md.
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np

NAMES: tuple[str, ...] = (
    "own",  # 1 if the person had it before
    "own_count",  # ln(1 + times had)
    "own_recent",  # ln(1 + count decayed with 30 days)
    "own_lasting",  # ln(1 + count decayed with 180 days)
    "own_rate",  # own count per visit
    # Share of visits at which it was had, ln(1 + 100 x) / 4, where each visit back counts 0.8 (or
    # 0.9, 0.95, 0.98) as much: who comes daily and who comes monthly are read on the same clock.
    "own_visits_80",
    "own_visits_90",
    "own_visits_95",
    "own_visits_98",
    "own_recent_log",  # ln(1 + 10 x) / 4 of the count decayed with 30 days
    "own_lasting_log",  # ln(1 + 5 x) / 4 of the count decayed with 180 days
    "own_gap_short",  # 2 ** -(days since last / 4)
    "own_gap_month",  # 2 ** -(days since last / 30)
    "own_gap_hours",  # 2 ** -(hours since last / 3)
    "own_latest",  # 1 / sqrt(place among the own items, latest first)
    "own_due",  # bump where the time since the last equals the usual interval
    "own_early",  # 1 if less than half of the usual interval has passed
    "own_repeatable",  # own x share of people's purchases of it that are repeats
    "together",  # goes with the latest items (co-visitation)
    "together_rank",  # 1 / sqrt(rank) by that
    "followed",  # came next, for others, after the latest items (the newest counts most)
    "followed_rank",  # 1 / sqrt(rank) by that
    "followed_last",  # came next after the very latest item
    "linear",  # foretold by all that the person had (linear item-item model)
    "linear_rank",  # 1 / sqrt(rank) by that
    "linear_latest",  # the same, where what was had last says most
    "category_interest",  # the person's share of interest in its category
    "category_pull",  # that times its standing inside the category
    "category_just",  # 2 ** -(days since the person last took from the category / 7)
    "brand_interest",  # share of interest in its brand (and other attributes)
    "fine_interest",  # share of interest in its value of the finest attribute
    "fine_pull",  # that times its standing inside that value
    "together_long",  # goes with what the person has had most (longer history)
    "tried_fast",  # popularity among those who had it for the first time, days
    "tried_mid",  # the same, weeks
    "popular_hours",  # popularity with a half-life of hours
    "popular_fast",  # of days
    "popular_mid",  # of weeks
    "popular_slow",  # of months
    "trend",  # ln(fast / slow)
    "trend_now",  # ln(the last day or two / weeks)
    "price_fit",  # minus the squared distance from the person's usual price, in deviations
    "declared",  # weight of declared traits that speak for it
    "new",  # 1 if young in the catalogue
    "adjacent",  # 1 if of a related category that the person has not met
    "cold_popular",  # popular_mid x (1 - readiness)
    "cold_declared",  # declared x (1 - readiness)
    "cold_curated",  # standing in the surface's curated list x (1 - readiness)
    # The same again for items that the person never had: what makes something worth trying is not
    # what makes it worth having again.
    "fresh_together",
    "fresh_together_rank",
    "fresh_followed",
    "fresh_followed_rank",
    "fresh_followed_last",
    "fresh_linear",
    "fresh_linear_rank",
    "fresh_linear_latest",
    "fresh_category_interest",
    "fresh_category_pull",
    "fresh_category_just",
    "fresh_brand_interest",
    "fresh_fine_interest",
    "fresh_fine_pull",
    "fresh_together_long",
    "fresh_tried_fast",
    "fresh_tried_mid",
    "fresh_popular_hours",
    "fresh_popular_fast",
    "fresh_popular_mid",
    "fresh_popular_slow",
    "fresh_trend",
    "fresh_trend_now",
    # The same for all candidates of one question: the blend cannot use them, trees can. What is worth
    # trying differs with how long somebody is known, and "new to the person" means little at first.
    "person_items",  # ln(1 + items had)
    "person_visits",  # ln(1 + visits among the latest interactions)
    "person_days",  # ln(1 + days since the first that is known)
    "person_away",  # ln(1 + days since the latest)
)
WIDTH = len(NAMES)
COLUMN = {name: number for number, name in enumerate(NAMES)}
PERSON = "person"
"""What the length of a person's history adds, in explanations. It proposes no candidates."""
FRESH = tuple(name for name in NAMES if name.startswith("fresh_"))

_PRIOR = {
    "own": 1.0,
    "own_count": 0.6,
    "own_recent": 0.8,
    "own_lasting": 0.8,
    "own_due": 0.4,
    "own_early": -0.5,
    "own_repeatable": 0.8,
    "together": 1.0,
    "together_rank": 0.5,
    "followed": 1.0,
    "followed_rank": 0.5,
    "category_interest": 0.8,
    "category_pull": 0.8,
    "brand_interest": 0.3,
    "fine_interest": 0.4,
    "fine_pull": 0.4,
    "together_long": 0.4,
    "fresh_linear": 0.5,
    "fresh_linear_rank": 0.3,
    "fresh_tried_mid": 0.3,
    "popular_fast": 0.3,
    "popular_mid": 0.5,
    "popular_slow": 0.3,
    "price_fit": 0.1,
    "declared": 1.0,
    "cold_popular": 0.3,
    "cold_declared": 1.0,
    "cold_curated": 2.0,
    "new": 0.0,
    "adjacent": -0.2,
}
PRIOR = np.array([_PRIOR.get(name, 0.0) for name in NAMES])

LAYOUT = blake2b(repr((NAMES, sorted(_PRIOR.items()))).encode(), digest_size=4).hexdigest()
"""Names this set of features: state learned with another one is not loaded."""

SOURCE_OF = {
    "own": "repeat",
    "own_count": "repeat",
    "own_recent": "repeat",
    "own_lasting": "repeat",
    "own_rate": "repeat",
    "own_visits_80": "repeat",
    "own_visits_90": "repeat",
    "own_visits_95": "repeat",
    "own_visits_98": "repeat",
    "own_recent_log": "repeat",
    "own_lasting_log": "repeat",
    "own_gap_short": "repeat",
    "own_gap_month": "repeat",
    "own_gap_hours": "repeat",
    "own_latest": "repeat",
    "own_due": "repeat",
    "own_early": "repeat",
    "own_repeatable": "repeat",
    "together": "covisitation",
    "together_rank": "covisitation",
    "followed": "sequence",
    "followed_rank": "sequence",
    "followed_last": "sequence",
    "linear": "linear",
    "linear_rank": "linear",
    "linear_latest": "linear",
    "category_interest": "interests",
    "category_pull": "interests",
    "category_just": "interests",
    "brand_interest": "interests",
    "fine_interest": "interests",
    "fine_pull": "interests",
    "together_long": "covisitation",
    "tried_fast": "trending",
    "tried_mid": "bestsellers",
    "price_fit": "price",
    "popular_hours": "trending",
    "popular_fast": "trending",
    "trend": "trending",
    "trend_now": "trending",
    "popular_mid": "bestsellers",
    "popular_slow": "bestsellers",
    "cold_popular": "bestsellers",
    "declared": "declared",
    "cold_declared": "declared",
    "cold_curated": "curated",
    "new": "new",
    "adjacent": "adjacent",
}
SOURCE_OF |= {name: SOURCE_OF[name.removeprefix("fresh_")] for name in FRESH}
SOURCE_OF |= {name: PERSON for name in NAMES if name.startswith("person_")}
"""Which source of candidates a feature speaks for, in explanations."""
SOURCES = tuple(dict.fromkeys(SOURCE_OF[name] for name in NAMES))
MEMBERS = np.array(
    [[SOURCE_OF[name] == source for source in SOURCES] for name in NAMES], dtype=float
)
"""Which features speak for which source, shape (features, sources)."""
PROPOSING = MEMBERS * [source != PERSON for source in SOURCES]
"""The same without what says nothing of a single candidate."""
