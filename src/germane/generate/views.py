"""What a template can see: the speakable part of the facts, name by name, each look recorded.

    person.NAME               a declared trait; first_name, last_name and name in any spelling
    interest.ATTRIBUTE        the value of it that the person likes best
    account.NAME              a declared trait of the account
    item.NAME                 title, price, brand, category, url, image, in_stock, discount, an attribute
    event.NAME                a property of the event that set it off
    context.NAME              what came with the request
    project.name, now

What is not speakable is not there: it looks like something that nobody ever told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Self

from germane.domain import decay
from germane.domain.event import Event
from germane.domain.hours import zone_of
from germane.domain.item import Item
from germane.domain.profile import Profile
from germane.domain.settings import Settings
from germane.domain.speaking import Speech
from germane.generate.facts import Facts
from germane.generate.locales import moment
from germane.generate.recording import Recorder, blank, clean
from germane.privacy.categories import SPELLINGS

ROOTS = ("person", "interest", "account", "item", "event", "context", "project", "now")
ITEM_FIELDS = (
    "title", "price", "list_price", "discount", "brand", "category", "type",
    "in_stock", "url", "image", "id",
)  # fmt: skip
NO_CLAIM = ("url", "image", "id", "type", "category")
"""Fields of an item that say nothing that could become untrue."""
LIST_PRICES = ("list_price", "listPrice", "compare_at_price", "compareAtPrice", "rrp")
"""Attributes that hold what it cost before."""
TEXT_CHARS, LIST_MAX, DEPTH_MAX = 500, 20, 3
"""Longer texts are cut, longer lists too, and what is nested more deeply is not there."""


class Price(float):
    """An amount that knows its currency."""

    currency: str

    def __new__(cls, value: float, currency: str) -> Self:
        """``currency`` is an ISO 4217 code, or empty."""
        made = super().__new__(cls, value)
        made.currency = currency
        return made


class View(Mapping[str, Any]):
    """Names that a template may look up. What is empty is not there."""

    def __init__(self, name: str, recorder: Recorder) -> None:
        self._name, self._recorder = name, recorder

    def _value(self, key: str) -> Any:
        """The raw value, or None."""
        raise NotImplementedError

    def _signals(self, key: str) -> tuple[str, ...]:
        return ()

    def __getitem__(self, key: str) -> Any:
        value = shown(self._value(key)) if isinstance(key, str) else None
        if value is None:
            raise KeyError(key)
        self._recorder.saw(f"{self._name}.{key}", self._signals(key))
        return value

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and shown(self._value(key)) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 1


def shown(value: Any, depth: int = 0) -> Any:
    """A value as a template may have it; None where there is nothing that could be said."""
    if isinstance(value, str):
        said = clean(value).strip()[:TEXT_CHARS]
        return None if blank(said) else said
    if isinstance(value, bool | View):
        return value
    if isinstance(value, int | float):
        return value if abs(value) < 1e12 else None  # infinite, no number, or no sum of this world
    if isinstance(value, list | tuple) and depth < DEPTH_MAX:
        kept = [
            each for each in (shown(v, depth + 1) for v in value[:LIST_MAX]) if each is not None
        ]
        return kept or None
    if isinstance(value, Mapping) and depth < DEPTH_MAX:
        pairs = ((str(k), shown(v, depth + 1)) for k, v in list(value.items())[:LIST_MAX])
        return {key: each for key, each in pairs if each is not None} or None
    return None


class Traits(View):
    """What somebody declared (a person, or an account)."""

    def __init__(self, name: str, profile: Profile, facts: Facts, recorder: Recorder) -> None:
        super().__init__(name, recorder)
        self._profile, self._facts = profile, facts
        self._speech = Speech(profile, facts.settings, facts.now_ms)

    def _value(self, key: str) -> Any:
        for name in SPELLINGS.get(key, (key,)):
            trait = self._profile.traits.get(name)
            if trait is not None and self._speech.trait(name) and trait.value is not None:
                return trait.value
        if key == "first_name":
            return self._from_name()
        return None

    def _from_name(self) -> str | None:
        """The first of several names, where somebody told only the whole."""
        whole = self._value("name")
        parts = whole.split() if isinstance(whole, str) else []
        return parts[0] if 1 < len(parts) <= 4 else None


class Interests(View):
    """What a person likes best, by attribute of the catalogue."""

    def __init__(self, name: str, profile: Profile, facts: Facts, recorder: Recorder) -> None:
        super().__init__(name, recorder)
        self._profile, self._facts = profile, facts
        self._speech = Speech(profile, facts.settings, facts.now_ms)

    def _value(self, key: str) -> Any:
        weights = decay.interests(self._profile, key, self._facts.settings, self._facts.now_ms)
        liked = sorted(((-w, v) for v, w in weights.items() if w > 0))
        return next((value for _, value in liked if self._speech.interest(key, value)), None)

    def _signals(self, key: str) -> tuple[str, ...]:
        masses = self._profile.interests.get(key, {}).get(self._value(key) or "", ())
        signals = self._facts.settings.signals
        live = {each.signal for each in decay.live(masses, self._facts.now_ms)}
        return tuple(
            sorted(
                name
                for name in live
                if name in signals and signals[name].speakable and signals[name].weight > 0
            )
        )


class ItemView(View):
    """An item; what is looked up is claimed."""

    def __init__(self, name: str, item: Item, facts: Facts, recorder: Recorder) -> None:
        super().__init__(name, recorder)
        self._item, self._facts = item, facts

    def _value(self, key: str) -> Any:
        return field_of(self._item, key, self._facts.settings)

    def __getitem__(self, key: str) -> Any:
        value = super().__getitem__(key)
        if key in NO_CLAIM or isinstance(value, Mapping):
            self._recorder.items.add(self._item.item_id)
        else:
            said = value if isinstance(value, str | bool | int | float) else str(value)
            plain = float(said) if isinstance(said, Price) else said
            self._recorder.claim(self._item.item_id, key, plain)
        return value


def field_of(item: Item, name: str, settings: Settings) -> Any:
    """What may be said of an item under a name; None where it has no such thing, or may not be told."""
    spec = settings.attributes.get(name)
    if spec is not None and not spec.speakable:
        return None
    currency = item.currency or settings.currency
    match name:
        case "id":
            return item.item_id
        case "image":
            return item.image_url
        case "price":
            return None if item.price is None else Price(item.price, currency)
        case "list_price":
            before = _list_price(item, settings)
            return None if before is None else Price(before, currency)
        case "discount":
            before = _list_price(item, settings)
            return None if before is None or item.price is None else 1.0 - item.price / before
        case "category":
            return next(iter(item.values_of("category")), None)
        case "title" | "brand" | "type" | "in_stock" | "url":
            return getattr(item, name)
    return shown(item.attributes.get(name))


def _list_price(item: Item, settings: Settings) -> float | None:
    """What it cost before, where that is more than now."""
    for name in LIST_PRICES:
        spec = settings.attributes.get(name)
        value = item.attributes.get(name)
        if spec is not None and not spec.speakable:
            continue
        try:
            before = float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            continue
        if item.price is not None and item.price < before < 1e12:
            return before
    return None


class Properties(View):
    """Properties of an event, or what came with a request."""

    def __init__(
        self,
        name: str,
        values: Mapping[str, Any],
        recorder: Recorder,
        signals: tuple[str, ...] = (),
    ) -> None:
        super().__init__(name, recorder)
        self._values, self._meant = values, signals

    def _value(self, key: str) -> Any:
        return self._values.get(key)

    def _signals(self, key: str) -> tuple[str, ...]:
        return self._meant


def meant_by(event: Event, settings: Settings) -> tuple[str, ...]:
    """Names of the signals that an event stands for."""
    name = f"{event.kind}:{event.name}" if event.kind in ("page", "screen") else event.name
    return tuple(each.name for each in settings.signals.values() if each.event == name)


def globals_of(facts: Facts, item: Item | None, recorder: Recorder) -> dict[str, Any]:
    """The names that a template starts from; ``item`` is the one that the text is about."""
    settings = facts.settings
    zone = zone_of(facts.context.get("timezone"), facts.profile.timezone, settings.timezone)
    found: dict[str, Any] = {
        "person": Traits("person", facts.profile, facts, recorder),
        "interest": Interests("interest", facts.profile, facts, recorder),
        "context": Properties("context", facts.context, recorder),
        "project": Properties("project", {"name": settings.project}, recorder),
        "now": moment(facts.now_ms, zone),
        "today": moment(facts.now_ms, zone),
    }
    if facts.account is not None:
        found["account"] = Traits("account", facts.account, facts, recorder)
    if item is not None:
        found["item"] = ItemView("item", item, facts, recorder)
    if facts.event is not None:
        signals = meant_by(facts.event, settings)
        if all(settings.signals[each].speakable for each in signals):
            values = {"name": facts.event.name, **facts.event.properties}
            found["event"] = Properties("event", values, recorder, signals)
    return found
