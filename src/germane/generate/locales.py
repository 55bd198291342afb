"""Money, numbers and dates as a language writes them (Babel has the data of all of them)."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency, format_decimal, format_percent

from germane.domain.content import locales_for

FORMS = ("short", "medium", "long", "full")


@lru_cache(maxsize=512)
def known(tag: str) -> Locale:
    """The nearest language that there is data of; English for none."""
    for name in locales_for(tag):
        try:
            return Locale.parse(name, sep="-")
        except (ValueError, UnknownLocaleError):
            continue
    return Locale("en")


def is_language(tag: str) -> bool:
    """Whether a tag names a language that is known, exactly so or by its first part."""
    first = tag.replace("_", "-").partition("-")[0].lower()
    return first == "en" or known(tag).language == first


def direction(tag: str) -> str:
    """``rtl`` for languages written from right to left."""
    return str(known(tag).text_direction)


@lru_cache(maxsize=4096)
def money(value: float, currency: str, tag: str) -> str:
    """An amount: 1234.5 EUR is ``1.234,50 €`` in German. Without a currency, a number with two digits."""
    if not currency:
        return str(format_decimal(value, "#,##0.00", locale=known(tag)))
    return str(format_currency(value, currency, locale=known(tag)))


@lru_cache(maxsize=4096)
def number(value: float, tag: str) -> str:
    """A number with the language's signs, at most three digits after the point."""
    return str(format_decimal(value, locale=known(tag)))


@lru_cache(maxsize=4096)
def percent(value: float, tag: str) -> str:
    """A share: 0.2 is ``20 %`` in German."""
    return str(format_percent(value, locale=known(tag)))


def day(value: datetime, form: str, tag: str) -> str:
    """A day, in one of ``FORMS``."""
    from babel.dates import format_date  # it looks for the machine's time zone, at every start

    return str(format_date(value.date(), form, locale=known(tag)))


def clock(value: datetime, tag: str) -> str:
    """A time of the day, short."""
    from babel.dates import format_time

    return str(format_time(value, "short", locale=known(tag)))


def moment(value: object, zone: ZoneInfo) -> datetime | None:
    """A point in time on somebody's clock: from milliseconds since 1970, RFC 3339 or a day."""
    if isinstance(value, datetime):
        return value.astimezone(zone)
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        try:
            return datetime.fromtimestamp(value / 1000, UTC).astimezone(zone)
        except (OverflowError, ValueError, OSError):
            return None
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    if found.tzinfo is not None:
        return found.astimezone(zone)
    return found.replace(tzinfo=zone)
