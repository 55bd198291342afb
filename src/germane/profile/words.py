"""Words for the readable profile: counts, times and habits as a person would say them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from germane.domain.hours import HOURS
from germane.domain.months import month_label
from germane.domain.profile import Mass, OwnItem

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DAY_S = 86_400
UNUSED = "Not used: there is no personalisation for them."
"""Of readiness, where somebody opted out or has not agreed."""


def rfc3339(at_ms: int) -> str | None:
    """A time on the wire; ``None`` for *never*."""
    return moment(at_ms) if at_ms else None


def moment(at_ms: int) -> str | None:
    """A time on the wire, 1970-01-01 among them; ``None`` below 0."""
    if at_ms < 0:
        return None
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def counted(count: int, noun: str) -> str:
    """``1 hour``, ``7 hours``: of nouns that take an s."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


OTHER = "other sign"
"""What a signal that is not speakable is called."""
UNSPOKEN = "not to be mentioned"


def evidence(masses: tuple[Mass, ...], may_say: Callable[[str], bool] = lambda _: True) -> str:
    """``7 × purchase, 3 × finished, 2 other signs, last 2026-11``: most frequent first. A signal that may not
    be named is one of the other signs. Its name need not be a noun, so it has no plural."""
    totals: dict[str, int] = {}
    for each in masses:
        name = each.signal if may_say(each.signal) else OTHER
        totals[name] = totals.get(name, 0) + each.count
    ordered = sorted(totals.items(), key=lambda pair: (pair[0] == OTHER, -pair[1], pair[0]))
    said = [_times(count, signal) for signal, count in ordered]
    return f"{', '.join(said)}, last {month_label(max(each.month for each in masses))}"


def _times(count: int, signal: str) -> str:
    if signal == OTHER:
        return counted(count, OTHER)
    return f"{count} × {signal.replace('_', ' ').replace('-', ' ')}"


def trust(readiness: float) -> str:
    """What a readiness in [0, 1) means."""
    if readiness == 0:
        return "Nothing is known yet: the slate is what most people like."
    if readiness < 0.4:
        return "A first impression: the slate is mostly what most people like."
    if readiness < 0.75:
        return "Known a little: behaviour and what most people like weigh about the same."
    return "Known well: the slate follows this person's own behaviour."


def hour(number: int) -> str:
    """``Monday 08:00`` for an hour of the week."""
    return f"{_DAYS[number // HOURS]} {number % HOURS:02d}:00"


def habit(rhythm: Mapping[int, float]) -> str:
    """``Most often on Saturday 10:00 and Monday 19:00``; empty where nothing repeats."""
    busiest = sorted(rhythm.items(), key=lambda pair: (-pair[1], pair[0]))
    often = [hour(number) for number, count in busiest[:3] if count > 1]
    if not often:
        return ""
    return "Most often on " + " and ".join(filter(None, [", ".join(often[:-1]), often[-1]]))


def every_days(own: OwnItem) -> float | None:
    """Mean days between the kept times of an item, lines of one order being one; ``None`` below two different
    days."""
    times = {*own.times_s}
    if len(times) < 2:
        return None
    days = (max(times) - min(times)) / (len(times) - 1) / _DAY_S
    return days if days >= 0.5 else None


def days_ago(at_s: int, now_ms: int) -> int:
    """Whole days since a time, at least 0."""
    return max(0, int(now_ms / 1000 - at_s) // _DAY_S)


def again(own: OwnItem, now_ms: int) -> str:
    """``every 14 days, last 9 days ago``, or ``3 times, last today``."""
    every = every_days(own)
    often = "once" if own.occasions == 1 else f"{own.occasions} times"
    if every is not None:
        often = "every day" if round(every) <= 1 else f"every {round(every)} days"
    days = days_ago(own.times_s[-1] if own.times_s else own.last_s, now_ms)
    last = "today" if days == 0 else "yesterday" if days == 1 else f"{days} days ago"
    return f"{often}, last {last}"
