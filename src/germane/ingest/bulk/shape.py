"""Rows as events and items. Message ids come from the content, so importing again changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Any

import msgspec

from germane.domain.event import Event
from germane.domain.item import Item
from germane.domain.settings import Settings, SignalSpec
from germane.ingest.bulk.cells import Cells
from germane.ingest.bulk.columns import Kind, Mapping
from germane.ingest.bulk.listed import list_of, listed, own_lines
from germane.ingest.bulk.messages import event_of, is_message
from germane.ingest.bulk.occurrences import Occurrences
from germane.ingest.bulk.orders import Orders
from germane.ingest.bulk.rows import Row
from germane.ingest.bulk.typed import in_one, looks_typed, of_kind
from germane.ingest.bulk.unusable import Unusable
from germane.ingest.bulk.values import blank, flag, plain, since, time
from germane.ingest.limits import FUTURE_MS, PRICE_MAX
from germane.privacy.categories import OWN

_OF_MESSAGES = frozenset({"timestamp", "message_id"})
"""Fields that may be mapped otherwise in rows that are messages of the API; who maps others means columns."""


class Shaper(Cells):
    """Turns rows of one import into events or items."""

    def __init__(
        self, kind: Kind, mapping: Mapping, settings: Settings, *, now_ms: int, event: str = ""
    ) -> None:
        """
        Args:
            kind: What the rows are.
            mapping: Which column is which field.
            settings: Its signals say in which form an event holds its items.
            now_ms: Time of the import: nothing can have happened later.
            event: Name of events in files that have no such column.
        """
        super().__init__(mapping)
        self._kind = kind
        self._now_ms = now_ms
        self._event = event
        self._by_name = settings.signals
        self._traits = frozenset(settings.traits) - frozenset(OWN)
        self._signals: dict[str, SignalSpec] = {}
        for spec in settings.signals.values():
            self._signals.setdefault(spec.event, spec)
            self._signals.setdefault(spec.name, spec)
        self._kinds = {name: each.kind for name, each in settings.attributes.items()}
        self._seen = Occurrences()
        self.orders = Orders()
        self.unfit: list[Unusable] = []
        """What is wrong with cells of the last item; it is without them."""
        self.in_one: dict[str, str] = {}
        """Attribute that is a list -> the first cell that may hold several, and is taken for one."""
        self.textual: dict[str, str] = {}
        """Trait of which every cell is a text that is plainly a number or a flag -> the first of them."""
        self._worded: set[str] = set()
        self.messages = 0
        """Rows so far that are messages of the API themselves."""
        self.doubled = 0
        """Lines so far that repeat another one of their order exactly."""

    def group_key(self, row: Row) -> tuple[Any, ...] | None:
        """Rows that follow one another with the same key are one event (the lines of an order). Of events that
        are of one item, each row is one."""
        if self._kind != "events" or "order_id" not in self._mapping.fields:
            return None
        order = self._get(row, "order_id")
        if order is None or not list_of(self._signals.get(self._name(row))):
            return None
        return (
            str(order),
            str(self._get(row, "user_id")),
            str(self._get(row, "event")),
            str(self._get(row, "timestamp")),
        )

    def of_nothing(self, row: Row) -> bool:
        """Whether it is a line of no pieces, where pieces count: no part of the order around it."""
        if self._kind != "events" or row.problem or "quantity" not in self._mapping.fields:
            return False
        if str(self._get(row, "quantity")).strip("+-0. "):
            return False  # it cannot be 0
        spec = self._signals.get(self._name(row))
        if spec is None or not spec.quantity or listed(row, spec) is not None:
            return False
        try:
            return self._number(row, "quantity") == 0
        except Unusable:
            return False

    def timeless(self, row: Row) -> bool:
        """Whether its time cannot be used: then it does not say that it is of another moment."""
        try:
            self._time(row)
        except Unusable:
            return True
        return False

    def passed(self, rows: list[Row]) -> None:
        """Note an order that is over: that it goes on further down would part it.

        What takes something back may do so in several parts.
        """
        spec = self._signals.get(self._name(rows[0]))
        if spec is None or not spec.cancels:
            self.orders.part(self.group_key(rows[0]))

    def event(self, rows: list[Row]) -> Event:
        """One event from the lines of it.

        Raises:
            Unusable: a value cannot be used; no part of the event is, nor what follows of its order.
        """
        order = self._order_of(rows)
        if order is not None and self.orders.is_broken(order):
            raise Unusable(
                "another line of the same order cannot be used", "it stands further up in the file"
            )
        try:
            event = self._event_of(rows)
        except Unusable:
            if order is not None and not self.of_nothing(rows[0]):
                self.orders.broke(order, order[0])
            raise
        if order is not None:
            self.orders.used(order)
        return event

    def _order_of(self, rows: list[Row]) -> tuple[str, str, str] | None:
        """What the lines of an order have in common, wherever they stand in the file; ``None`` for
        other events, and for what takes something back: that may come in several parts."""
        key = self.group_key(rows[0])
        spec = self._signals.get(self._name(rows[0])) if key is not None else None
        if key is None or spec is None or spec.cancels:
            return None
        return key[0], key[1], spec.name

    def _event_of(self, rows: list[Row]) -> Event:
        first = rows[0]
        if len(rows) == 1 and first.problem:
            raise Unusable.read(first.problem)
        if self._mapping.said <= _OF_MESSAGES and is_message(first.values):
            return self._message(first)
        user, anonymous = self._id(first, "user_id"), self._id(first, "anonymous_id")
        if not (user or anonymous):
            raise Unusable("no user id and no anonymous id")
        at_ms = self._time(first)
        if self._kind == "people":
            traits = self._rest(first)
            self._note_texts(traits)
            message_id = self._message_id(rows, sorted(self._mapping.all.items()))
            return Event(message_id, "identify", at_ms, user_id=user, traits=traits)
        name = self._name(first)
        if not name:
            raise Unusable("no event name (a column event, or --event NAME)")
        spec = self._signals.get(name)
        name = spec.event if spec else name
        lines = self._lines(rows, spec)
        items = [listed(row, spec) or self._id(row, "item_id") for row in rows]
        return Event(
            self._message_id(rows, name, user, anonymous, items),
            "track",
            at_ms,
            name=name,
            user_id=user,
            anonymous_id=anonymous,
            properties=self._properties(rows, lines, spec),
        )

    def _note_texts(self, traits: dict[str, Any]) -> None:
        for name, value in traits.items():
            if name not in self._traits or name in self._worded:
                continue
            if looks_typed(value):
                self.textual.setdefault(name, value)
            else:
                self._worded.add(name)
                self.textual.pop(name, None)

    def _message(self, row: Row) -> Event:
        """What the API takes a row in its own shape for."""
        given = row.values.get("messageId")
        message_id = self._message_id([row]) if blank(given) else given
        event = event_of(row.values, message_id, self._time(row))
        if self._kind == "people" and event.kind != "identify":
            raise Unusable(f"a {event.kind} is no row of people", remedy="germane import events")
        self.messages += 1
        return event

    def is_signal(self, event: Event) -> bool:
        """Whether the event means anything: people's traits do, and what a signal is declared for."""
        return event.kind != "track" or event.name in self._signals

    def item(self, row: Row) -> Item:
        """One catalogue entry.

        Raises:
            Unusable: a value cannot be used.
        """
        if row.problem:
            raise Unusable.read(row.problem)
        item_id = self._id(row, "item_id")
        if not item_id:
            raise Unusable("no item id")
        categories, category = self._get(row, "categories"), self._get(row, "category")
        if isinstance(category, list):
            categories = categories or category
            category = category[-1] if category else ""
        path = (
            categories
            if isinstance(categories, list)
            else [
                x.strip() for x in str(categories or "").replace(">", "|").split("|") if x.strip()
            ]
        )
        return Item(
            item_id=item_id,
            type=self._text(row, "type") or "product",
            title=self._text(row, "title"),
            category="" if category is None else str(category).strip(),
            categories=tuple(str(each) for each in path if not blank(each)),
            brand=self._text(row, "brand"),
            price=self._number(row, "price", PRICE_MAX),
            currency=self._text(row, "currency"),
            in_stock=flag("in_stock", self._get(row, "in_stock")),
            url=self._text(row, "url"),
            image_url=self._text(row, "image_url"),
            available_from_ms=since("available_from", self._get(row, "available_from")),
            available_until_ms=time("available_until", self._get(row, "available_until")),
            attributes=self._attributes(row),
        )

    def _attributes(self, row: Row) -> dict[str, Any]:
        """Of the kinds that are declared. A cell that cannot be that costs itself alone (``unfit``)."""
        self.unfit, found = [], self._rest(row)
        for name in found.keys() & self._kinds.keys():
            value, kind = found.pop(name), self._kinds[name]
            if in_one(kind, value):
                self.in_one.setdefault(name, value)
            try:
                typed = of_kind(name, kind, value)
            except Unusable as problem:
                self.unfit.append(problem)
                continue
            if typed is not None:
                found[name] = typed
        return found

    def _name(self, row: Row) -> str:
        return str(self._get(row, "event") or self._event).strip()

    # -- parts -----------------------------------------------------------------------------------

    def _lines(self, rows: list[Row], spec: SignalSpec | None) -> list[dict[str, Any]]:
        """The items of an event. Of an order that counts once, a line that repeats another one exactly
        counts once, too: as it does where it stands apart from the others.

        Raises:
            Unusable: some rows are wrong; it names each of them.
        """
        once = spec is not None and bool(spec.order) and not spec.cancels
        lines: list[dict[str, Any]] = []
        wrong: dict[int, Unusable] = {}
        seen: set[str] = set()
        at = self._get(rows[0], "timestamp")
        for row in rows:
            try:
                if row.problem:
                    raise Unusable.read(row.problem)
                if self._get(row, "timestamp") != at:
                    self._time(row)
                more = own_lines(row, spec, self._id(row, "item_id"))
                more = [self._line(row, spec)] if more is None else more
            except Unusable as problem:
                wrong[row.number] = problem
                continue
            told = repr(row.values) if once and len(rows) > 1 else ""
            if not told or told not in seen:
                lines += more
            self.doubled += bool(told) and told in seen
            seen.add(told)
        if wrong:
            raise Unusable.lines(wrong)
        return lines

    def _properties(
        self, rows: list[Row], lines: list[dict[str, Any]], spec: SignalSpec | None
    ) -> dict[str, Any]:
        first, *others = rows
        properties: dict[str, Any] = self._beside(first, spec)
        for row in others:
            if listed(row, spec) is not None:
                properties = {**self._beside(row, spec), **properties}
        order = self._id(first, "order_id")
        if order:
            _put(properties, self._order_path(spec), order)
        path = spec.item if spec else "properties.product_id"
        if spec and spec.cancels and not any(lines):
            return properties  # it names no products: it takes back the whole order
        if "[]." in path:
            _put(properties, path.partition("[].")[0], lines)
        elif lines:
            properties |= lines[0]
        return properties

    def _beside(self, row: Row, spec: SignalSpec | None) -> dict[str, Any]:
        """What a row says of its event beside its lines. Where it lists these, the quantity and price of its
        columns are of the event."""
        found = self._rest(row)
        if listed(row, spec) is None:
            return found
        fields = self._mapping.fields
        columns = [fields[each] for each in ("quantity", "price") if each in fields]
        return found | {x: plain(row.values[x]) for x in columns if not blank(row.values.get(x))}

    def _order_path(self, spec: SignalSpec | None) -> str:
        """What takes something back names the order where that does, if it does not say otherwise."""
        meant = self._by_name.get(spec.cancels) if spec else None
        said = (spec.order if spec else "") or (meant.order if meant else "")
        return said or "properties.order_id"

    def _line(self, row: Row, spec: SignalSpec | None) -> dict[str, Any]:
        path = spec.item if spec else "properties.product_id"
        inside = "[]." in path
        line: dict[str, Any] = {}
        quantity = self._number(row, "quantity")
        if quantity == 0 and spec is not None and spec.quantity:
            raise Unusable("quantity is 0", remedy="the line counts for nothing")
        values = {
            path: self._id(row, "item_id") or None,
            (spec.quantity if spec else "") or "quantity": quantity,
            (spec.price if spec else "") or "price": self._number(row, "price"),
        }
        for where, value in values.items():
            if value is not None:
                _put(line, where.partition("[].")[2] if inside and "[]." in where else where, value)
        return line

    def _message_id(self, rows: list[Row], *meant: Any) -> str:
        """A hash of the content and how often the same came before in this import.

        What it was taken for is content, too: the event, the person, the items. So rows that were
        imported for something else are new ones when they are imported for what they are.
        """
        given = self._get(rows[0], "message_id") if self._kind == "events" else None
        if given is not None:
            return str(given)[:100]
        packed = msgspec.json.encode([[row.values for row in rows], *meant], order="sorted")
        key = blake2b(packed, digest_size=16).digest()
        return f"import-{self._kind}-{key.hex()}-{self._seen.count(key)}"

    def _time(self, row: Row) -> int:
        at_ms = time("timestamp", self._get(row, "timestamp"))
        if at_ms is None:
            if self._kind == "people":
                return self._now_ms
            raise Unusable("no timestamp")
        if at_ms > self._now_ms + FUTURE_MS:
            raise Unusable("the timestamp is in the future")
        return at_ms


