"""Conditions over items, checked before they are used (``germane.domain.cel`` reads them)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

from germane.domain import cel, expressions
from germane.domain.cel import Program
from germane.domain.errors import BadFilter
from germane.domain.expressions import ITEM_FIELDS
from germane.domain.item import Item
from germane.domain.slips import Failure, Slip, spoken

CACHED_ITEMS = 100_000
_NAMES = (("item", "map"), ("context", "map"))
_SPEAK = "Expressions speak of `item` and `context`."

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
        self._program = _compiled(source, self._attributes)
        self.reads_context = self._program.fields["context"] != ()
        """Whether its answer depends on more than the item."""
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
        answer = self._look(_SAMPLE, {})
        if isinstance(answer, Failure) and answer.kind != "missing":
            raise BadFilter(answer.text[:200], hint=answer.hint, expression=self.source)

    def _ask(self, item: Item, context: dict[str, Any]) -> bool:
        return self._look(item, context) is True  # of what cannot be told: no

    def _look(self, item: Item, context: dict[str, Any]) -> bool | Failure:
        answer = self._program.look({"item": visible(item, self._attributes), "context": context})
        if isinstance(answer, Failure) and answer.kind == "value":
            raise _no_condition(self.source, answer.text)
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


def _compiled(source: str, attributes: tuple[str, ...]) -> Program:
    if not expressions.too_long(source):
        _check_fields(source, {*ITEM_FIELDS, *attributes})
    try:
        program = cel.compiled(source, _NAMES)
    except Slip as slip:
        message = f"At character {slip.position}: {slip.problem}"
        hint = _SPEAK if slip.unknown else slip.hint
        raise BadFilter(message, hint=hint, expression=source) from None
    if program.kind not in ("bool", "dyn"):
        raise _no_condition(source, spoken(program.kind))
    return program


def _check_fields(source: str, known: set[str]) -> None:
    for name in fields_of(source):
        if name not in known:
            near = expressions.nearest(name, known)
            hint = (
                f"Did you mean item.{near}?" if near else f"Items have: {', '.join(sorted(known))}."
            )
            raise BadFilter(f"Items have no field {name!r}.", hint=hint, expression=source)


def _no_condition(source: str, kind: str) -> BadFilter:
    return BadFilter(f"The filter's value must be true or false, not {kind}.", expression=source)
