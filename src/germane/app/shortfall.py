"""Why a slate is empty or short, or about nothing that is known, in words: nobody should have to guess."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice

from germane.config.showable import to_be_had
from germane.domain.decision import Ask, Decision
from germane.domain.item import Item
from germane.domain.ports import Model
from germane.domain.profile import Profile
from germane.domain.settings import SurfaceSpec
from germane.predict.bandit.choosing import as_item

LOOKED_AT = 5_000
"""Items that are looked at for each reason; what they tell is taken for all."""
NAMED = 3
"""Unknown actions that are named."""
Test = Callable[[Item], bool]


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Finds the first condition that leaves fewer items than a slate has places."""

    model: Model
    items: Mapping[str, Item]
    """The catalogue, by id."""
    at_ms: int

    def note(self, decision: Decision, surface: SurfaceSpec, person: Profile) -> str:
        """Why places of a slate are not filled, or no action was left, and what the request names that is not
        known; empty where there is nothing to tell."""
        ask = decision.ask
        if ask is None:
            return ""
        if decision.choice is not None:
            told = (self._no_action(decision, ask, surface, person), _no_actions_of(ask, surface))
            return " ".join(filter(None, told))
        found = (self._unfilled(decision, ask, surface, person), self._unknown(ask.context.item))
        return " ".join(filter(None, found))

    def _no_action(
        self, decision: Decision, ask: Ask, surface: SurfaceSpec, person: Profile
    ) -> str:
        if decision.items or surface.nothing:
            return ""
        actions = [as_item(each) for each in surface.actions]
        if not any(map(self._eligible(Profile(""), surface, Ask(ask.surface)), actions)):
            return "Nothing to choose: the rules of the surface leave no action."
        if not any(map(self._eligible(Profile(""), surface, ask), actions)):
            return (
                "Nothing to choose: what the request asks for (filter, exclude) leaves no action."
            )
        return "Nothing to choose: the person wants to see none of the actions."

    def _unknown(self, item: str) -> str:
        if not item or item in self.items:
            return ""
        return f"Item {item[:80]!r}, which it is about, is not in the catalogue."

    def _unfilled(self, decision: Decision, ask: Ask, surface: SurfaceSpec, person: Profile) -> str:
        size, filled = ask.size or surface.size, len(decision.items)
        if filled >= size:
            return ""
        why = self._why(surface, ask, person, size, "no" if not filled else "no more")
        if not filled:
            return f"Nothing to show: {why}."
        return f"{filled} of {size} places are filled: {why}."

    def _why(self, surface: SurfaceSpec, ask: Ask, person: Profile, size: int, no_more: str) -> str:
        if not self.items:
            return "the catalogue is empty (`germane import catalogue FILE`)"
        if not self._enough(lambda item: item.type in surface.item_types, size):
            types = " or ".join(surface.item_types)
            return f"the catalogue has {no_more} items of type {types}"
        if not self._enough(lambda item: self._there(item, surface), size):
            return f"{no_more} items are in stock and inside their dates"
        if not self._enough(self._eligible(Profile(""), surface, Ask(ask.surface)), size):
            return f"the rules of the surface leave {no_more} items"
        nobody = self._eligible(Profile(""), surface, ask)
        if not self._enough(nobody, size):
            return f"what the request asks for (filter, exclude) leaves {no_more} items"
        muting = Profile(person.person, muted=person.muted)
        if not self._enough(self._eligible(muting, surface, ask), size):
            return f"{no_more} items are left beside those that the person does not want to see"
        if not self._enough(self._eligible(person, surface, ask), size):
            return f'{no_more} items are new to this person (already_bought = "exclude")'
        return "more would fit, but were not found: name them in a rule, or give them their own surface"

    def _eligible(self, person: Profile, surface: SurfaceSpec, ask: Ask) -> Test:
        return self.model.eligible(person, surface, ask, at_ms=self.at_ms)

    def _there(self, item: Item, surface: SurfaceSpec) -> bool:
        return item.type in surface.item_types and to_be_had(item, surface, self.at_ms)

    def _enough(self, test: Test, size: int) -> bool:
        """Whether as many items as there are places pass, among those that are looked at."""
        passing = filter(test, islice(self.items.values(), LOOKED_AT))
        return len(list(islice(passing, size))) == size


def _no_actions_of(ask: Ask, surface: SurfaceSpec) -> str:
    """That ``exclude`` names what is none of the actions: whoever misspells one would go on getting it."""
    known = {each.id for each in surface.actions}
    strange = [repr(each[:80]) for each in ask.exclude if each not in known][:NAMED]
    if not strange:
        return ""
    return f"{surface.name} has no action {' or '.join(strange)}: excluding it changes nothing."
