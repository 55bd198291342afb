"""Is the data good enough? One check a function, each with what its number means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from germane.app.backtest.findings import Check
from germane.app.backtest.intake import Intake
from germane.domain.months import MS_PER_DAY

ENOUGH = 5
"""Choices of a person from which a history says something."""
HEAVY_A_DAY = 300
"""Events of one person a day, on the days they are active, that no human makes."""
HEAVY_SHARE = 0.3
MANY = 0.1


class Facts(NamedTuple):
    """Numbers that several checks and the advice need. Shares are in [0, 1]."""

    people: int
    times_median: float
    """Times at which the median person chose something: lines of one order are one."""
    enough: float
    """Share of people who chose at ``ENOUGH`` times or more."""
    once: float
    """Share of people who are seen at one time only."""
    days: float
    equal: float
    """Share of choosing events that share person and time with another."""
    midnight: float
    priced: float
    categorised: float
    """Share of choices whose item has a category."""
    unknown: float
    """Share of choices whose item is not in the catalogue that was given."""
    robots: int
    top_people: float
    """Share of events of the busiest hundredth of people."""
    top_items: float
    """Share of choices of the ten most chosen items."""
    half_items: int
    """So many items make half of all choices."""
    told: float
    """Share of people who declared anything."""


def facts(intake: Intake) -> Facts:
    """Count."""
    spool, noticed = intake.spool, intake.noticed
    at, person, chosen = spool.at_ms, spool.people, spool.chosen
    who, place = np.unique(person, return_inverse=True)
    days = np.unique(np.stack((place, at // MS_PER_DAY)), axis=1)
    active = np.bincount(days[0], minlength=len(who))
    events = np.bincount(place, minlength=len(who))
    choosing = chosen > 0
    pairs, counts = np.unique(np.stack((place[choosing], at[choosing])), axis=1, return_counts=True)
    times = np.bincount(pairs[0], minlength=len(who))
    seen = np.bincount(np.unique(np.stack((place, at)), axis=1)[0], minlength=len(who))
    busiest = np.sort(events)[::-1][: max(len(who) // 100, 1)]
    by_item = np.sort(np.array(list(intake.chosen.values())))[::-1]
    total = max(int(by_item.sum()), 1)
    return Facts(
        people=len(who),
        times_median=float(np.median(times)),
        enough=float((times >= ENOUGH).mean()),
        once=float((seen == 1).mean()),
        days=float((at.max() - at.min()) / MS_PER_DAY),
        equal=float(counts[counts > 1].sum() / max(counts.sum(), 1)),
        midnight=noticed.midnight / max(len(at), 1),
        priced=noticed.priced / max(noticed.interactions, 1),
        categorised=_share(intake, lambda item: bool(intake.kind(item))) / total,
        unknown=_share(intake, lambda item: item not in intake.items) / total,
        robots=int((events / np.maximum(active, 1) > HEAVY_A_DAY).sum()),
        top_people=float(busiest.sum() / max(events.sum(), 1)),
        top_items=float(by_item[:10].sum() / total),
        half_items=int(np.searchsorted(np.cumsum(by_item), total / 2)) + 1,
        told=min(intake.tellers / max(len(who), 1), 1.0),
    )


def _share(intake: Intake, test: Callable[[str], bool]) -> int:
    return sum(count for item, count in intake.chosen.items() if test(item))


def checks(intake: Intake, found: Facts) -> tuple[Check, ...]:
    """All of them, in the order in which they matter."""
    return (
        _history(found),
        _span(found),
        _times(found),
        *_rows(intake),
        *_names(intake),
        _kinds(found),
        *_catalogue(intake, found),
        _prices(found),
        _robots(found),
        _concentration(intake, found),
        _traits(found),
    )


def _history(found: Facts) -> Check:
    level = "good" if found.enough >= 0.3 else "warning" if found.enough >= MANY else "bad"
    return Check(
        "People with enough history",
        level,  # type: ignore[arg-type]
        f"{found.enough:.0%} of {found.people:,}",
        f"chose {ENOUGH} times or more; the person in the middle {found.times_median:g} times. "
        f"{found.once:.0%} are seen at one time only: of them nothing can be foretold from their own past.",
    )


def _span(found: Facts) -> Check:
    level = "good" if found.days >= 60 else "warning" if found.days >= 14 else "bad"
    return Check(
        "Time covered",
        level,  # type: ignore[arg-type]
        f"{found.days:,.0f} day{'' if round(found.days) == 1 else 's'}",
        "Two months show weekly habits; seasons need a year.",
    )


def _times(found: Facts) -> Check:
    share = max(found.equal, found.midnight)
    said = f"{found.equal:.0%} share person and time"
    if found.midnight > MANY:
        said += f", {found.midnight:.0%} are at midnight"
    return Check(
        "Times",
        "good" if share <= MANY else "warning",
        said,
        "What shares a time is predicted together, before any of it is learned: fair, but the order inside "
        "is lost. Midnight means that only the day is known.",
    )


def _rows(intake: Intake) -> list[Check]:
    noticed = intake.noticed
    twice = f" {noticed.duplicates:,} came twice." if noticed.duplicates else ""
    title = "Rows that could not be used"
    found = [_unusable(title, noticed.rejected, noticed.first, noticed.rows, twice)]
    if noticed.items_rejected or noticed.items_again:
        title = "Rows of the catalogue that could not be used"
        again = ""
        if noticed.items_again:
            again = (
                f" {noticed.items_again:,} of an item that stands further up: the last row counts."
            )
        rejected, first = noticed.items_rejected, noticed.items_first
        found.append(_unusable(title, rejected, first, noticed.item_rows, again))
    return found


def _unusable(
    title: str, rejected: Counter[str], first: Mapping[str, str], rows: int, more: str = ""
) -> Check:
    bad = rejected.total()
    share = bad / max(rows, 1)
    why = reasons(rejected, first)
    return Check(
        title,
        "good" if share < 0.001 else "warning" if share < MANY else "bad",
        f"{bad:,} of {rows:,}",
        (f"{why}." if why else "None.") + more,
    )


def reasons(rejected: Counter[str], first: Mapping[str, str]) -> str:
    """Why rows cannot be used, the most frequent first, each with where it is so."""
    told = [
        f"{count:,} × {reason}{f', first in {first[reason]}' if reason in first else ''}"
        for reason, count in rejected.most_common(4)
    ]
    others = f"; other reasons: {len(rejected) - len(told)}" if len(rejected) > len(told) else ""
    return "; ".join(told) + others


def _names(intake: Intake) -> list[Check]:
    unused = intake.noticed.unused
    if not unused:
        return []
    names = ", ".join(f"{name!r} ({count:,})" for name, count in unused.most_common(5))
    return [
        Check(
            "Events that mean nothing",
            "warning",
            f"{unused.total():,}",
            f"No item, or no signal is declared: {names}. Name the column that holds the item (--map "
            "item_id=COLUMN), or declare a signal.",
        )
    ]


def _kinds(found: Facts) -> Check:
    share = found.categorised
    return Check(
        "Categories",
        "good" if share >= 0.9 else "warning",
        f"{share:.0%} of choices",
        "are of an item with a category. Without categories there are no interests, no diversity quota, and "
        "little to say about someone new.",
    )


def _catalogue(intake: Intake, found: Facts) -> list[Check]:
    if not intake.items:
        return [Check("Catalogue", "warning", "none given", "Items are known by their ids alone.")]
    never = sum(item not in intake.chosen for item in intake.items)
    return [
        Check(
            "Unknown items",
            "good" if found.unknown < 0.01 else "warning" if found.unknown < 0.5 else "bad",
            f"{found.unknown:.1%} of choices",
            f"are of items that the catalogue does not have. {never:,} of its {len(intake.items):,} items were "
            f"never chosen.{_strange(intake) if found.unknown >= 0.01 else ''}",
        ),
        _dates(intake),
    ]


def _strange(intake: Intake) -> str:
    """Ids on either side, so that one can see whether they are of one kind."""
    chosen = next(each for each, _ in intake.chosen.most_common() if each not in intake.items)
    return (
        f" Chosen: {chosen!r}; in the catalogue: {next(iter(intake.items))!r}. If these are of different "
        "kinds, name the column that holds the same ids: --map items.item_id=COLUMN."
    )


def _dates(intake: Intake) -> Check:
    late, total = intake.misdated, len(intake.items)
    usable = intake.dated - len(late)
    good = usable >= 0.9 * total and len(late) < 0.01 * total
    found = Check(
        "Dates of items",
        "good" if good else "warning",
        f"{usable / total:.0%} of items",
        "tell since when they are there. The others come in with the first event that names them, and "
        "nobody can predict that one.",
    )
    if not late:
        return found
    return replace(found, meaning=f"{found.meaning} {_too_late(intake, late)}")


def _too_late(intake: Intake, late: list[str]) -> str:
    """How many dates are not used, and what to correct."""
    one = intake.items[late[0]]
    has = "has" if len(late) == 1 else "have"
    return (
        f"{len(late):,} of the items {has} an available_from that is later than an event that names the item "
        f"({one.item_id!r}: {_day(one.available_from_ms or 0)}, but an event of "
        f"{_day(intake.first_ms[one.item_id])}): such a date is not used. Give the time from which "
        "people could choose the item; if another column holds that: --map items.available_from=COLUMN."
    )


def _day(at_ms: int) -> str:
    return (
        datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(" ", "minutes").removesuffix("+00:00")
    )


def _prices(found: Facts) -> Check:
    return Check(
        "Prices",
        "good" if found.priced >= 0.9 else "warning",
        f"{found.priced:.0%} of interactions",
        "have a price. With prices the engine learns what people usually spend.",
    )


def _robots(found: Facts) -> Check:
    bad = found.robots > 0 or found.top_people > HEAVY_SHARE
    return Check(
        "Robots and outliers",
        "warning" if bad else "good",
        f"{found.robots:,} people",
        f"have more than {HEAVY_A_DAY} events on their usual day. The busiest hundredth of people makes "
        f"{found.top_people:.0%} of all events.",
    )


def _concentration(intake: Intake, found: Facts) -> Check:
    return Check(
        "Concentration",
        "warning" if found.top_items > 0.5 else "good",
        f"{found.top_items:.0%} on ten items",
        f"Half of all choices fall on {found.half_items:,} of {len(intake.chosen):,} items. The more they fall "
        "on few, the better one list for everyone is.",
    )


def _traits(found: Facts) -> Check:
    return Check(
        "Declared traits",
        "good" if found.told >= 0.5 else "warning",
        f"{found.told:.0%} of people",
        "told something about themselves. It is all that is known of someone on their first visit.",
    )
