"""What to collect next, drawn from the data: each with the number that speaks for it."""

from __future__ import annotations

from collections.abc import Sequence

from germane.app.backtest.findings import Advice, Answer, Newcomers, Step
from germane.app.backtest.health import ENOUGH, HEAVY_A_DAY, Facts
from germane.app.backtest.intake import Intake

LIMIT = 7


def advice(
    intake: Intake, found: Facts, answer: Answer, steps: Sequence[Step], newcomers: Newcomers
) -> tuple[Advice, ...]:
    """The most useful first."""
    told = [
        *_newcomers(steps),
        *_more(found, answer),
        *_views(intake, found),
        *_kinds(intake, found),
        *_ask(found, steps),
        *_identify(found),
        *_dates(intake, newcomers),
        *_clock(found),
        *_robots(found),
        *_prices(found),
    ]
    return tuple(told[:LIMIT])


def _newcomers(steps: Sequence[Step]) -> list[Advice]:
    """Not data, but the first thing to do: where broadcast is clearly better, broadcast."""
    behind = [step for step in steps if step.difference.below]
    if not behind:
        return []
    lost = behind[0]
    return [
        Advice(
            f"Until more is known: the best list for everyone, at {', '.join(x.label for x in behind)} "
            "interactions",
            f"There it holds what people choose {100 * lost.broadcast.value:.0f} times in 100, a personal list "
            f"{100 * lost.personal.value:.0f} times ({lost.difference.n:,} times, {lost.difference.people:,} "
            "people).",
            "Show them your best-sellers until then.",
        )
    ]


def _more(found: Facts, answer: Answer) -> list[Advice]:
    if answer.verdict not in ("unclear", "too little"):
        return []
    wide = 100 * (answer.difference.high - answer.difference.low) / 2
    return [
        Advice(
            "More of the same data",
            f"The difference is known to ± {wide:.1f} in a hundred, from {answer.difference.people:,} people. "
            "Four times as many people halve that.",
            "Run it again with a longer period, or with --sample 0 for everyone.",
        )
    ]


def _views(intake: Intake, found: Facts) -> list[Advice]:
    light = [
        x for x in intake.settings.signals.values() if x.weight > 0 and x.name not in intake.targets
    ]
    if light or found.times_median >= ENOUGH:
        return []
    return [
        Advice(
            "What people look at, not only what they choose",
            f"The person in the middle chose something {found.times_median:g} time"
            f"{'' if found.times_median == 1 else 's'}; a profile begins to say something at {ENOUGH} to 10. "
            "Views, searches and carts come ten to thirty times as often.",
            "Send Product Viewed, Product Added and Products Searched (docs: connect a tracking client).",
        )
    ]


def _kinds(intake: Intake, found: Facts) -> list[Advice]:
    if found.categorised >= 0.9:
        return []
    return [
        Advice(
            "A catalogue with categories",
            f"{1 - found.categorised:.0%} of choices are of items without a category: no interests "
            "are kept for "
            "them, and no diversity quota can be met.",
            "Give --items FILE with item_id, category, title (and brand, price, available_from).",
        )
    ]


def _ask(found: Facts, steps: Sequence[Step]) -> list[Advice]:
    first = [step for step in steps if step.earlier_min == 0]
    if not first or found.told >= 0.5:
        return []
    gain = first[0].difference
    if gain.above:
        return []
    return [
        Advice(
            "One question at the first visit",
            f"On people's first choice ({gain.n:,} times) a personal list is no better than the best one for "
            f"everyone, and only {found.told:.0%} of people told anything about themselves.",
            "Ask for one thing that decides what is of interest (role, goal, for whom), and "
            "declare it as a trait "
            'that speaks about a catalogue attribute: [traits.NAME] attribute = "category".',
        )
    ]


def _identify(found: Facts) -> list[Advice]:
    if found.once < 0.5:
        return []
    return [
        Advice(
            "Who comes back",
            f"{found.once:.0%} of people are seen at one time only. Some of them are the same "
            "people under another "
            "id.",
            "Keep the anonymous id in a first-party cookie, and call identify when people sign in.",
        )
    ]


def _dates(intake: Intake, newcomers: Newcomers) -> list[Advice]:
    if newcomers.unknown < 0.01:
        return []
    return [
        Advice(
            "Since when each item is there",
            f"{newcomers.unknown:.1%} of choices were the first of an item that nobody had heard "
            "of, so no list "
            "could hold it.",
            "Add available_from to the catalogue; on a running server, send items when they go on sale.",
        )
    ]


def _clock(found: Facts) -> list[Advice]:
    if max(found.midnight, found.equal) <= 0.1:
        return []
    return [
        Advice(
            "Exact times",
            f"{found.midnight:.0%} of events are at midnight, and {found.equal:.0%} of choices "
            "share person and "
            "time with another: what led to what is lost.",
            "Record time to the second, with its zone.",
        )
    ]


def _robots(found: Facts) -> list[Advice]:
    if not found.robots:
        return []
    return [
        Advice(
            "Robots kept out",
            f"{found.robots:,} {'person has' if found.robots == 1 else 'people have'} more than "
            f"{HEAVY_A_DAY} events on a usual day.",
            "Filter known robots before they send, and look at these people by hand.",
        )
    ]


def _prices(found: Facts) -> list[Advice]:
    if found.priced >= 0.9:
        return []
    return [
        Advice(
            "Prices",
            f"{1 - found.priced:.0%} of interactions have no price, so nothing is known of what people usually "
            "spend.",
            "Send the unit price with each event, or put prices into the catalogue.",
        )
    ]
