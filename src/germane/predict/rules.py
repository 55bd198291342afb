"""An operator's rules for a surface, compiled: include, exclude, boost, pin."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from germane.domain.decision import Ask
from germane.domain.had import holds, key_of, keys_of
from germane.domain.item import Item
from germane.domain.muting import item_key
from germane.domain.profile import OwnItem, Profile
from germane.domain.settings import RuleSpec, SurfaceSpec
from germane.predict.filters import CACHED_ITEMS, Filter, Filters

Context = dict[str, Any]


class Condition:
    """When a rule speaks of an item: it is listed, or it fulfils the expression."""

    def __init__(self, spec: RuleSpec, attributes: Iterable[str]) -> None:
        self._listed = frozenset(spec.items)
        self._filter = Filter(spec.when, attributes) if spec.when else None
        self.reads_context = self._filter is not None and self._filter.reads_context
        """Whether its answer depends on more than the item."""

    def __call__(self, item: Item, context: Context) -> bool:
        if item.item_id in self._listed:
            return True
        return self._filter is not None and self._filter(item, context)


class Passing:
    """Whether include and exclude rules let an item pass: asked once an item, where they read nothing else."""

    def __init__(self, include: Sequence[Condition], exclude: Sequence[Condition]) -> None:
        self._include, self._exclude = include, exclude
        self._reads_context = any(each.reads_context for each in (*include, *exclude))
        self._known: dict[str, tuple[Item, bool]] = {}

    def __call__(self, item: Item, context: Context) -> bool:
        if self._reads_context:
            return self._ask(item, context)
        known = self._known.get(item.item_id)
        if known is not None and known[0] is item:
            return known[1]
        said = self._ask(item, context)
        if len(self._known) >= CACHED_ITEMS:
            self._known.clear()
        self._known[item.item_id] = (item, said)
        return said

    def _ask(self, item: Item, context: Context) -> bool:
        if self._include and not any(rule(item, context) for rule in self._include):
            return False
        return not any(rule(item, context) for rule in self._exclude)


@dataclass(frozen=True, slots=True)
class Pin:
    """An item that has a fixed place."""

    item_id: str
    position: int


class Rules:
    """The compiled rules of one surface."""

    def __init__(self, surface: SurfaceSpec, attributes: Iterable[str]) -> None:
        attributes = tuple(attributes)
        self._surface = surface
        of = {
            kind: [r for r in surface.rules if r.kind == kind]
            for kind in ("include", "exclude", "boost", "pin")
        }
        include = [Condition(each, attributes) for each in of["include"]]
        exclude = [Condition(each, attributes) for each in of["exclude"]]
        self._may = Passing(include, exclude) if include or exclude else None
        self.includes = bool(include)
        """Whether only items that fulfil a rule may be shown."""
        self._boost = [(Condition(each, attributes), each.factor) for each in of["boost"]]
        self.boosts_read_context = any(rule.reads_context for rule, _ in self._boost)
        """Whether a boost depends on more than the item."""
        self.pins = tuple(
            Pin(item_id, (rule.position or 0) + offset)
            for rule in of["pin"]
            for offset, item_id in enumerate(rule.items)
        )

    def eligible(
        self, profile: Profile, ask: Ask, filters: Filters, at_ms: int
    ) -> Callable[[Item], bool]:
        """A test whether an item may be shown at all on this surface, now, to this person.

        Raises:
            BadFilter: the ask's filter is not a valid expression.
        """
        asked = filters.get(ask.filter) if ask.filter else None
        excluded = frozenset(ask.exclude) | ({ask.context.item} if ask.context.item else set())
        excluded |= left_out(self._surface, profile, at_ms)
        context = context_of(ask)
        surface, may = self._surface, self._may
        types, there = frozenset(surface.item_types), _there(surface)
        exclude = surface.already_bought == "exclude"
        own, before = profile.own_items, keys_of(profile.had) if exclude else frozenset[int]()
        not_again = exclude and bool(own or before)

        def plain(item: Item) -> bool:
            return item.type in types and item.item_id not in excluded and there(item, at_ms)

        if not (not_again or may or asked):
            return plain

        def test(item: Item) -> bool:
            item_id = item.item_id
            if not plain(item):
                return False
            if not_again and (_counted(own, item_id) or (before and key_of(item_id) in before)):
                return False
            if may is not None and not may(item, context):
                return False
            return asked is None or asked(item, context)

        return test

    @property
    def boosts(self) -> bool:
        """Whether any rule changes scores."""
        return bool(self._boost)

    def factors(self, items: Sequence[Item | None], ask: Ask) -> list[float]:
        """What the boost rules multiply each item's odds by; 1 of what is not in the catalogue."""
        context = context_of(ask)
        return [1.0 if item is None else self._factor(item, context) for item in items]

    def _factor(self, item: Item, context: Context) -> float:
        factor = 1.0
        for rule, each in self._boost:
            if rule(item, context):
                factor *= each
        return factor


def left_out(surface: SurfaceSpec, profile: Profile, at_ms: int) -> frozenset[str]:
    """Items, or actions of a choice, that the person does not want to see."""
    muted = profile.muted.now(at_ms).items
    if not muted or surface.kind != "choice":
        return frozenset(muted)
    own = item_key("", surface.name)
    return frozenset(each.removeprefix(own) for each in muted if each.startswith(own))


def spared(ask: Ask, surface: SurfaceSpec, profile: Profile, at_ms: int) -> Ask:
    """The question to a list that depends on nobody, without what its person does not want to see."""
    muted = left_out(surface, profile, at_ms)
    return replace(ask, exclude=(*ask.exclude, *sorted(muted))) if muted else ask


def bought(profile: Profile, item_id: str) -> bool:
    """Whether the person has had this item (a signal with ``repeat``)."""
    return _counted(profile.own_items, item_id) or holds(profile.had, item_id)


def _counted(own_items: Mapping[str, OwnItem], item_id: str) -> bool:
    own = own_items.get(item_id)
    return own is not None and own.count > 0


def context_of(ask: Ask) -> Context:
    """The context as expressions see it: what a request adds stands beside the rest, and, as the request has
    it, below ``extra``."""
    context = ask.context
    return {
        "extra": context.extra,
        **context.extra,
        "item": context.item,
        "locale": context.locale,
        "timezone": context.timezone,
        "device": context.device,
        "account": context.account,
    }


def _there(surface: SurfaceSpec) -> Callable[[Item, int], bool]:
    """What an item must fulfil to be had at all at a time."""
    return Item.available if surface.in_stock_only else _in_dates


def _in_dates(item: Item, at_ms: int) -> bool:
    if item.available_from_ms is not None and at_ms < item.available_from_ms:
        return False
    return item.available_until_ms is None or at_ms < item.available_until_ms
