"""What a surface may show at all, as far as it depends on nobody: type, stock, dates and rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from germane.domain.errors import BadFilter
from germane.domain.item import Item
from germane.domain.settings import RuleSpec, SurfaceSpec
from germane.predict.bandit.choosing import TYPE
from germane.predict.filters import Filter
from germane.predict.rules import Condition

LOOKED_AT = 20_000
"""Items that rules are tried on; of more, only until there are enough."""
Test = Callable[[Item], bool]


@dataclass(frozen=True, slots=True)
class Showable:
    """How many items are left after each condition."""

    fitting: tuple[Item, ...]
    """Of the right type, in stock where that is asked for, inside their dates."""
    typed: int
    """Of the right type."""
    left: tuple[Item, ...]
    """... and left by the rules."""
    looked_at: int
    """Of the fitting, how many the rules were tried on."""

    @property
    def whole(self) -> bool:
        """Whether all were tried; else more may be left."""
        return self.looked_at == len(self.fitting)


class Rules:
    """The rules of a surface without those parts that depend on a request's context."""

    def __init__(self, surface: SurfaceSpec, attributes: Iterable[str]) -> None:
        self.broken: dict[int, str] = {}
        """Number of a rule -> why it cannot be asked of some item."""
        self.fitted: set[int] = set()
        """Numbers of the rules that have fitted an item so far."""
        attributes = tuple(attributes)
        self._include: list[Test] = []
        self._exclude: list[Test] = []
        self.conditions: dict[int, Test] = {}
        """Number of a rule that can be judged here -> its condition."""
        depends = False
        for place, rule in enumerate(surface.rules):
            if rule.kind == "pin":
                continue
            said = bool(rule.when) and Filter(rule.when, attributes).reads_context
            depends |= said and rule.kind == "include"
            test = self._test(place, replace(rule, when="") if said else rule, attributes)
            if rule.kind == "exclude":
                self._exclude.append(test)
            elif rule.kind == "include":
                self._include.append(test)
            if not said:
                self.conditions[place] = test
        if depends:  # what one include rule lets in cannot be known, so neither what all keep out
            self._include.clear()

    def _test(self, place: int, rule: RuleSpec, attributes: tuple[str, ...]) -> Test:
        condition = Condition(rule, attributes)

        def test(item: Item) -> bool:
            try:
                fits = condition(item, {})
            except BadFilter as error:
                self.broken.setdefault(place, f"{error.message} (item {item.item_id})")
                return False
            if fits:
                self.fitted.add(place)
            return fits

        return test

    def __bool__(self) -> bool:
        """Whether they keep anything out."""
        return bool(self._include or self._exclude)

    def leave(self, item: Item) -> bool:
        """Whether the rules leave an item."""
        if self._include and not any(test(item) for test in self._include):
            return False
        return not any(test(item) for test in self._exclude)


def showable(
    surface: SurfaceSpec,
    catalogue: Sequence[Item],
    rules: Rules,
    at_ms: int | None,
    most: int = LOOKED_AT,
) -> Showable:
    """What may be shown.

    Args:
        surface: The surface.
        catalogue: All items, or the actions of a choice as items.
        rules: Its rules.
        at_ms: Now, in milliseconds since 1970 UTC; without it dates do not count.
        most: Rules are tried on no more items than this, even if too few are left.
    """
    types = (TYPE,) if surface.kind == "choice" else surface.item_types
    typed = [each for each in catalogue if each.type in types]
    fitting = tuple(each for each in typed if to_be_had(each, surface, at_ms))
    if not rules:
        return Showable(fitting, len(typed), fitting, len(fitting))
    left: list[Item] = []
    enough = 4 * surface.size + 1
    for count, item in enumerate(fitting):
        if count >= most or (count >= LOOKED_AT and len(left) >= enough):
            return Showable(fitting, len(typed), tuple(left), count)
        if rules.leave(item):
            left.append(item)
    return Showable(fitting, len(typed), tuple(left), len(fitting))


def to_be_had(item: Item, surface: SurfaceSpec, at_ms: int | None) -> bool:
    """Whether it is in stock, where that is asked for, and inside its dates."""
    if not item.in_stock:
        if surface.in_stock_only:
            return False
        item = replace(item, in_stock=True)
    return at_ms is None or item.available(at_ms)