def grouped(rows: Iterable[Row], shaper: Shaper) -> Iterator[list[Row]]:
    """Rows, those of one event together.

    A row that cannot be read belongs to the order around it if it still says so; if it says nothing,
    it stands alone and does not part the order. So does a line of no pieces. One whose time cannot be used
    is of the order around it.
    """
    waiting: list[Row] = []
    waiting_key: tuple[Any, ...] | None = None
    for row in rows:
        key = shaper.group_key(row)
        if (key is None and row.problem) or shaper.of_nothing(row):
            yield [row]
            continue
        if (
            waiting
            and waiting_key
            and key
            and key[:-1] == waiting_key[:-1]
            and shaper.timeless(row)
        ):
            key = waiting_key
        if waiting and (key is None or key != waiting_key):
            shaper.passed(waiting)
            yield waiting
            waiting = []
        if key is None:
            yield [row]
            continue
        waiting.append(row)
        waiting_key = key
    if waiting:
        shaper.passed(waiting)
        yield waiting


def _put(into: dict[str, Any], path: str, value: Any) -> None:
    """Set ``properties.a.b`` in the properties. What is in there is copied: it is the row's.

    Raises:
        Unusable: there is something else in its place.
    """
    steps = path.removeprefix("properties.").split(".")
    for step in steps[:-1]:
        inner = into.get(step) or {}
        if not isinstance(inner, dict):
            raise Unusable(f"{step} is no object", repr(inner)[:100])
        into[step] = {**inner}
        into = into[step]
    into[steps[-1]] = value
