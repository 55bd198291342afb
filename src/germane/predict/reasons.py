"""Why an item is there: its score taken apart by source, and said in plain words.

The blend is linear in the features and a tree is a walk from feature to feature, so what each feature
contributes adds up to the score exactly; each feature speaks for one source (features.SOURCE_OF).
What rests on nothing speakable (domain.speaking) is not told: the reason is neutral then.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from germane.domain.decision import Ask, Reason, Slot
from germane.domain.item import Item
from germane.domain.speaking import NEUTRAL
from germane.predict.features import MEMBERS, SOURCES
from germane.predict.person import Person
from germane.predict.state import STEPS_BACK, State

Floats = npt.NDArray[np.float64]

REASONS = 3
_MIN_SHARE = 0.1
_ROUNDING = 1e-12
"""What is smaller than this is left over from adding floats, and speaks for nothing."""


def contributions(features: Floats, weights: Floats, trees: Floats) -> list[dict[str, float]]:
    """For each row, source -> its part of the score; the parts add up to the score.

    Args:
        features: Against the average candidate, shape (n, features).
        weights: Of the blend, shape (features,).
        trees: What the trees add, by source, shape (n, sources).
    """
    parts = (features * weights) @ MEMBERS + trees
    return [
        {
            source: value
            for source, value in zip(SOURCES, row, strict=True)
            if abs(value) > _ROUNDING
        }
        for row in parts.tolist()
    ]


def reasons(
    sources: dict[str, float], slot: Slot, item: Item, state: State, person: Person, ask: Ask
) -> tuple[Reason, ...]:
    """The strongest sources in words, strongest first; what a slot is for comes before all."""
    found = []
    if slot == "pinned":
        found.append(Reason("rule.pinned", "Chosen for this place by the shop", 0.0))
    elif slot == "diverse":
        found.append(Reason("quota.diverse", _something_new(item, state, person), 0.0))
    elif slot == "explore":
        found.append(Reason("explore", "Shown to find out whether it is of interest", 0.0))
    top, muted = max(sources.values(), default=0.0), False
    for source, value in sorted(sources.items(), key=lambda pair: -pair[1]):
        if value <= 0 or value < _MIN_SHARE * top or len(found) == REASONS:
            break
        text = _page(ask, state) if source == "together" else _words(source, item, state, person)
        if text and not (muted and text == NEUTRAL):
            muted = muted or text == NEUTRAL
            code = "neutral" if text == NEUTRAL else f"source.{source}"
            found.append(Reason(code, text, value))
    if not found:
        found.append(Reason("source.catalogue", "From the catalogue", 0.0))
    return tuple(found)


def _words(source: str, item: Item, state: State, person: Person) -> str:
    speech = person.speech
    match source:
        case "repeat":
            return _repeat(item, person)
        case "covisitation":
            return _together(item, state, person)
        case "sequence":
            return _next(item, state, person)
        case "interests":
            category = _category(item)
            if not person.interests[state.diversity].get(category, 0.0) > 0:
                return ""
            may = speech.interest(state.diversity, category)
            return f"You are interested in {category}" if may else NEUTRAL
        case "trending" | "bestsellers":
            number = state.index.get(item.item_id)
            if number is None or state.slow.sums[number] <= 0:
                return ""
            return "Popular right now" if source == "trending" else "Popular with everyone"
        case "adjacent":
            return _something_new(item, state, person)
        case "declared":
            return _PLAIN["declared"] if speech.declared(item) else NEUTRAL
        case "price":
            return _PLAIN["price"] if speech.anything() else NEUTRAL
    return _PLAIN.get(source, "")


_PLAIN = {
    "curated": "Picked by us to begin with",
    "declared": "Fits what you told us about yourself",
    "rule": "Put forward by the shop",
    "new": "New here",
    "price": "In your usual price range",
}


def _page(ask: Ask, state: State) -> str:
    """For the product page: what it goes with."""
    number = state.index.get(ask.context.item)
    known = state.items[number] if number is not None else None
    return f"Often bought together with {known.title or known.item_id}" if known else ""


def _repeat(item: Item, person: Person) -> str:
    own = person.profile.own_items.get(item.item_id)
    if own is None or not own.count:
        return ""
    told_s = person.speech.times_s(item.item_id)
    if own.times_s and not told_s:
        return NEUTRAL
    count = own.count if person.speech.repeats(item.item_id) else len(told_s)
    days = max(0, int((person.at_ms / 1000 - told_s[-1]) // 86_400)) if told_s else 0
    times = "once" if count == 1 else f"{count} times"
    ago = "today" if days == 0 else f"{days} day{'s' if days != 1 else ''} ago"
    return f"You have had this {times}, last {ago}"


def _next(item: Item, state: State, person: Person) -> str:
    """Only where it is so: it came next after one of the latest items."""
    number = state.index.get(item.item_id, -1)
    after = [
        other for other, _ in person.latest[:STEPS_BACK] if number in state.followed.row(other)
    ]
    if not after:
        return ""
    may = any(person.speech.turned_to(state.ids[other]) for other in after)
    return "Often comes next" if may else NEUTRAL


def _together(item: Item, state: State, person: Person) -> str:
    """Names the latest item that it goes with best, of those that may be named."""
    number = state.index.get(item.item_id)
    best, name, muted = 0.0, "", False
    for other, weight in person.latest:
        strength = weight * state.together.row(other).get(number if number is not None else -1, 0.0)
        known = state.items[other]
        if strength > best and known is not None and other != number:
            if not person.speech.turned_to(known.item_id):
                muted = True
                continue
            best, name = strength, known.title or known.item_id
    if name:
        return f"Goes with {name}"
    return NEUTRAL if muted else ""


def _something_new(item: Item, state: State, person: Person) -> str:
    text = "Something new for you"
    return f"{text}: {_category(item)}" if person.speech.attribute(state.diversity) else text


def _category(item: Item) -> str:
    return item.category or (item.categories[-1] if item.categories else "this kind")
