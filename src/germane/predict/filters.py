"""Conditions over items, in CEL (the Common Expression Language), checked before they are used."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import cel

from germane.domain import expressions
from germane.domain.errors import BadFilter
from germane.domain.expressions import ITEM_FIELDS
from germane.domain.item import Item

CACHED_ITEMS = 100_000
VARIABLES = ("item", "context")

_SAMPLE = Item(
    item_id="sample",
    title="sample",
    category="sample",
    categories=("sample",),
    brand="sample",
    price=1.0,
    currency="EUR",
    url="sample",
    image_url="sample",
)
_FIELD = re.compile(r"\bitem\s*\.\s*([A-Za-z_]\w*)")
_ITEM = re.compile(r"\bitem\b")


class Filter:
    """A compiled condition over ``item`` and ``context``, with its answers remembered per item."""

    def __init__(self, source: str, attributes: Iterable[str] = ()) -> None:
        """
        Args:
            source: The expression.
            attributes: Declared catalogue attributes, which may be written ``item.NAME``.

        Raises:
            BadFilter: it cannot be compiled, or names a field that items do not have.
        """
        self.source = source
        self._attributes = tuple(attributes)
        _check(source, self._attributes)
        try:
            self._program = cel.compile(source)
        except ValueError as error:
            raise BadFilter(_first_line(str(error)), expression=source) from None
        self.reads_context = "context" in self._program.variables()
        """Whether its answer depends on more than the item."""
        self._fields = _fields_read(source)
        self._answers: dict[str, tuple[Item, bool]] = {}
        self._try()

    def __call__(self, item: Item, context: dict[str, Any]) -> bool:
        """Whether the item fulfils it. An item that lacks the field does not.

        Raises:
            BadFilter: the expression's value is not true or false.
        """
        if self.reads_context:
            return self._ask(item, context)
        known = self._answers.get(item.item_id)
        if known is not None and known[0] is item:
            return known[1]
        answer = self._ask(item, context)
        if len(self._answers) >= CACHED_ITEMS:
            self._answers.clear()
        self._answers[item.item_id] = (item, answer)
        return answer

    def _try(self) -> None:
        """What is no condition, or mixes types of standard fields, is found before it is used."""
        sample = {"item": visible(_SAMPLE, ()), "context": {}}
        try:
            self._program.execute(sample)
        except TypeError as error:
            raise BadFilter(
                f"The types do not fit: {_first_line(str(error)).partition('. ')[0]}.",
                hint='Numbers stand without quotes, texts with: item.price < 100 && item.brand == "Acme".',
                expression=self.source,
            ) from None
        except (KeyError, RuntimeError, ValueError):
            pass
        self._ask(_SAMPLE, {}, strict=True)

    def _ask(self, item: Item, context: dict[str, Any], *, strict: bool = False) -> bool:
        """``strict``: what fails is wrong with the expression, not with one item's value."""
        seen = visible(item, self._attributes)
        if (
            self._fields is not None
        ):  # each value that is handed over costs more than the expression
            seen = {name: seen[name] for name in self._fields if name in seen}
        variables = {"item": seen, "context": context}
        try:
            answer = self._program.execute(variables)
        except (KeyError, TypeError):
            return False  # the item has no such value, or one of another type
        except (RuntimeError, ValueError) as error:
            if not strict:  # a weight of "n/a", say, that cannot be made a number
                return False
            raise BadFilter(_first_line(str(error)), expression=self.source) from None
        if not isinstance(answer, bool):
            raise BadFilter(
                f"The filter's value must be true or false, not {answer!r}.", expression=self.source
            )
        return answer


class Filters:
    """Compiled filters by source: requests repeat the same few."""

    def __init__(self, attributes: Iterable[str] = (), limit: int = 64) -> None:
        self._attributes = tuple(attributes)
        self._limit = limit
        self._known: OrderedDict[str, Filter] = OrderedDict()

    def get(self, source: str) -> Filter:
        """The compiled filter.

        Raises:
            BadFilter: it cannot be compiled.
        """
        found = self._known.get(source)
        if found is None:
            found = self._known[source] = Filter(source, self._attributes)
            if len(self._known) > self._limit:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(source)
        return found


def fields_of(source: str) -> list[str]:
    """Names after ``item.`` in an expression, texts left out."""
    return expressions.fields_after("item", source)


def visible(item: Item, attributes: Iterable[str] = ()) -> dict[str, Any]:
    """The item as expressions see it: only what it has, declared attributes beside the standard fields."""
    fields: dict[str, Any] = {
        "id": item.item_id,
        "type": item.type,
        "title": item.title,
        "category": item.category,
        "categories": list(item.categories),
        "brand": item.brand,
        "currency": item.currency,
        "inStock": item.in_stock,
        "url": item.url,
        "imageUrl": item.image_url,
        "attributes": item.attributes,
    }
    if item.price is not None:
        fields["price"] = float(item.price)
    for name in attributes:
        if name in item.attributes:
            fields.setdefault(name, item.attributes[name])
    return fields


def _fields_read(source: str) -> tuple[str, ...] | None:
    """The item's fields that an expression names; ``None`` where it may read others as well."""
    named = _FIELD.findall(source)
    if len(_ITEM.findall(source)) != len(named):
        return None  # item["price"], item as a whole, or the word in a text
    return tuple(dict.fromkeys(named))


def _check(source: str, attributes: tuple[str, ...]) -> None:
    if expressions.too_long(source):
        raise BadFilter(f"The filter is longer than {expressions.MAX_LENGTH} characters.")
    if expressions.too_many_loops(source):
        raise BadFilter("The filter has more than one loop (map, filter, all, exists).")
    known = {*ITEM_FIELDS, *attributes}
    for name in fields_of(source):
        if name not in known:
            near = expressions.nearest(name, known)
            hint = (
                f"Did you mean item.{near}?" if near else f"Items have: {', '.join(sorted(known))}."
            )
            raise BadFilter(f"Items have no field {name!r}.", hint=hint, expression=source)
    # A variable that is neither item nor context would only fail on the first item: find it now.
    try:
        names = set(cel.compile(source).variables())
    except ValueError as error:
        raise BadFilter(_first_line(str(error)), expression=source) from None
    for name in names - set(VARIABLES):
        raise BadFilter(
            f"Unknown name {name!r}.",
            hint="Expressions speak of `item` and `context`.",
            expression=source,
        )


def _first_line(message: str) -> str:
    message = message.replace("\n", " ")
    found = re.search(r"ERROR: <input>:(\d+):(\d+): (.{1,160})", message)
    if found:
        return (
            f"The filter has an error at character {found[2]}: {found[3].split(' expecting ')[0]}."
        )
    return message[:200]
