"""Why an item is there: its score taken apart by source, and said in plain words.

The blend is linear in the features and a tree is a walk from feature to feature, so what each feature
contributes adds up to the score exactly; each feature speaks for one source (features.SOURCE_OF).
What rests on nothing speakable (domain.speaking) is not told: the reason is neutral then.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from functools import cached_property
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from germane.domain.decision import Ask, Reason, Slot
from germane.domain.item import Item
from germane.domain.months import MS_PER_DAY
from germane.domain.speaking import NEUTRAL
from germane.predict.features import MEMBERS, SOURCES
from germane.predict.person import Person
from germane.predict.state import NEW_DAYS, STEPS_BACK, State

Floats = npt.NDArray[np.float64]

REASONS = 3
_MIN_SHARE = 0.1
_ROUNDING = 1e-12
"""What is smaller than this is left over from adding floats, and speaks for nothing."""


def contributions(features: Floats, weights: Floats, trees: Floats) -> Floats:
    """What each source adds to the score of each row, shape (n, sources); a row adds up to the score.

    Args:
        features: Against the average candidate, shape (n, features).
        weights: Of the blend, shape (features,).
        trees: What the trees add, by source, shape (n, sources).
    """
    parts: Floats = (features * weights) @ MEMBERS
    parts += trees
    parts[np.abs(parts) <= _ROUNDING] = 0.0
    return parts


class Telling:
    """The reasons of one slate; what several items share is put into words once."""

    def __init__(
        self,
        state: State,
        person: Person,
        ask: Ask,
        sources: Sequence[str],
        curated: Container[int] = (),
    ) -> None:
        """
        Args:
            state: What all people taught.
            person: To whom it is told.
            ask: What was asked.
            sources: What the parts of a score speak for, in their order.
            curated: Numbers of the items of the surface's curated list.
        """
        self._state, self._person, self._ask = state, person, ask
        self._curated = curated
        self._sources = sources
        self._words = [self._WORDS.get(each, _nothing) for each in sources]

    def sources(self, parts: Sequence[float]) -> dict[str, float]:
        """Source -> its part of the score, where it has any."""
        return {source: part for source, part in zip(self._sources, parts, strict=True) if part}

    def reasons(
        self, parts: Sequence[float], strongest: Sequence[int], slot: Slot, item: Item
    ) -> tuple[Reason, ...]:
        """The strongest sources in words; what a slot is for comes before all.

        Args:
            parts: Each source's part of the score.
            strongest: Places in ``parts``, the highest first.
            slot: What the position is for.
            item: What is there.
        """
        found = []
        if slot == "pinned":
            found.append(Reason("rule.pinned", "Chosen for this place by the shop", 0.0))
        elif slot == "diverse":
            found.append(Reason("quota.diverse", self._something_new(item), 0.0))
        elif slot == "explore":
            found.append(Reason("explore", "Shown to find out whether it is of interest", 0.0))
        least, muted = 0.0, False
        for place in strongest:
            value = parts[place]
            if value <= 0 or value < least or len(found) == REASONS:
                break
            least = least or _MIN_SHARE * value
            text = self._words[place](self, item)
            if text == NEUTRAL:
                if not muted:
                    found.append(Reason("neutral", text, value))
                muted = True
            elif text:
                found.append(Reason(_CODES[self._sources[place]], text, value))
        if not found:
            found.append(Reason("source.catalogue", "From the catalogue", 0.0))
        return tuple(found)

    def _trending(self, item: Item) -> str:
        return "Popular right now" if self._sold(item) else ""

    def _bestseller(self, item: Item) -> str:
        return "Popular with everyone" if self._sold(item) else ""

    def _sold(self, item: Item) -> bool:
        number = self._state.index.get(item.item_id)
        return number is not None and self._state.slow.sums.item(number) > 0

    def _declared(self, item: Item) -> str:
        return (
            "Fits what you told us about yourself"
            if self._person.speech.declared(item)
            else NEUTRAL
        )

    def _price(self, item: Item) -> str:
        """Only of a price that is no further from their usual one than most of theirs."""
        person, number = self._person, self._state.index.get(item.item_id)
        if number is None or person.price_mean is None:
            return ""
        away = abs(self._state.log_price.item(number) - person.price_mean)
        if not away <= person.price_spread:  # without a price it is no number
            return ""
        return "In your usual price range" if person.speech.anything() else NEUTRAL

    def _page(self, item: Item) -> str:
        """For the product page: what it goes with."""
        number = self._state.index.get(self._ask.context.item)
        known = self._state.items[number] if number is not None else None
        return f"Goes together with {known.title or known.item_id}" if known else ""

    def _interest(self, item: Item) -> str:
        category = self._category(item)
        text = self._interests.get(category)
        if text is None:
            text = self._interests[category] = self._interested(category)
        return text

    @cached_property
    def _interests(self) -> dict[str, str]:
        """Category -> what is said of it; filled as it is asked for."""
        return {}

    def _interested(self, category: str) -> str:
        attribute = self._state.diversity
        if not self._person.interests[attribute].get(category, 0.0) > 0:
            return ""
        may = self._person.speech.interest(attribute, category)
        return f"You are interested in {category}" if may else NEUTRAL

    def _repeat(self, item: Item) -> str:
        person = self._person
        own = person.profile.own_items.get(item.item_id)
        if own is None or not own.count:
            return ""
        told_s = person.speech.times_s(item.item_id)
        if own.times_s and not told_s:
            return NEUTRAL
        count = own.occasions if person.speech.repeats(item.item_id) else len({*told_s})
        days = max(0, int((person.at_ms / 1000 - told_s[-1]) // 86_400)) if told_s else 0
        times = "once" if count == 1 else f"{count} times"
        ago = "today" if days == 0 else f"{days} day{'s' if days != 1 else ''} ago"
        return f"You have had this {times}, last {ago}"

    @cached_property
    def _came_before(self) -> list[tuple[dict[int, float], bool]]:
        """What came next after each of the latest items, and whether that item may be named."""
        state, speech = self._state, self._person.speech
        return [
            (state.followed.row(other), speech.turned_to(state.ids[other]))
            for other, _ in self._person.latest[:STEPS_BACK]
        ]

    def _next(self, item: Item) -> str:
        """Only where it is so: it came next after one of the latest items."""
        number = self._state.index.get(item.item_id, -1)
        told = [may for row, may in self._came_before if number in row]
        if not told:
            return ""
        return "Often comes next" if any(told) else NEUTRAL

    def _foretold(self, item: Item) -> str:
        """Only where something that the person had speaks for it."""
        number = self._state.index.get(item.item_id)
        if number is None:
            return ""
        said = self._state.linear.said_by(number).intersection(self._had)
        if not said:
            return ""
        speech, ids = self._person.speech, self._state.ids
        told = any(speech.turned_to(ids[each]) or speech.times_s(ids[each]) for each in said)
        return "Fits what you chose before" if told else NEUTRAL

    @cached_property
    def _had(self) -> frozenset[int]:
        return frozenset(self._person.history.tolist())

    @cached_property
    def _latest(self) -> list[tuple[int, float, dict[int, float], str]]:
        """The latest items of the catalogue: number, weight, what goes with them, and their name; no name
        where they may not be told."""
        found = []
        for other, weight in self._person.latest:
            known = self._state.items[other]
            if known is not None:
                may = self._person.speech.turned_to(known.item_id)
                name = (known.title or known.item_id) if may else ""
                found.append((other, weight, self._state.together.row(other), name))
        return found

    def _goes_with(self, item: Item) -> str:
        """Names the latest item that it goes with best, of those that may be named."""
        number = self._state.index.get(item.item_id, -1)
        best, best_name, muted = 0.0, "", False
        for other, weight, row, name in self._latest:
            strength = weight * row.get(number, 0.0)
            if strength > best and other != number:
                if not name:
                    muted = True
                    continue
                best, best_name = strength, name
        if best_name:
            return f"Goes with {best_name}"
        return NEUTRAL if muted else ""

    def _adjacent(self, item: Item) -> str:
        """Only of what the person has not met."""
        number = self._state.index.get(item.item_id)
        kinds = self._state.kinds[self._state.diversity].of
        if number is None or self._person.met[kinds.item(number)]:
            return ""
        return self._something_new(item)

    def _from_curated(self, item: Item) -> str:
        number = self._state.index.get(item.item_id)
        return "Picked by us to begin with" if number in self._curated else ""

    def _new(self, item: Item) -> str:
        age_ms = self._person.at_ms - item.created_ms
        return "New here" if age_ms < NEW_DAYS * MS_PER_DAY else ""

    def _something_new(self, item: Item) -> str:
        text = "Something new for you"
        may = self._person.speech.attribute(self._state.diversity)
        return f"{text}: {self._category(item)}" if may else text

    def _category(self, item: Item) -> str:
        """Its value of the attribute by which things are new or liked (most often the category)."""
        values = item.values_of(self._state.diversity)
        return values[0] if values else "this kind"

    _WORDS: ClassVar[dict[str, Callable[[Telling, Item], str]]] = {
        "repeat": _repeat,
        "covisitation": _goes_with,
        "sequence": _next,
        "linear": _foretold,
        "together": _page,
        "interests": _interest,
        "trending": _trending,
        "bestsellers": _bestseller,
        "adjacent": _adjacent,
        "declared": _declared,
        "price": _price,
        "curated": _from_curated,
        "rule": lambda _, __: "Put forward by the shop",
        "new": _new,
    }
    """What puts each source into words. Not bound to one slate's telling: it would hold itself, and only a
    collection that stops everything could let it go."""


def _nothing(_: Telling, __: Item) -> str:
    """A source that has no words."""
    return ""


_CODES = {source: f"source.{source}" for source in (*SOURCES, "together", "rule")}
