"""What only the whole of a campaign can tell: one way in, conditions that can be read, times that exist."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from germane.config.problems import Problems, did_you_mean
from germane.config.reading import misspelt
from germane.deliver.compiled import Compiled, said
from germane.deliver.occasions import at_of, check_cron
from germane.deliver.schema import entries
from germane.domain.campaign import Campaign, Enter, Wait
from germane.domain.enrolment import TIMES_MAX
from germane.domain.errors import BadCondition
from germane.domain.purposes import is_purpose, remedy
from germane.domain.settings import Settings
from germane.domain.walltime import clock_of

STEPS_MAX = 20
_CYCLE = re.compile(r"(account|profile)\.traits\.([A-Za-z_]\w*)", re.ASCII)
_WAYS = ("event", "schedule", "audience")
_UTC = ZoneInfo("UTC")
_BY_WEBHOOK = 'Write channel = "webhook", too, or take webhook out.'


def check(made: Compiled, table: Mapping[str, Any], settings: Settings, problems: Problems) -> None:
    """Note what is wrong with a campaign that was read.

    Args:
        made: The campaign.
        table: What was written, to tell what was said from what was not.
        settings: The declaration.
        problems: Takes the errors.
    """
    campaign = made.campaign
    _purpose(campaign.purpose, problems)
    _ways(campaign.enter, table, problems)
    _counts(campaign.enter, settings, problems)
    _occasions(campaign.enter, problems)
    _steps(campaign, table, problems)
    _goal(campaign, problems)
    for place, text, roots in said(campaign):
        key = _written(place, table)
        try:
            made.condition(text, roots)
        except BadCondition as error:
            problems.add(key, text, error.message, error.hint)


def _purpose(purpose: str, problems: Problems) -> None:
    if not is_purpose(purpose) and not problems.at("purpose"):
        problems.add(
            "purpose", purpose, "It is no name of a purpose: nobody could agree to it.", remedy()
        )


def _written(key: str, table: Mapping[str, Any]) -> str:
    """Where a condition stands in the file: a campaign of one message has no steps."""
    return key.removeprefix("steps[0].") if "steps" not in table else key


def _ways(enter: Enter, table: Mapping[str, Any], problems: Problems) -> None:
    ways = [name for name in _WAYS if getattr(enter, name)]
    if not ways:
        if not problems.at("enter") and not misspelt(dict(table), "enter"):
            problems.add(
                "enter", None, "Nobody ever comes in.", "Say how: event, schedule or audience."
            )
    elif len(ways) > 1:
        problems.add(
            "enter",
            None,
            f"It names {' and '.join(ways)}.",
            "Choose one; a second campaign takes the other.",
        )
    if enter.item and not enter.event:
        problems.add(
            "enter.event",
            None,
            "Whose item is it? It must say which events about the item count.",
            'Write event = "Product Added", count = 2.',
        )
    if enter.item and enter.per != "person+item":
        problems.add(
            "enter.per", enter.per, "Items are counted one by one.", 'Write per = "person+item".'
        )
    if enter.drop and enter.item != "price_drop":
        problems.add(
            "enter.drop", enter.drop, "It is of price drops.", 'Write item = "price_drop".'
        )
    if enter.kind in ("schedule", "audience") and enter.per != "person":
        problems.add(
            "enter.per",
            enter.per,
            "A schedule or an audience lets people in.",
            'Write per = "person".',
        )
    if enter.kind == "audience" and enter.when:
        problems.add(
            "enter.when", enter.when, "The audience is the condition.", "Join them with &&."
        )


def _counts(enter: Enter, settings: Settings, problems: Problems) -> None:
    if enter.count > TIMES_MAX and (enter.within_s or enter.item):
        problems.add(
            "enter.count",
            enter.count,
            f"In a sliding time, or per item, at most {TIMES_MAX} can be counted.",
            'Count in a cycle, such as cycle = "month", or take fewer.',
        )
    one = enter.count == 1 and not enter.item and not problems.at("enter.count")
    if one and (enter.within_s or enter.cycle):
        key = "enter.within" if enter.within_s else "enter.cycle"
        problems.add(key, None, "One event needs no time.", "Leave it out, or say which count.")
    kept = enter.per == "person+item" and (enter.count > 1 or enter.item)
    if kept and not enter.within_s and not problems.at("enter.within"):
        text = "Every item that anybody met would be kept for ever."
        problems.add("enter.within", None, text, 'Say: within = "30d".')
    if not enter.cycle:
        return
    if enter.within_s:
        problems.add(
            "enter.cycle", enter.cycle, "It stands beside within.", "Choose one of the two."
        )
    if enter.cycle == "month":
        return
    found = _CYCLE.fullmatch(enter.cycle)
    if found is None:
        problems.add(
            "enter.cycle",
            enter.cycle,
            "It must be month, or a trait that holds a date.",
            "Write account.traits.NAME or profile.traits.NAME.",
        )
    elif found[2] not in entries(settings).get(f"{found[1]}.traits", {found[2]}):
        problems.add(
            "enter.cycle",
            enter.cycle,
            "No such trait is declared.",
            did_you_mean(found[2], settings.traits),
        )


def _occasions(enter: Enter, problems: Problems) -> None:
    wrong = check_cron(enter.schedule) if enter.schedule else None
    if wrong is not None:
        problems.add("enter.schedule", enter.schedule, wrong, 'Write it like "0 7 * * mon".')
    if enter.audience and not enter.at:
        problems.add("enter.at", None, "It is missing.", 'Say when: at = "2026-12-01T09:00".')
    if enter.at and not enter.audience:
        problems.add("enter.at", enter.at, "It is of an audience.", "Name one, or take a schedule.")
    elif enter.at:
        try:
            at_of(enter.at, _UTC)
        except ValueError:
            problems.add(
                "enter.at",
                enter.at,
                "It is no date of this century or the next.",
                "Write it like 2026-12-01T09:00; a date alone is its midnight.",
            )


def _steps(campaign: Campaign, table: Mapping[str, Any], problems: Problems) -> None:
    unsure = any(problems.at(key) or misspelt(dict(table), key) for key in ("content", "steps"))
    if not campaign.steps and not unsure:
        problems.add(
            "content", None, "It sends nothing.", "Name a content item, or write [[steps]]."
        )
    if len(campaign.steps) > STEPS_MAX:
        problems.add("steps", len(campaign.steps), f"At most {STEPS_MAX}.", "Split the campaign.")
    if campaign.webhook and campaign.steps:
        by_it = [each for each in campaign.steps if campaign.channel_of(each) == "webhook"]
        if not by_it:
            problems.add("webhook", campaign.webhook, "Nothing of it goes by webhook.", _BY_WEBHOOK)
        elif all(each.webhook for each in by_it):
            text = "Each of its steps names its own."
            problems.add("webhook", campaign.webhook, text, "Take it out here, or in a step.")
    names: set[str] = set()
    for place, step in enumerate(campaign.steps):
        path = f"steps[{place}]"
        if step.name in names:
            problems.add(
                f"{path}.name",
                step.name,
                "Another step has this name.",
                'Name each: name = "second".',
            )
        names.add(step.name)
        if step.webhook and campaign.channel_of(step) != "webhook":
            problems.add(
                f"{path}.webhook", step.webhook, "It goes by another channel.", _BY_WEBHOOK
            )
        _wait(step.wait, _written(f"{path}.wait", table), problems)


def _wait(wait: Wait, path: str, problems: Problems) -> None:
    if wait.until_local and clock_of(wait.until_local) is None:
        problems.add(
            f"{path}.until_local",
            wait.until_local,
            "It is no time of day.",
            'Write it like "09:00".',
        )
    if wait.event and wait.until_local:
        problems.add(
            f"{path}.until_local",
            wait.until_local,
            "What waits for an event goes on when it comes.",
            "Leave it out; [send] window says when messages go out.",
        )
    if not wait.event:
        for name, there in (("when", wait.when), ("otherwise", wait.otherwise == "go_on")):
            if there:
                problems.add(
                    f"{path}.{name}", None, "It is of a wait for an event.", "Name the event."
                )


def _goal(campaign: Campaign, problems: Problems) -> None:
    if campaign.goal.when and not campaign.goal.event:
        problems.add(
            "goal.event", None, "Which event reaches it?", 'Write event = "Order Completed".'
        )
    enter, goal = campaign.enter, campaign.goal
    if goal.event and (goal.event, goal.when) == (enter.event, enter.when):
        problems.add(
            "goal.event",
            goal.event,
            "It is the event that lets people in: nobody would stay.",
            "Name the event that is wanted of them.",
        )
