"""The audit of ``[delivery]`` and of campaigns: what is allowed, and yet says little or too much."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from zoneinfo import ZoneInfo

from germane.config.finding import Finding
from germane.deliver import never
from germane.deliver.compiled import Compiled
from germane.domain.campaign import Campaign, way_out
from germane.domain.expressions import nearest
from germane.domain.settings import CapSpec, DeliverySpec, Settings
from germane.domain.walltime import DAY_MIN, DAY_MS, inside, written_span

_UTC = ZoneInfo("UTC")
_LIKE = 0.85
"""Names of events that are so much alike are most likely meant to be the same."""
_MANY_A_WEEK = 14


def audit_delivery(delivery: DeliverySpec) -> list[Finding]:
    """Findings about quiet hours, caps and window."""
    found = [_open(delivery), _quiet(delivery), _caps(delivery.caps)]
    found += [
        _warning(f"A cap of {each.count} in {each.per_s // 60} minutes is never the one that holds.",
                 "Take it out: another one is stricter.")
        for each in delivery.caps
        if any(_stricter(other, each) for other in delivery.caps)
    ]  # fmt: skip
    if delivery.exploration_share == 0:
        found.append(
            _warning(
                "No message is ever sent at another than its best hour: what was never tried stays unknown.",
                "Set exploration_share = 0.05.",
            )
        )
    return found


def audit_campaigns(
    campaigns: Mapping[str, Compiled], settings: Settings, now_ms: int | None = None
) -> list[Finding]:
    """Findings about campaigns that could be read.

    Args:
        campaigns: By name.
        settings: The declaration.
        now_ms: For what has a time that may be over; ``None``: that is not looked at.
    """
    named = {each.event for each in settings.signals.values()}
    found = []
    for campaign in (each.campaign for each in campaigns.values()):
        path = f"campaigns/{campaign.name}"
        found += [_said(path, *each) for each in _never(campaign, settings.delivery, now_ms)]
        found += [_said(path, *each) for each in _alone(campaign)]
        found += [_said(path, *each) for each in _events(campaign, named)]
        if campaign.status == "dry":
            found.append(Finding("", "campaigns", "good", f"{path}: {_brief(campaign)}."))
        else:
            text = f"its status {campaign.status!r} in the file is not used."
            remedy = (
                f"`germane campaign live {campaign.name}` lets it send; pause, dry and end stop it."
            )
            found.append(_said(path, text, remedy))
    return found


def _open(delivery: DeliverySpec) -> Finding:
    """How much of a day is open to a campaign that names no window."""
    day = inside(0, DAY_MS, _UTC, delivery.window)
    quiet = inside(0, DAY_MS, _UTC, delivery.quiet_hours) if delivery.quiet_hours else ()
    minutes = (
        _minutes(day)
        - sum(max(0, min(b, d) - max(a, c)) for a, b in day for c, d in quiet) // 60_000
    )
    if minutes <= 0:
        return Finding(
            "", "delivery", "error",
            f"Nothing can ever go out: the window {_written(delivery.window)} lies in the quiet hours "
            f"{_written(delivery.quiet_hours)}.",
            "Change one of the two under [delivery].",
        )  # fmt: skip
    if minutes < 180:
        return _warning(
            f"Only {minutes} minutes of a day are open: much will miss its deadline.",
            "Open the window.",
        )
    return Finding("", "delivery", "good", f"{minutes / 60:g} hours of a day are open to messages.")


def _quiet(delivery: DeliverySpec) -> Finding:
    if delivery.quiet_hours is None:
        return _warning(
            "There are no quiet hours: people may be woken.", 'Set quiet_hours = "22:00-07:00".'
        )
    return Finding("", "delivery", "good", f"Quiet hours: {_written(delivery.quiet_hours)}.")


def _caps(caps: tuple[CapSpec, ...]) -> Finding:
    if not caps:
        return _warning(
            "There is no cap: nothing bounds how much one person gets.",
            "Add [[delivery.caps]] with count and per.",
        )
    least = min(each.count * 7 * 86_400 / each.per_s for each in caps)
    if least > _MANY_A_WEEK:
        return _warning(
            f"The caps let {least:.0f} messages a week through to one person.",
            "Most people leave earlier.",
        )
    return Finding("", "delivery", "good", f"At most {least:.3g} messages a week to one person.")


def _stricter(one: CapSpec, two: CapSpec) -> bool:
    """Whether a cap holds wherever the other would: as few or fewer, in as long or longer, of as much."""
    if one == two or one.calendar != two.calendar or (one.channel and one.channel != two.channel):
        return False
    if two.channel not in ("", "email", "webhook"):
        return one.channel == two.channel and one.count <= two.count and one.per_s >= two.per_s
    return one.count <= two.count and one.per_s >= two.per_s


def _never(campaign: Campaign, delivery: DeliverySpec, now_ms: int | None) -> list[tuple[str, str]]:
    """Why it, or a step of it, can never send."""
    past = None if now_ms is None else never.over(campaign, now_ms)
    found = [(past.text, past.remedy)] if past is not None else []
    shut = never.all_closed(campaign, delivery)
    if shut:
        return [*found, *((each.text, each.remedy) for each in shut)]
    steps = never.closed(campaign, delivery).items()
    return [*found, *((f"step {name}: {each.text}", each.remedy) for name, each in steps)]


def _alone(campaign: Campaign) -> list[tuple[str, str]]:
    found = []
    send = campaign.send
    if not campaign.goal.event and not campaign.transactional:
        found.append(
            ("it has no goal: it goes on when what it wants has happened.", "Add [goal] event = ….")
        )
    if (
        campaign.reentry == "always"
        and campaign.enter.kind == "event"
        and campaign.enter.count == 1
    ):
        found.append(
            (
                "each event lets people in again: only caps bound what they get.",
                'Write reentry = "after 30d".',
            )
        )
    if send.ignore_caps:
        found.append(("it keeps no cap.", "Take ignore_caps out unless people asked for it."))
    return found


def _brief(campaign: Campaign) -> str:
    """Way in and messages, in a few words."""
    ways = {"event": "an event", "item": "a change of an item", "schedule": "a schedule"}
    by = ways.get(campaign.enter.kind, "an audience")
    by_way = Counter(
        way_out(campaign.channel_of(x), campaign.webhook_of(x)) for x in campaign.steps
    )
    told = [f"{count} message{'s' if count != 1 else ''} by {way}" for way, count in by_way.items()]
    return f"{by} lets people in; {', '.join(told)}"


def _events(campaign: Campaign, named: set[str]) -> list[tuple[str, str]]:
    """Events that no signal names, and that look like one that a signal names."""
    events = [campaign.enter.event, campaign.goal.event, campaign.leave.event]
    events += [step.wait.event for step in campaign.steps]
    found = []
    for event in dict.fromkeys(each for each in events if each and each not in named):
        near = nearest(event, named, _LIKE)
        if near is not None:
            found.append((f"no signal names {event!r}.", f"Did you mean {near!r}?"))
    return found


def _minutes(pieces: Iterable[tuple[int, int]]) -> int:
    return sum(high - low for low, high in pieces) // 60_000


def _written(span: tuple[int, int] | None) -> str:
    return written_span(span or (0, DAY_MIN))


def _warning(text: str, remedy: str) -> Finding:
    return Finding("", "delivery", "warning", text, remedy)


def _said(path: str, text: str, remedy: str) -> Finding:
    return Finding("", "campaigns", "warning", f"{path}: {text}", remedy)
