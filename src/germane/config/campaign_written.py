"""The other way round: a campaign as its file would have it, so that what is read back can be sent again."""

from __future__ import annotations

from typing import Any

from germane.config.fields import written
from germane.domain.campaign import Campaign, Enter, Leave, SendSpec, Step, Wait
from germane.domain.walltime import DAYS, written_span


def as_table(campaign: Campaign) -> dict[str, Any]:
    """A campaign as ``campaigns/NAME.toml`` has it; ``read_campaign`` makes the same of it, but for the
    status, which is no part of a definition."""
    found: dict[str, Any] = {
        "title": campaign.title,
        "author": campaign.author,
        "channel": campaign.channel,
        "webhook": campaign.webhook,
        "purpose": campaign.purpose,
        "class": campaign.delivery,
        "reentry": f"after {written(campaign.reentry_s)}"
        if campaign.reentry == "after"
        else campaign.reentry,
        "holdout_share": campaign.holdout_share,
        "enter": _enter(campaign.enter),
    }
    if not campaign.transactional:
        found["priority"] = campaign.priority
    found["steps"] = [_step(each) for each in campaign.steps]
    for name, leave in (("exit", campaign.leave), ("goal", campaign.goal)):
        found[name] = _leave(leave)
    found["send"] = _send(campaign.send)
    found["approval"] = dict(campaign.approval)
    return {name: value for name, value in found.items() if value or value is False}


def _enter(enter: Enter) -> dict[str, Any]:
    said = {
        "event": enter.event,
        "when": enter.when,
        "count": enter.count if enter.count != 1 else 0,
        "within": written(enter.within_s) if enter.within_s else "",
        "cycle": enter.cycle,
        "per": enter.per if enter.per != "person" else "",
        "fresh": written(enter.fresh_s) if enter.fresh_s != Enter().fresh_s else "",
        "item": enter.item,
        "drop": enter.drop,
        "schedule": enter.schedule,
        "audience": enter.audience,
        "at": enter.at,
    }
    return _filled(said)


def _step(step: Step) -> dict[str, Any]:
    said = {
        "name": step.name,
        "content": step.content,
        "channel": step.channel,
        "webhook": step.webhook,
        "when": step.when,
        "wait": _wait(step.wait),
    }
    return _filled(said)


def _wait(wait: Wait) -> dict[str, Any]:
    said = {
        "for": written(wait.for_s) if wait.for_s else "",
        "until_local": wait.until_local,
        "event": wait.event,
        "when": wait.when,
        "otherwise": wait.otherwise if wait.otherwise != "leave" else "",
        "still": wait.still,
    }
    return _filled(said)


def _leave(leave: Leave) -> dict[str, Any]:
    return _filled({"event": leave.event, "when": leave.when})


def _send(send: SendSpec) -> dict[str, Any]:
    said = {
        "best_hour": send.best_hour,
        "window": written_span(send.window) if send.window is not None else "",
        "days": [DAYS[each] for each in send.days],
        "deadline": written(send.deadline_s) if send.deadline_s else "",
        "ignore_caps": send.ignore_caps,
        "least_chance": send.least_chance,
    }
    return _filled(said)


def _filled(said: dict[str, Any]) -> dict[str, Any]:
    """Without what is as it would be if nothing was said."""
    return {name: value for name, value in said.items() if value}
