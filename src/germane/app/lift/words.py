"""The lift in plain words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from germane.measure.holdout import ENOUGH_ANSWERS, ENOUGH_PEOPLE, Lift, Side

if TYPE_CHECKING:
    from germane.app.lift.figures import Told
    from germane.app.lift.people import Kind, Measure

TITLES: dict[Measure, str] = {
    "answered": "answered it",
    "value": "value credited to it",
    "goal": "reached its goal",
    "bought": "bought anything",
    "revenue": "revenue, all in all",
}
"""What a measure is, of a person."""
SHARES: frozenset[Measure] = frozenset({"answered", "goal", "bought"})
"""Measures that are shares of people."""


def answer(found: Told) -> str:
    """Whether it pays, in a sentence or two."""
    name, of_surface = found.name, found.kind == "surface"
    if not found.people:
        what = "was decided" if of_surface else "was made"
        return f"Nothing {what} for anybody by {name} yet."
    if found.people == found.earlier:
        return (
            f"Nobody new has come to {name} since its holdout is what it is: who was there before does "
            "not count."
        )
    if found.split_is_off:
        return (
            f"What is said of {name} cannot be trusted: the holdout has another share of the people than "
            f"{found.holdout_share:.0%}, by more than chance explains."
        )
    if found.first_counts_ms is not None:
        day = datetime.fromtimestamp(found.first_counts_ms / 1000, UTC).strftime("%Y-%m-%d")
        since = "decision" if of_surface else "message"
        return (
            f"Too early to tell of {name}: the first people count on {day}, {found.days} days after their "
            f"first {since}."
        )
    if not found.measures:
        return f"Nobody has answered {name} or bought anything in their {found.days} days."
    first = found.measures[0]
    return _said(found, first.measure, first.lift)


def _said(found: Told, measure: Measure, lift: Lift) -> str:
    name, ours, theirs = found.name, mean(measure, lift.personalised), mean(measure, lift.holdout)
    whose, what, instead = _NAMED[found.kind]
    figures = f"{TITLES[measure]}: {ours} of those who {whose}, {theirs} of the holdout"
    if lift.verdict == "too_few":
        return (
            f"Too few people to tell of {name} yet ({figures}). Each arm needs {ENOUGH_PEOPLE} people whose "
            f"days are over, and {ENOUGH_ANSWERS:.0f} of them who did something."
        )
    more = f", {percent(lift)}" if lift.ratio is not None else ""
    what = what.format(name=name)
    if lift.verdict == "more":
        return f"{what[0].upper()}{what[1:]} brings more ({figures}{more})."
    if lift.verdict == "less":
        return f"{what[0].upper()}{what[1:]} brings less than {instead} ({figures}{more})."
    wait = f" About {lift.needed:,} people more may tell." if lift.needed else ""
    return f"It cannot be told yet whether {what} brings more ({figures}{more}).{wait}"


_NAMED: dict[Kind, tuple[str, str, str]] = {
    "surface": ("are personalised", "personalisation of {name}", "the default list"),
    "campaign": ("had its messages", "{name}", "no message"),
}
"""Kind -> who is compared with the holdout, what is judged, and what the holdout gets."""


def mean(measure: Measure, side: Side) -> str:
    """Of a person in one arm."""
    return f"{side.mean:.1%}" if measure in SHARES else f"{side.mean:,.4g}"


def percent(lift: Lift) -> str:
    """How much more, with its interval."""
    assert lift.ratio is not None
    value, low, high = (100 * (x - 1) for x in (lift.ratio.value, lift.ratio.low, lift.ratio.high))
    return f"{value:+.0f}% ({low:+.0f}% to {high:+.0f}%)"


def notes(found: Told) -> list[str]:
    """What is to be known of the figures."""
    said = []
    if found.split_is_off:
        said.append(
            "Look for what treats the arms differently: decisions that are asked for but not shown, people who "
            "are never told of, a client that asks only some of the time."
        )
    if found.earlier:
        said.append(
            f"{found.earlier:,} of {found.people:,} people do not count: they were there before holdout_share "
            f"was {found.holdout_share:g}."
        )
    if found.of_both:
        said.append(
            f"Of both arms: {found.of_both:,}, since two people turned out to be one (who signed in, say). "
            "They count where they began, which makes the difference look smaller than it is."
        )
    named = {each.measure for each in found.measures}
    if found.kind == "campaign" and found.goal_unread:
        said.append(
            f"The goal of {found.name} is not counted: it has none, or one that asks for more than an event."
        )
    elif found.kind == "surface" and found.people and "answered" not in named:
        said.append(
            f"No outcome of {found.name} has come back: declare its outcomes, and report impressions."
        )
    elif found.kind == "surface" and named & {"bought", "revenue"}:
        said.append(
            "A list can be answered more and yet bring no more: what people bought counts all that they did, "
            "wherever they found it."
        )
    return said
