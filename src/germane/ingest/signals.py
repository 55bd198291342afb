"""From an event to what it means for items, by the declared signals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from germane.domain.answer import OURS
from germane.domain.event import Event, Interaction
from germane.domain.ids import external_id, order_key
from germane.domain.settings import Settings, SignalSpec

MAX_ITEMS = 500
"""Products of one event that are used; an order has no more."""


@dataclass(frozen=True, slots=True)
class _Compiled:
    spec: SignalSpec
    rows: tuple[str, ...]
    """Path of the list of products; empty where the event itself is the product."""
    item: tuple[str, ...]
    quantity: tuple[str, ...]
    price: tuple[str, ...]
    order: tuple[str, ...]


class Extractor:
    """Compiled signals, found by the event's name."""

    def __init__(self, settings: Settings) -> None:
        self._by_event: dict[str, list[_Compiled]] = {}
        for spec in settings.signals.values():
            self._by_event.setdefault(spec.event, []).append(_compile(spec, settings))

    def knows(self, event: Event) -> bool:
        """Whether any signal is declared for an event of this name."""
        return _name(event) in self._by_event

    @property
    def names(self) -> list[str]:
        """Names of events that a signal is declared for."""
        return list(self._by_event)

    def extract(self, event: Event) -> tuple[list[Interaction], list[str]]:
        """Interactions in the order of the event, and what was wrong with those that are missing.

        What takes an order back without naming products is no problem here: see :meth:`whole`. Nor is an answer
        to a message that is about no item: its events are our own, and nobody could mend them.
        """
        signals = self._by_event.get(_name(event))
        if not signals:
            return [], []
        fields = {"properties": event.properties, "traits": event.traits, "context": event.context}
        found: list[Interaction] = []
        problems: list[str] = []
        for signal in signals:
            order = _order(signal, fields)
            for row in _rows(signal, fields, problems):
                _one(signal, row, event.at_ms, order, found, problems)
        return found[:MAX_ITEMS], [] if _ours(event) else problems

    def whole(self, event: Event) -> list[Interaction]:
        """What takes back an order without naming its products: an interaction with no item for each
        such signal. Its ``order`` is 0 where the event names none either."""
        fields = {"properties": event.properties, "traits": event.traits, "context": event.context}
        return [
            Interaction("", signal.spec.name, event.at_ms, order=_order(signal, fields))
            for signal in self._by_event.get(_name(event), ())
            if signal.spec.cancels and signal.rows and not _walk(fields, signal.rows)
        ]


def _order(signal: _Compiled, fields: dict[str, Any]) -> int:
    """The key of the order that an event reports, or takes back from; 0 where it names none."""
    named = _text(_walk(fields, signal.order)) if signal.order else ""
    return order_key(signal.spec.cancels or signal.spec.name, named) if named else 0


def _ours(event: Event) -> bool:
    """Whether it is an answer to a message, which this server made an event of."""
    library = event.context.get("library")
    return isinstance(library, dict) and library.get("name") == OURS


def _name(event: Event) -> str:
    if event.kind == "track":
        return event.name
    return f"{event.kind}:{event.name}" if event.kind in ("page", "screen") else ""


def _compile(spec: SignalSpec, settings: Settings) -> _Compiled:
    """What takes something back names the order where that does, if it does not say otherwise."""
    meant = settings.signals.get(spec.cancels)
    order = spec.order or (meant.order if meant is not None else "")
    rows, mark, item = spec.item.partition("[].")
    if not mark:
        rows, item = "", spec.item
    return _Compiled(
        spec, _path(rows), _path(item), _path(spec.quantity), _path(spec.price), _path(order)
    )


def _path(text: str) -> tuple[str, ...]:
    return tuple(text.split(".")) if text else ()


def _rows(signal: _Compiled, fields: dict[str, Any], problems: list[str]) -> list[dict[str, Any]]:
    """The products of an event. What is no list of objects is told, and an order of nothing."""
    if not signal.rows:
        return [fields]
    rows = _walk(fields, signal.rows)
    if rows == [] and signal.order and not signal.spec.cancels:
        problems.append(_unread(signal, "the list is empty"))
    if isinstance(rows, list):
        found = [row for row in rows if isinstance(row, dict)]
        wrong = next((row for row in rows if not isinstance(row, dict)), None)
        if len(found) < len(rows):
            count = f"{len(rows) - len(found)} of {len(rows)} entries"
            problems.append(
                _unread(signal, f"{count} are no objects (the first: {_kind_of(wrong)})")
            )
        return found
    if rows or not signal.spec.cancels:
        problems.append(_unread(signal, f"there is {_kind_of(rows)}"))
    return []


def _unread(signal: _Compiled, what: str) -> str:
    rows, item = ".".join(signal.rows), ".".join(signal.item)
    return (
        f"signal {signal.spec.name!r}: no products at {rows!r}: {what}. "
        f"Expected is a list of objects, each with {item!r}."
    )


def _kind_of(value: Any) -> str:
    """What a JSON value is, in words."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "a flag"
    if isinstance(value, str):
        return "a text"
    return "an object" if isinstance(value, dict) else "a number"


def _one(
    signal: _Compiled,
    row: dict[str, Any],
    at_ms: int,
    order: int,
    found: list[Interaction],
    problems: list[str],
) -> None:
    item_id = _text(_walk(row, signal.item))
    name = signal.spec.name
    if not item_id:
        problems.append(f"signal {name!r}: no item id at {signal.spec.item!r}")
        return
    quantity = _amount("quantity", signal.quantity, row, item_id, name, problems)
    price = _amount("price", signal.price, row, item_id, name, problems)
    if quantity == 0:
        problems.append(
            f"signal {name!r}: the quantity of item {item_id!r} is 0: it does not count"
        )
        return
    pieces = 1.0 if quantity is None else quantity
    found.append(Interaction(item_id, name, at_ms, pieces, price, order=order))


def _amount(
    what: str,
    path: tuple[str, ...],
    row: dict[str, Any],
    item_id: str,
    signal: str,
    problems: list[str],
) -> float | None:
    """A quantity or a price; ``None`` where there is none. A bad one costs itself alone.

    Below 0 is bad: it would turn revenue round. What comes back is a signal that ``cancels``.
    """
    number = _number(_walk(row, path)) if path else None
    if number is _BAD:
        problems.append(f"signal {signal!r}: the {what} of item {item_id!r} is no number")
        return None
    if number is not None and number < 0:
        problems.append(f"signal {signal!r}: the {what} of item {item_id!r} is below 0")
        return None
    return number


def _walk(value: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    return value


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return external_id(value)


_BAD: Any = object()


def _number(value: Any) -> Any:
    """A number, ``None`` where there is none, or ``_BAD``. Numbers may arrive as text."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return _BAD
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return _BAD
    return number if -1e15 < number < 1e15 else _BAD
