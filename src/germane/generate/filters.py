"""The filters of a template: few, total, and bounded in what they take and give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from liquid.undefined import is_undefined

from germane.domain.errors import TemplateRefused
from germane.generate import locales
from germane.generate.missing import Missing
from germane.generate.views import Price

TEXT_MAX = 2_000
NUMBER_MAX = 1e12
_Filter = Callable[..., Any]


def default(value: Any, other: Any = "") -> Any:
    """The value, or the other one where there is none."""
    return other if is_undefined(value) or value in (None, False, "", [], {}) else value


def text(value: Any) -> str:
    """A value as a text of bounded length."""
    if is_undefined(value):
        raise Missing(_name(value))
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ", ".join(text(each) for each in value[:20])
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, str | int | float):
        raise TemplateRefused(
            "Only texts, numbers, flags and lists can be put out.",
            hint="A moment needs a form: {{ now | date }}.",
        )
    found = str(value)
    if len(found) > TEXT_MAX:
        raise TemplateRefused(f"A text grew beyond {TEXT_MAX:,} characters.")
    return found


def amount(value: Any) -> float:
    """A value as a number of bounded size."""
    if is_undefined(value):
        raise Missing(_name(value))
    try:
        found = float(value)
    except (TypeError, ValueError):
        raise Missing(repr(str(value)[:40]), "is no number") from None
    if not abs(found) < NUMBER_MAX:
        raise TemplateRefused("A number grew beyond a million millions.")
    return found


def _name(value: Any) -> str:
    return str(value.hint or value.name).removesuffix(" is undefined").strip("'")


def _sum(work: Callable[[float, float], float]) -> _Filter:
    """Arithmetic; what was an amount of money stays one."""

    def run(value: Any, other: Any) -> Any:
        try:
            found = amount(work(amount(value), amount(other)))
        except ZeroDivisionError:
            raise Missing("a division", "is by zero") from None
        if isinstance(value, Price):
            return Price(found, value.currency)
        return int(found) if found.is_integer() else found

    return run


def _round(value: Any, digits: Any = 0) -> Any:
    places = min(max(int(amount(digits)), 0), 6)
    found = round(amount(value), places)
    if isinstance(value, Price):
        return Price(found, value.currency)
    return found if places else int(found)


def _truncate(value: Any, length: Any = 50, end: Any = "…") -> str:
    said, most, tail = text(value), int(amount(length)), text(end)
    return said if len(said) <= most else said[: max(most - len(tail), 0)].rstrip() + tail


def _truncatewords(value: Any, count: Any = 15, end: Any = "…") -> str:
    words, most = text(value).split(), int(amount(count))
    return " ".join(words) if len(words) <= most else " ".join(words[: max(most, 0)]) + text(end)


def _join(value: Any, sign: Any = ", ") -> str:
    values = value if isinstance(value, list | tuple) else [value]
    return text(text(sign).join(text(each) for each in values[:20]))


def _pick(place: int) -> _Filter:
    def run(value: Any) -> Any:
        if is_undefined(value):
            raise Missing(_name(value))
        return value[place] if isinstance(value, list | tuple) and value else value

    return run


def _size(value: Any) -> int:
    if is_undefined(value):
        raise Missing(_name(value))
    return len(value) if isinstance(value, str | list | tuple | dict) else 0


def _capitalize(value: Any) -> str:
    said = text(value)
    return said[:1].upper() + said[1:]


def _money(value: Any, currency: Any = "", *, context: Any) -> str:
    code = (
        text(currency) if currency else getattr(value, "currency", "") or context.language.currency
    )
    return locales.money(amount(value), code, context.language.tag)


def _number(value: Any, *, context: Any) -> str:
    return locales.number(amount(value), context.language.tag)


def _percent(value: Any, *, context: Any) -> str:
    return locales.percent(round(amount(value), 4), context.language.tag)


def _moment(value: Any, context: Any) -> Any:
    if is_undefined(value):
        raise Missing(_name(value))
    found = locales.moment(value, context.language.zone)
    if found is None:
        raise Missing(repr(str(value)[:40]), "is no date")
    return found


def _date(value: Any, form: Any = "long", *, context: Any) -> str:
    if form not in locales.FORMS:
        raise TemplateRefused(f"A date is {', '.join(locales.FORMS)}, not {str(form)[:20]!r}.")
    return locales.day(_moment(value, context), form, context.language.tag)


def _time(value: Any, *, context: Any) -> str:
    return locales.clock(_moment(value, context), context.language.tag)


for _each in (_money, _number, _percent, _date, _time):
    _each.with_context = True  # type: ignore[attr-defined]

FILTERS: dict[str, _Filter] = {
    "default": default,
    "upcase": lambda value: text(value).upper(),
    "downcase": lambda value: text(value).lower(),
    "capitalize": _capitalize,
    "strip": lambda value: text(value).strip(),
    "append": lambda value, more: text(text(value) + text(more)),
    "prepend": lambda value, more: text(text(more) + text(value)),
    "truncate": _truncate,
    "truncatewords": _truncatewords,
    "join": _join,
    "first": _pick(0),
    "last": _pick(-1),
    "size": _size,
    "plus": _sum(lambda a, b: a + b),
    "minus": _sum(lambda a, b: a - b),
    "times": _sum(lambda a, b: a * b),
    "divided_by": _sum(lambda a, b: a / b),
    "round": _round,
    "money": _money,
    "number": _number,
    "percent": _percent,
    "date": _date,
    "time": _time,
}
"""Name in a template -> what it does."""
