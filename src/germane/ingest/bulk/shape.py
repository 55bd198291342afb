"""Rows as events and items. Message ids come from the content, so importing again changes nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from hashlib import blake2b
from typing import Any

import msgspec

from germane.domain.event import Event
from germane.domain.item import Item
from germane.domain.settings import Settings, SignalSpec
from germane.ingest.bulk.columns import Kind, Mapping
from germane.ingest.bulk.occurrences import Occurrences
from germane.ingest.bulk.rows import Row
from germane.ingest.limits import FUTURE_MS, ID_CHARS

_TRUE, _FALSE = (
    {"true", "1", "yes", "y", "in stock", "in_stock"},
    {"false", "0", "no", "n", "out of stock", "out_of_stock", ""},
)


class Unusable(ValueError):
    """A row cannot be used; the text says why."""

    def __init__(self, reason: str, rows: dict[int, str] | None = None) -> None:
        """``rows``: what is wrong with which of the rows of one event, by number."""
        super().__init__(reason)
        self._rows = rows or {}

    def of(self, row: Row) -> str:
        """Why this row cannot be used: its own fault, or that of another line of its order."""
        if not self._rows or row.number in self._rows:
            return self._rows.get(row.number, str(self))
        number, reason = next(iter(self._rows.items()))
        return f"another line of the same order cannot be used: line {number}, {reason}"


class Shaper:
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
        self._kind = kind
        self._mapping = mapping
        self._now_ms = now_ms
        self._event = event
        self._signals: dict[str, SignalSpec] = {}
        for spec in settings.signals.values():
            self._signals.setdefault(spec.event, spec)
            self._signals.setdefault(spec.name, spec)
        self._seen = Occurrences()

    def group_key(self, row: Row) -> tuple[Any, ...] | None:
        """Rows that follow one another with the same key are one event (the lines of an order)."""
        if self._kind != "events" or "order_id" not in self._mapping.fields:
            return None
        order = self._get(row, "order_id")
        if order in (None, ""):
            return None
        return (
            str(order),
            str(self._get(row, "user_id")),
            str(self._get(row, "event")),
            str(self._get(row, "timestamp")),
        )

    def event(self, rows: list[Row]) -> Event:
        """One event from the lines of it.

        Raises:
            Unusable: a value cannot be used; no part of the event is.
        """
        first = rows[0]
        if len(rows) == 1 and first.problem:
            raise Unusable(first.problem)
        user, anonymous = self._id(first, "user_id"), self._id(first, "anonymous_id")
        if not (user or anonymous):
            raise Unusable("no user id and no anonymous id")
        at_ms = self._time(first)
        if self._kind == "people":
            traits = {k: v for k, v in self._rest(first).items() if v not in (None, "")}
            message_id = self._message_id(rows, sorted(self._mapping.fields.items()))
            return Event(message_id, "identify", at_ms, user_id=user, traits=traits)
        name = str(self._get(first, "event") or self._event).strip()
        if not name:
            raise Unusable("no event name (a column event, or --event NAME)")
        spec = self._signals.get(name)
        name = spec.event if spec else name
        lines = self._lines(rows, spec)
        items = [self._id(row, "item_id") for row in rows]
        return Event(
            self._message_id(rows, name, user, anonymous, items),
            "track",
            at_ms,
            name=name,
            user_id=user,
            anonymous_id=anonymous,
            properties=self._properties(first, lines, spec),
        )

    def is_signal(self, event: Event) -> bool:
        """Whether the event means anything: people's traits do, and what a signal is declared for."""
        return event.kind != "track" or event.name in self._signals

    def item(self, row: Row) -> Item:
        """One catalogue entry.

        Raises:
            Unusable: a value cannot be used.
        """
        if row.problem:
            raise Unusable(row.problem)
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
            categories=tuple(str(each) for each in path),
            brand=self._text(row, "brand"),
            price=self._number(row, "price", low=0.0),
            currency=self._text(row, "currency"),
            in_stock=self._flag(row, "in_stock"),
            url=self._text(row, "url"),
            image_url=self._text(row, "image_url"),
            available_from_ms=self._optional_time(row, "available_from"),
            available_until_ms=self._optional_time(row, "available_until"),
            attributes={k: _plain(v) for k, v in self._rest(row).items() if v not in (None, "")},
        )

    # -- parts -----------------------------------------------------------------------------------

    def _lines(self, rows: list[Row], spec: SignalSpec | None) -> list[dict[str, Any]]:
        """The items of an event.

        Raises:
            Unusable: some rows are wrong; it names each of them.
        """
        lines, wrong = [], {}
        for row in rows:
            try:
                if row.problem:
                    raise Unusable(row.problem)  # noqa: TRY301 - one way out for all that is wrong
                lines.append(self._line(row, spec))
            except Unusable as problem:
                wrong[row.number] = str(problem)
        if wrong:
            raise Unusable(next(iter(wrong.values())), wrong)
        return lines

    def _properties(
        self, first: Row, lines: list[dict[str, Any]], spec: SignalSpec | None
    ) -> dict[str, Any]:
        properties: dict[str, Any] = {
            k: _plain(v) for k, v in self._rest(first).items() if v not in (None, "")
        }
        order = self._id(first, "order_id")
        if order:
            _put(properties, spec.order if spec and spec.order else "properties.order_id", order)
        path = spec.item if spec else "properties.product_id"
        if "[]." in path:
            _put(properties, path.partition("[].")[0], lines)
        elif lines:
            properties |= lines[0]
        return properties

    def _line(self, row: Row, spec: SignalSpec | None) -> dict[str, Any]:
        path = spec.item if spec else "properties.product_id"
        inside = "[]." in path
        line: dict[str, Any] = {}
        values = {
            path: self._id(row, "item_id") or None,
            (spec.quantity if spec else "") or "quantity": self._number(row, "quantity", low=0.0),
            (spec.price if spec else "") or "price": self._number(row, "price", low=0.0),
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
        if given not in (None, ""):
            return str(given)[:100]
        packed = msgspec.json.encode([[row.values for row in rows], *meant], order="sorted")
        key = blake2b(packed, digest_size=16).digest()
        return f"import-{self._kind}-{key.hex()}-{self._seen.count(key)}"

    def _get(self, row: Row, field: str) -> Any:
        column = self._mapping.fields.get(field)
        return row.values.get(column) if column is not None else None

    def _rest(self, row: Row) -> dict[str, Any]:
        used = set(self._mapping.fields.values())
        return {str(k): v for k, v in row.values.items() if k not in used}

    def _id(self, row: Row, field: str) -> str:
        value = self._get(row, field)
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return ""
        if isinstance(value, list | dict):
            raise Unusable(f"{field} is no text and no number: {value!r}")
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        text = str(value).strip()
        if len(text) > ID_CHARS or "\x00" in text:
            raise Unusable(f"{field} is longer than {ID_CHARS} characters, or has a zero byte")
        return text

    def _text(self, row: Row, field: str) -> str:
        value = self._get(row, field)
        return "" if value is None else str(value).strip()

    def _number(self, row: Row, field: str, low: float | None = None) -> float | None:
        value = self._get(row, field)
        if value is None or value == "":
            return None
        try:
            number = float(value)
        except (TypeError, ValueError):
            hint = " (write decimals with a point)" if "," in str(value) else ""
            raise Unusable(f"{field} is no number: {value!r}{hint}") from None
        if math.isnan(number):
            return None
        if math.isinf(number):
            raise Unusable(f"{field} is out of range: {value!r}")
        if low is not None and number < low:
            raise Unusable(f"{field} is below {low:g}: {value!r}")
        return number

    def _flag(self, row: Row, field: str) -> bool:
        value = self._get(row, field)
        if value is None:
            return True
        if isinstance(value, bool):
            return value
        text = str(value).strip().lower()
        if text in _TRUE:
            return True
        if text in _FALSE:
            return False
        try:
            return float(text) > 0
        except ValueError:
            raise Unusable(f"{field} is neither true nor false: {value!r}") from None

    def _time(self, row: Row) -> int:
        at_ms = self._optional_time(row, "timestamp")
        if at_ms is None:
            if self._kind == "people":
                return self._now_ms
            raise Unusable("no timestamp")
        if at_ms > self._now_ms + FUTURE_MS:
            raise Unusable("the timestamp is in the future")
        return at_ms

    def _optional_time(self, row: Row, field: str) -> int | None:
        value = self._get(row, field)
        if value is None or value == "":
            return None
        found = instant(value)
        if found is None:
            raise Unusable(f"{field} is no time: {value!r} (use ISO 8601, or seconds since 1970)")
        return found


def grouped(rows: Iterable[Row], shaper: Shaper) -> Iterator[list[Row]]:
    """Rows, those of one event together.

    A row that cannot be read belongs to the order around it if it still says so; if it says nothing,
    it stands alone and does not part the order.
    """
    waiting: list[Row] = []
    waiting_key: tuple[Any, ...] | None = None
    for row in rows:
        key = shaper.group_key(row)
        if key is None and row.problem:
            yield [row]
            continue
        if waiting and (key is None or key != waiting_key):
            yield waiting
            waiting = []
        if key is None:
            yield [row]
            continue
        waiting.append(row)
        waiting_key = key
    if waiting:
        yield waiting


def instant(value: Any) -> int | None:
    """ISO 8601 (without a zone: UTC), or seconds or milliseconds since 1970, as milliseconds."""
    if isinstance(value, datetime):
        at = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        return max(0, int(at.timestamp() * 1000))
    if isinstance(value, date):
        return max(
            0, int(datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp() * 1000)
        )
    if isinstance(value, str):
        text = value.strip()
        try:
            value = float(text)
        except ValueError:
            try:
                return instant(datetime.fromisoformat(text))
            except ValueError:
                return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not 0 <= value < 1e14:
        return None
    return int(value if value >= 1e11 else value * 1000)


def _put(into: dict[str, Any], path: str, value: Any) -> None:
    """Set ``properties.a.b`` in the properties."""
    steps = path.removeprefix("properties.").split(".")
    for step in steps[:-1]:
        into = into.setdefault(step, {})
    into[steps[-1]] = value


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
